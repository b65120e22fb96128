"""The heartbeats that a Kestra leaves on its database: which of them are a sign of life, and of which part."""

from __future__ import annotations

from collections.abc import Iterable

from procedures.kestra.editions import edition_of
from reports.record.observed import Container, Database, ServiceInstance, Snapshot, Unseen
from reports.record.values import Hidden

LIVENESS = 45.0
"""Seconds after which Kestra takes a silent part for dead, where the part itself does not say."""
WORKING_PARTS = frozenset({"EXECUTOR", "WORKER"})
"""What must be alive where nothing is left of the heartbeats before."""
_RUNNING = "RUNNING"
_ACTS = frozenset({"CREATED", _RUNNING, "TERMINATING"})
"""The states of a part that acts on the database, or is about to, or has not ended."""


def runs(one: ServiceInstance) -> bool:
    """Whether a part calls itself running, however long ago it did."""
    return one.state == _RUNNING


def is_young(one: ServiceInstance) -> bool:
    """Whether Kestra itself would not take the part for dead yet."""
    return one.age < (one.liveness_timeout or LIVENESS)


def hosts_alive(instances: Iterable[ServiceInstance]) -> frozenset[str]:
    """Return the host names of the servers that are alive on a database: they act on it, or may at any moment."""
    return frozenset(one.hostname for one in instances if one.state in _ACTS and is_young(one))


def others_alive(instances: Iterable[ServiceInstance], own: frozenset[str]) -> tuple[str, ...]:
    """Return the host names of the servers alive on a database that are none of our own."""
    return tuple(sorted(hosts_alive(instances) - own))


def parts_of(look: Snapshot[Hidden] | None) -> frozenset[str] | Unseen:
    """Return the parts of the server that ran at a look; those that do the work where there were none."""
    if look is None or look.database is None:
        return WORKING_PARTS
    if isinstance(look.database, Unseen):
        return look.database
    found = look.database.instances
    if isinstance(found, Unseen):
        return found
    running = [one for one in found if runs(one)]
    if not running and found:
        # A server that was stopped has left its parts behind, and earlier ones theirs, of other versions maybe.
        last = min(found, key=lambda one: one.age).server_id
        running = [one for one in found if one.server_id == last]
    return frozenset(one.type for one in running) or WORKING_PARTS


def silent_parts(
    parts: frozenset[str], database: Database | Unseen | None, container: Container
) -> tuple[str, ...] | Unseen:
    """Return which of these parts of the server send no heartbeats from this container.

    One that the server's edition does not have, by the word of its own heartbeats, is missed by nobody.
    """
    if not isinstance(database, Database):
        return database or Unseen("the database was not looked at")
    if isinstance(database.instances, Unseen):
        return database.instances
    ours = [one for one in database.instances if one.hostname == container.id[:12]]
    gone = {part for one in ours for part in edition_of(one.version).gone_parts}
    now = {one.type for one in ours if runs(one) and is_young(one)}
    return tuple(sorted(parts - gone - now))
