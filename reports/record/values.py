"""Values of several types of the record: what could not be seen, what must not be shown, and a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from typing_extensions import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unseen:
    """Stands in for a value that could not be observed: why, and what to do about it."""

    unseen: str
    next_move: str = ""

    @property
    def sentence(self) -> str:
        """Both in one line."""
        return f"{self.unseen} → {self.next_move}" if self.next_move else self.unseen


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that must never be shown; two are equal if their values are. No record holds one."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Stands in for a secret in a record: equal for equal values, under a key that ends with the run."""

    digest: str


Hidden = TypeVar("Hidden", Secret, Fingerprint, default=Secret)
"""What a type hides: secrets in observed values, which is the default, and fingerprints in recorded ones."""


def known(seen: tuple[T, ...] | Unseen | None) -> tuple[T, ...]:
    """Return the values that were seen; none if they could not be seen, or if nobody looked."""
    return () if seen is None or isinstance(seen, Unseen) else seen


def now() -> str:
    """Return the time of day in the form in which it is recorded."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def moment(text: str) -> datetime:
    """Read the engine's times, which carry nine digits of a second."""
    if not text or text.startswith("0001-"):
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromisoformat(text)
