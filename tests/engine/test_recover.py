"""Recovery from every state that a service was seen in: brought back and judged, or refused with the command to type."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT
from tests.stacks import SHORT_TIMES, Stack, engine, password, pause, run, stack, wait_for

pytestmark = pytest.mark.understudy

TIMES = SHORT_TIMES["UNDERSTUDY"]
RECREATE = ("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", seen.SERVICE)
# Heartbeats that are held for those of a server that is alive.
YOUNG = """select count(*) from service_instance where state in ('CREATED', 'RUNNING', 'TERMINATING')
 and updated_at > now() - interval '3.5 seconds'"""


@pytest.fixture(scope="module")
def service(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose server is killed soon where it does not end: many here do not."""
    grace = {"KESTRA_TERMINATION_GRACE": "1s", "KESTRA_STOP_GRACE": "2s"}
    with stack(tmp_path_factory.mktemp("stack"), **grace) as made:
        seen.seed(made.up())
        targets.target_file(made, budgets={"boot": "8s", "look": "4s"})
        yield made


@pytest.fixture(autouse=True)
def _well(service: Stack) -> Iterator[None]:
    """Let each test begin with a service that runs as its `.env` says, and owes nothing."""
    then, compose = dict(service.env), service.compose_file.read_text()
    yield
    service.compose_file.write_text(compose)
    service.env = then
    service.set_env()
    for journal in targets.journals(service):
        journal.unlink()
    if not (service.containers(seen.SERVICE) and service.is_ready()):
        service.compose(*RECREATE)
        service.wait_until_ready()


def name(service: Stack) -> str:
    return f"{service.project}-kestra"


def recovered(service: Stack) -> tuple[str, dict[str, Any]]:
    """Recover, which must end well; return what was told and its record."""
    done = targets.procedure(service, name="recover")

    assert done.returncode == 0, done.stdout + done.stderr
    assert service.is_ready()
    assert service.container(seen.SERVICE).name == name(service)
    assert "hello" in seen.flows(service)
    assert seen.ours(seen.run_id(done.stdout)) == []
    return done.stdout, targets.record(targets.latest(service))


def refused(service: Stack) -> tuple[str, dict[str, str]]:
    """Recover, which must be refused before anything is touched; return what was told and the findings."""
    then = states(service)
    done = targets.procedure(service, name="recover")

    assert done.returncode == 10, done.stdout + done.stderr
    assert states(service) == then
    return done.stdout, seen.findings(targets.record(targets.latest(service)))


def states(service: Stack) -> list[tuple[str, str, str]]:
    return [
        (str(one.id), one.status, str(one.attrs["State"]["StartedAt"]))
        for which in (seen.SERVICE, seen.DATABASE)
        for one in service.containers(which)
    ]


def typed(service: Stack, command: str) -> None:
    """Type a command that was told, in the stack's root."""
    run(["sh", "-c", command], cwd=service.root)


def told(text: str, begin: str) -> str:
    """The command that begins so, out of what was told."""
    found = re.search(rf"`({re.escape(begin)}[^`]*)`", text)
    assert found, f"nothing to type that begins with {begin!r} in:\n{text}"
    return found[1]


def noted(record: dict[str, Any]) -> str:
    return "\n".join(f"{one['text']} → {one['next_move']}" for one in record["findings"])


def next_server(service: Stack, fault: str) -> None:
    """Replace the server by one with a fault; the `.env` says afterwards what it should have been."""
    service.set_env(UNDERSTUDY=f"{TIMES} {fault}")
    service.compose(*RECREATE)
    service.set_env(UNDERSTUDY=TIMES)


def taken_away(service: Stack) -> None:
    """Remove the container of a server that was asked to end: it takes its heartbeats back, which would be nobody's."""
    ours = service.container(seen.SERVICE)
    ours.stop(timeout=10)
    ours.remove()


# --- brought back: what was wrong is said, the service runs and is judged


@FAULT(
    kind="the service is stopped, or has no container",
    phase="next run",
    happened="recover starts it and tells how it had ended",
    verdict="ACCEPTED",
)
def test_it_was_stopped(service: Stack) -> None:
    """An exited service is started; how it had ended is told."""
    service.container(seen.SERVICE).stop(timeout=10)
    _, record = recovered(service)

    assert f"{name(service)} was found exited" in noted(record)
    assert "exit code 143 (it was asked to end, and did)" in noted(record)


