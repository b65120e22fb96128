"""A call of `docker` or `docker-compose`, parsed: its command, its options, the names in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_GROUPS = frozenset(
    [
        "builder",
        "buildx",
        "checkpoint",
        "config",
        "container",
        "context",
        "image",
        "manifest",
        "network",
        "node",
        "plugin",
        "secret",
        "service",
        "stack",
        "swarm",
        "system",
        "trust",
        "volume",
    ]
)
# Long forms of older short commands; the command then is the short one.
_SHORT = {
    "container ls": "ps", "container list": "ps", "container ps": "ps", "container remove": "rm",
    "image ls": "images", "image list": "images", "image rm": "rmi", "image remove": "rmi",
    "image pull": "pull", "image build": "build", "image push": "push", "image tag": "tag",
    "image load": "load", "image save": "save", "image history": "history", "buildx build": "build",
    "builder build": "build", "network list": "network ls", "volume list": "volume ls",
    "network remove": "network rm", "volume remove": "volume rm", "system info": "info",
    "context list": "context ls", "compose list": "compose ls",
}  # fmt: skip
_EFFECTS = {
    "looks": "ps images inspect version info port logs top diff history stats events wait help "
    "|image inspect|network ls|network inspect|volume ls|volume inspect|system df|context ls|context show"
    "|context inspect|compose config|compose convert|compose ps|compose ls|compose images|compose logs|compose port"
    "|compose top|compose version|compose events|compose stats|compose wait|compose help|compose volumes",
    "pulls": "pull |compose pull",
    "builds": "build |compose build|buildx bake",
    "creates": "create run |compose up|compose create|compose run|compose scale",
    "starts": "start unpause |compose start|compose unpause",
    "stops": "stop kill pause restart |compose stop|compose kill|compose pause|compose restart",
    "removes": "rm rmi |compose down|compose rm|container prune|image prune|volume prune|volume rm|system prune"
    "|builder prune",
    "network": "|network create|network rm|network connect|network disconnect|network prune",
    "changes": "cp rename update tag commit load save import export login logout push |volume create|compose cp"
    "|compose push|context use|context create|context rm|context update",
}
EFFECT = {
    command: effect
    for effect, listed in _EFFECTS.items()
    for command in (*listed.partition("|")[0].split(), *filter(None, listed.partition("|")[2].split("|")))
}

_GLOBAL_VALUED = frozenset(
    ["config", "c", "context", "H", "host", "l", "log-level", "tlscacert", "tlscert", "tlskey"]
)
_COMPOSE_VALUED = frozenset(
    [
        "f",
        "file",
        "p",
        "project-name",
        "profile",
        "env-file",
        "project-directory",
        "workdir",
        "parallel",
        "progress",
        "ansi",
    ]
)
_RUN_FLAGS = frozenset(
    [
        "d",
        "detach",
        "i",
        "interactive",
        "t",
        "tty",
        "rm",
        "init",
        "privileged",
        "read-only",
        "P",
        "publish-all",
        "no-healthcheck",
        "oom-kill-disable",
        "sig-proxy",
        "disable-content-trust",
        "q",
        "quiet",
        "help",
    ]
)
_VALUED = {
    "stop": "t time timeout s signal",
    "restart": "t time timeout s signal",
    "kill": "s signal",
    "logs": "n tail since until",
    "ps": "f filter n last format",
    "inspect": "f format type",
    "exec": "e env env-file u user w workdir detach-keys",
    "up": "t timeout scale attach no-attach exit-code-from pull wait-timeout",
    "down": "rmi t timeout",
    "pull": "platform policy",
    "config": "format hash o output f",
    "rm": "",
    "rmi": "",
    "prune": "filter",
    "start": "detach-keys",
    "build": "f file t tag build-arg target platform o output progress cache-from network label secret ssh",
}
_VALUED_ELSEWHERE = "f filter format t timeout time signal s type"
# What follows their first name is the container's own command.
_RAW = frozenset({"run", "create", "exec"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `rest` is what followed the command, as typed; `names` are the words in it that are no options."""

    argv: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]
    command: str = ""
    rest: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    engine_options: tuple[tuple[str, str], ...] = ()
    compose_options: tuple[str, ...] = field(default=())
    """What stood before Compose's own command, as typed."""

    @property
    def effect(self) -> str:
        return EFFECT.get(self.command, "unknown")

    @property
    def is_compose(self) -> bool:
        return self.command.startswith("compose")

    def has(self, *names: str) -> bool:
        return any(name in names and value.lower() not in {"false", "0"} for name, value in self.options)

    def value(self, *names: str) -> str:
        """Return the last value of an option; empty if it was not given."""
        return next((value for name, value in reversed(self.options) if name in names), "")

    def values(self, *names: str) -> list[str]:
        return [value for name, value in self.options if name in names]


