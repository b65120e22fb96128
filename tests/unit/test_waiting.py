"""Waiting, with a clock that only a sleep moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from procedures.observe.waiting import Waiting
from procedures.problems import Interrupted
from reports.record.evidence import Attempt


class Clock:
    """A time of our own: a sleep moves it, and nothing else."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.stopped: dict[int, float] = {}
        """Seconds for which the machine stands still in the sleep of this number."""

    def __call__(self) -> float:
        return self.now

    def sleep(self, length: float) -> None:
        self.slept.append(length)
        self.now += self.stopped.pop(len(self.slept), 0.0)
        # A sleep of nothing takes a moment too, or a wait that never ended would hang this test.
        self.now += max(length, 0.001)


class Lines(list[str]):
    """What an operator was told."""


def _waiting(
    clock: Clock, lines: Lines, poll: Callable[[], None] = lambda: None, heartbeat: float = 15.0
) -> Waiting:
    return Waiting(poll, lines.append, clock, clock.sleep, heartbeat)


def _saying(*answers: tuple[bool, str]) -> Callable[[], tuple[bool, str]]:
    """Look through these answers; the last one stays."""
    told: Iterator[tuple[bool, str]] = iter(answers)
    last = answers[-1]
    return lambda: next(told, last)


def test_what_is_so_already_is_not_waited_for() -> None:
    """A first good look ends the wait: nobody sleeps."""
    clock, lines = Clock(), Lines()

    wait = _waiting(clock, lines).until("ready", _saying((True, "UP")), 60, 0.5)

    assert (wait.ended, wait.took, clock.slept, wait.sentence) == (True, 0.0, [], "ready: UP after 0.0 s")


def test_a_time_out_says_what_was_seen_last() -> None:
    """After the limit the sentence tells it, and what the last look saw."""
    clock, lines = Clock(), Lines()

    wait = _waiting(clock, lines).until("ready", _saying((False, "refused"), (False, "503 DOWN")), 10, 1)

    assert not wait.ended
    assert wait.sentence == "ready: not within 10 s; the last look saw: 503 DOWN"
    assert pytest.approx(wait.took, abs=0.01) == 10
    assert (wait.limit, wait.cadence) == (10, 1)


def test_equal_answers_are_one_attempt() -> None:
    """Attempts keep each change of what was seen, when it was first seen, and how often in a row."""
    clock, lines = Clock(), Lines()
    answers = [(False, "refused")] * 3 + [(False, "503")] * 2 + [(False, "refused"), (True, "UP")]

    wait = _waiting(clock, lines).until("ready", _saying(*answers), 60, 1)

    assert (
        Attempt(0.0, "refused", 3), Attempt(3.0, "503", 2), Attempt(5.0, "refused", 1), Attempt(6.0, "UP", 1),
    ) == wait.attempts  # fmt: skip


def test_each_change_is_told_at_once() -> None:
    """A change is told when it is seen; the same answer again is not."""
    clock, lines = Clock(), Lines()

    _waiting(clock, lines).until(
        "ready", _saying(*[(False, "refused")] * 3, (False, "503"), (True, "UP")), 60, 1
    )

    assert lines == ["ready: refused (0 s of 60 s)", "ready: 503 (3 s of 60 s)"]


def test_a_long_silence_has_a_heartbeat() -> None:
    """Where nothing changes a line comes every quarter of a minute: it waits, it does not hang."""
    clock, lines = Clock(), Lines()

    _waiting(clock, lines).until("ready", _saying((False, "refused")), 40, 1)

    assert [line.partition("(")[2].partition(" of")[0] for line in lines] == ["0 s", "15 s", "30 s"]


def test_the_last_sleep_ends_at_the_limit() -> None:
    """The cadence does not carry a wait beyond its limit."""
    clock, lines = Clock(), Lines()

    wait = _waiting(clock, lines).until("ready", _saying((False, "refused")), 2.5, 1)

    assert [pytest.approx(one) for one in clock.slept[:3]] == [1, 1, 0.5]
    assert pytest.approx(wait.took, abs=0.01) == 2.5


