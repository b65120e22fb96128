"""Durations as people and Compose write them (`90s`, `5m`, `1h30m`, `250ms`) and as Java does (`PT5M`)."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "us": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)")
_JAVA = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)


def seconds(text: str) -> float | None:
    """Return the seconds of a duration, or None if `text` is none."""
    text = text.strip()
    if text.upper().startswith("P") and (found := _JAVA.fullmatch(text)):
        if not any(found.groups()):
            return None
        days, hours, minutes, rest = (float(part or 0) for part in found.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + rest
    if not text or _PART.sub("", text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def as_text(length: float) -> str:
    """Return a duration as an operator reads it: `0.62 s`, `12.3 s`, `6 min 5 s`."""
    if length < 10:
        return f"{length:.2f} s"
    if length < 120:
        return f"{length:.1f} s" if length % 1 else f"{length:.0f} s"
    minutes, rest = divmod(round(length), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
