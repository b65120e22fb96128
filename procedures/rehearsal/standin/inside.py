"""What runs inside: the first process of the sandbox, and the script itself."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from procedures.rehearsal.standin import kernel, place
from procedures.rehearsal.standin.doors import make_door
from procedures.rehearsal.standin.request import Request
from reports.redaction import excerpt

FILE_BYTES = 64 * 1024 * 1024
MOST_WRITTEN = 500
_POLL = 0.02


def report(line: socket.socket, handles: tuple[int, ...] = (), **words: Any) -> None:
    socket.send_fds(line, [json.dumps(words).encode()], list(handles))


def enter(request: Request, line: socket.socket, door: socket.socket, output: int, tools: Tools) -> NoReturn:
    """Become the sandbox: first its namespaces, then its first process, which makes the place and starts the script."""
    try:
        _take_user_namespace()
        kernel.be_readable()
        kernel.die_with_parent()
        report(line, at="user")
        line.recv(16)  # our ids are mapped now
        kernel.unshare(
            kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC
            | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
        )  # fmt: skip
        kernel.raise_loopback()
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            port = listener.getsockname()[1]
            report(line, (listener.fileno(),), at="network")
        first = os.fork()
        if first == 0:
            kernel.die_with_parent()
            door.close()
            _be_first(request, line, output, tools, port)
        # No thread can be had in a process whose children live in another process namespace.
        while os.waitpid(first, os.WNOHANG) == (0, 0):
            make_door(door, _POLL)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the other side is to know it
        _give_up(line, error)
    os._exit(0)


def _take_user_namespace() -> None:
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
    except OSError as error:
        # The kernel's own words for this can be "no space left on device".
        asked = "sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone, and the container around, decide"
        raise OSError(error.errno, f"no user namespace is to be had ({error.strerror}; {asked})") from error


class Tools:
    """The stand-ins, and the real programs that they cover or need."""

    def __init__(self, content: dict[str, bytes], over: dict[str, str], real: dict[str, str]) -> None:
        self.content, self.over, self.real = content, over, real


def _be_first(request: Request, line: socket.socket, output: int, tools: Tools, port: int) -> NoReturn:
    try:
        content = {**tools.content, ".port": f"{port}\n".encode()}
        layers = place.arrange(_copied(request), content, tools.over, tools.real)
        began = time.monotonic()
        script = os.fork()
        if script == 0:
            _be_script(request, line, output)
        status, timed_out = _wait(script, began + request.limit, line)
        left = _others()
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        took, wrote = time.monotonic() - began, place.written(layers)[:MOST_WRITTEN]
        left = [] if timed_out else left
        report(line, at="end", exit_code=status, timed_out=timed_out, took=took, wrote=wrote, left=left)
    except BaseException as error:  # noqa: BLE001 - as above
        _give_up(line, error)
    os._exit(0)


def _copied(request: Request) -> list[str]:
    """Return the folders of which a copy may be written: the root, the home, and needed folders inside hidden ones."""
    folders = [Path(request.root)]
    home = request.environment.get("HOME", "")
    if home.startswith("/") and os.access(home, os.R_OK | os.X_OK):
        folders.append(Path(home).resolve())
    for one in (Path(request.cwd), Path(request.argv[0]).parent):
        is_hidden = any(one.is_relative_to(hidden) and one != Path(hidden) for hidden in place.HIDDEN)
        if is_hidden and one.is_dir() and not any(one.is_relative_to(folder) for folder in folders):
            folders.append(one)
    return [str(one) for one in dict.fromkeys(folders) if one.is_dir() and one != Path("/")]


def _wait(script: int, deadline: float, line: socket.socket) -> tuple[int | None, bool]:
    """Wait for the script's end, the deadline or a message to stop; other processes that end are reaped too."""
    while time.monotonic() < deadline:
        while True:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == script:
                code = os.waitstatus_to_exitcode(status)
                return (128 - code if code < 0 else code), False
            if ended == 0:
                break
        if select.select([line], [], [], _POLL)[0]:
            line.recv(16)
            break
    return None, True


def _others() -> list[str]:
    """Return the command lines of the processes that the script left behind."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name != "1":
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().decode(errors="replace")
                if words:
                    found.append(excerpt.one_line(words.replace("\0", " "), 200))
    return sorted(found)


def _be_script(request: Request, line: socket.socket, output: int) -> NoReturn:
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDONLY)
    for number, handle in enumerate((nothing, output, output)):
        os.dup2(handle, number)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    path = f"{place.BIN}:{request.environment.get('PATH', os.defpath)}"
    environment = {**request.environment, "PATH": path}
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.chdir(request.cwd)
        environment["PWD"] = request.cwd
        kernel.give_up_privileges()
        listener = kernel.listen_to_self()
        report(line, (listener,), at="script")
        line.close()
        os.closerange(3, 1024)
        os.execvpe(request.argv[0], request.argv, environment)  # noqa: S606 - what is rehearsed, as it is
    except FileNotFoundError as error:
        _fail(f"{request.argv[0]}: {error.strerror}", 127)
    except OSError as error:
        _fail(f"{request.argv[0]}: {error.strerror}", 126)


def _fail(words: str, status: int) -> NoReturn:
    os.write(2, f"{words}\n".encode())
    os._exit(status)


def _give_up(line: socket.socket, error: BaseException) -> NoReturn:
    words = (
        error.strerror or str(error)
        if isinstance(error, OSError)
        else "".join(traceback.format_exception(error))
    )
    with contextlib.suppress(OSError):
        report(line, at="nowhere", why=words)
    sys.stderr.flush()
    os._exit(1)
