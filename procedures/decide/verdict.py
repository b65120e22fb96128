"""The verdict: a pure function of what happened. The order of the verdicts is one table, in the evidence."""

from __future__ import annotations

from collections.abc import Iterator

from procedures.decide.course import Course
from reports.record.evidence import CheckResult, Outcome, Verdict, Way, first_of


def judge(
    course: Course,
    *,
    changed: bool = False,
    acts: bool = True,
    closing: tuple[CheckResult, ...] = (),
    left_out: str = "",
    back: str = "",
    lost: str = "",
) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict that an operator must know first, and its reasons, the most important first.

    acts: whether the run has steps; a run without steps judges the service as it stands.
    closing: the checks that withhold acceptance. left_out: why the start script left the service out on purpose.
    back: how a service answers again after an interruption. lost: what the evidence lacks.
    """
    applying: dict[Verdict, list[str]] = {Verdict.ACCEPTED: []}

    def applies(verdict: Verdict, *reasons: str) -> None:
        applying.setdefault(verdict, []).extend(reasons)

    if course.held:
        applies(Verdict.LOCKED, course.held)
    if course.unobservable:
        applies(*_without_a_plan(course))
    if course.interrupted:
        applies(Verdict.INTERRUPTED, *filter(None, (course.interrupted, back)))
    for verdict, reason in _of_the_service(course, left_out, changed=changed, acts=acts):
        applies(verdict, reason)
    if closing and not (course.held or course.unobservable):
        judged = Verdict.NOT_ACCEPTED if changed or not acts else Verdict.REFUSED
        if course.went_back:
            forward = tuple(one for one in closing if one.check.way is Way.FORWARD)
            closing = tuple(one for one in closing if one.check.way is Way.BACK)
            applies(Verdict.ROLLED_BACK, *_findings(forward))
        if closing:
            applies(judged, *_findings(closing))
    if lost:
        applies(Verdict.NO_EVIDENCE, lost)
    verdict = first_of(set(applying))
    rest = [reason for other, reasons in applying.items() if other is not verdict for reason in reasons]
    return verdict, tuple(dict.fromkeys((*applying[verdict], *rest)))


def _without_a_plan(course: Course) -> tuple[Verdict, str]:
    """Distinguish a target whose files are wrong from a target that cannot be observed."""
    if course.unfit:
        return Verdict.REFUSED, f"{course.unfit} → correct the file, then run again ({course.unobservable})"
    return Verdict.CANNOT_OBSERVE, course.unobservable


def _of_the_service(
    course: Course, left_out: str, *, changed: bool, acts: bool
) -> Iterator[tuple[Verdict, str]]:
    """Say whether the service is there, as far as this run is responsible for it."""
    if course.held_back:
        yield Verdict.SERVICE_DOWN, course.held_back
    elif left_out and not course.answers:
        yield Verdict.SERVICE_DOWN, left_out
    elif changed and course.answers is False:
        yield Verdict.SERVICE_DOWN, "the service was touched and does not answer"
    elif changed and course.answers is None:
        yield Verdict.INTERRUPTED, "nobody could look whether the service answers"
    elif not acts and course.answers is False:
        yield Verdict.SERVICE_DOWN, "the service does not answer"


def _findings(closing: tuple[CheckResult, ...]) -> list[str]:
    """Return a reason for each check with a result; blocked checks are only counted."""
    found = [one for one in closing if one.outcome is not Outcome.BLOCKED]
    found.sort(key=lambda one: one.outcome is not Outcome.FAILED)  # failed before unknown
    reasons = [f"{one.check.claim} {one.outcome}: {one.reason}" for one in found]
    blocked = len(closing) - len(found)
    if blocked and not found:
        reasons.append(next(one.reason for one in closing))
    if blocked:
        reasons.append(f"{blocked} required {'check was' if blocked == 1 else 'checks were'} not reached")
    return reasons
