"""Who holds a port of the engine's host that the service needs: a container, or a process of this machine."""

from __future__ import annotations

from collections.abc import Iterable

from procedures.observe.engine import owners
from procedures.observe.moments.observers import Observers
from procedures.problems import CannotObserve
from reports.record.observed import Binding, Neighbour

EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - addresses that are read, not bound


def publishing(neighbours: Iterable[Neighbour], wanted: Binding) -> Neighbour | None:
    """Return the running container of somebody else that publishes this port."""
    return next(
        (one for one in neighbours if one.state == "running" and _publishes(one, wanted)),
        None,
    )


def told(one: Neighbour) -> str:
    """Name a container and whose it is."""
    return f"container {one.name} ({owner(one)})"


def owner(one: Neighbour) -> str:
    """Say whose a container is, by its labels."""
    return f"Compose project {one.project}, service {one.service}" if one.project else "no Compose project"


def meet(one: str, other: str) -> bool:
    """Whether two addresses cannot both be bound; an IPv4 address mapped into IPv6 is the same one."""
    one, other = one.removeprefix("::ffff:"), other.removeprefix("::ffff:")
    return one == other or one in EVERYWHERE or other in EVERYWHERE


def now(observers: Observers, port: int) -> str:
    """Say who holds a port of the service at this moment; empty where nobody does, or nobody can be told."""
    try:
        ours = frozenset(one.id for one in observers.containers())
        others = observers.engine.neighbours(observers.project, observers.target.service, ours)
        elsewhere = observers.engine.engine().elsewhere
    except CannotObserve:
        return ""
    for wanted in observers.operator_rendering.bindings:
        if wanted.host_port == port and (one := publishing(others, wanted)):
            return told(one)
    return "" if elsewhere else owners.owners({port}).get(port, "")


def _publishes(one: Neighbour, wanted: Binding) -> bool:
    return any(b.host_port == wanted.host_port and meet(b.host_ip, wanted.host_ip) for b in one.bindings)
