"""Acting by Docker Compose: as the runbook's own `docker compose -f … up -d kestra` does, with one service named."""

from __future__ import annotations

import copy
import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path

from procedures.drivers.shell import Command
from procedures.target.target import Target

QUIET = ("--ansi", "never", "--progress", "plain")
# What a client needs to find itself and its engine; everything else of the caller's environment may change a value.
_NEUTRAL = (
    "PATH",
    "HOME",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "DOCKER_TLS",
    "LANG",
    "PWD",
)

_CLIENTS = ("BUILDKIT_", "BUILDX_", "COMPOSE_", "DOCKER_")
"""How the names of the variables begin by which Compose and the docker client change what they do."""
_HANDED_ON = frozenset({
    "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_CONFIG",
    "DOCKER_TLS", "DOCKER_TLS_VERIFY",
})  # fmt: skip
"""Those of them that say which engine and which services are meant; no other one reaches a command of ours."""
_SPENT = frozenset({"DOCKER_CONTEXT", "DOCKER_HOST"})
"""What the engine's address was made of, which every command is given."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Compose:
    """Commands for one target, in the operator's environment with the engine's address made explicit."""

    def __init__(self, target: Target, environment: Mapping[str, str], docker_host: str) -> None:
        self._target = target
        self._environment = {
            **{name: value for name, value in environment.items() if _is_handed_on(name)},
            "DOCKER_HOST": docker_host,
            # Where somebody stands who types the same command in the root.
            "PWD": str(target.root),
        }

        asked = sorted(
            name
            for name, value in environment.items()
            if value and name.startswith(_CLIENTS) and name not in _SPENT
        )
        self.dropped = tuple(one for one in asked if not _is_handed_on(one))
        self.handed_on = tuple(one for one in asked if _is_handed_on(one))
        self._apart: tuple[str, ...] = ()
        self._before: tuple[str, ...] = ()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment in which every command of this target's runs."""
        return self._environment

    def with_file(self, file: Path) -> Compose:
        """Return the same commands with a further Compose file that wins over the target's own."""
        found = copy.copy(self)
        found._target = dataclasses.replace(  # noqa: SLF001 - our own kind
            self._target, compose_files=(*self._target.compose_files, file)
        )
        return found

    def of_rendered(self, project: str, files: tuple[Path, ...], *, without_env_file: bool) -> Compose:
        """Return the same commands for what was rendered of these files: nothing of them is read any more."""
        found = copy.copy(self)
        found._target = dataclasses.replace(self._target, project=project, compose_files=files)  # noqa: SLF001 - our own kind
        found._apart = self._directory  # noqa: SLF001 - our own kind
        # A `.env` that nobody can parse by now must not keep the start from what was rendered before.
        found._before = ("env", "COMPOSE_DISABLE_ENV_FILE=1") if without_env_file else ()  # noqa: SLF001 - our own kind
        return found

    def stop(self, grace: float, limit: float) -> Command:
        return self._call(limit, "stop", "-t", str(math.ceil(grace)), self._target.service)

    def start(self, limit: float) -> Command:
        return self._call(limit, *self._up())

    def pull(self, reference: str, limit: float) -> Command:
        """Build the pull of an image, as anybody would type it."""
        return self._docker(limit, "pull", reference)

    def name_image(self, image: str, reference: str) -> Command:
        """Build the command that gives an image a name, so that nobody clears it away."""
        return self._docker(30, "tag", image, reference)

    def unname_image(self, reference: str) -> Command:
        """Build the command that takes a name away from an image."""
        return self._docker(60, "rmi", "--no-prune", reference)

    def stop_container(self, name: str, grace: float, limit: float) -> Command:
        """Build the stop of a container that Compose may not know."""
        return self._docker(limit, "stop", "-t", str(math.ceil(grace)), name)

    def unpause(self, limit: float) -> Command:
        return self._call(limit, "unpause", self._target.service)

    def clear(self, containers: tuple[str, ...], limit: float) -> Command:
        """Build the command that removes containers by their ids; the engine refuses one that runs."""
        return self._docker(limit, "rm", *containers)

    def version(self, limit: float) -> Command:
        return self._docker(limit, "compose", "version", "--short")

    def hash_of(self, model: str, limit: float) -> Command:
        """Build the call by which Compose says by what it knows a container of a rendered model again."""
        words = (
            "docker",
            "compose",
            "-p",
            "known",
            *self._directory,
            "-f",
            "-",
            "config",
            "--hash",
            self._target.service,
        )
        return Command(words, self._target.root, limit, self._environment, stdin=model)

    def rehearse_start(self, limit: float) -> Command:
        return self._call(limit, *self._up(), before=("--dry-run",))

    def rehearse_all(self, limit: float) -> Command:
        """Build the command that says what a plain `up` of the whole project would do and does nothing."""
        return self._call(limit, "up", "-d", "--pull", "never", before=("--dry-run",))

    def render(self, limit: float) -> Command:
        """Build the rendering that the operator's own call would use."""
        return self._call(limit, "config", "--format", "json", before=())

    def render_by_file(self, limit: float) -> Command:
        """Build the rendering by the env files alone, with nothing of the caller's environment in it."""
        files = tuple(word for one in self._target.env_files for word in ("--env-file", str(one)))
        argv = ("docker", "compose", *files, *self._files(), "config", "--format", "json")
        return Command(argv, self._target.root, limit, self._neutral())

    def interpolate(self, names: tuple[str, ...], limit: float, *, by_file: bool) -> Command:
        """Build a rendering of nothing but some names, so that Compose itself says what they are worth."""
        # An env file may set other names than these; no compose file can ask for them.
        askable = [name for name in names if _VARIABLE.fullmatch(name)]
        lines = "".join(f'      {name}: "${{{name}-}}"\n' for name in askable)
        model = f"services:\n  names:\n    image: none\n    environment:\n{lines}"
        files = (
            tuple(word for one in self._target.env_files for word in ("--env-file", str(one)))
            if by_file
            else ()
        )
        argv = (
            "docker",
            "compose",
            "-p",
            "names",
            *self._directory,
            *files,
            "-f",
            "-",
            "config",
            "--format",
            "json",
        )
        environment = self._neutral() if by_file else self._environment
        return Command(argv, self._target.root, limit, environment, stdin=model)

    @property
    def typed(self) -> str:
        """How an operator types Compose for this target, in its root."""
        return " ".join(("docker", *self._target.engine_flags, "compose", *self._files()))

    def _call(self, limit: float, *words: str, before: tuple[str, ...] = QUIET) -> Command:
        quiet = (*QUIET, *before) if before and before != QUIET else before
        return self._docker(limit, "compose", *quiet, *self._files(), *words)

    def _docker(self, limit: float, *words: str) -> Command:
        """Build a call of the docker client that finds this target's engine, typed by hand too."""
        argv = (*self._before, "docker", *self._target.engine_flags, *words)
        return Command(argv, self._target.root, limit, self._environment)

    def _up(self) -> tuple[str, ...]:
        return ("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", self._target.service)

    @property
    def _directory(self) -> tuple[str, ...]:
        return "--project-directory", str(self._target.compose_files[0].parent)

    def _files(self) -> tuple[str, ...]:
        project = ("-p", self._target.project) if self._target.project else ()
        return (
            *project,
            *self._apart,
            *(word for one in self._target.compose_files for word in ("-f", self._typed(one))),
        )

    def _typed(self, file: Path) -> str:
        root = self._target.root
        return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)

    def _neutral(self) -> dict[str, str]:
        return {name: self._environment[name] for name in _NEUTRAL if name in self._environment}


def _is_handed_on(name: str) -> bool:
    """Whether a variable of the caller's reaches our commands: all do that are not the clients' own."""
    return not name.startswith(_CLIENTS) or name in _HANDED_ON
