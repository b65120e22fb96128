"""Answers each call of the stand-ins: from the engine if it only looks, otherwise from the rehearsal."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from procedures.drivers import shell
from procedures.rehearsal.standin.acts import act
from procedures.rehearsal.standin.calls import Call, parse
from procedures.rehearsal.standin.composing import compose
from procedures.rehearsal.standin.doors import Doors
from procedures.rehearsal.standin.looks import Reply, look, reply_of
from procedures.rehearsal.standin.world import World
from reports.redaction.secret_names import is_secret_name

CALL_LIMIT = 10.0
NOT_ASKED = "not asked"
MOST_CALLS = 2000
PATIENCE = 10
FOLDERS = frozenset({"PWD", "OLDPWD"})
KEPT = re.compile(r"(?:KESTRA|COMPOSE|DOCKER|SKIP)_", re.IGNORECASE)
# Programs that say who listens on a port; they know that only in the network of this machine.
LISTENERS = ("lsof", "ss", "netstat", "fuser")
_BY_ITSELF = frozenset({"compose config", "compose convert", "compose version", "compose help"})
_KILLS = re.compile(r"-\w*[kKD]\w*|--[kKdD].*|-\d+|-SIG.*")


@dataclass(slots=True)
class Broker:
    """One conversation with each stand-in; the calls of a rehearsal are kept in order."""

    docker_host: str
    environment: Mapping[str, str]
    calls: list[dict[str, Any]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    is_open: bool = True
    is_waiting: bool = False
    """Whether the script asks the same again and again, and always gets the same answer."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    doors: Doors | None = None
    _looks: dict[tuple[tuple[str, ...], str, int], dict[str, Any]] = field(default_factory=dict)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self._ask)

    def serve(self, listener: socket.socket) -> None:
        """Answer until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                stream, _ = listener.accept()
                threading.Thread(target=self._converse, args=(stream,), daemon=True).start()

    def _converse(self, stream: socket.socket) -> None:
        with stream, contextlib.suppress(OSError, EOFError, ValueError):
            stream.settimeout(60)
            line = _Line(stream)
            program, cwd, count = line.word(), line.word(), int(line.word())
            arguments = tuple(line.word() for _ in range(count))
            pairs = iter(line.word, "")
            environment = dict(one.partition("=")[::2] for one in pairs)
            # Sent outside the lock: the reader may be calling us again.
            line.end(self._answer(line, parse(program, arguments, cwd, environment)))

    def _answer(self, line: _Line, call: Call) -> Reply:
        if not self.is_open or len(self.calls) >= MOST_CALLS:
            return Reply(err="the rehearsal has ended\n", code=125)
        if call.argv[0] in LISTENERS:
            return self._listeners(*call.argv)
        self._learn(call)
        reads = call.has("i", "interactive", "password-stdin") or "-" in call.names
        if reads and call.effect != "looks":
            line.send("drain")
        if call.command in _BY_ITSELF and not self._elsewhere(call):
            code, _ = line.compose(*_behind_compose(call), aloud=True)
            reply = Reply(code=code, how="Compose itself")
        else:
            with self._lock:
                reply = self._reply(call, line)
                if self.doors and call.effect != "looks":
                    self.doors.follow()
        self._note(call, reply)
        return reply

    def _learn(self, call: Call) -> None:
        """Keep the variables that matter, and the secrets that the script has read by itself."""
        given = dict(one.partition("=")[::2] for one in call.values("e", "env") if "=" in one)
        for name, value in {**call.environment, **given}.items():
            is_new = self.environment.get(name) != value
            if KEPT.match(name) or (is_new and is_secret_name(name) and name not in FOLDERS):
                self.variables[name] = value

    def _note(self, call: Call, reply: Reply) -> None:
        if call.effect != "looks":
            self._looks.clear()
        again = self._looks.get((call.argv, reply.out, reply.code))
        if again is None:
            effect = "unknown" if reply.how == NOT_ASKED else call.effect
            noted = {"argv": call.argv, "cwd": call.cwd, "effect": effect, "answered": reply.how}
            self.calls.append({**noted, "exit_code": reply.code, "times": 1})
            if call.effect == "looks":
                self._looks[call.argv, reply.out, reply.code] = self.calls[-1]
            return
        again["times"] += 1
        if again["times"] == PATIENCE:
            self.world.notes[f"it waits for what a rehearsal cannot bring: `{' '.join(call.argv)}`"] = None
            self.is_waiting = True

    def _reply(self, call: Call, line: _Line) -> Reply:
        elsewhere = self._elsewhere(call)
        if elsewhere:
            self.world.notes[f"another engine is asked, by {elsewhere}: what happens there is not known"] = (
                None
            )
            return Reply(err=f"Cannot connect to the Docker daemon ({elsewhere})\n", code=1, how=NOT_ASKED)
        if call.is_compose:
            return compose(self.world, call, line.compose)
        return look(self.world, call) if call.effect == "looks" else act(self.world, call)

    def _elsewhere(self, call: Call) -> str:
        """Return what leads this call to another engine than the target's, empty where nothing does."""
        options = dict(call.engine_options)
        for name in ("H", "host", "c", "context"):
            if name in options and options[name] not in {self.docker_host, "default"}:
                return f"{'-' if len(name) == 1 else '--'}{name} {options[name]}"
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
            value = call.environment.get(name, "")
            if value and value not in {self.environment.get(name, ""), self.docker_host}:
                return f"{name}={value}"
        return ""

    def _listeners(self, program: str, *arguments: str) -> Reply:
        if any(_KILLS.fullmatch(one) for one in arguments):
            self.world.notes[f"`{program} {' '.join(arguments)}` may end processes: it was not run"] = None
            return Reply()
        reply = reply_of(self._run(program, *arguments))
        with self._lock:
            freed = "|".join(self.world.freed_ports())
        if not freed:
            return reply
        kept = [
            line for line in reply.out.splitlines(keepends=True) if not re.search(rf":(?:{freed})\b", line)
        ]
        return Reply("".join(kept), reply.err, reply.code if len(kept) > 1 or program == "ss" else 1)

    def _ask(self, *words: str) -> shell.Result:
        return self._run("docker", "-H", self.docker_host, *words)

    def _run(self, *argv: str) -> shell.Result:
        # Nothing of the script's own environment: it could lead a client anywhere.
        kept = {
            name: value
            for name, value in self.environment.items()
            if name not in {"DOCKER_HOST", "DOCKER_CONTEXT"} and not name.startswith("COMPOSE_")
        }
        return shell.run(shell.Command(argv, Path("/"), CALL_LIMIT, kept))


