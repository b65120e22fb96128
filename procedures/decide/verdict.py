"""The verdict: a pure function of what happened; the order of the verdicts is one table of the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reports.record.evidence import CheckResult, Outcome, Verdict, Way, first_of


@dataclass(frozen=True, slots=True)
class Course:
    """How a run went, as far as its verdict asks.

    `answers` is what the last look said: True, False, or None where nobody looked.
    """

    held: str = ""
    unobservable: str = ""
    unfit: str = ""
    interrupted: str = ""
    changed: bool = False
    acts: bool = True
    """Whether the procedure has steps: one that only looks judges the service as it stands."""
    held_back: str = ""
    left_out: str = ""
    """Why the start has brought everything but the service, where it was told to."""
    back: str = ""
    """What is known of a service that answers again after an interruption."""
    went_back: bool = False
    answers: bool | None = None
    closing: tuple[CheckResult, ...] = ()
    evidence_lost: str = ""


def judge(course: Course) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict that an operator must know first, and its reasons, most important first."""
    applying: dict[Verdict, list[str]] = {Verdict.ACCEPTED: []}

    def applies(verdict: Verdict, *reasons: str) -> None:
        applying.setdefault(verdict, []).extend(reasons)

    if course.held:
        applies(Verdict.LOCKED, course.held)
    if course.unobservable:
        applies(*_without_a_plan(course))
    if course.interrupted:
        applies(Verdict.INTERRUPTED, *filter(None, (course.interrupted, course.back)))
    for verdict, reason in _of_the_service(course):
        applies(verdict, reason)
    if course.closing and not (course.held or course.unobservable):
        judged = Verdict.NOT_ACCEPTED if course.changed or not course.acts else Verdict.REFUSED
        closing = course.closing
        if course.went_back:
            forward = tuple(one for one in closing if one.check.way is Way.FORWARD)
            closing = tuple(one for one in closing if one.check.way is Way.BACK)
            applies(Verdict.ROLLED_BACK, *_findings(forward))
        if closing:
            applies(judged, *_findings(closing))
    if course.evidence_lost:
        applies(Verdict.NO_EVIDENCE, course.evidence_lost)
    verdict = first_of(set(applying))
    rest = [reason for other, reasons in applying.items() if other is not verdict for reason in reasons]
    return verdict, tuple(dict.fromkeys((*applying[verdict], *rest)))


def _without_a_plan(course: Course) -> tuple[Verdict, str]:
    """Tell a target whose own words are wrong from one that cannot be seen."""
    if course.unfit:
        return Verdict.REFUSED, f"{course.unfit} → correct the file, then run again ({course.unobservable})"
    return Verdict.CANNOT_OBSERVE, course.unobservable


def _of_the_service(course: Course) -> Iterator[tuple[Verdict, str]]:
    """Tell whether the service is there, as far as this run answers for it."""
    if course.held_back:
        yield Verdict.SERVICE_DOWN, course.held_back
    elif course.left_out and not course.answers:
        yield Verdict.SERVICE_DOWN, course.left_out
    elif course.changed and course.answers is False:
        yield Verdict.SERVICE_DOWN, "the service was touched and does not answer"
    elif course.changed and course.answers is None:
        yield Verdict.INTERRUPTED, "nobody could look whether the service answers"
    elif not course.acts and course.answers is False:
        yield Verdict.SERVICE_DOWN, "the service does not answer"


def _findings(closing: tuple[CheckResult, ...]) -> list[str]:
    """Tell what was found; what was not reached for it is told by its number alone."""
    found = [one for one in closing if one.outcome is not Outcome.BLOCKED]
    found.sort(key=lambda one: one.outcome is not Outcome.FAILED)  # what is known before what is not
    told = [f"{one.check.claim} {one.outcome}: {one.reason}" for one in found]
    blocked = len(closing) - len(found)
    if blocked and not found:
        told.append(next(one.reason for one in closing))
    if blocked:
        told.append(f"{blocked} required {'check was' if blocked == 1 else 'checks were'} not reached")
    return told
