"""Values of several types of the record: what could not be seen, what must not be shown, and a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Unseen:
    """Stands where a value should be that could not be observed: why, and what to do about it."""

    unseen: str
    next_move: str = ""

    @property
    def sentence(self) -> str:
        """Both as they are told in one line."""
        return f"{self.unseen} → {self.next_move}" if self.next_move else self.unseen


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that must never be shown; two are equal when their values are.

    In the record it is a fingerprint under a key that ends with the run, so that equality can be judged again
    and the value cannot be guessed.
    """

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def moment(text: str) -> datetime:
    """Read the engine's times, which carry nine digits of a second."""
    if not text or text.startswith("0001-"):
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromisoformat(text)
