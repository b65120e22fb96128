"""Durations as Compose, Java and people write them."""

from __future__ import annotations

import pytest

from procedures.target.durations import as_text, seconds


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("250ms", 0.25), ("1m30s", 90.0), ("1.5s", 1.5),
        ("0s", 0.0), ("10s0ms", 10.0), ("5m0s", 300.0), (" 5s ", 5.0), ("1d", 86400.0), ("500us", 0.0005),
        ("PT5M", 300.0), ("PT0.5S", 0.5), ("P1DT1H", 90000.0), ("pt1m", 60.0), ("PT1H2M3S", 3723.0),
    ],
)  # fmt: skip
def test_a_duration_is_read(text: str, length: float) -> None:
    """Each spelling is worth its seconds."""
    assert length == pytest.approx(seconds(text))


@pytest.mark.parametrize(
    "text", ["", "5", "five", "5 s", "s", "-5s", "5s!", "1,5s", "5S", "PT5", "P", "PT", "P1M", "T5S"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    """A number without a unit, or words, are no duration."""
    assert seconds(text) is None


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0.0, "0.00 s"), (0.618, "0.62 s"), (9.99, "9.99 s"), (12.34, "12.3 s"), (75.0, "75 s"), (120.0, "2 min"),
        (365.0, "6 min 5 s"), (3600.0, "60 min"),
    ],
)  # fmt: skip
def test_a_duration_is_told(length: float, text: str) -> None:
    """An operator reads seconds, and minutes from two on."""
    assert text == as_text(length)
