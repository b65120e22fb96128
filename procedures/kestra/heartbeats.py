"""The heartbeats that Kestra writes to its database: which are a sign of life, and of which part of the server."""

from __future__ import annotations

from collections.abc import Iterable

from procedures.kestra.editions import edition_of
from reports.record.observed import Container, Database, ServiceInstance, Snapshot, Unseen
from reports.record.values import Hidden

LIVENESS = 45.0
"""Seconds after which Kestra counts a silent part as dead, unless the part names its own limit."""
WORKING_PARTS = frozenset({"EXECUTOR", "WORKER"})
"""The parts that must be alive if no earlier heartbeats are left."""
_RUNNING = "RUNNING"
_ACTS = frozenset({"CREATED", _RUNNING, "TERMINATING"})
"""The states of a part that acts on the database, is about to, or has not ended."""


def runs(part: ServiceInstance) -> bool:
    """Whether a part says that it is running, however old its heartbeat is."""
    return part.state == _RUNNING


def is_young(part: ServiceInstance) -> bool:
    """Whether a heartbeat is so young that Kestra itself still counts the part as alive."""
    return part.age < (part.liveness_timeout or LIVENESS)


def hosts_alive(instances: Iterable[ServiceInstance]) -> frozenset[str]:
    """Return the host names of the live servers on a database: they act on it, or may at any moment."""
    return frozenset(part.hostname for part in instances if part.state in _ACTS and is_young(part))


def others_alive(instances: Iterable[ServiceInstance], own: frozenset[str]) -> tuple[str, ...]:
    """Return the host names of the live servers on a database that are not our own."""
    return tuple(sorted(hosts_alive(instances) - own))


def parts_of(look: Snapshot[Hidden] | None) -> frozenset[str] | Unseen:
    """Return the parts of the server that ran in a snapshot; the working parts if none are known."""
    if look is None or look.database is None:
        return WORKING_PARTS
    if isinstance(look.database, Unseen):
        return look.database
    parts = look.database.instances
    if isinstance(parts, Unseen):
        return parts
    running = [part for part in parts if runs(part)]
    if not running and parts:
        # A stopped server leaves its parts behind, and so do earlier servers, perhaps of other versions.
        last = min(parts, key=lambda part: part.age).server_id
        running = [part for part in parts if part.server_id == last]
    return frozenset(part.type for part in running) or WORKING_PARTS


def silent_parts(
    parts: frozenset[str], database: Database | Unseen | None, container: Container
) -> tuple[str, ...] | Unseen:
    """Return which of these parts of the server send no heartbeats from this container.

    A part that the server's edition does not have is not missed; its own heartbeats name the version.
    """
    if not isinstance(database, Database):
        return database or Unseen("the database was not looked at")
    if isinstance(database.instances, Unseen):
        return database.instances
    ours = [one for one in database.instances if one.hostname == container.id[:12]]
    gone = {part for one in ours for part in edition_of(one.version).gone_parts}
    now = {one.type for one in ours if runs(one) and is_young(one)}
    return tuple(sorted(parts - gone - now))
