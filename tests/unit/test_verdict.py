"""The verdict follows from the course; where several apply, the one that an operator must know first wins."""

from __future__ import annotations

import itertools
from dataclasses import fields
from typing import Any

import pytest

from procedures.decide.course import Course
from procedures.decide.verdict import judge
from reports.record.evidence import EXIT_STATUS, MEANING, PRIORITY, Outcome, Verdict, first_of
from tests.unit.results import check, result

FOUND = (result(check("room"), Outcome.FAILED, "no room"),)
UNKNOWN = (result(check("room"), Outcome.UNKNOWN, "nobody looked"),)
BLOCKED = tuple(result(check(name), Outcome.BLOCKED, "the gate is closed") for name in "ab")
COURSE = {one.name for one in fields(Course)}


def judged(given: dict[str, Any]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict of a course, and of what else is known of its run."""
    course = {name: one for name, one in given.items() if name in COURSE}
    return judge(Course(**course), **{name: one for name, one in given.items() if name not in COURSE})


@pytest.mark.parametrize(
    ("course", "verdict", "reason"),
    [
        ({}, Verdict.ACCEPTED, ""),
        ({"changed": True, "answers": True}, Verdict.ACCEPTED, ""),
        ({"answers": None}, Verdict.ACCEPTED, ""),
        ({"answers": False}, Verdict.ACCEPTED, ""),
        ({"held": "by ada"}, Verdict.LOCKED, "by ada"),
        ({"unobservable": "no engine"}, Verdict.CANNOT_OBSERVE, "no engine"),
        ({"closing": FOUND}, Verdict.REFUSED, "Room holds. failed: no room"),
        ({"closing": UNKNOWN}, Verdict.REFUSED, "Room holds. unknown: nobody looked"),
        ({"closing": FOUND, "answers": False}, Verdict.REFUSED, "Room holds. failed: no room"),
        (
            {"changed": True, "answers": True, "closing": FOUND},
            Verdict.NOT_ACCEPTED,
            "Room holds. failed: no room",
        ),
        ({"changed": True, "answers": True, "closing": UNKNOWN}, Verdict.NOT_ACCEPTED, "unknown"),
        ({"changed": True, "answers": False}, Verdict.SERVICE_DOWN, "does not answer"),
        ({"changed": True, "answers": False, "left_out": "SKIP=1"}, Verdict.SERVICE_DOWN, "SKIP=1"),
        ({"changed": True, "answers": None}, Verdict.INTERRUPTED, "nobody could look"),
        ({"changed": True, "answers": True, "interrupted": "SIGTERM"}, Verdict.INTERRUPTED, "SIGTERM"),
        ({"interrupted": "SIGTERM"}, Verdict.INTERRUPTED, "SIGTERM"),
        ({"held_back": "data at stake", "changed": True}, Verdict.SERVICE_DOWN, "data at stake"),
        ({"changed": True, "answers": True, "lost": "disk full"}, Verdict.NO_EVIDENCE, "disk full"),
        ({"closing": BLOCKED}, Verdict.REFUSED, "the gate is closed"),
    ],
)
def test_a_course_has_its_verdict(course: dict[str, Any], verdict: Verdict, reason: str) -> None:
    """Each way in which a run ends has its own verdict, whose first reason says why."""
    found, reasons = judged(course)

    assert verdict is found
    assert reason in (reasons[0] if reasons else "")
    assert bool(reason) is bool(reasons)


APPLYING: dict[Verdict, dict[str, Any]] = {
    Verdict.SERVICE_DOWN: {"held_back": "data at stake"},
    Verdict.INTERRUPTED: {"interrupted": "SIGTERM"},
    Verdict.NOT_ACCEPTED: {"closing": FOUND},
    Verdict.NO_EVIDENCE: {"lost": "disk full"},
}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(APPLYING, 2)))
def test_the_first_of_two_wins(one: Verdict, other: Verdict) -> None:
    """Where two apply the one that must be known first is the verdict, and the other's reason is told too."""
    found, reasons = judged({"changed": True, "answers": True, **APPLYING[one], **APPLYING[other]})

    assert one is found
    assert len(reasons) == 2


def test_the_order_is_the_promised_one() -> None:
    """Down, interrupted, not accepted, rolled back, no evidence, refused, accepted; what ends a run early is first."""
    assert PRIORITY == (
        Verdict.LOCKED,
        Verdict.CANNOT_OBSERVE,
        Verdict.SERVICE_DOWN,
        Verdict.INTERRUPTED,
        Verdict.NOT_ACCEPTED,
        Verdict.ROLLED_BACK,
        Verdict.NO_EVIDENCE,
        Verdict.REFUSED,
        Verdict.ACCEPTED,
    )


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PRIORITY, 2)))
def test_every_pair_is_ranked(one: Verdict, other: Verdict) -> None:
    """The earlier of two in the table is first, in whatever order they came."""
    assert one is first_of({other, one})


def test_every_verdict_has_its_exit_status() -> None:
    """Each verdict has an exit status of its own, in the promised numbers, a rank, and words."""
    promised = {
        "ACCEPTED": 0, "REFUSED": 10, "NOT ACCEPTED": 11, "SERVICE DOWN": 12, "ROLLED BACK": 13,
        "INTERRUPTED": 14, "LOCKED": 15, "CANNOT OBSERVE": 16, "NO EVIDENCE": 17,
    }  # fmt: skip

    assert promised == {one.value: one.exit_status for one in Verdict}
    assert set(Verdict) == set(PRIORITY) == set(EXIT_STATUS) == set(MEANING)
    assert all(one.meaning for one in Verdict)


def test_what_was_not_reached_is_told_by_its_number() -> None:
    """What was found is told in full, what was not reached for it by its number alone."""
    _, reasons = judged({"closing": (*FOUND, *BLOCKED)})

    assert reasons == ("Room holds. failed: no room", "2 required checks were not reached")


def test_no_reason_is_told_twice() -> None:
    """The same reason from two sides stands once."""
    _, reasons = judged({"changed": True, "answers": True, "interrupted": "SIGTERM", "lost": "SIGTERM"})

    assert reasons == ("SIGTERM",)
