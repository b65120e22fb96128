"""The containers of the service, of its database, and of their neighbours."""

from __future__ import annotations

from procedures.drivers.labels import PROJECT
from procedures.observe.engine.engine import EngineObserver
from procedures.target.target import Target
from reports.record.observed import Container, Neighbour, Rendering


def name_of(target: Target, rendering: Rendering) -> str:
    """Return the name of the service's container."""
    return target.container or rendering.container_name


def containers(target: Target, engine: EngineObserver, rendering: Rendering) -> tuple[Container, ...]:
    """Return the service's containers: by their labels, and by the exact name if a script may have made one."""
    labelled = engine.by_service(rendering.project, target.service)
    if not target.found_by_name:
        return labelled
    named = engine.unowned(name_of(target, rendering))
    return (*labelled, named) if named else labelled


def unlabelled(target: Target, engine: EngineObserver, rendering: Rendering) -> Container | None:
    """Return the service's container if Compose has not made it."""
    return next((one for one in containers(target, engine, rendering) if PROJECT not in one.labels), None)


def databases(target: Target, engine: EngineObserver, rendering: Rendering) -> tuple[Container, ...]:
    """Return the containers of the service's database."""
    return engine.by_service(rendering.project, target.database_service)


def neighbours(target: Target, engine: EngineObserver, rendering: Rendering) -> tuple[Neighbour, ...]:
    """Return the other containers of the engine."""
    ours = frozenset(one.id for one in containers(target, engine, rendering))
    return engine.neighbours(rendering.project, target.service, ours)