def test_the_state_reached_at_the_very_end_counts() -> None:
    """A look that is good when the limit passes ends the wait well: there is a last look after the last sleep."""
    clock, lines = Clock(), Lines()

    wait = _waiting(clock, lines).until("ready", lambda: (clock.now >= 110, "UP"), 10, 3)

    assert wait.ended


def test_somebody_who_asks_to_end_is_heard() -> None:
    """The poll is asked at every turn and ends the wait by raising."""
    clock, lines = Clock(), Lines()

    def poll() -> None:
        if clock.now >= 103:
            raise Interrupted("interrupted by SIGTERM")

    with pytest.raises(Interrupted, match="SIGTERM"):
        _waiting(clock, lines, poll).until("ready", _saying((False, "refused")), 60, 1)

    assert clock.slept == [1, 1, 1]


def test_what_has_become_hopeless_is_given_up() -> None:
    """A wait ends before its limit where there is nothing left to wait for, and says why."""
    clock, lines = Clock(), Lines()
    why = iter(("", "", "it was restarted 5 times"))

    wait = _waiting(clock, lines).until("ready", _saying((False, "refused")), 60, 0.5, lambda: next(why))

    assert (wait.ended, wait.took) == (False, 2.0)
    assert (
        wait.sentence == "ready: given up after 2.0 s: it was restarted 5 times; the last look saw: refused"
    )


def test_a_rest_that_ends_early_is_followed_by_a_look() -> None:
    """Where something can say that there is news, the cadence is only the longest time between two looks."""
    clock, lines, asked = Clock(), Lines(), list[float]()

    def rest(length: float) -> None:
        asked.append(length)
        clock.now += 0.1

    wait = _waiting(clock, lines).until("ready", lambda: (clock.now >= 101, "UP"), 60, 5, rest=rest)

    assert (wait.ended, wait.cadence, clock.slept) == (True, 5, [])
    assert pytest.approx(wait.took, abs=0.15) == 1.0
    assert set(asked) == {5}


@pytest.mark.parametrize("stopped", [30.0, 3.0, 3600.0])
def test_time_in_which_nobody_could_look_is_not_the_servers(stopped: float) -> None:
    """A wait that was suspended goes on for what was left of its limit when it is awake again."""
    clock, lines = Clock(), Lines()
    clock.stopped[4] = stopped

    wait = _waiting(clock, lines).until("ready", lambda: (clock.now >= 100 + stopped + 9, "UP"), 10, 1)

    assert wait.ended


def test_being_suspended_is_no_reason_to_wait_for_ever() -> None:
    """What was left of the limit is all that is waited for after a gap."""
    clock, lines = Clock(), Lines()
    clock.stopped[4] = 30.0

    wait = _waiting(clock, lines).until("ready", _saying((False, "refused")), 10, 1)

    assert not wait.ended
    assert pytest.approx(wait.took, abs=0.1) == 40


def test_a_busy_machine_is_no_gap() -> None:
    """Sleeps that are a little late count against the limit: a server's boot is not given more for them."""
    clock, lines = Clock(), Lines()
    clock.stopped |= dict.fromkeys(range(1, 10), 1.0)

    wait = _waiting(clock, lines).until("ready", _saying((False, "refused")), 10, 1)

    assert pytest.approx(wait.took, abs=1.1) == 10


def test_a_look_that_was_suspended_is_taken_once_more() -> None:
    """A look that lasted beyond the limit saw what was before the gap: there is one more after it, and only one."""
    clock, lines = Clock(), Lines()
    seen: list[float] = []

    def look() -> tuple[bool, str]:
        seen.append(clock.now)
        clock.now += 30.0
        return False, "accepted and mute"

    wait = _waiting(clock, lines).until("ready", look, 10, 1)

    assert (len(seen), wait.ended) == (2, False)
