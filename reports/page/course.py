"""The course of a run: its checks by phase, its steps with their waits, the engine's events, what was not reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports.page.banner import command_line, next_move
from reports.page.markup import Html, block, code, fold, items, join, slug, table, tag
from reports.page.words import count, exactly, mark, outcome, seconds, status, utc
from reports.record.evidence import (
    CheckResult,
    EngineEvent,
    Outcome,
    Phase,
    Protects,
    StepResult,
    StepStatus,
    Wait,
    Way,
)
from reports.record.record import Record

ASKED: dict[Phase, str] = {
    Phase.PRE: "before anything is done",
    Phase.READY: "after the preparation, just before the stop",
    Phase.MID: "while the service is stopped",
    Phase.POST: "after the service was started again",
}
ENDED = frozenset({StepStatus.DONE, StepStatus.FAILED, StepStatus.TIMED_OUT, StepStatus.BEGUN})
ALARMING = frozenset({Outcome.FAILED, Outcome.UNKNOWN, Outcome.WAIVED})


def to_checks(record: Record) -> Html:
    """Return every check by phase: first, unfolded, what needs attention; then, folded, what passed."""
    phases = [_phase(phase, record.of_phase(phase)) for phase in Phase if record.of_phase(phase)]
    return join(phases) if phases else tag("p", "No check was asked.")


def _phase(phase: Phase, results: tuple[CheckResult, ...]) -> Html:
    alarming = [one for one in results if one.outcome in ALARMING]
    kinds = [(kind, [one for one in results if one.outcome is kind]) for kind in Outcome]
    counts = ", ".join(f"{len(ones)} {kind}" for kind, ones in kinds if ones)
    return tag(
        "section",
        tag(
            "h3", tag("span", f"{phase.capitalize()} checks"), " ", tag("small", f"{ASKED[phase]}: {counts}")
        ),
        tag("ul", *map(_alarming, alarming), class_="kr-plain kr-cards") if alarming else Html(),
        *(_folded(kind, ones) for kind, ones in kinds if ones and kind not in ALARMING),
        id=f"kr-phase-{phase}",
    )


def _alarming(result: CheckResult) -> Html:
    return tag(
        "li",
        tag("p", outcome(result.outcome), " ", tag("strong", result.check.claim or result.check.id)),
        tag("p", result.reason or "no reason was recorded"),
        next_move(result.next_move),
        tag("p", code(result.check.id), " ", _about(result), class_="kr-small"),
        id=f"kr-check-{result.check.phase}-{slug(result.check.id)}{'-back' if result.check.way is Way.BACK else ''}",
        class_="kr-card",
    )


def _about(result: CheckResult) -> str:
    """Return what else an auditor wants to know about a check."""
    check = result.check
    words = ["advisory" if check.advisory else "required", f"protects {check.protects}"]
    if check.protects is Protects.DATA:
        words[1] = "protects data (never waived)"
    if check.way is Way.BACK:
        words.append("judges the way back")
    if check.again:
        words.append("asked again before the second gate")
    return ", ".join([*words, *([f"took {seconds(result.took)}"] if result.asked_at or result.took else [])])


def _folded(kind: Outcome, ones: list[CheckResult]) -> Html:
    head = tag("span", outcome(kind), f" {count(len(ones), 'check')}")
    if kind is Outcome.PASSED:
        return fold(head, table(f"Checks that passed ({len(ones)})", CHECK_HEAD, map(_passed, ones)))
    return fold(head, *(_same_reason(reason, some) for reason, some in _by_reason(ones)))


CHECK_HEAD = ("Outcome", "Claim", "What was seen", "Took")


def _passed(result: CheckResult) -> tuple[object, ...]:
    claim = join(
        [
            result.check.claim or result.check.id,
            tag("small", code(result.check.id), " ", _about_briefly(result)),
        ]
    )
    return outcome(result.outcome), claim, result.reason, seconds(result.took)


def _about_briefly(result: CheckResult) -> str:
    words = [
        *(["advisory"] if result.check.advisory else []),
        *(["protects data"] if result.check.protects is Protects.DATA else []),
        *(["judges the way back"] if result.check.way is Way.BACK else []),
    ]
    return ", ".join(words)


def _by_reason(ones: Iterable[CheckResult]) -> Iterable[tuple[str, list[CheckResult]]]:
    found: dict[str, list[CheckResult]] = {}
    for one in ones:
        found.setdefault(one.reason or one.check.not_applicable or "no reason was recorded", []).append(one)
    return found.items()


def _same_reason(reason: str, ones: list[CheckResult]) -> Html:
    lines = [join([one.check.claim or one.check.id, tag("small", code(one.check.id))]) for one in ones]
    return tag("div", tag("p", tag("strong", reason)), items(lines, "kr-claims"), class_="kr-reason")


def to_steps(record: Record) -> Html:
    """Return every step: its command, how it ended, its waits and what it printed."""
    if not record.steps:
        return tag("p", "No step was carried out.")
    return tag("ol", *(_step(one) for one in record.steps), class_="kr-plain kr-cards")


def _step(result: StepResult) -> Html:
    step = result.step
    facts = [
        f"exit code {result.exit_code}" if result.exit_code is not None else "",
        f"took {exactly(result.took)} of at most {seconds(step.limit)}" if result.status in ENDED else "",
        "changes the service" if step.changing else "changes nothing of the service",
        "part of the way back" if step.way is Way.BACK else "",
    ]
    began = join([", began ", utc(result.began_at)]) if result.began_at else Html()
    return tag(
        "li",
        tag("p", status(result.status), " ", tag("strong", step.name), f" — {step.purpose}"),
        block(command_line(step.command), f"command of step {step.name}") if step.command else Html(),
        tag("p", ", ".join(fact for fact in facts if fact), began, class_="kr-small"),
        tag("p", result.reason) if result.reason else Html(),
        tag("p", tag("b", "Way back: "), step.way_back, class_="kr-small") if step.way_back else Html(),
        *(_wait(wait) for wait in result.waits),
        fold("What it printed", block(result.output, f"output of step {step.name}"))
        if result.output
        else Html(),
        id=f"kr-step-{slug(step.name)}{'-back' if step.way is Way.BACK else ''}",
        class_="kr-card",
    )


def _wait(wait: Wait) -> Html:
    how = mark("came", "good") if wait.ended else mark("did not come in time", "bad")
    head = tag(
        "span",
        f"Waited {exactly(wait.took)} for {wait.what} ",
        how,
        tag("small", f"limit {seconds(wait.limit)}, a look every {seconds(wait.cadence)}"),
    )
    rows = [(exactly(one.at), one.saw, str(one.count)) for one in wait.attempts]
    return fold(
        head,
        tag("p", wait.sentence) if wait.sentence else Html(),
        table("What the wait saw, change by change", ("At", "Saw", "Times in a row"), rows)
        if rows
        else Html(),
        opened=not wait.ended,
    )


def to_events(events: Sequence[EngineEvent]) -> Html:
    """Return the events of the engine."""
    if not events:
        return tag("p", "The engine's events were not recorded, or there were none.")
    rows = [(tag("code", one.at), f"{one.kind} {one.action}", one.name, _attributes(one)) for one in events]
    head = ("At (the engine's clock)", "What", "Name", "Attributes")
    return fold(count(len(events), "event"), table("Events of the engine", head, rows))


def _attributes(event: EngineEvent) -> str:
    return ", ".join(f"{key}={value}" for key, value in event.attributes.items())


def to_unreached(record: Record) -> Html:
    """Return what was planned and not reached, and why."""
    blocked = [one for one in record.results if one.outcome is Outcome.BLOCKED]
    lines = [
        join([tag("strong", reason), f": {count(len(ones), 'check')}"])
        for reason, ones in _by_reason(blocked)
    ]
    lines += _steps_unreached(record) + _checks_unasked(record)
    return items(lines, "kr-claims") or tag("p", "Everything that was planned was reached.")


def _steps_unreached(record: Record) -> list[Html]:
    planned = record.plan.steps if record.plan else ()
    begun = {(one.step.name, one.step.way) for one in record.steps if one.status in ENDED}
    left = [step for step in planned if (step.name, step.way) not in begun and step.way is Way.FORWARD]
    return [join([tag("strong", "Step not carried out"), f": {step.name}, {step.purpose}"]) for step in left]


def _checks_unasked(record: Record) -> list[Html]:
    planned = record.plan.checks if record.plan else ()
    known = {(one.check.id, one.check.way) for one in record.results}
    left = [one for one in planned if (one.id, one.way) not in known]
    return [join([tag("strong", "Check without a result"), ": ", one.claim or one.id]) for one in left]
