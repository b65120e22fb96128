"""How values are written in a report: durations, times, ids, and the look of a verdict or an outcome."""

from __future__ import annotations

import datetime as dt
import re

from reports.page.markup import Html, tag
from reports.record.evidence import Outcome, StepStatus, Verdict

TONE_OF_VERDICT: dict[Verdict, str] = {
    Verdict.ACCEPTED: "good",
    Verdict.REFUSED: "warn",
    Verdict.NOT_ACCEPTED: "bad",
    Verdict.SERVICE_DOWN: "bad",
    Verdict.ROLLED_BACK: "warn",
    Verdict.INTERRUPTED: "bad",
    Verdict.LOCKED: "warn",
    Verdict.CANNOT_OBSERVE: "warn",
    Verdict.NO_EVIDENCE: "warn",
}

TONE_OF_OUTCOME: dict[Outcome, str] = {
    Outcome.PASSED: "good",
    Outcome.FAILED: "bad",
    Outcome.UNKNOWN: "warn",
    Outcome.BLOCKED: "calm",
    Outcome.WAIVED: "warn",
    Outcome.NOT_APPLICABLE: "calm",
}

TONE_OF_STATUS: dict[StepStatus, str] = {
    StepStatus.PLANNED: "calm",
    StepStatus.BEGUN: "warn",
    StepStatus.DONE: "good",
    StepStatus.FAILED: "bad",
    StepStatus.TIMED_OUT: "bad",
    StepStatus.NOT_APPLICABLE: "calm",
}

# Drawn on 16 by 16; the shapes differ, so that they can be told apart without colour.
ICONS: dict[str, str] = {
    "good": "M3 8.5l3.2 3.2L13 5",
    "bad": "M4 4l8 8M12 4l-8 8",
    "warn": "M8 3v6M8 12v1",
    "calm": "M4 8h8",
    "wait": "M8 4v4l3 2",
    "change": "M4 8h7.5M8.5 5l3 3-3 3",
}


def icon(tone: str, size: int = 16) -> Html:
    """Return the sign of a tone, in a ring; it only repeats what the words beside it say."""
    return tag(
        "svg",
        tag("circle", cx=8, cy=8, r=7.25, fill="none", stroke="currentColor", stroke_width="1"),
        tag(
            "path",
            d=ICONS[tone],
            fill="none",
            stroke="currentColor",
            stroke_width="1.75",
            stroke_linecap="round",
            stroke_linejoin="round",
        ),
        class_="kr-icon",
        viewBox="0 0 16 16",
        width=size,
        height=size,
        aria_hidden="true",
    )


def mark(word: str, tone: str) -> Html:
    """Return a word with its sign and colour."""
    return tag("span", icon(tone, 14), " ", tag("b", word), class_=f"kr-mark kr-{tone}")


def outcome(value: Outcome) -> Html:
    return mark(value, TONE_OF_OUTCOME[value])


def status(value: StepStatus) -> Html:
    return mark(value, TONE_OF_STATUS[value])


def seconds(value: float | None) -> str:
    """Return a duration as a person reads it, without false precision."""
    if value is None:
        return "unknown"
    if 0 < value < 0.0995:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.0f} s" if value == round(value) else f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def exactly(value: float | None) -> str:
    """Return a measured number of seconds to the millisecond."""
    return "unknown" if value is None else f"{value:.3f} s"


def number(value: str) -> Html:
    """Return a measurement that stays on one line."""
    return tag("span", value, class_="kr-number")


def plus_minus(length: float | None, uncertainty: float | None) -> str:
    """Return a measurement with its uncertainty."""
    if length is None:
        return "not measured"
    return f"{exactly(length)} ± {exactly(uncertainty)}" if uncertainty is not None else exactly(length)


def size(value: int) -> str:
    """Return a number of bytes in the unit that fits it."""
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(amount) < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def moment(value: str) -> dt.datetime | None:
    """Return an ISO time as UTC; None if it is none. The engine gives nanoseconds, which are cut."""
    try:
        read = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        return None
    return read.astimezone(dt.UTC) if read.tzinfo else read.replace(tzinfo=dt.UTC)


def utc(value: str) -> Html:
    """Return a time of day in UTC, the recorded form beside it."""
    read = moment(value)
    if read is None or read.year < 1971:
        return tag("span", value or "unknown")
    return tag("time", f"{read:%Y-%m-%d %H:%M:%S} UTC", datetime=value, title=value)


def short(value: str, length: int = 12) -> Html:
    """Return an id as people quote it, with its full form as its title."""
    kind, colon, rest = value.partition(":")
    digits = rest if colon and re.fullmatch(r"[0-9a-f]{32,}", rest) else value
    if len(digits) <= length or not re.fullmatch(r"[0-9a-fA-F-]+", digits):
        return tag("code", value)
    return tag("code", f"{kind + ':' if colon and kind != 'sha256' else ''}{digits[:length]}", title=value)


def digest(value: str) -> Html:
    """Return an image digest, cut to what people compare, with its repository."""
    repository, at, digest_ = value.partition("@")
    return tag("span", tag("code", f"{repository}@"), short(digest_)) if at else short(value)


def count(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
