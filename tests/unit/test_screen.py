"""A screen that stands still, goes away or comes back: nobody waits for it, and what is lost is said."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from procedures.session.screen import Relay
from tests.stacks import wait_for

XOFF, XON = b"\x13", b"\x11"
LIMIT = 30.0


class Held:
    """A screen that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.shown = b""

    def write(self, line: bytes) -> int:
        self.free.wait(LIMIT)
        self.shown += line
        return len(line)


@contextmanager
def writing(relay: Relay) -> Iterator[None]:
    writer = threading.Thread(target=relay.write_on)
    writer.start()
    try:
        yield
    finally:
        relay.end()
        writer.join(LIMIT)


def settled(relay: Relay, limit: float) -> bool:
    return relay.settle(time.monotonic(), limit, limit)


def test_nobody_waits_for_a_screen_that_stands_still() -> None:
    """What is told while the screen takes nothing is shown when it does, in its order and whole."""
    screen = Held()
    relay = Relay(screen.write)
    with writing(relay):
        relay.take(b"one\ntwo\nthr")
        relay.take(b"ee\n")
        assert settled(relay, 0.05) is False
        screen.free.set()
        assert settled(relay, LIMIT)

    assert screen.shown == b"one\ntwo\nthree\n"
    assert (relay.lost, relay.trouble) == (0, "")


def test_what_does_not_fit_is_lost_and_said() -> None:
    """The oldest lines make room for the newest, and where they would stand it is said how many there were."""
    screen = Held()
    relay = Relay(screen.write, kept=40)
    with writing(relay):
        relay.take(b"first line\n")
        wait_for(lambda: not relay._lines, "the writer to hold the first line", LIMIT)
        for number in range(100):
            relay.take(f"line number {number}\n".encode())
        screen.free.set()
        assert settled(relay, LIMIT)

    assert screen.shown.startswith(b"first line\n")
    assert screen.shown.endswith(b"line number 98\nline number 99\n")
    assert b"(98 lines lost: the screen stood still)" in screen.shown
    assert "98 lines of it are lost" in relay.trouble


def test_a_line_that_is_longer_than_the_queue_is_kept() -> None:
    """One long line is no reason to show nothing."""
    screen = Held()
    screen.free.set()
    relay = Relay(screen.write, kept=10)
    with writing(relay):
        relay.take(b"x" * 100 + b"\n")
        assert settled(relay, LIMIT)

    assert screen.shown == b"x" * 100 + b"\n"


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        OSError(errno.EIO, "Input/output error"),
        ValueError("I/O operation on closed file"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_screen_ends_nothing(error: Exception) -> None:
    """What cannot be written any more is dropped, and nobody tries again."""
    asked = []

    def lost(line: bytes) -> int:
        asked.append(line)
        raise error

    relay = Relay(lost)
    with writing(relay):
        relay.take(b"one\ntwo\n")
        assert settled(relay, LIMIT) is False
        relay.take(b"three\n")

    assert (relay.gone, asked) == (True, [b"one\n"])


# A run that says a thousand lines and ends; how it ends its streams is what is asked.
TALKS = """
import os, sys
from procedures.session.screen import Screen
screen = Screen(None)
for number in range(1000):
    print("line", number, "." * 70, flush=True)
    print("error", number, "." * 70, file=sys.stderr, flush=True)
open(sys.argv[1], "w").close()
screen.give_back()
print("after", flush=True)
"""


@contextmanager
def talking(said: Path, **streams: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", TALKS, str(said)], **streams) as talker:  # type: ignore[call-overload]
        try:
            yield talker
        finally:
            talker.kill()


def test_a_stopped_terminal_holds_up_neither_the_run_nor_its_end(tmp_path: Path) -> None:
    """On a terminal that Ctrl-S has stopped all is said in no time, and the process ends."""
    mine, theirs = pty.openpty()
    os.write(mine, XOFF)
    said = tmp_path / "said"
    with talking(said, stdout=theirs, stderr=theirs) as talker:
        wait_for(said.exists, "the run to have said all", LIMIT)
        assert talker.wait(LIMIT) == 0
    os.close(theirs)
    os.close(mine)


def test_a_terminal_that_is_let_go_shows_everything(tmp_path: Path) -> None:
    """Where Ctrl-Q follows in time nothing is missing, and what is said afterwards follows what was said before."""
    mine, theirs = pty.openpty()
    os.write(mine, XOFF)
    said = tmp_path / "said"
    shown = b""
    with talking(said, stdout=theirs, stderr=subprocess.DEVNULL) as talker:
        os.close(theirs)
        wait_for(said.exists, "the run to have said all", LIMIT)
        os.write(mine, XON)
        with suppress(OSError):  # the other side is closed at the end
            while chunk := os.read(mine, 65536):
                shown += chunk
        assert talker.wait(LIMIT) == 0
    os.close(mine)
    lines = shown.decode().split()

    assert [lines[at + 1] for at, word in enumerate(lines) if word == "line"] == [
        str(one) for one in range(1000)
    ]
    assert lines[-1] == "after"


def test_a_reader_that_has_stopped_reading_holds_up_nothing(tmp_path: Path) -> None:
    """A full pipe that nobody reads is given up after a bounded time."""
    read, write = os.pipe()
    began = time.monotonic()
    with talking(tmp_path / "said", stdout=write, stderr=write) as talker:
        assert talker.wait(LIMIT) == 0
    os.close(read)
    os.close(write)

    assert time.monotonic() - began < LIMIT
