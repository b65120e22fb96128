"""Waits with a limit, a cadence and a sentence for the time-out; every change of what was seen is evidence."""

from __future__ import annotations

import time
from collections.abc import Callable

from reports.record.evidence import Attempt, Wait

_BREATH = 1.0
"""The least seconds between two lines on the screen: every change is recorded, but not every change is shown."""

GAP = 2.0
"""Seconds that a busy machine may be late; a longer delay means that this process, or its machine, was stopped."""

Look = Callable[[], tuple[bool, str]]
"""Looks once; returns whether the wait is over, and what was seen."""


class Waiting:
    """Waits for one thing at a time; calls `poll` at every turn, and `say` at each change and as a heartbeat."""

    def __init__(
        self,
        poll: Callable[[], None],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        heartbeat: float = 15.0,
    ) -> None:
        self._poll = poll
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._heartbeat = heartbeat

    def until(
        self,
        what: str,
        look: Look,
        limit: float,
        cadence: float,
        hopeless: Callable[[], str] = lambda: "",
        *,
        rest: Callable[[float], None] | None = None,
    ) -> Wait:
        """Look until the wait is over or the limit has passed; the result says which.

        `hopeless` is asked once a second; it returns why there is nothing left to wait for, or an empty text. `rest`
        sleeps until the next look, and may end early if there is something new to see.
        Time in which this process could not look does not count against the server: it is added to the limit, and a
        look that such a delay has carried beyond the limit is repeated once.
        """
        began = self._clock()
        missed, again = 0.0, False
        attempts: list[Attempt] = []
        shown_at = asked_at = began - _BREATH
        while True:
            asked = self._clock()
            over, saw = look()
            now = self._clock()
            changed = _note(attempts, now - began, saw)
            why = ""
            if not over and now - asked_at >= _BREATH:
                asked_at, why = now, hopeless()
            late = now - began - missed >= limit
            if late and now - asked > GAP and not (over or why or again):
                again = True
                continue
            if over or why or late:
                return _wait(what, limit, cadence, now - began, attempts, why=why, ended=over)
            if (changed and now - shown_at >= _BREATH) or now - shown_at >= self._heartbeat:
                self._say(f"{what}: {saw} ({now - began:.0f} s of {limit:.0f} s)")
                shown_at = now
            self._poll()
            missed += self._slept(min(cadence, max(0.0, began + limit + missed - now)), rest or self._sleep)

    def _slept(self, length: float, rest: Callable[[float], None]) -> float:
        """Sleep; return the seconds by which the sleep was too long, if this process was stopped meanwhile."""
        began = self._clock()
        rest(length)
        late = self._clock() - began - length
        return late if late > GAP else 0.0


def _note(attempts: list[Attempt], at: float, saw: str) -> bool:
    if attempts and attempts[-1].saw == saw:
        attempts[-1] = Attempt(attempts[-1].at, saw, attempts[-1].count + 1)
        return False
    attempts.append(Attempt(round(at, 3), saw))
    return True


def _wait(
    what: str, limit: float, cadence: float, took: float, attempts: list[Attempt], *, why: str, ended: bool
) -> Wait:
    last = attempts[-1].saw
    sentence = f"{what}: {last} after {took:.1f} s"
    if why:
        sentence = f"{what}: given up after {took:.1f} s: {why}; the last look saw: {last}"
    elif not ended:
        sentence = f"{what}: not within {limit:g} s; the last look saw: {last}"
    return Wait(what, limit, cadence, took, ended, sentence, tuple(attempts))
