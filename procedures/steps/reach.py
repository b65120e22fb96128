"""Whether the target's addresses lead from here to the server, distinguished from the state of the server itself.

Between the two there may be a gateway that does not yet know the container, an engine on another host, or a wrong
URL. The server is asked inside its own network (`observe/direct.py`); users, and the outage, see the addresses.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from procedures.decide.check_files import seen
from procedures.kestra import heartbeats
from procedures.kestra.health import is_ready
from procedures.observe.moments.observers import Observers
from procedures.observe.waiting import Look
from procedures.problems import CannotObserve
from procedures.target.target import Target
from reports.record.observed import (
    Answer,
    Container,
    Database,
    Direct,
    Server,
    ServiceInstance,
    Snapshot,
    Unseen,
)


def answers(look: Snapshot, target: Target) -> bool | None:
    """Whether the server answers; its own answer counts first, because a gateway answers for a server that is down.

    If no container of the service runs, it is another server that answers at the addresses.
    """
    if not isinstance(look.containers, Unseen) and not any(one.running for one in look.containers):
        return False
    if isinstance(look.direct, Direct):
        return look.direct.answers
    if look.server is None or isinstance(look.server, Unseen):
        return None
    if target.budgets.gateway is not None:
        return 200 in {look.server.health.status, look.server.ping.status}
    return look.server.health.status != 0 or look.server.ping.status != 0


def strayed(server: Server, itself: Direct) -> tuple[tuple[str, Answer], ...]:
    """Return the keys whose addresses do not lead to a server that is well, with what answers there instead."""
    pairs = (
        ("http_url", server.ping, itself.ping),
        ("management_url", server.health, itself.health),
    )
    return tuple((key, there) for key, there, own in pairs if own.status == 200 and there.status != 200)


def server_of(look: Snapshot, target: Target) -> Server:
    """Return what answers at the target's addresses; if they lead astray, the server is unknown there."""
    server = seen(look.server)
    if isinstance(look.direct, Direct) and (astray := strayed(server, look.direct)):
        raise CannotObserve(sentence(astray, look.direct), move(target, look))
    if target.budgets.gateway is not None and not answers(look, target) and server.ping.status:
        why = look.direct.sentence if isinstance(look.direct, Direct) else _unseen(look.direct)
        raise CannotObserve(
            f"the gateway answers in the server's place ({server.ping.said}); the server itself: {why}",
            "see the log of the server's container",
        )
    return server


def sentence(astray: tuple[tuple[str, Answer], ...], itself: Direct) -> str:
    """Say where the addresses lead instead."""
    there = "; ".join(f"{key} {one.url} says {one.said}" for key, one in astray)
    return f"the server itself is well inside its network ({itself.sentence}), and {there}"


def move(target: Target, look: Snapshot) -> str:
    """Say what to do about an address that leads astray."""
    if target.budgets.gateway is not None:
        return "the gateway has not learnt this container: see the gateway's own log and routes"
    forward = "or forward the port to here and write its address as http_url and management_url"
    if not isinstance(look.engine, Unseen) and look.engine and look.engine.elsewhere:
        return f"the engine is on {look.engine.name}: publish on an address of it that is reached from here, {forward}"
    return f"correct http_url and management_url in {target.file}"


def kept_alone(look: Snapshot, target: Target) -> tuple[str, ...]:
    """Return the keys whose addresses need a port that an engine elsewhere publishes on its own loopback only."""
    rendering, engine = seen(look.operator_rendering), seen(look.engine)
    host = urlsplit(engine.endpoint).hostname if engine.endpoint.startswith("tcp://") else None
    if not host or _is_loopback(host):
        return ()
    needed = (
        ("http_url", target.http_url, target.http_container_port),
        ("management_url", target.management_url, target.management_container_port),
    )
    return tuple(
        key
        for key, template, port in needed
        if "{engine_host}:{" in template
        and all(_is_loopback(one.host_ip) for one in rendering.bindings if one.container_port == port)
    )


def is_published(template: str, look: Snapshot) -> bool:
    """Whether an address uses a port of the engine's own host, so that the engine knows its owner."""
    engine = seen(look.engine)
    here = _is_loopback(urlsplit(template.partition("{")[0]).hostname or "") and not engine.elsewhere
    return "{gateway_port}" not in template and "_port}" in template and ("{engine_host}" in template or here)


def need_same_database(server: Server, database: Database, container: Container, own: frozenset[str]) -> None:
    """Check that the server that answers uses the database on which this container's server, and no other, is alive.

    `own` are the host names of our own servers; those that this run stopped no longer answer.
    """
    there, here = seen(server.instance_id), seen(database.instance_id)
    assert there == here, (
        f"the instance {there} answers, this database's is {here} → find whose address that is"
    )
    alive = _alive(seen(database.instances), container, own)
    assert alive == {container.id[:12]}, (
        f"alive on its database is {', '.join(sorted(alive)) or 'no server'}, the container is {container.id[:12]} → "
        "find which server answers there"
    )


def instance_of(
    server: Server, database: Database | Unseen | None, container: Container, own: frozenset[str]
) -> str | Unseen:
    """Return the instance id that a server names; if it names none, the id of the database on which it alone is alive."""
    if not isinstance(server.instance_id, Unseen) or not isinstance(database, Database):
        return server.instance_id
    if isinstance(database.instances, Unseen):
        return server.instance_id
    if _alive(database.instances, container, own) != {container.id[:12]}:
        return server.instance_id
    return server.instance_id if database.instance_id is None else database.instance_id


def _alive(
    instances: tuple[ServiceInstance, ...], container: Container, own: frozenset[str]
) -> frozenset[str]:
    """Return the host names of the servers that are alive on a database, without those that this run stopped."""
    return heartbeats.hosts_alive(instances) - (own - {container.id[:12]})


def by_the_service(observers: Observers, look: Look) -> Look:
    """Let a look count only while a container of the service runs: otherwise somebody else holds its address."""

    def asked() -> tuple[bool, str]:
        ready, saw = look()
        if ready and not runs(observers):
            return False, f"{saw}, by somebody else: no container of the service runs"
        return ready, saw

    return asked


def runs(observers: Observers) -> bool:
    """Whether a container of the service runs, as far as the engine says."""
    try:
        return any(one.running for one in observers.containers())
    except CannotObserve:
        return True


def look_at_itself(observers: Observers) -> Look:
    """Return a look that asks the server itself, for a wait in which no gateway may answer."""

    def look() -> tuple[bool, str]:
        itself = observers.glance()
        if isinstance(itself, Unseen):
            return False, itself.sentence
        return is_ready(itself), f"the server itself: {itself.sentence}"

    return look


def _unseen(value: Unseen | None) -> str:
    return value.sentence if value else "nobody asked it"


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in {"localhost", "::1"}
