"""The new server: it answers as itself, and everything from before is there."""

from __future__ import annotations

from procedures.decide.baseline import Baseline
from procedures.decide.check_files import check, seen
from procedures.decide.expected import Expected, Unnamed
from procedures.decide.transitions import Start
from procedures.kestra.editions import edition_of
from procedures.kestra.health import says_up
from procedures.kestra.heartbeats import others_alive, silent_parts
from procedures.kestra.version import numbers
from procedures.problems import CannotObserve
from procedures.steps import reach
from procedures.target.target import Target
from reports.record.evidence import Outage
from reports.record.observed import Answer, Container, Server, Snapshot, Unseen


def test_it_became_ready(our_start: Start) -> None:
    """The server answered on both ports within its deadline, and a gateway before it led to it within the gateway's own."""
    assert our_start.ready is not None and our_start.ready.ended, (
        f"{our_start.ready.sentence if our_start.ready else 'the run did not wait'} → `docker logs` of the new "
        "container"
    )
    assert our_start.gateway is None or our_start.gateway.ended, (
        f"the server is ready, but the gateway has not learnt it: {our_start.gateway.sentence} → see the gateway's own "
        "log and routes; budgets.gateway sets a longer deadline"
    )


def test_health_says_up(server_after: Server) -> None:
    """The health answer of the management port says UP in its body."""
    health = server_after.health
    assert says_up(health), f"{health.url} answered {health.said} → see its log"


def test_what_answers_is_the_container(
    after: Snapshot,
    server_after: Server,
    container_after: Container,
    own_servers: frozenset[str],
    target: Target,
) -> None:
    """The new container publishes the configured ports, or what answers there is proven to use its database."""
    published = {binding.host_port for binding in container_after.bindings}
    for answer in (server_after.ping, server_after.health):
        assert answer.status == 200, f"{answer.url} answered {answer.said} → see the container's log"
        port = answer.url.split("/")[2].rpartition(":")[2]
        through = target.http_url if answer is server_after.ping else target.management_url
        if reach.is_published(through, after):
            assert int(port) in published, (
                f"port {port} answers, but the container does not publish it → find out what listens there"
            )
        elif answer is server_after.ping:
            reach.need_same_database(server_after, seen(after.database), container_after, own_servers)


def test_the_version_is_the_expected_one(server_after: Server, expected: Expected) -> None:
    """The server has the version that was checked: the version from before, or the one that its image names."""
    now = seen(server_after.version)
    where = edition_of(now).paths.version
    assert numbers(now), (
        f"the server names itself {now or 'nothing'} → look at {where} on the management port"
    )
    if isinstance(expected.version, Unnamed):
        return  # only the server names it; another check judges the image
    wanted = seen(expected.version)
    assert numbers(now) == numbers(wanted), (
        f"the version is {now}, expected is {wanted} → see which image the container runs"
    )


@check(protects="data")
def test_it_is_the_same_instance(
    after: Snapshot,
    server_after: Server,
    container_after: Container,
    own_servers: frozenset[str],
    baseline: Baseline,
) -> None:
    """The instance id is the same as before, so this is not an empty database."""
    then = seen(baseline.instance_id)
    now = seen(reach.instance_of(server_after, after.database, container_after, own_servers))
    assert now == then, (
        f"the instance id is {now}, before it was {then} → the server is on another database: see the volume of Postgres"
    )


@check(protects="data")
def test_the_schema_is_the_same(after: Snapshot, schema_to_keep: tuple[str, ...]) -> None:
    """The database's schema history is the same as before."""
    now = tuple(migration.version for migration in seen(seen(after.database).migrations) if migration.success)
    assert now == schema_to_keep, (
        f"the schema has moved from {schema_to_keep[-1:]} to {now[-1:]} → only an update may migrate: see the image"
    )


@check(protects="data")
def test_the_schema_has_only_grown(after: Snapshot, schema_to_grow: tuple[str, ...]) -> None:
    """The schema history still holds every migration from before, and every new migration has succeeded."""
    migrations = seen(seen(after.database).migrations)
    failed = [migration.version for migration in migrations if not migration.success]
    assert not failed, (
        f"migrations {', '.join(failed)} have failed → see the server's log, and repair the schema"
    )
    lost = sorted(set(schema_to_grow) - {migration.version for migration in migrations})
    assert not lost, (
        f"migrations {', '.join(lost)} are gone → this is another database: see the volume of Postgres"
    )


