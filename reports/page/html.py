"""The report of a run as HTML that needs no script: a page of its own, or a block above pytest-html's table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reports.page.banner import title_of, to_banner
from reports.page.comparison import to_comparison
from reports.page.course import to_checks, to_events, to_steps, to_unreached
from reports.page.markup import Html, join, tag
from reports.page.operators import to_operators
from reports.page.surroundings import (
    to_anomalies,
    to_existing,
    to_files,
    to_findings,
    to_outage,
    to_plan,
    to_target,
    to_who,
)
from reports.record.record import Record

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")

# The page is its own last defence: it may show its style and nothing else, whatever a value holds.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the report: its anchor, its heading, and what fills it."""

    name: str
    head: str
    fill: Callable[[Record], Html]


SECTIONS: tuple[Section, ...] = (
    Section("outage", "Outage", to_outage),
    Section("who", "Who, when, why and from where", to_who),
    Section("target", "Target, engine and versions", to_target),
    Section("comparison", "Before and after", to_comparison),
    Section("checks", "Checks", to_checks),
    Section("steps", "Steps", to_steps),
    Section("operators", "The operator's own scripts and validation", to_operators),
    Section("unreached", "What was not reached", to_unreached),
    Section("now", "What exists now", to_existing),
    Section("findings", "Findings", to_findings),
    Section("anomalies", "For the list of anomalies", to_anomalies),
    Section("plan", "Plan", to_plan),
    Section("events", "The engine's events", lambda record: to_events(record.events)),
    Section("files", "Files beside this report", to_files),
)


def to_html(record: Record) -> str:
    """Return the report as a whole page."""
    return "<!DOCTYPE html>\n" + page(head_title(record), _content(record)) + "\n"


def to_block(record: Record) -> str:
    """Return the report as a fragment with its own style, which leaves the page around it alone."""
    # Its page says nothing of narrow screens; a browser heeds this wherever it stands.
    viewport = tag("meta", name="viewport", content="width=device-width, initial-scale=1")
    return join([viewport, tag("style", Html(STYLE)), tag("div", _content(record), class_="kr kr-block")])


def head_title(record: Record) -> str:
    """Return the page's title: the verdict's words first, as tabs cut the rest."""
    return f"{record.verdict}: {title_of(record)}, {record.began_at}"


def page(title: str, content: Html) -> Html:
    """Return a page in the report's style around its content."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Html(STYLE)),
    )
    body = tag("body", tag("main", content, class_="kr"), class_="kr-page")
    return tag("html", head, body, lang="en")


def _content(record: Record) -> Html:
    return join([to_banner(record), _contents(), *(_section(one, record) for one in SECTIONS)])


def _contents() -> Html:
    links = [tag("li", tag("a", one.head, href=f"#kr-{one.name}")) for one in SECTIONS]
    return tag("nav", tag("ul", *links), aria_label="Sections of this report", class_="kr-nav")


def _section(section: Section, record: Record) -> Html:
    name = f"kr-{section.name}"
    return tag(
        "section",
        tag("h2", section.head, id=name),
        section.fill(record),
        aria_labelledby=name,
        class_=f"kr-section {name}-section",
    )
