"""Who holds a port that the service needs on the engine's host: a container, or a process of this machine."""

from __future__ import annotations

from collections.abc import Iterable

from procedures.observe.engine import owners
from procedures.observe.moments.observers import Observers
from procedures.problems import CannotObserve
from reports.record.observed import Binding, Neighbour

EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - addresses that are read, not bound


def publishing(neighbours: Iterable[Neighbour], wanted: Binding) -> Neighbour | None:
    """Return the running container outside this service that publishes this port."""
    return next(
        (one for one in neighbours if one.state == "running" and _publishes(one, wanted)),
        None,
    )


def described(neighbour: Neighbour) -> str:
    """Name a container and its owner."""
    return f"container {neighbour.name} ({owner(neighbour)})"


def owner(neighbour: Neighbour) -> str:
    """Name the owner of a container, by its labels."""
    return (
        f"Compose project {neighbour.project}, service {neighbour.service}"
        if neighbour.project
        else "no Compose project"
    )


def meet(address: str, other: str) -> bool:
    """Whether two addresses cannot both be bound; an IPv4 address mapped into IPv6 is the same address."""
    address, other = address.removeprefix("::ffff:"), other.removeprefix("::ffff:")
    return address == other or address in EVERYWHERE or other in EVERYWHERE


def now(observers: Observers, port: int) -> str:
    """Say who holds a port of the service now; empty if nobody does, or the holder cannot be found."""
    try:
        ours = frozenset(one.id for one in observers.containers())
        others = observers.engine.neighbours(observers.project, observers.target.service, ours)
        elsewhere = observers.engine.engine().elsewhere
    except CannotObserve:
        return ""
    for wanted in observers.operator_rendering.bindings:
        if wanted.host_port == port and (one := publishing(others, wanted)):
            return described(one)
    return "" if elsewhere else owners.owners({port}).get(port, "")


def _publishes(neighbour: Neighbour, wanted: Binding) -> bool:
    return any(
        b.host_port == wanted.host_port and meet(b.host_ip, wanted.host_ip) for b in neighbour.bindings
    )
