"""A look that may fail: its result, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from procedures.problems import CannotObserve
from reports.record.observed import Unseen

T = TypeVar("T")


def attempt(look: Callable[[], T]) -> T | Unseen:
    """Return the result of a look, or the reason if the look fails."""
    try:
        return look()
    except CannotObserve as error:
        return Unseen(error.what, error.next_move)
    except Exception as error:  # noqa: BLE001 - unknown, and the other looks go on: one of them may be the outage's
        return Unseen(
            f"an error of this suite's own: {type(error).__name__}: {error}", "report it with this record"
        )
