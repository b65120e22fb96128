"""The new server: that it answers as itself, with everything that was there before."""

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
    """The server answered on both ports within its deadline, and a gateway before it led to it within its own."""
    assert our_start.ready is not None and our_start.ready.ended, (
        f"{our_start.ready.sentence if our_start.ready else 'nobody waited'} → `docker logs` of the new container"
    )
    assert our_start.gateway is None or our_start.gateway.ended, (
        f"the server is ready, and the gateway has not learnt it: {our_start.gateway.sentence} → see the gateway's "
        "own log and routes; a longer deadline is budgets.gateway"
    )


def test_health_says_up(server_after: Server) -> None:
    """The management port's health says UP in its body."""
    health = server_after.health
    assert says_up(health), f"{health.url} answered {health.said} → see its log"


def test_what_answers_is_the_container(
    after: Snapshot,
    server_after: Server,
    container_after: Container,
    own_servers: frozenset[str],
    target: Target,
) -> None:
    """What answers on the configured ports is published by the new container, or is proven to be of its database."""
    published = {one.host_port for one in container_after.bindings}
    for answer in (server_after.ping, server_after.health):
        assert answer.status == 200, f"{answer.url} answered {answer.said} → see the container's log"
        port = answer.url.split("/")[2].rpartition(":")[2]
        through = target.http_url if answer is server_after.ping else target.management_url
        if reach.is_published(through, after):
            assert int(port) in published, (
                f"port {port} answers and is not the container's → find who listens there"
            )
        elif answer is server_after.ping:
            reach.need_same_database(server_after, seen(after.database), container_after, own_servers)


def test_the_version_is_the_expected_one(server_after: Server, expected: Expected) -> None:
    """The server is of the version that was checked: the one from before, or the one that its image names."""
    now = seen(server_after.version)
    where = edition_of(now).paths.version
    assert numbers(now), f"it names itself {now or 'nothing'} → look at {where} on the management port"
    if isinstance(expected.version, Unnamed):
        return  # nothing but the server names it: which image it is of is a claim of its own
    wanted = seen(expected.version)
    assert numbers(now) == numbers(wanted), (
        f"it is {now}, expected is {wanted} → see which image the container is of"
    )


@check(protects="data")
def test_it_is_the_same_instance(
    after: Snapshot,
    server_after: Server,
    container_after: Container,
    own_servers: frozenset[str],
    baseline: Baseline,
) -> None:
    """The instance id is the one from before: this is not an empty database."""
    then = seen(baseline.instance_id)
    now = seen(reach.instance_of(server_after, after.database, container_after, own_servers))
    assert now == then, (
        f"it is {now}, before it was {then} → the server is on another database: see its volume"
    )


@check(protects="data")
def test_the_schema_is_the_same(after: Snapshot, schema_to_keep: tuple[str, ...]) -> None:
    """The database's schema history is the one from before."""
    now = tuple(one.version for one in seen(seen(after.database).migrations) if one.success)
    assert now == schema_to_keep, (
        f"it has moved from {schema_to_keep[-1:]} to {now[-1:]} → only an update may migrate: see the image"
    )


@check(protects="data")
def test_the_schema_has_only_grown(after: Snapshot, schema_to_grow: tuple[str, ...]) -> None:
    """Every migration from before is still in the database's schema history, and every new one has succeeded."""
    found = seen(seen(after.database).migrations)
    failed = [one.version for one in found if not one.success]
    assert not failed, f"migrations {', '.join(failed)} have failed → see the server's log, repair the schema"
    lost = sorted(set(schema_to_grow) - {one.version for one in found})
    assert not lost, f"migrations {', '.join(lost)} are gone → this is another database: see its volume"


def test_the_right_credentials_are_let_in(server_after: Server) -> None:
    """The configured basic-auth credentials are accepted."""
    answer = _answered(server_after.auth_right)
    assert answer.status == 200, f"answered {answer.said} → see basic auth in the log"