def test_the_right_credentials_are_let_in(server_after: Server) -> None:
    """The server accepts the configured basic-auth credentials."""
    answer = _answered(server_after.auth_right)
    assert answer.status == 200, f"the answer was {answer.said} → see basic auth in the server's log"


def test_wrong_credentials_are_refused(server_after: Server) -> None:
    """The server refuses a wrong basic-auth password."""
    answer = _answered(server_after.auth_wrong)
    assert answer.status == 401, f"the answer was {answer.said} → basic auth is not on: turn it on"


def test_nobody_is_let_in_without_credentials(server_after: Server) -> None:
    """The server refuses a request without credentials."""
    answer = _answered(server_after.auth_none)
    assert answer.status == 401, f"the answer was {answer.said} → basic auth is not on: turn it on"


@check(protects="data")
def test_every_flow_is_there(after: Snapshot, server_after: Server, flows_to_keep: tuple[str, ...]) -> None:
    """Every flow that was noted before is there, in the same revision or a later one."""
    missing = _lost(flows_to_keep, _flows(server_after, after))
    assert not missing, (
        f"missing, or in an older revision: {', '.join(missing[:10])} → compare the database with its last copy"
    )


def test_no_flow_has_gone(after: Snapshot, server_after: Server, flows_noted: tuple[str, ...]) -> None:
    """Every flow that the last accepted run saw is there, in the same revision or a later one."""
    missing = _lost(flows_noted, _flows(server_after, after))
    assert not missing, (
        f"missing, or in an older revision: {', '.join(missing[:10])} → ask who deleted them, or compare the database "
        "with its last copy"
    )


@check(protects="data")
def test_the_last_executions_are_there(
    after: Snapshot, server_after: Server, executions_to_keep: tuple[str, ...]
) -> None:
    """The newest executions that were noted before are still there."""
    database = seen(after.database)
    stored = {execution.id for execution in (*seen(database.noted), *seen(database.executions))}
    missing = sorted(set(executions_to_keep) - stored - set(seen(server_after.executions)))
    assert not missing, f"missing: {', '.join(missing[:10])} → compare the database with its last copy"


@check(protects="data")
def test_no_second_kestra_is_alive(after: Snapshot, own_servers: frozenset[str]) -> None:
    """The only Kestra alive on this database is the new container's."""
    foreign = others_alive(seen(seen(after.database).instances), own_servers)
    assert not foreign, f"{', '.join(foreign)} is also alive → find and stop that server"


def test_every_part_of_the_server_is_alive(
    after: Snapshot, parts_expected: frozenset[str], container_after: Container
) -> None:
    """Every part of the server that must send heartbeats sends them, from this container."""
    missing = seen(silent_parts(parts_expected, after.database, container_after))
    assert not missing, (
        f"no heartbeat of {', '.join(missing)} → see the server's log: health may say UP all the same"
    )


def test_the_outage_was_measured(outage: Outage) -> None:
    """The outage was observed from outside, from beginning to end."""
    measured = outage.headline_path
    assert measured is not None and measured.length is not None, (
        "the probe saw no end of the outage → see in the waits of the start step what answered instead"
    )


def _answered(answer: Answer) -> Answer:
    """Return an answer; without one it is unknown whom the server lets in."""
    if answer.status == 0:
        raise CannotObserve(f"{answer.url} answered {answer.said}", "see why the server does not answer")
    return answer


def _flows(server: Server, look: Snapshot) -> tuple[str, ...]:
    """Return the flows from the server, or from the database where the server cannot list them all."""
    if isinstance(server.flows, Unseen) and server.auth_right.status == 200:
        return seen(seen(look.database).flows)
    return seen(server.flows)


def _lost(noted: tuple[str, ...], present: tuple[str, ...]) -> list[str]:
    """Return the noted flows that are gone or in an older revision; a flow that was edited since is not lost."""
    now = dict(_flow(flow) for flow in present)
    return sorted(flow for flow in noted if now.get(_flow(flow)[0], 0) < _flow(flow)[1])


def _flow(text: str) -> tuple[str, int]:
    """Split `namespace/id@revision` into the name and the revision."""
    name, _, revision = text.rpartition("@")
    return name, int(revision) if revision.isdigit() else 0
