"""The screen, which may stand still: output waits in a bounded queue, and no step waits for a terminal.

Ctrl-S, a pager or a reader that no longer reads blocks the writer. So the standard streams lead into a pipe of ours
that is always read, and one thread for each stream, on which nobody waits, writes on to the original stream.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from _pytest.capture import CaptureManager

from reports.page.words import count

KEPT_BYTES = 1_000_000
"""How much output waits for a screen that stands still; older output is lost, and a line says so in its place."""
STILL = 1.0
"""Seconds after which a screen that takes nothing is said to stand still."""
PATIENCE = 2.0
"""Seconds without progress after which the end of a run stops waiting for its screen."""
LAST = 10.0
"""Seconds that the end of a run waits for its screen at most."""
_CHUNK = 65536


class Relay:
    """Takes what is written to a stream without delay, and writes it on as fast as the screen takes it."""

    def __init__(self, write: Callable[[bytes], int], kept: int = KEPT_BYTES) -> None:
        self._write = write
        self._kept = kept
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._changed = threading.Condition()
        self._writing_since: float | None = None
        self._taken_at = time.monotonic()
        self._over = False
        self.lost = 0
        """How many lines were never shown."""
        self.longest = 0.0
        """The longest time in seconds that a line has waited for the screen."""
        self.gone = False
        """Whether the screen is gone: further output is dropped."""

    def take(self, chunk: bytes) -> None:
        """Queue what was written; the oldest lines make room for the newest."""
        with self._changed:
            if self.gone:
                return
            for line in chunk.splitlines(keepends=True):
                self._lines.append(line)
                self._size += len(line)
            while self._size > self._kept and len(self._lines) > 1:
                self._size -= len(self._lines.popleft())
                self._dropped += 1
                self.lost += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Let the writer end after what is queued: nothing more will come."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def write_on(self) -> None:
        """Write what is queued until the end; what cannot be written any more is dropped, and the run goes on."""
        while (line := self._next()) is not None:
            try:
                while line:
                    line = line[self._write(line) :]
            except (OSError, ValueError):
                with self._changed:
                    self.gone = True
                    self._lines.clear()
                    self._size = 0
            with self._changed:
                self._note_wait()
                self._writing_since, self._taken_at = None, time.monotonic()
                self._changed.notify_all()

    def _next(self) -> bytes | None:
        """Return what is to be written next, preceded by a line about lost lines, if any."""
        with self._changed:
            while not self._lines:
                if self._over:
                    return None
                self._changed.wait()
            line = self._lines.popleft()
            self._size -= len(line)
            if self._dropped:
                line = (
                    f"\n    ({count(self._dropped, 'line')} lost: the screen stood still)\n".encode() + line
                )
                self._dropped = 0
            self._writing_since = time.monotonic()
            return line

    def _note_wait(self) -> None:
        if self._writing_since is not None:
            self.longest = max(self.longest, time.monotonic() - self._writing_since)

    @property
    def trouble(self) -> str:
        """What the screen has not taken; empty if it took everything at once."""
        with self._changed:
            self._note_wait()
            if self.longest < STILL and not self.lost:
                return ""
            lost = (
                f", and {count(self.lost, 'line')} of it {'is' if self.lost == 1 else 'are'} lost"
                if self.lost
                else ""
            )
            return f"the screen took nothing for {self.longest:.0f} s{lost}"

    def settle(self, began: float, patience: float, limit: float) -> bool:
        """Wait until everything is written, as long as the screen takes anything; return whether everything is written."""
        with self._changed:
            while self._lines or self._writing_since is not None:
                left = min(max(self._taken_at, began) + patience, began + limit) - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return not self.gone


class Stream:
    """One standard stream, led through a relay; `places` are the descriptors that pytest keeps of it as well."""

    def __init__(self, descriptor: int, places: Iterable[int]) -> None:
        self._places = (descriptor, *places)
        self._real = os.dup(descriptor)
        self._read, write = os.pipe()
        self._lead_to(write)
        os.close(write)
        self.relay = Relay(lambda line: os.write(self._real, line))
        self._reader = threading.Thread(target=self._take_in, daemon=True)
        self._writer = threading.Thread(target=self._write_on, daemon=True)
        self._reader.start()
        self._writer.start()

    def _lead_to(self, target: int) -> None:
        for one in self._places:
            os.dup2(target, one, inheritable=one == self._places[0])

    def _take_in(self) -> None:
        _hear_no_signal()
        while chunk := os.read(self._read, _CHUNK):
            self.relay.take(chunk)
        self.relay.end()

    def _write_on(self) -> None:
        _hear_no_signal()
        self.relay.write_on()

    def give_back(self, began: float) -> None:
        """Give the stream back once everything is written; if that takes too long, let it lead nowhere.

        The interpreter's own end must not wait for a screen that stands still, nor fail on one that is gone.
        """
        nowhere = os.open(os.devnull, os.O_WRONLY)
        self._lead_to(nowhere)  # the pipe ends with its last writer, and the reader with the pipe
        os.close(nowhere)
        self._reader.join(STILL)
        if self.relay.settle(began, PATIENCE, LAST):
            self._lead_to(self._real)


def open_streams(capture: CaptureManager | None) -> None:
    """Let every closed standard stream lead nowhere: otherwise the next file that is opened takes its number."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open("r" if descriptor == 0 else "w")  # noqa: SIM115 - for as long as we run
            setattr(sys, name, stream)
            # pytest's capture restores the stream that was there before it.
            syscapture = getattr(_half(capture, descriptor), "syscapture", None)
            if syscapture is not None:
                syscapture._old = stream  # noqa: SLF001


class Screen:
    """Both standard streams of a run; they cannot hold up anything that the run does."""

    def __init__(self, capture: CaptureManager | None) -> None:
        if capture is not None:
            capture.suspend_global_capture()  # while it captures, the streams lead to its own files
        self._streams = tuple(Stream(one, _kept_by(capture, one)) for one in (1, 2))

    @property
    def trouble(self) -> str:
        """What was not shown in time; empty if everything was."""
        return next((one.relay.trouble for one in self._streams if one.relay.trouble), "")

    def give_back(self) -> None:
        """Try for a while to write what is left, then give the streams back, whatever the screen does."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        began = time.monotonic()
        for one in self._streams:
            one.give_back(began)


def _half(capture: CaptureManager | None, descriptor: int) -> object:
    """Return the part of pytest's capture that takes one stream, if any does."""
    return getattr(getattr(capture, "_global_capturing", None), ("in_", "out", "err")[descriptor], None)


def _kept_by(capture: CaptureManager | None, descriptor: int) -> tuple[int, ...]:
    """Return the descriptor to which pytest's capture returns when it pauses, if it captures by descriptors."""
    saved = getattr(_half(capture, descriptor), "targetfd_save", None)
    return () if saved is None else (saved,)


def _hear_no_signal() -> None:
    """Leave every signal to the thread that waits for signals."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
