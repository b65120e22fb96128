"""Moments and durations as Kestra writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .problem import Problem

_SIMPLE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|[smhd])?")
_ISO = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class DurationInvalid(Problem):
    """A text that is no duration."""


def now() -> datetime:
    return datetime.now(UTC)


def to_iso(moment: datetime) -> str:
    """Write a moment with milliseconds, as the stored documents have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def from_iso(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_iso_duration(span: timedelta) -> str:
    """Write a duration as java.time does: PT0S, PT0.07S, PT5M58.839S."""
    total = max(0, round(span.total_seconds() * 1000))
    minutes, milliseconds = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}H"] if hours else []
    parts += [f"{minutes}M"] if minutes else []
    if milliseconds or not parts:
        parts.append(f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + "S")
    return "PT" + "".join(parts)


def parse_duration(text: str) -> timedelta:
    """Read `5m`, `500ms`, `30` (seconds) or `PT5M`."""
    simple = _SIMPLE.fullmatch(text.strip().lower())
    if simple:
        return timedelta(seconds=float(simple["number"]) * _UNITS[simple["unit"] or "s"])
    iso = _ISO.fullmatch(text.strip().upper())
    if iso and any(iso.groupdict().values()):
        return timedelta(**{unit: float(value) for unit, value in iso.groupdict().items() if value})
    raise DurationInvalid(f"{text!r} is not a duration (expected something like 30s, 5m or PT5M)")