@FAULT(
    kind="the kernel killed the server for its memory",
    phase="next run",
    happened="recover starts it and names the limit",
    verdict="ACCEPTED",
)
def test_it_was_killed_for_its_memory(service: Stack) -> None:
    """A server that the kernel killed for its memory is started, and the limit is what is told to look at."""
    ours = service.container(seen.SERVICE)
    limits = ("--memory", "200m", "--memory-swap", "200m", "--restart", "no")
    run(["docker", "update", *limits, str(ours.id)], cwd=service.root)
    eater = "echo 1000 > /proc/1/oom_score_adj; exec python3 -c 'b\"x\" * 10**9'"
    with suppress(Exception):
        ours.exec_run(["sh", "-c", eater], user="root")
    wait_for(lambda: service.container(seen.SERVICE).status == "exited", "the kernel to kill it", 20)
    _, record = recovered(service)

    assert "killed for its memory" in noted(record)
    assert "more memory than its limit" in noted(record)
    assert ".HostConfig.Memory" in noted(record)


@FAULT(
    kind="the service is paused",
    phase="next run",
    happened="recover lets it go on, asks it to end, and replaces it",
    verdict="ACCEPTED",
)
def test_it_was_paused(service: Stack) -> None:
    """A paused server is let go on, asked to end, and replaced."""
    pause(service.container(seen.SERVICE))
    _, record = recovered(service)

    assert [one["step"]["name"] for one in record["steps"]] == ["save_logs", "unpause", "stop", "start"]
    assert "was found paused" in noted(record)


@FAULT(
    kind="the server ends at every boot",
    phase="next run",
    happened="recover replaces it once its env file is mended",
    verdict="ACCEPTED",
)
def test_it_was_in_a_crash_loop(service: Stack) -> None:
    """A server that ends at every boot is replaced once its `.env` is mended."""
    next_server(service, "crash-at-boot")
    wait_for(lambda: service.container(seen.SERVICE).attrs["RestartCount"] >= 2, "a crash loop", 30, 0.2)
    _, record = recovered(service)

    assert re.search(r"was found in a restart loop, \d+ restarts so far", noted(record))


@FAULT(
    kind="the server accepts and never answers",
    phase="next run",
    happened="recover ends and replaces it",
    verdict="ACCEPTED",
)
def test_it_hung(service: Stack) -> None:
    """A server that accepts and never answers is ended, killed if need be, and replaced."""
    next_server(service, "hang")
    wait_for(lambda: seen.health(service) == "mute", "the ports to open", 20)
    _, record = recovered(service)

    assert re.search(r"running and answering on neither port \(.*mute\)", noted(record))


@FAULT(
    kind="a server that lost its database neither answers nor ends",
    phase="next run",
    happened="recover kills it after its grace, and the cause is told",
    verdict="ACCEPTED",
)
def test_it_was_a_zombie_since_its_database_was_away(service: Stack) -> None:
    """A server that lost its database and neither answers nor ends is killed after its grace; the cause is told."""
    next_server(service, "zombie-on-db-loss")
    service.wait_until_ready()
    service.container(seen.DATABASE).restart(timeout=20)
    wait_for(lambda: service.health(seen.DATABASE) == "healthy", "Postgres to be healthy", 30)
    wait_for(lambda: seen.health(service) == "mute", "the server to fall silent", 20)
    _, record = recovered(service)
    stop = next(one for one in record["steps"] if one["step"]["name"] == "stop")

    assert f"{service.project}-kestra-postgres was started after it" in noted(record)
    assert "a running Kestra does not survive the loss of its database" in noted(record)
    assert stop["took"] > 1.5


@FAULT(
    kind="a failed start has left a container that never ran",
    phase="next run",
    happened="recover replaces it, and the engine's reason is told",
    verdict="ACCEPTED",
)
def test_a_failed_start_had_left_its_container(service: Stack) -> None:
    """What a start that failed has left, `Created`, with the engine's reason, is replaced once the port is free."""
    taken_away(service)
    with seen.container(
        seen.unique("publisher"), ports={"80/tcp": ("127.0.0.1", int(service.env["KESTRA_HTTP_PORT"]))}
    ):
        failed = service.compose(*RECREATE, check=False)
        assert failed.returncode
        assert service.container(seen.SERVICE).status == "created"
    _, record = recovered(service)

    assert "created and never started" in noted(record)
    assert "another container publishes this port" in noted(record)
    assert f"docker ps --filter publish={service.env['KESTRA_HTTP_PORT']}" in noted(record)


