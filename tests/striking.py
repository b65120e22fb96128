"""When a SIGKILL strikes a run, and whom: drawn at random, the same for the same seed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests import targets
from tests.stacks import Stack, engine

AFTER_A_BOUNDARY = 0.25
"""So long after a boundary, in seconds, a strike may fall: a run does its next thing by then."""


class Clock(StrEnum):
    """What a strike is timed by."""

    MOMENT = "seconds"
    JOURNAL = "journal entries"
    ENGINE = "events of the engine"


@dataclass(frozen=True, slots=True)
class Length:
    """How long a procedure is that nobody strikes, by each clock."""

    seconds: float
    entries: int
    events: int


@dataclass(frozen=True, slots=True)
class Strike:
    """A SIGKILL: so much of what the clock counts, and a little later; the run alone, or all that it has started."""

    clock: Clock
    amount: float
    later: float
    whole_tree: bool

    def __str__(self) -> str:
        whom = "with all that it had started" if self.whole_tree else "alone"
        return f"after {self.amount:.4g} {self.clock} and {self.later:.3f} s, {whom}"


def draw(choice: random.Random, length: Length) -> Strike:
    """Draw a strike for a procedure of this length."""
    clock = choice.choices(list(Clock), weights=[2, 2, 1])[0]
    later = choice.uniform(0, AFTER_A_BOUNDARY)
    whole_tree = choice.random() < 0.5
    if clock is Clock.MOMENT:
        return Strike(clock, choice.uniform(0.1, length.seconds), 0.0, whole_tree)
    most = length.entries if clock is Clock.JOURNAL else length.events
    return Strike(clock, choice.randint(1, max(most, 1)), later, whole_tree)


@dataclass(slots=True)
class Counted:
    """What has happened since a run was started."""

    stack: Stack
    known: frozenset[Path]
    since: float = field(default_factory=time.monotonic)
    events: int = 0

    def by(self, clock: Clock) -> float:
        if clock is Clock.MOMENT:
            return time.monotonic() - self.since
        if clock is Clock.ENGINE:
            return self.events
        new = [one for one in targets.journals(self.stack) if one not in self.known]
        return sum(one.read_bytes().count(b"\n") for one in new)

    def length(self) -> Length:
        return Length(self.by(Clock.MOMENT), int(self.by(Clock.JOURNAL)), self.events)


@contextmanager
def counting(stack: Stack) -> Iterator[Counted]:
    """Count journal entries and the engine's events of a stack meanwhile; health checks are none."""
    counted = Counted(stack, frozenset(targets.journals(stack)))
    with engine() as client:
        events = client.events(
            decode=True, filters={"label": f"com.docker.compose.project={stack.project}", "type": "container"}
        )

        def count() -> None:
            with suppress(Exception):  # the stream is closed under it
                for one in events:
                    counted.events += not str(one["Action"]).startswith(("exec_", "health_status"))

        listening = threading.Thread(target=count, daemon=True)
        listening.start()
        try:
            yield counted
        finally:
            events.close()
            listening.join(5)


def struck(run: subprocess.Popen[str], strike: Strike, counted: Counted, limit: float) -> bool:
    """Let a strike fall on a run; whether it was still there to be struck."""
    if not _until(lambda: counted.by(strike.clock) >= strike.amount, run, limit):
        return False
    time.sleep(strike.later)  # no wait for anything: the moment itself is what was drawn
    if run.poll() is not None:
        return False
    for process in [run.pid, *(started_by(counted.stack) if strike.whole_tree else ())]:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return True


def _until(condition: Callable[[], bool], run: subprocess.Popen[str], limit: float) -> bool:
    deadline = time.monotonic() + limit
    while not condition():
        if run.poll() is not None:
            return False
        if time.monotonic() > deadline:
            raise TimeoutError(f"a run that was to be struck went on for {limit:g} s")
        time.sleep(0.002)
    return True


def started_by(stack: Stack) -> list[int]:
    """The processes of this stack's runs: they carry its place for journals."""
    mark = f"XDG_STATE_HOME={stack.root / targets.STATE}\0".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes() + b"\0":
                    found.append(int(folder.name))
    return found
