"""What `status` shows besides its checks: container, image, ports, health, database and the last runs, in lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from procedures.decide import accepted
from procedures.decide.facts import Group
from procedures.problems import CannotObserve
from procedures.run.procedure import Intent, Procedure, Service
from reports.record.observed import Container, Image, Snapshot, Unseen

LAST_RUNS = 5


def intend(service: Service) -> Intent:
    """Name the parts that sent heartbeats in the last accepted run."""
    then, findings = accepted.compared(service.past, may_be_first=False)
    return Intent(compared=then, findings=findings)


def lines(look: Snapshot, past: accepted.Past) -> Iterator[str]:
    """Describe one look at the service, and its newest runs in an archive."""
    yield from _containers(look)
    server, database = look.server, look.database
    if server is None or isinstance(server, Unseen):
        yield f"server: {_why(server)}"
    else:
        yield f"server: health {server.health.said}, ping {server.ping.said}, version: {_said(server.version)}"
    if database is None or isinstance(database, Unseen):
        yield f"database: {_why(database)}"
    else:
        yield f"database: login {database.login}, executions under way: {_said(database.running)}"
    try:
        runs = list(islice(_runs(past), LAST_RUNS))
    except CannotObserve as error:
        yield f"runs: {error.sentence}"
        return
    yield from (f"run {one}" for one in runs)
    if not runs:
        yield f"no run of this target is in {past.folder}"


def _containers(look: Snapshot) -> Iterator[str]:
    if isinstance(look.containers, Unseen):
        yield f"container: {look.containers.sentence}"
        return
    for container in look.containers:
        yield f"container: {container.name} ({container.id[:12]}) {container.state}{_health(container)}, started {container.started_at}"
        yield f"image: {container.image} ({container.image_id[:19]}){_newer(container, look.image)}"
        yield f"ports: {', '.join(f'{b.host_ip}:{b.host_port} to {b.container_port}' for b in container.bindings) or 'none'}"
    if not look.containers:
        yield "container: none of this service"


def _health(container: Container) -> str:
    return f", Docker says {container.health}" if container.health else ""


def _newer(container: Container, image: Image | Unseen | None) -> str:
    """Say that the files now name another image, so that a start would be an update."""
    if not isinstance(image, Image) or image.id == container.image_id:
        return ""
    return f"; the files name {image.reference} ({image.id[:19]}) by now: `pytest -m update` applies it"


def _runs(past: accepted.Past) -> Iterator[str]:
    for _, head in accepted.heads(past):
        yield f"{head.run} of {head.began_at}: {head.procedure}, {head.verdict}"


def _why(value: Unseen | None) -> str:
    return value.sentence if value else "not looked at"


def _said(value: object) -> str:
    return value.sentence if isinstance(value, Unseen) else str(value)


PROCEDURE = Procedure(
    "status",
    "look at the service, changing and keeping nothing",
    Group.LOOK,
    intend,
    acts=False,
    archived=False,
    closing_lines=lines,
)