@FAULT(
    kind="a start that was cut off has left two containers",
    phase="next run",
    happened="a restart is refused; recover clears the one that never ran away",
    verdict="REFUSED, ACCEPTED",
)
def test_a_start_that_was_cut_off_had_left_two(service: Stack) -> None:
    """Beside the old container stands the new one that was never started: it is cleared away, the old one replaced."""
    old = service.container(seen.SERVICE)
    with engine() as client:
        made = client.containers.create(
            service.image,
            name=f"{str(old.id)[:12]}_{name(service)}",
            labels={**old.labels, "com.docker.compose.replace": name(service)},
        )
    done = targets.procedure(service)

    assert done.returncode == 10, done.stdout
    assert "`pytest -m recover` removes those that never ran" in done.stdout

    output, record = recovered(service)

    assert f"docker rm {made.id}" in output
    assert [one["step"]["name"] for one in record["steps"]] == [
        "save_logs", "clear_leftovers", "stop", "start",
    ]  # fmt: skip
    assert str(service.container(seen.SERVICE).id) not in {old.id, made.id}


# --- refused, before anything is stopped for a start that cannot work; what is told to type helps


@FAULT(
    kind="somebody else's container holds the service's name",
    phase="next run",
    happened="refused; renamed as told it is out of the way",
    verdict="REFUSED, ACCEPTED",
)
def test_a_stranger_holds_the_name(service: Stack) -> None:
    """A container of somebody else under the service's name stays as it is; renamed as told, it is out of the way."""
    taken_away(service)
    with seen.container(name(service)) as stranger:
        _, found = refused(service)
        stranger.reload()

        assert stranger.status == "running"

        typed(service, told(found["test_the_container_name_is_free_or_ours"], "docker rename"))
        recovered(service)
        stranger.reload()

        assert stranger.status == "running"


@FAULT(
    kind="a Kestra that was started by hand holds the service's name",
    phase="next run",
    happened="refused: it is not ended unasked; ended as told, the service comes back",
    verdict="REFUSED, ACCEPTED",
)
def test_a_kestra_that_was_started_by_hand_holds_the_name(service: Stack) -> None:
    """A Kestra of `docker run`, without Compose's labels, is not ended unasked; ended as told, the service comes back."""
    ours = service.container(seen.SERVICE)
    options: dict[str, Any] = {
        "environment": ours.attrs["Config"]["Env"],
        "network": next(iter(ours.attrs["NetworkSettings"]["Networks"])),
        "ports": {"8080/tcp": ("127.0.0.1", int(service.env["KESTRA_HTTP_PORT"]))},
    }
    taken_away(service)
    with seen.container(name(service), "server", "standalone", image=service.image, **options) as by_hand:
        wait_for(lambda: service.psql(YOUNG) != "0", "its heartbeat", 20, 0.3)
        _, found = refused(service)
        by_hand.reload()

        assert by_hand.status == "running"
        assert str(by_hand.id)[:12] in found["test_no_second_kestra_is_alive_on_this_database"]

        typed(service, told(found["test_the_container_name_is_free_or_ours"], "docker stop"))
        recovered(service)


@FAULT(
    kind="the project's network is gone",
    phase="next run",
    happened="refused; what is told brings it back",
    verdict="REFUSED, ACCEPTED",
)
def test_the_projects_network_is_gone(service: Stack) -> None:
    """Without its network nobody reaches Postgres: what is told brings it back into a new one, without a restart."""
    taken_away(service)
    postgres = service.container(seen.DATABASE)
    with engine() as client:
        (network,) = client.networks.list(filters={"label": f"com.docker.compose.project={service.project}"})
        network.disconnect(postgres, force=True)
        network.remove()
    _, found = refused(service)
    typed(service, told(found["test_postgres_is_in_one_of_them"], "docker compose"))
    recovered(service)

    assert seen.identity(service, seen.DATABASE)[0] == postgres.id
    assert postgres.attrs["State"]["StartedAt"] == seen.identity(service, seen.DATABASE)[1]


