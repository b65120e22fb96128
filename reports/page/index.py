"""The archive's first page: every run, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reports.page.banner import outage_at_a_glance
from reports.page.html import page
from reports.page.markup import Html, join, table, tag
from reports.page.words import TONE_OF_VERDICT, count, mark, seconds, utc
from reports.record.record import Record

HEAD = ("Verdict", "Run", "When", "Outage", "Who", "Reason")


@dataclass(frozen=True, slots=True)
class Listed:
    """A run as its folder shows it; `problem` says why its record could not be read."""

    folder: str
    record: Record | None
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
    record = one.record
    if record is None:
        problem = join(["its record cannot be read ", tag("small", one.problem)])
        return (
            mark("running" if one.open else "unreadable", "warn"),
            _link(one),
            problem,
            "unknown",
            "unknown",
            "",
        )
    who = record.who
    return (
        _verdict(one, record),
        _link(one),
        join([utc(record.began_at), tag("small", f"took {seconds(record.took)}")]),
        "unknown" if one.open else outage_at_a_glance(record.outage, record.executed),
        join([who.operator or who.user, tag("small", who.host)]),
        join([who.reason or "none given", tag("small", who.ticket)]),
    )


def _verdict(one: Listed, record: Record) -> Html:
    told = (
        mark("running, or killed", "wait")
        if one.open
        else mark(record.verdict, TONE_OF_VERDICT[record.verdict])
    )
    understudy = record.target is not None and record.target.understudy
    notes = [
        *(["understudy, not Kestra"] if understudy else []),
        *([f"{count(len(record.waivers), 'claim')} waived"] if record.waivers else []),
    ]
    return join([told, *(tag("small", note) for note in notes)])


def _link(one: Listed) -> Html:
    href = f"./{quote(one.folder)}/{'report.html' if one.has_report else ''}"
    record = one.record
    told = (
        f"{record.procedure} of {record.target.name if record.target else 'an unknown target'}"
        if record
        else one.folder
    )
    return join([tag("a", told, href=href), tag("small", one.folder)])
