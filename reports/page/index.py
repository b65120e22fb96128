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


def _row(run: Listed) -> tuple[object, ...]:
    record = run.record
    if record is None:
        problem = join(["its record cannot be read ", tag("small", run.problem)])
        return (
            mark("running" if run.open else "unreadable", "warn"),
            _link(run),
            problem,
            "unknown",
            "unknown",
            "",
        )
    who = record.who
    return (
        _verdict(run, record),
        _link(run),
        join([utc(record.began_at), tag("small", f"took {seconds(record.took)}")]),
        "unknown" if run.open else outage_at_a_glance(record.outage, record.executed),
        join([who.operator or who.user, tag("small", who.host)]),
        join([who.reason or "none given", tag("small", who.ticket)]),
    )


def _verdict(run: Listed, record: Record) -> Html:
    verdict = (
        mark("running, or killed", "wait")
        if run.open
        else mark(record.verdict, TONE_OF_VERDICT[record.verdict])
    )
    understudy = record.target is not None and record.target.understudy
    notes = [
        *(["understudy, not Kestra"] if understudy else []),
        *([f"{count(len(record.waivers), 'claim')} waived"] if record.waivers else []),
    ]
    return join([verdict, *(tag("small", note) for note in notes)])


def _link(run: Listed) -> Html:
    href = f"./{quote(run.folder)}/{'report.html' if run.has_report else ''}"
    record = run.record
    name = (
        f"{record.procedure} of {record.target.name if record.target else 'an unknown target'}"
        if record
        else run.folder
    )
    return join([tag("a", name, href=href), tag("small", run.folder)])
