"""The archive's first page: every run, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reports.page.banner import outage_at_a_glance
from reports.page.html import page
from reports.page.markup import Html, join, table, tag
from reports.page.words import TONE_OF_VERDICT, count, mark, seconds, utc
from reports.record.evidence import Evidence

HEAD = ("Verdict", "Run", "When", "Outage", "Who", "Reason")


@dataclass(frozen=True, slots=True)
class Listed:
    """A run as its folder tells it; `problem` says why its record could not be read."""

    folder: str
    evidence: Evidence | None
    problem: str
    has_report: bool
    open: bool


def to_index(listed: Sequence[Listed]) -> str:
    """Return the page that lists the runs in the order given."""
    title = f"Runs in this archive: {len(listed)}"
    head = tag("header", tag("h1", title, class_="kr-title"), class_="kr-index-head")
    rows = [_row(one) for one in listed]
    body = table("The newest first", HEAD, rows, "kr-index") if rows else tag("p", "There is no run yet.")
    return "<!DOCTYPE html>\n" + page(title, join([head, tag("section", body, class_="kr-section")])) + "\n"


def _row(one: Listed) -> tuple[object, ...]:
    evidence = one.evidence
    if evidence is None:
        problem = join(["its record cannot be read ", tag("small", one.problem)])
        return (
            mark("running" if one.open else "unreadable", "warn"),
            _link(one),
            problem,
            "unknown",
            "unknown",
            "",
        )
    who = evidence.who
    return (
        _verdict(one, evidence),
        _link(one),
        join([utc(evidence.began_at), tag("small", f"took {seconds(evidence.took)}")]),
        "unknown" if one.open else outage_at_a_glance(evidence.outage, evidence.executed),
        join([who.operator or who.user, tag("small", who.host)]),
        join([who.reason or "none given", tag("small", who.ticket)]),
    )


def _verdict(one: Listed, evidence: Evidence) -> Html:
    told = (
        mark("running, or killed", "wait")
        if one.open
        else mark(evidence.verdict, TONE_OF_VERDICT[evidence.verdict])
    )
    understudy = evidence.target is not None and evidence.target.understudy
    notes = [
        *(["understudy, not Kestra"] if understudy else []),
        *([f"{count(len(evidence.waivers), 'claim')} waived"] if evidence.waivers else []),
    ]
    return join([told, *(tag("small", note) for note in notes)])


def _link(one: Listed) -> Html:
    href = f"./{quote(one.folder)}/{'report.html' if one.has_report else ''}"
    evidence = one.evidence
    told = (
        f"{evidence.procedure} of {evidence.target.name if evidence.target else 'an unknown target'}"
        if evidence
        else one.folder
    )
    return join([tag("a", told, href=href), tag("small", one.folder)])
