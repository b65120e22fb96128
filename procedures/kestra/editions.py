"""The editions of Kestra: each begins with the first version in which a fact changes.

A fact that all editions share stands in the module of its kind; a fact that differs is a field here.
`docs/kestra-facts.md` says what was watched of which version, and what is documented only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from procedures.kestra.api import Paths
from procedures.kestra.tables import OWN_HISTORY
from procedures.kestra.version import numbers
from reports.record.observed import FLYWAY_HISTORY, Image, Unseen


@dataclass(frozen=True, slots=True)
class Edition:
    """The facts about Kestra from one version on, until the next edition begins."""

    since: str
    """Its first version, as major and minor."""
    paths: Paths
    """The paths on which it answers."""
    auth_can_be_off: bool
    """Whether basic auth is off unless the configuration says `enabled: true`."""
    rules_password: bool
    """Whether it accepts only a password that satisfies its rule, and otherwise keeps the old one."""
    histories: tuple[str, ...]
    """The schema history tables that it knows; a database may also have the table of a later edition."""
    booted: str
    """What its log says when it has booted."""
    gone_parts: frozenset[str] = frozenset()
    """The parts of a server that earlier editions have and this one lacks."""
    drain_ends_after: float | None = None
    """Seconds after which it ends a drain, whatever the grace says; tasks that still run are started again."""


_0_20 = Edition(
    since="0.20",
    paths=Paths(),
    auth_can_be_off=True,
    rules_password=False,
    histories=(FLYWAY_HISTORY,),
    booted="Server Running:",
)
_0_24 = replace(_0_20, since="0.24", auth_can_be_off=False, rules_password=True)
_1_1 = replace(_0_24, since="1.1", booted="Health endpoint is available at")
_2_0 = replace(
    _1_1,
    since="2.0",
    histories=(FLYWAY_HISTORY, OWN_HISTORY),
    gone_parts=frozenset({"INDEXER"}),
    drain_ends_after=10.0,
)
_2_1 = replace(_2_0, since="2.1", drain_ends_after=None)

EDITIONS = (_0_20, _0_24, _1_1, _2_0, _2_1)
"""Every edition, the oldest first."""


def edition_of(version: str) -> Edition:
    """Return the edition of a version; the oldest edition for an older version, or a text that names no version."""
    number = (*numbers(version), 0, 0)[:2]
    return next((edition for edition in reversed(EDITIONS) if numbers(edition.since) <= number), EDITIONS[0])


def edition_of_image(image: Image | Unseen | None) -> Edition:
    """Return the edition of an image; the oldest edition for an image that was not seen."""
    return edition_of(image.version if isinstance(image, Image) else "")


def first_that(holds: Callable[[Edition], bool]) -> Edition:
    """Return the first edition for which something holds."""
    return next(edition for edition in EDITIONS if holds(edition))