def _behind_compose(call: Call) -> tuple[str, ...]:
    first = call.argv.index("compose") if call.argv[0] == "docker" else 0
    return call.argv[first + 1 :]


def plugin(environment: Mapping[str, str]) -> list[str]:
    """Return the path of the Compose that `docker compose` runs, and of every other one."""
    home = environment.get("HOME", "/root")
    folders = (
        environment.get("DOCKER_CONFIG", f"{home}/.docker"),
        "/usr/local/lib/docker",
        "/usr/local/libexec/docker",
        "/usr/lib/docker",
        "/usr/libexec/docker",
    )
    files = [Path(folder, "cli-plugins", "docker-compose") for folder in folders]
    alone = shutil.which("docker-compose", path=environment.get("PATH"))
    found = [*files, *([Path(alone)] if alone else [])]
    return list(dict.fromkeys(str(one.resolve()) for one in found if os.access(one, os.X_OK)))


class _Line:
    """The connection between a stand-in and us: words in both directions."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.left = b""

    def word(self) -> str:
        while b"\0" not in self.left:
            chunk = self.stream.recv(65536)
            if not chunk:
                raise EOFError
            self.left += chunk
        first, _, self.left = self.left.partition(b"\0")
        return first.decode(errors="surrogateescape")

    def send(self, *words: str) -> None:
        self.stream.sendall(b"".join(word.encode(errors="surrogateescape") + b"\0" for word in words))

    def compose(self, *words: str, aloud: bool = False) -> tuple[int, str]:
        self.send("compose-aloud" if aloud else "compose", str(len(words)), *words)
        return int(self.word()), self.word()

    def end(self, reply: Reply) -> None:
        for number, text in (("1", reply.out), ("2", reply.err)):
            data = text.encode(errors="surrogateescape")
            if data:
                self.send("say", number, str(len(data)))
                self.stream.sendall(data)
        self.send("exit", str(reply.code))
