"""The only place that starts a process."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from procedures.drivers.processes import OWN, Brood

KEPT_BYTES = 200_000
STDOUT_BYTES = 20_000_000
"""How much of the standard output alone is kept: a command that never ends must not fill the memory."""
POLL = 0.1
HEARD_EVERY = 5.0
"""Seconds between two reported lines of a command."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a value: it can be shown, recorded and compared before anything runs.

    `environment` replaces the caller's if it is given. `limit` is in seconds. A `foreign` command is the operator's
    own: nothing of it may outlive it. `merged` gives it one pipe for both streams, so that their order is certain.
    """

    argv: tuple[str, ...]
    cwd: Path
    limit: float
    environment: Mapping[str, str] | None = None
    stdin: str = ""
    foreign: bool = False
    merged: bool = False
    kept: int = KEPT_BYTES


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a command; `output` holds both streams in the order in which they came."""

    command: Command
    exit_code: int | None
    stdout: str
    output: str
    took: float
    timed_out: bool = False
    cut: bool = False
    left: tuple[str, ...] = ()
    """What a foreign command left running, and what was then ended."""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


@dataclass(slots=True)
class _Streams:
    kept: int
    stdout: bytearray = field(default_factory=bytearray)
    both: bytearray = field(default_factory=bytearray)
    cut: bool = False

    def take(self, chunk: bytes, *, is_stdout: bool) -> None:
        if is_stdout:
            self.stdout += chunk[: STDOUT_BYTES - len(self.stdout)]
        room = self.kept - len(self.both)
        self.both += chunk[:room]
        self.cut = self.cut or len(chunk) > room


def run(
    command: Command,
    poll: Callable[[], None] = lambda: None,
    hear: Callable[[str], None] | None = None,
) -> Result:
    """Run a command to its end or its limit; `poll` is called ten times a second and ends it by raising.

    `hear` gets the newest line of the output every few seconds, to show that a long command goes on.
    The child gets a session of its own: we decide about a Ctrl-C on the terminal, and the child does not die of it.
    Its standard input is no terminal, so it cannot ask.
    """
    if not command.foreign:
        return _run(command, command.environment, poll, hear)
    with Brood() as brood:
        environment = os.environ if command.environment is None else command.environment
        result = _run(command, {**environment, **brood.mark}, poll, hear)
    return dataclasses.replace(result, left=brood.ended)


def _run(
    command: Command,
    environment: Mapping[str, str] | None,
    poll: Callable[[], None],
    hear: Callable[[str], None] | None,
) -> Result:
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if command.merged else subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return Result(command, None, "", str(error), time.monotonic() - began)
    with process, _own(process.pid):
        streams = _Streams(command.kept)
        try:
            if process.stdin:
                with contextlib.suppress(BrokenPipeError):  # it ended before it read: its status says why
                    process.stdin.write(command.stdin.encode())
                    process.stdin.close()
            timed_out = not _follow(process, streams, began + command.limit, _turn(poll, hear, streams))
        except BaseException:
            end(process)
            raise
        if timed_out:
            end(process)
    return Result(
        command,
        process.returncode,
        streams.stdout.decode(errors="replace"),
        streams.both.decode(errors="replace"),
        time.monotonic() - began,
        timed_out,
        streams.cut,
    )


@contextlib.contextmanager
def _own(pid: int) -> Iterator[None]:
    """Count a process as our own while we wait for it."""
    OWN.add(pid)
    try:
        yield
    finally:
        OWN.discard(pid)


def _turn(
    poll: Callable[[], None], hear: Callable[[str], None] | None, streams: _Streams
) -> Callable[[], None]:
    """Return what is done at every turn while a command runs."""
    if hear is None:
        return poll
    heard_at = time.monotonic()

    def turn() -> None:
        nonlocal heard_at
        poll()
        if time.monotonic() - heard_at >= HEARD_EVERY:
            heard_at = time.monotonic()
            lines = streams.both.decode(errors="replace").split("\n")
            hear(next((one.strip() for one in reversed(lines) if one.strip()), "nothing said yet"))

    return turn


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything in its session, by SIGTERM and then by SIGKILL."""
    for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
        if process.poll() is not None and number is signal.SIGTERM:
            number = signal.SIGKILL  # noqa: PLW2901 - its children may live on
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def _follow(
    process: subprocess.Popen[bytes], streams: _Streams, deadline: float, poll: Callable[[], None]
) -> bool:
    """Read both streams until both end and the process has ended; False when the deadline came first."""
    with selectors.DefaultSelector() as selector:
        for stream in (process.stdout, process.stderr):
            if stream:
                selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            poll()
            if time.monotonic() > deadline:
                return False
            for key, _ in selector.select(POLL):
                chunk = os.read(key.fd, 65536)
                if chunk:
                    streams.take(chunk, is_stdout=key.fileobj is process.stdout)
                else:
                    selector.unregister(key.fileobj)
            # A grandchild may keep a stream open for ever; what the command itself did is over.
            if process.poll() is not None and not selector.select(0):
                break
    while process.poll() is None:
        poll()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
