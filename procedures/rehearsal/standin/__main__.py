"""Rehearses one script: reads the request on standard input, and writes the result on standard output."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from procedures.rehearsal.standin import kernel
from procedures.rehearsal.standin.broker import LISTENERS, Broker, plugin
from procedures.rehearsal.standin.doors import Doors
from procedures.rehearsal.standin.inside import Tools, enter
from procedures.rehearsal.standin.request import Request
from procedures.rehearsal.standin.watch import Watch

KEPT_BYTES = 60_000
GUARD = 5.0
"""Seconds beyond the script's limit in which the sandbox ends itself; after that it is ended from here."""


class Stage:
    """The outer side of one rehearsal: it maps the ids, answers the calls, and keeps the output."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.broker = Broker(request.docker_host, request.environment)
        self.broker.world.fates |= dict.fromkeys(request.stopped, "exited") | dict.fromkeys(
            request.gone, "removed"
        )
        self.broker.world.stand_in = request.stand_in
        self.watch: Watch | None = None
        self.output = bytearray()
        self.end: dict[str, Any] = {}

    def play(self) -> dict[str, Any]:
        """Run the script in the sandbox to its end, and return everything that is known of it."""
        kit = tools(self.request)
        kernel.take_orphans()
        line, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            line.close()
            near.close()
            os.close(reader)
            enter(self.request, other, far, writer, kit)
        other.close()
        far.close()
        self.broker.doors = Doors(near, self.broker.world)
        os.close(writer)
        try:
            self._follow(line, reader, child)
        finally:
            self.broker.is_open = False
            _wait_for_all(child)
        return self._result()

    def _follow(self, line: socket.socket, reader: int, child: int) -> None:
        deadline = time.monotonic() + self.request.limit + GUARD
        is_asked = False
        with selectors.DefaultSelector() as selector:
            selector.register(line, selectors.EVENT_READ)
            selector.register(reader, selectors.EVENT_READ)
            while not self.end and time.monotonic() < deadline:
                for key, _ in selector.select(0.2):
                    if key.fileobj is line:
                        self._hear(line, child, selector)
                    elif key.fileobj == reader:
                        self._keep(reader, selector)
                    elif self.watch:
                        self.watch.hear()
                if not is_asked and (self.broker.is_waiting or (self.watch and self.watch.is_full)):
                    is_asked = True
                    line.send(b"enough")
            os.set_blocking(reader, False)
            with contextlib.suppress(BlockingIOError):
                while self._keep(reader, None):
                    pass

    def _hear(self, line: socket.socket, child: int, selector: selectors.BaseSelector) -> None:
        try:
            data, handles, _, _ = socket.recv_fds(line, 1 << 20, 1)
        except ConnectionResetError:
            return  # it ended before it heard us; its last word comes next
        message = json.loads(data) if data else {"at": "nowhere", "why": "the sandbox ended by itself"}
        if message["at"] == "user":
            _map_ids(child)
            line.send(b"mapped")
        elif message["at"] == "network":
            listener = socket.socket(fileno=handles[0])
            threading.Thread(target=self.broker.serve, args=(listener,), daemon=True).start()
        elif message["at"] == "script":
            self.watch = Watch(handles[0])
            selector.register(handles[0], selectors.EVENT_READ)
        else:
            self.end = message

    def _keep(self, reader: int, selector: selectors.BaseSelector | None) -> bool:
        chunk = os.read(reader, 65536)
        self.output += chunk
        del self.output[: len(self.output) - KEPT_BYTES]
        if not chunk and selector:
            selector.unregister(reader)
        return bool(chunk)

    def _result(self) -> dict[str, Any]:
        if self.end.get("at") == "nowhere":
            return {"cannot": self.end["why"]}
        world = self.broker.world
        files = self.watch.env_files if self.watch else {}
        sources = self.watch.sources if self.watch else {}
        sockets = self.watch.sockets if self.watch else {}
        notes = [*world.notes, *(f"a socket file was tried, and refused: {one}" for one in sockets)]
        notes += ["it multiplies without an end"] if self.watch and self.watch.is_full else []
        notes += [f"a process is left behind: {one}" for one in self.end.get("left", ())]
        return {
            "exit_code": self.end.get("exit_code"),
            "took": self.end.get("took", self.request.limit),
            "timed_out": self.end.get("timed_out", True),
            "output": self.output.decode(errors="replace"),
            "calls": [*self.broker.calls, *map(_past_us, sockets)],
            "env_files": sorted(files),
            "missing_env_files": sorted(one for one, is_there in files.items() if not is_there),
            "sources": list(sources),
            "variables": self.broker.variables if self.broker.calls else None,
            "pulls": list(world.pulls),
            "builds": list(world.builds),
            "creates": list(world.creates),
            "images": list(world.created_from),
            "ports": list(world.ports),
            "creations": list(world.creations.values()),
            "hits": list(world.hits.values()),
            "wrote": self.end.get("wrote", []),
            "volumes": list(world.volumes_gone),
            "notes": notes,
        }


def _wait_for_all(child: int) -> None:
    """Wait until nothing of the sandbox lives: its first process ends last of all, and its parent after it."""
    deadline = time.monotonic() + GUARD
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        while True:
            os.waitpid(-1, 0)


def _past_us(words: str) -> dict[str, Any]:
    """Return the call of a command that spoke to a socket file: what it wanted of whom is not known."""
    return {"argv": [words], "cwd": "", "effect": "unknown", "answered": "refused", "exit_code": 1}


def tools(request: Request) -> Tools:
    """Return the stand-ins that this machine needs: one for each program that it has."""
    folder = Path(__file__).parent
    call, sudo = (folder / "docker.sh").read_bytes(), (folder / "sudo.sh").read_bytes()
    path = request.environment.get("PATH", os.defpath)
    everywhere = f"{path}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
    content: dict[str, bytes] = {}
    over: dict[str, str] = {}
    for name in ("docker", "docker-compose", "sudo", *LISTENERS):
        if shutil.which(name, path=path):
            content[name] = sudo if name == "sudo" else call
        for entry in dict.fromkeys(everywhere.split(":")):
            file = Path(entry or ".", name)
            if name in content and os.access(file, os.X_OK):
                over[str(file.resolve())] = name
    plugins = plugin(request.environment)
    if plugins:
        # Under another name: the script may find a `docker-compose` only if this machine has one on its path.
        content[".plugin"] = call
        over |= {one: ".plugin" for one in plugins if one not in over}
    return Tools(content, over, {"docker-compose": plugins[0]} if plugins else {})


def _map_ids(child: int) -> None:
    """Give the child's namespace the ids of this one: root has all of them, any other user has one."""
    for kind, own in (("uid", os.getuid()), ("gid", os.getgid())):
        if os.getuid() == 0:
            mapping = Path(f"/proc/self/{kind}_map").read_text(encoding="utf-8").split()
            lines = "".join(
                f"{first} {first} {n}\n" for first, n in zip(mapping[::3], mapping[2::3], strict=True)
            )
        else:
            lines = f"{own} {own} 1\n"
            if kind == "gid":
                Path(f"/proc/{child}/setgroups").write_text("deny", encoding="utf-8")
        Path(f"/proc/{child}/{kind}_map").write_text(lines, encoding="utf-8")


def main() -> None:
    request = Request.from_json(sys.stdin.read())
    if not kernel.numbers():
        answer: dict[str, Any] = {
            "cannot": "this machine's processor is not one whose system calls are known here"
        }
    else:
        try:
            answer = Stage(request).play()
        except OSError as error:
            answer = {"cannot": str(error)}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    # Threads that still wait for a killed stand-in must not delay the end.
    os._exit(0)


if __name__ == "__main__":
    main()
