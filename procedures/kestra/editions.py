"""What is true of which Kestra: an edition begins with the first version in which something is otherwise than before.

A fact that every edition shares stands in the module of its kind; one in which they differ is a field here.
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
    """What is true of Kestra from one version on, until the next edition begins."""

    since: str
    """The first version of it, as major and minor."""
    paths: Paths
    """Where it answers."""
    auth_can_be_off: bool
    """Whether basic auth is off unless the configuration says `enabled: true`."""
    rules_password: bool
    """Whether it takes only a password that satisfies its rule, and keeps the old one else."""
    histories: tuple[str, ...]
    """The tables of schema histories that it knows; a database may have another one, of a later edition."""
    booted: str
    """What it says in its log when it has booted."""
    gone_parts: frozenset[str] = frozenset()
    """The parts of a server that earlier editions have and it has not."""
    drain_ends_after: float | None = None
    """Seconds after which it ends a drain whatever its grace says; the tasks that run by then are begun again."""


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
    """Return the edition that a version is of; what is older than all, or names no version, is judged as the oldest."""
    number = (*numbers(version), 0, 0)[:2]
    return next((one for one in reversed(EDITIONS) if numbers(one.since) <= number), EDITIONS[0])


def edition_of_image(image: Image | Unseen | None) -> Edition:
    """Return the edition that an image is of; one that was not seen names no version."""
    return edition_of(image.version if isinstance(image, Image) else "")


def first_that(holds: Callable[[Edition], bool]) -> Edition:
    """Return the edition with which something has begun."""
    return next(one for one in EDITIONS if holds(one))