def test_wrong_credentials_are_refused(server_after: Server) -> None:
    """A wrong basic-auth password is refused."""
    answer = _answered(server_after.auth_wrong)
    assert answer.status == 401, f"answered {answer.said} → basic auth is not on"


def test_nobody_is_let_in_without_credentials(server_after: Server) -> None:
    """A request without credentials is refused."""
    answer = _answered(server_after.auth_none)
    assert answer.status == 401, f"answered {answer.said} → basic auth is not on"


@check(protects="data")
def test_every_flow_is_there(after: Snapshot, server_after: Server, flows_to_keep: tuple[str, ...]) -> None:
    """Every flow that was noted before is there, in its revision of then or a later one."""
    missing = _lost(flows_to_keep, _flows(server_after, after))
    assert not missing, (
        f"missing or older than then: {', '.join(missing[:10])} → compare the database with its last copy"
    )


def test_no_flow_has_gone(after: Snapshot, server_after: Server, flows_noted: tuple[str, ...]) -> None:
    """Every flow that the last accepted run saw is there, in its revision of then or a later one."""
    missing = _lost(flows_noted, _flows(server_after, after))
    assert not missing, (
        f"missing or older than then: {', '.join(missing[:10])} → ask who deleted them, or compare the database with "
        "its last copy"
    )


@check(protects="data")
def test_the_last_executions_are_there(
    after: Snapshot, server_after: Server, executions_to_keep: tuple[str, ...]
) -> None:
    """The last executions that were noted before are there."""
    database = seen(after.database)
    stored = {one.id for one in (*seen(database.noted), *seen(database.executions))}
    missing = sorted(set(executions_to_keep) - stored - set(seen(server_after.executions)))
    assert not missing, f"missing: {', '.join(missing[:10])} → compare the database with its last copy"


@check(protects="data")
def test_no_second_kestra_is_alive(after: Snapshot, own_servers: frozenset[str]) -> None:
    """The only Kestra alive on this database is the new container's."""
    foreign = others_alive(seen(seen(after.database).instances), own_servers)
    assert not foreign, f"{', '.join(foreign)} is alive too → find and stop that server"


def test_every_part_of_the_server_is_alive(
    after: Snapshot, parts_expected: frozenset[str], container_after: Container
) -> None:
    """Every part of the server that must send heartbeats sends them, from this container."""
    missing = seen(silent_parts(parts_expected, after.database, container_after))
    assert not missing, (
        f"no heartbeat of {', '.join(missing)} → health may say UP all the same: see the server's log"
    )


def test_the_outage_was_measured(outage: Outage) -> None:
    """The outage was seen from outside from its beginning to its end."""
    told = outage.told
    assert told is not None and told.length is not None, (
        "the probe saw no end of it → the waits of the start step say what answered instead"
    )


def _answered(answer: Answer) -> Answer:
    """Return an answer; of a server that gave none nobody knows whom it lets in."""
    if answer.status == 0:
        raise CannotObserve(f"{answer.url} answered {answer.said}", "see why the server does not answer")
    return answer


def _flows(server: Server, look: Snapshot) -> tuple[str, ...]:
    """Return the flows as the server shows them, or as they are stored where it cannot show them all."""
    if isinstance(server.flows, Unseen) and server.auth_right.status == 200:
        return seen(seen(look.database).flows)
    return seen(server.flows)


def _lost(noted: tuple[str, ...], found: tuple[str, ...]) -> list[str]:
    """Return the flows of then that are not there, or in an older revision; one that somebody has edited since is there."""
    now = dict(_flow(one) for one in found)
    return sorted(one for one in noted if now.get(_flow(one)[0], 0) < _flow(one)[1])


def _flow(told: str) -> tuple[str, int]:
    """Part `namespace/id@revision`."""
    name, _, revision = told.rpartition("@")
    return name, int(revision) if revision.isdigit() else 0