def parse(program: str, arguments: tuple[str, ...], cwd: str, environment: Mapping[str, str]) -> Call:
    """Parse a call; a call that cannot be understood has an unknown command."""
    argv = (program, *arguments)
    engine_options: list[tuple[str, str]] = []
    words = list(arguments)
    if program == "docker":
        engine_options, words = _options(words, _GLOBAL_VALUED)
    else:
        words = ["compose", *words]
    command, *rest = words or ["version" if ("version", "") in engine_options else "help"]
    typed: tuple[str, ...] = ()
    if command == "compose":
        options, after = _options(rest, _COMPOSE_VALUED)
        typed = tuple(rest[: len(rest) - len(after)])
        asked = dict(options)
        command = (
            f"compose {after[0]}" if after else "compose version" if "version" in asked else "compose help"
        )
        rest = after[1:]
    elif command in _GROUPS and rest:
        command, rest = f"{command} {rest[0]}", rest[1:]
        command = _SHORT.get(command, command)
        if command.startswith("container ") and command != "container prune":
            command = command.removeprefix("container ")
    options, names = _all_options(command, rest)
    return Call(
        argv,
        cwd,
        environment,
        command,
        tuple(rest),
        tuple(options),
        tuple(names),
        tuple(engine_options),
        typed,
    )


def _all_options(command: str, words: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    last = command.rpartition(" ")[2]
    if last in {"run", "create"} and not command.startswith(("network", "volume", "context")):
        return _options(words, None if not command.startswith("compose") else _COMPOSE_RUN)
    valued = frozenset(_VALUED.get(last, _VALUED_ELSEWHERE).split())
    if last in _RAW:
        return _options(words, valued)
    options: list[tuple[str, str]] = []
    names: list[str] = []
    while words:
        more, words = _options(words, valued)
        options += more
        names += words[:1]
        words = words[1:]
    return options, names


_COMPOSE_RUN = frozenset(
    [
        "e",
        "env",
        "v",
        "volume",
        "p",
        "publish",
        "name",
        "u",
        "user",
        "w",
        "workdir",
        "entrypoint",
        "l",
        "label",
        "pull",
    ]
)


def _options(words: list[str], valued: frozenset[str] | None) -> tuple[list[tuple[str, str]], list[str]]:
    """Read options up to the first word that is none; without `valued` every option takes a value, except `docker run`'s flags."""
    found: list[tuple[str, str]] = []
    left = list(words)

    def takes_value(name: str) -> bool:
        return name not in _RUN_FLAGS if valued is None else name in valued

    while left and left[0].startswith("-") and left[0] != "-":
        word = left.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if not equals and takes_value(name):
                value = left.pop(0) if left else ""
            found.append((name, value))
            continue
        letters = word[1:]
        while letters:
            name, letters = letters[0], letters[1:]
            if takes_value(name):
                value = letters.removeprefix("=") if letters else (left.pop(0) if left else "")
                found.append((name, value))
                break
            if letters.startswith("="):
                found.append((name, letters[1:]))
                break
            found.append((name, ""))
    return found, left
