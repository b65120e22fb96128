"""The top of the report: what ran, how it ended, who is responsible, and what to do now."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from reports.page.markup import Html, block, code, items, join, tag
from reports.page.words import TONE_OF_VERDICT, count, exactly, icon, mark, outcome, plus_minus, seconds, utc
from reports.record.evidence import (
    CheckResult,
    FailedBoot,
    Outage,
    Outcome,
    PathOutage,
    Verdict,
    Way,
)
from reports.record.record import Record

NEXT_MOVE: dict[Verdict, str] = {
    Verdict.ACCEPTED: "Nothing has to be done.",
    Verdict.REFUSED: "Clear every reason above, then run again; nothing of the service was touched.",
    Verdict.NOT_ACCEPTED: "The service answers. Judge the claims above before you rely on it, those about data first.",
    Verdict.SERVICE_DOWN: "Bring the service up now: what holds it back is above, the commands by hand are below.",
    Verdict.ROLLED_BACK: "The old state is back. Clear what failed, above, before trying again.",
    Verdict.INTERRUPTED: "See whether the service answers. “recover” starts and judges it, and closes an open journal.",
    Verdict.LOCKED: "Wait for the run that holds the target, or recover the open journal.",
    Verdict.CANNOT_OBSERVE: "Make what is named above readable, then run again; nothing was touched.",
    Verdict.NO_EVIDENCE: "The work is done, but its evidence is incomplete: keep what is here, and clear the cause.",
}


def to_banner(record: Record) -> Html:
    """Return the top of the report, down to the next move."""
    return join(
        [
            _understudy(record),
            tag("header", _verdict(record), _ran(record), class_=f"kr-banner kr-{_tone(record)}"),
            _waivers(record),
            _boots(record),
            _reasons(record),
            _by_hand(record),
        ]
    )


def _tone(record: Record) -> str:
    return TONE_OF_VERDICT[record.verdict]


def _understudy(record: Record) -> Html:
    if record.target is None or not record.target.understudy:
        return Html()
    return tag(
        "p",
        icon("warn"),
        " ",
        tag("strong", "This ran against the understudy, not Kestra."),
        " What is shown here says nothing about a real Kestra server.",
        class_="kr-understudy",
    )


def _verdict(record: Record) -> Html:
    verdict = record.verdict
    return join(
        [
            tag("p", title_of(record), class_="kr-eyebrow"),
            tag("h1", icon(_tone(record), 36), " ", tag("span", verdict), class_="kr-verdict"),
            tag("p", f"Exit status {verdict.exit_status}: {verdict.meaning}.", class_="kr-meaning"),
            tag("dl", *_figures(record), class_="kr-figures"),
        ]
    )


def title_of(record: Record) -> str:
    """Return what ran on what, in a few words."""
    return f"{record.procedure} of {record.target.name if record.target else 'an unknown target'}"


def _figures(record: Record) -> Iterator[Html]:
    accepted = record.verdict is Verdict.ACCEPTED
    executed = (
        ("yes", "changing steps were carried out") if record.executed else ("no", "nothing was changed")
    )
    yield _figure("Executed", *executed)
    held = "every required claim holds" if accepted else "not every required claim is known to hold"
    with_waivers = f", with {count(len(record.waivers), 'claim')} waived" if record.waivers else ""
    yield _figure("Accepted", "yes" if accepted else "no", held + with_waivers)
    yield _figure("Outage", *outage_of(record.outage, record.executed))
    yield _figure("Checks", f"{record.count(Outcome.PASSED)} passed", _counts(record))
    ended = join(["ended ", utc(record.ended_at)]) if record.ended_at else "its end was not recorded"
    yield _figure("Run took", seconds(record.took), ended)


def _figure(name: str, value: str, note: object) -> Html:
    return tag("div", tag("dt", name), tag("dd", tag("b", value), " ", tag("small", note)))


def outage_of(outage: Outage | None, executed: bool) -> tuple[str, str]:
    """Return the outage in words; unknown if a run acted and left no measurement."""
    if outage is None:
        return (
            ("not measured", "nothing was stopped") if not executed else ("unknown", "no measurement is left")
        )
    return outage_in_words(outage)


def outage_in_words(outage: Outage) -> tuple[str, str]:
    """Return how long the service did not answer, and the evidence for it."""
    path = outage.headline_path
    if path is None or not path.intervals:
        return "not measured", "no path was watched that could show it"
    if all(one.good for one in path.intervals):
        return (
            "none seen",
            f"{path.path} answered every look; an outage shorter than {seconds(path.largest_gap)} would not show",
        )
    if not path.each:
        silences = count(path.flaps, "silence")
        return "none seen", f"{path.path} had {silences} before anything was done to the service"
    if path.length is not None:
        return plus_minus(
            path.length, path.uncertainty
        ), f"{_stretches(path)}seen from outside on {path.path}"
    return _open_outage(path, outage.ended)


def outage_at_a_glance(outage: Outage | None, executed: bool) -> str:
    """Return the outage for a cell: its length, and its stretches if there was more than one."""
    length, _ = outage_of(outage, executed)
    path = outage.headline_path if outage else None
    stretches = _stretches(path).removesuffix(", ") if path and path.length is not None else ""
    return f"{length} ({stretches})" if stretches else length


def _stretches(path: PathOutage) -> str:
    """Return the stretches of an outage that has more than one, as the beginning of a sentence."""
    if len(path.each) < 2:
        return ""
    each = [exactly(one.length) if one.length is not None else "of unknown length" for one in path.each]
    left_out = [f"{path.unlisted} shorter"] if path.unlisted else []
    return f"in {len(each) + path.unlisted} stretches: {' + '.join([*each, *left_out])}, "


def _open_outage(path: PathOutage, ended: float) -> tuple[str, str]:
    """Return what is known of an outage whose beginning or end was not seen."""
    known = sum(one.length or 0.0 for one in path.each)
    last = path.each[-1].last_good
    if path.first_good is None and last is not None:
        return (
            f"at least {exactly(known + max(ended - last, 0.0))}",
            f"{_stretches(path)}{path.path} had not come back when the probe ended",
        )
    if path.first_good is not None:
        return "of unknown beginning", f"{path.path} did not answer from the probe's first look on"
    return "all the time", f"{path.path} never answered while the probe looked"


def _counts(record: Record) -> str:
    others = [_counted(record, kind) for kind in Outcome if kind is not Outcome.PASSED and record.count(kind)]
    asked = {(one.check.id, one.check.way) for one in record.results}
    planned = record.plan.checks if record.plan else ()
    left = sum((one.id, one.way) not in asked for one in planned)
    others += [f"{left} without a result"] if left else []
    return ", ".join(others) or "no other outcome"


def _counted(record: Record, kind: Outcome) -> str:
    """Return how many checks ended with an outcome, and how many of these are advisory."""
    advisory = sum(one.outcome is kind and one.check.advisory for one in record.results)
    words = f"{record.count(kind)} {kind}"
    return (
        f"{words} ({advisory} advisory)" if advisory and kind in {Outcome.FAILED, Outcome.UNKNOWN} else words
    )


def _ran(record: Record) -> Html:
    """Return who did what to what, when and why, as one line at the top."""
    who, target = record.who, record.target
    facts: list[tuple[str, object]] = [
        ("Began", utc(record.began_at)),
        ("By", f"{who.operator} (as given), user {who.user}" if who.operator else f"user {who.user}"),
        ("From", who.host),
        ("Reason", who.reason or "none given"),
        ("Ticket", who.ticket or "none given"),
    ]
    if who.approved_by:
        facts.append(("Approved by (as given)", who.approved_by))
    if target is not None:
        where = f" on {target.endpoint}" if target.endpoint else ", engine not reached"
        facts.append(("Target", join([code(target.container or target.name), where])))
    facts.append(("Run", code(record.run)))
    return tag(
        "dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="kr-ran"
    )


def _waivers(record: Record) -> Html:
    if not record.waivers:
        return Html()
    rows = [
        tag(
            "li",
            _claim(record, one.check),
            tag("p", f"“{one.reason}”, waived by {one.author or 'nobody named'}"),
        )
        for one in record.waivers
    ]
    head = f"{count(len(record.waivers), 'claim')} waived"
    return _box("warn", "waivers", head, tag("ul", *rows, class_="kr-plain"))


def _claim(record: Record, name: str) -> Html:
    claim = next((one.check.claim for one in record.results if one.check.id == name), "")
    return tag("p", join([tag("strong", claim), " "]) if claim else "", code(name))


def boot_in_words(boot: FailedBoot, way: Way) -> str:
    """Return which container does not boot, and whether that was on the way back."""
    return f"{boot.container} does not boot{' on the way back' if way is Way.BACK else ''}"


def _boots(record: Record) -> Html:
    """Return why a server does not boot; this stands before what follows from it."""
    return join([_boot(record, boot, way) for boot, way in record.failed_boots])


def _boot(record: Record, boot: FailedBoot, way: Way) -> Html:
    folded = record.folded(way)
    return _box(
        _tone(record),
        "boot" if way is Way.FORWARD else "boot-back",
        boot_in_words(boot, way),
        tag("p", boot.how),
        block("\n".join(boot.said) or "nothing", "the last errors of its log"),
        tag("p", "Its log: ", tag("a", boot.log, href=boot.log)),
        tag("p", _differs(boot)),
        tag("p", f"{count(folded, 'claim')} below: all because of this.") if folded else Html(),
    )


def _differs(boot: FailedBoot) -> str:
    if boot.differs is None:
        return "What differs from what ran before is not known."
    return f"It differs from what ran before in: {', '.join(boot.differs) or 'nothing that was compared'}."


def _reasons(record: Record) -> Html:
    """Return the reasons of the verdict, with every result that closes a gate."""
    closing = [one for one in record.results if one.closes and one.outcome is not Outcome.BLOCKED]
    if record.verdict is Verdict.ACCEPTED and not closing and not record.verdict_reasons:
        return Html()
    shown_below = {f"{one.check.claim} {one.outcome}: {one.reason}" for one in closing} | {
        one.reason for one in closing
    }
    reasons = [reason for reason in record.verdict_reasons if reason not in shown_below]
    return _box(
        _tone(record),
        "reasons",
        "Why, and what to do next",
        items(reasons, "kr-plain kr-lead"),
        tag("ol", *(_closing(one) for one in closing), class_="kr-plain") if closing else Html(),
        tag("p", tag("strong", "Next: "), _next(record)),
    )


def _next(record: Record) -> object:
    if not record.judge_by:
        return NEXT_MOVE[record.verdict]
    words = "Nothing has to be typed to have the service. To judge it without touching it: "
    return join([words, code(record.judge_by)])


def _closing(result: CheckResult) -> Html:
    return tag(
        "li",
        tag("p", outcome(result.outcome), " ", tag("strong", result.check.claim or result.check.id)),
        tag("p", result.reason or "no reason was recorded"),
        next_move(result.next_move),
    )


def next_move(words: str) -> Html:
    """Return what to do about something, if that is known."""
    return tag("p", tag("b", "Next move: "), words, class_="kr-next") if words else Html()


def _by_hand(record: Record) -> Html:
    if not record.by_hand:
        return Html()
    commands = "\n".join(record.by_hand)
    return _box(
        _tone(record),
        "by-hand",
        "Bring the service up by hand",
        tag("p", "The exact commands, in this order:"),
        block(commands, "commands by hand"),
    )


def _box(tone: str, name: str, head: str, *inside: object) -> Html:
    title = tag("h2", mark(head, tone), id=f"kr-{name}")
    return tag("section", title, *inside, class_=f"kr-box kr-{tone}", aria_labelledby=f"kr-{name}")


def command_line(command: tuple[str, ...]) -> str:
    """Return an argument list as one line for a shell."""
    return shlex.join(command)