@FAULT(
    kind="an external network is gone",
    phase="next run",
    happened="refused, with the command that makes it",
    verdict="REFUSED",
)
def test_an_external_network_is_gone(service: Stack) -> None:
    """A network that Compose does not make is named with the command that does; what runs is not stopped for it."""
    missing = seen.unique("network")
    service.compose_file.write_text(
        f"{service.compose_file.read_text()}\nnetworks:\n  default:\n    name: {missing}\n    external: true\n"
    )
    output, found = refused(service)

    assert told(found["test_its_networks_exist_or_are_made"], "docker network") == (
        f"docker network create {missing}"
    )
    assert "declared external" in output
    assert service.is_ready()


def test_the_env_file_has_a_wrong_password(service: Stack) -> None:
    """With a database password that the volume does not know no server would come up: what runs is left alone."""
    service.set_env(KESTRA_DB_PASSWORD=password())
    output, found = refused(service)

    assert "Postgres refuses the credentials" in found["test_the_new_containers_credentials_log_in"]
    assert "its volume keeps the one of its first start" in output
    assert r"-c '\password kestra'" in output
    assert service.is_ready()


@FAULT(
    kind="Postgres is stopped",
    phase="next run",
    happened="refused; what is told brings it back, then recover does",
    verdict="REFUSED, ACCEPTED",
)
def test_its_database_is_away(service: Stack) -> None:
    """Without Postgres nobody can say that no second Kestra is alive: what is told brings it back, then recover does."""
    service.container(seen.DATABASE).stop(timeout=20)
    wait_for(lambda: "UP" not in seen.health(service), "the server to fall silent", 20)
    output, found = refused(service)

    assert f"{service.project}-kestra-postgres is exited" in found["test_postgres_runs_and_is_healthy"]

    typed(service, told(output, f"cd {service.root}"))
    wait_for(lambda: service.health(seen.DATABASE) == "healthy", "Postgres to be healthy", 30)
    recovered(service)


# --- down, and why


@FAULT(
    kind="the database's schema is not this image's",
    phase="start",
    happened="the cause is told out of the new server's log",
    verdict="SERVICE DOWN",
)
def test_the_new_server_does_not_boot(service: Stack) -> None:
    """A schema that is not this image's ends every boot: SERVICE DOWN, with the cause out of the new server's log."""
    change = "update flyway_schema_history set checksum = checksum {} 1 where installed_rank = 3"
    service.container(seen.SERVICE).stop(timeout=10)
    service.psql(change.format("+"))
    try:
        done = targets.procedure(service, name="recover")
    finally:
        service.psql(change.format("-"))
    record = targets.record(targets.latest(service))

    assert done.returncode == 12, done.stdout
    assert "Migrations have failed validation" in noted(record)
    assert "the migrations of this image are not those that made this database" in noted(record)
    assert "`pytest -m rollback`" in done.stdout
    assert "what fails is Kestra itself" in noted(record)
    assert sum("failed validation" in one["text"] for one in record["findings"]) == 1

    _, record = recovered(service)

    assert "left no folder" not in noted(record)


@FAULT(
    kind="an open journal of another version of the suite",
    phase="next run",
    happened="nothing is touched, and the suite that can read it is named",
    verdict="LOCKED",
)
def test_the_journal_of_another_version(service: Stack) -> None:
    """An open journal that this version cannot read: one message with its next move, nothing touched, nothing lost."""
    done: subprocess.CompletedProcess[str] = targets.procedure(service, name="recover")
    assert done.returncode == 0, done.stdout
    future = targets.journals(service)[0].with_name("future.jsonl")
    future.write_text(json.dumps({"at": "2026-11-23T10:00:00Z", "kind": "run", "version": 2}) + "\n")
    then, text = states(service), future.read_text()

    for procedure in ("recover", "restart"):
        done = targets.procedure(service, name=procedure)

        assert done.returncode == 15, done.stdout
        assert f"the journal {future} is of version 2, this suite reads 1" in done.stdout
        assert "recover with the suite that wrote it" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        assert (states(service), future.read_text()) == (then, text)
        assert seen.ours(seen.run_id(done.stdout)) == []
