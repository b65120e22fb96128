"""What is found before the stop: refused, every finding with its reason and next move, and nothing touched."""

from __future__ import annotations

import html
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reports.record.observed import Ephemeral
from tests import targets
from tests.engine import service as seen
from tests.engine.heard import heard
from tests.faults import FAULT
from tests.leftovers import own_name
from tests.stacks import (
    SHORT_TIMES,
    UNDERSTUDY_IMAGE,
    Stack,
    engine,
    free_port,
    password,
    pause,
    run,
    stack,
    wait_for,
)

pytestmark = pytest.mark.understudy

OTHER_IMAGE = "kestra-understudy:0.21.0"


@pytest.fixture(scope="module")
def service(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs, of an image reference of its own, which a test may point elsewhere."""
    reference = f"kestra-understudy:{own_name()}"
    with engine() as client:
        client.images.get(UNDERSTUDY_IMAGE).tag(reference)
    try:
        with stack(tmp_path_factory.mktemp("stack"), KESTRA_IMAGE=reference) as made:
            yield seen.seed(made.up())
    finally:
        with engine() as client:
            client.images.remove(reference, force=True)


@pytest.fixture(autouse=True)
def _as_before(service: Stack) -> Iterator[None]:
    """Put back what a test has changed: env file, target file, compose file."""
    then, compose = dict(service.env), service.compose_file.read_text()
    targets.target_file(service)
    yield
    service.compose_file.write_text(compose)
    service.env = then
    service.set_env()


def refused(service: Stack, **env: str) -> dict[str, str]:
    """Run a restart that must be refused and touch nothing; return what it found, by the checks' names."""
    then = identities(service)
    with heard() as changes:
        done = targets.procedure(service, env=env)

    assert done.returncode == 10, done.stdout + done.stderr
    assert then == identities(service)
    assert changes.of(f"com.docker.compose.project={service.project}") == []

    record = targets.record(targets.latest(service))
    page = html.unescape((targets.latest(service) / "report.html").read_text(encoding="utf-8"))
    found = seen.findings(record)

    assert (record["verdict"], record["executed"]) == ("REFUSED", False)
    assert all(one["next_move"] for one in record["results"] if one["outcome"] == "failed")
    assert [one for one in found.values() if one.partition(" → ")[0] not in page] == []
    assert [one for one in found.values() if one.partition(" → ")[0] not in done.stdout] == []
    assert {one["outcome"] for one in record["results"] if one["check"]["phase"] in {"mid", "post"}} <= {
        "blocked",
        "not applicable",
    }
    return found


def refused_without_a_plan(service: Stack) -> str:
    """Run a restart that is refused because of what the `.env` says to Compose; return what it told."""
    then = identities(service)
    done = targets.procedure(service)

    assert done.returncode == 10, done.stdout + done.stderr
    assert then == identities(service)
    assert targets.record(targets.latest(service))["verdict"] == "REFUSED"
    assert (targets.latest(service) / "report.html").is_file()
    return done.stdout


def identities(service: Stack) -> list[tuple[str, str]]:
    return [
        (str(one.id), str(one.attrs["State"]["StartedAt"]))
        for name in (seen.SERVICE, seen.DATABASE)
        for one in service.containers(name)
    ]


# --- the database


@FAULT(
    kind="Postgres is stopped",
    phase="before",
    happened="refused, and the reason names it",
    verdict="REFUSED",
)
def test_postgres_is_stopped(service: Stack) -> None:
    """With Postgres stopped the restart is refused, and the reason names it."""
    postgres = service.container(seen.DATABASE)
    postgres.stop(timeout=20)
    try:
        found = refused(service)
    finally:
        postgres.start()
        wait_for(lambda: service.health(seen.DATABASE) == "healthy", "Postgres to be healthy", 30)
        service.wait_until_ready()

    assert f"{service.project}-kestra-postgres is exited" in found["test_postgres_runs_and_is_healthy"]
    assert "test_the_new_containers_credentials_log_in" in found


@FAULT(
    kind="a database password that the volume does not know",
    phase="before",
    happened="refused, although pg_isready and psql inside the container say fine",
    verdict="REFUSED",
)
def test_the_volume_keeps_the_old_password(service: Stack) -> None:
    """A new password in `.env` that the volume does not know is found, although pg_isready and psql say fine."""
    service.set_env(KESTRA_DB_PASSWORD=password())
    user, name = service.env["KESTRA_DB_USER"], service.env["KESTRA_DB_NAME"]
    postgres = service.container(seen.DATABASE)

    assert postgres.exec_run(["pg_isready", "-h", "127.0.0.1"]).exit_code == 0
    assert postgres.exec_run(["psql", "-U", user, "-d", name, "-c", "select 1"]).exit_code == 0

    found = refused(service)

    assert "Postgres refuses the credentials" in found["test_the_new_containers_credentials_log_in"]
    assert (
        "the volume keeps the password it was made with"
        in found["test_the_new_containers_credentials_log_in"]
    )


@FAULT(
    kind="a second Kestra is alive on the database",
    phase="before",
    happened="refused as a matter of data",
    verdict="REFUSED",
)
def test_a_second_server_is_alive_on_the_database(service: Stack) -> None:
    """Heartbeats of another server on this database close the gate as a matter of data."""
    with seen.second_server(service) as second:
        reason = refused(service)["test_no_second_kestra_is_alive_on_this_database"]

    assert str(second.id)[:12] in reason
    assert "two Kestras on one database" in reason


# --- ports


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")],
    ids=["loopback", "IPv4 any", "IPv6 any"],
)
@FAULT(
    kind="a process holds the port that the new container will publish",
    phase="before",
    happened="refused, with the process named",
    verdict="REFUSED",
)
def test_a_process_holds_the_port(service: Stack, family: socket.AddressFamily, address: str) -> None:
    """A port in `.env` on which another process of the host listens is found, whichever address it has."""
    port = free_port()
    service.set_env(KESTRA_HTTP_PORT=str(port))
    with seen.listener(port, family, address):
        found = refused(service)

    # The test itself is the process, and the engine's host is this machine.
    holder = f"process {os.getpid()} ("
    assert (
        f"port {port} is taken on the engine's host by {holder}" in found["test_the_ports_are_free_or_ours"]
    )


@FAULT(
    kind="a container publishes the port that the new container will publish",
    phase="before",
    happened="refused, with the container named",
    verdict="REFUSED",
)
def test_another_container_holds_the_port(service: Stack) -> None:
    """A port in `.env` that another container publishes is found, and the container named."""
    port, name = free_port(), seen.unique("publisher")
    service.set_env(KESTRA_MANAGEMENT_PORT=str(port))
    with seen.container(name, ports={"80/tcp": ("127.0.0.1", port)}):
        found = refused(service)

    assert f"port {port} is published by container {name}" in found["test_the_ports_are_free_or_ours"]


@FAULT(
    kind="the service's port is one that the kernel may give to any connection",
    phase="plan",
    happened="a finding that closes nothing, with the command that keeps the port back",
    verdict="WOULD BE LET THROUGH",
)
def test_a_port_that_the_kernel_gives_away(service: Stack) -> None:
    """A port of the ephemeral range is a finding that closes nothing; the command that is told keeps it back."""
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        port = int(given.getsockname()[1])
    service.set_env(KESTRA_HTTP_PORT=str(port))
    done = targets.procedure(service, "--plan", name="apply_env")
    typed = re.search(r"port (\d+) lies between .*\n +→ run `(sysctl -w [^`]+)`", done.stdout)

    assert done.returncode == 0, done.stdout + done.stderr
    assert typed is not None, done.stdout
    assert typed[1] == str(port)

    # In a network of its own: this machine's settings are nobody's to change.
    kernel = "/proc/sys/net/ipv4"
    words = f"{typed[2]} >&2 && cat {kernel}/ip_local_port_range {kernel}/ip_local_reserved_ports"
    said = run(["unshare", "--net", "sh", "-c", words], cwd=service.root).stdout.splitlines()
    first, last = said[0].split()
    assert not Ephemeral(int(first), int(last), said[1]).may_give(port)
    assert Ephemeral(int(first), int(last)).may_give(port)


@FAULT(
    kind="a port is no number",
    phase="plan",
    happened="refused, with the key named",
    verdict="REFUSED",
)
def test_a_port_is_no_number(service: Stack) -> None:
    """A port that is no number is a fault of the `.env`: refused, with the key named."""
    service.set_env(KESTRA_HTTP_PORT="eighty")

    assert "KESTRA_HTTP_PORT is no port number → " in refused_without_a_plan(service)


# --- the env file


@FAULT(
    kind="Windows line ends in the env file",
    phase="before",
    happened="refused, before a carriage return becomes part of a password",
    verdict="REFUSED",
)
def test_the_env_file_has_windows_line_ends(service: Stack) -> None:
    """CRLF in the `.env` is named, before a carriage return becomes part of a password."""
    service.write_env_text(service.env_file.read_text().replace("\n", "\r\n"))

    assert "CRLF" in refused(service)["test_the_files_can_be_used"]


@FAULT(
    kind="a key stands twice in the env file",
    phase="before",
    happened="refused, with the key named",
    verdict="REFUSED",
)
def test_a_key_stands_twice(service: Stack) -> None:
    """A key that is set twice is named."""
    service.write_env_text(service.env_file.read_text() + f"KESTRA_DB_PASSWORD={password()}\n")

    assert "sets KESTRA_DB_PASSWORD 2 times" in refused(service)["test_the_files_can_be_used"]


@FAULT(
    kind="a value in the env file is blank",
    phase="before",
    happened="refused, although the compose file has a default",
    verdict="REFUSED",
)
def test_a_value_is_blank(service: Stack) -> None:
    """A blank value for which the compose file has a default is named all the same."""
    service.set_env(KESTRA_HTTP_PORT="")

    assert "KESTRA_HTTP_PORT is blank" in refused(service)["test_the_files_can_be_used"]


@pytest.mark.parametrize("key", ["KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD"])
@FAULT(
    kind="a value in the env file is blank",
    phase="plan",
    happened="refused, with the key named: Compose renders nothing without it",
    verdict="REFUSED",
)
def test_a_value_is_blank_that_compose_insists_on(service: Stack, key: str) -> None:
    """A blank value without which Compose renders nothing is a fault of the `.env`: refused, with the key named."""
    service.set_env(**{key: ""})

    assert f"{key} is blank" in refused_without_a_plan(service)


@FAULT(
    kind="a quote in the env file is never closed",
    phase="plan",
    happened="nothing is claimed, and the secret in that line is not passed on",
    verdict="CANNOT OBSERVE",
)
def test_a_quote_that_is_never_closed(service: Stack) -> None:
    """Compose prints a line that it cannot read; what stands there is a secret, and is not passed on."""
    secret = password()
    service.write_env_text(service.env_file.read_text() + f"OTHER_PASSWORD='{secret}\n")
    done = targets.procedure(service)

    assert done.returncode == 16, done.stdout
    assert "unterminated quoted value" in done.stdout
    assert secret not in done.stdout + done.stderr
    assert not any(secret.encode() in one.read_bytes() for one in targets.latest(service).iterdir())


@pytest.mark.parametrize(
    "value", ["Aa1bbbbb$HOME", "Aa1bbbbb #tail", '"Aa1bbbbb\\\\n"'], ids=["dollar", "hash", "backslash"]
)
@FAULT(
    kind="readers of the env file disagree about a password",
    phase="before",
    happened="refused, with key and line",
    verdict="REFUSED",
)
def test_a_password_that_readers_disagree_about(service: Stack, value: str) -> None:
    """A password that one reader of the `.env` takes for another one is refused, with key and line named."""
    service.set_env(KESTRA_BASICAUTH_PASSWORD=value)
    reason = refused(service)["test_the_files_can_be_used"]

    assert "KESTRA_BASICAUTH_PASSWORD holds a" in reason
    assert "line " in reason


@pytest.mark.parametrize("key", ["KESTRA_HTTP_PORT", "KESTRA_DB_PASSWORD"])
@FAULT(
    kind="a variable of the operator's shell beats the env file",
    phase="before",
    happened="refused, with the key named",
    verdict="REFUSED",
)
def test_the_operators_shell_beats_the_env_file(service: Stack, key: str) -> None:
    """A variable exported in the operator's shell that wins over the `.env` is found, with the key named."""
    found = refused(service, **{key: str(free_port())})

    assert key in found["test_the_operators_call_renders_what_the_env_file_says"]


# --- image and container


@FAULT(
    kind="the image's name leads to another image than the one that runs",
    phase="before",
    happened="refused, and update is named",
    verdict="REFUSED",
)
def test_the_reference_points_elsewhere(service: Stack) -> None:
    """Where the image's reference now leads to another image, the restart names `update` and refuses."""
    with retagged(service, lambda client: client.images.get(OTHER_IMAGE).tag(service.image)):
        reason = refused(service)["test_the_image_is_the_one_that_runs"]

    assert "pytest -m update" in reason


@FAULT(
    kind="the image is not on the engine",
    phase="before",
    happened="refused: nothing is stopped for a start that cannot be",
    verdict="REFUSED",
)
def test_the_image_is_absent(service: Stack) -> None:
    """Where the image is not on this engine, nothing is stopped for a start that cannot be."""
    with retagged(service, lambda client: client.images.remove(service.image, noprune=True)):
        found = refused(service)

    assert "is not on this engine" in found["test_the_image_is_here"]


@contextmanager
def retagged(service: Stack, change: Callable[..., object]) -> Iterator[None]:
    """Do something to the stack's own image reference, and let it lead to the right image again."""
    with engine() as client:
        change(client)
        try:
            yield
        finally:
            client.images.get(UNDERSTUDY_IMAGE).tag(service.image)


@FAULT(
    kind="somebody else's container holds the service's name",
    phase="before",
    happened="refused, with its name",
    verdict="REFUSED",
)
def test_a_stranger_holds_the_name(service: Stack) -> None:
    """A container of somebody else that has the name which the start needs is found."""
    ours, name = service.container(seen.SERVICE), f"{service.project}-kestra"
    ours.rename(f"{name}-aside")
    try:
        with seen.container(name):
            found = refused(service)
    finally:
        ours.rename(name)

    assert f"holds the name {name}" in found["test_the_container_name_is_free_or_ours"]


@FAULT(
    kind="the service is paused",
    phase="before",
    happened="refused, and recover is named",
    verdict="REFUSED",
)
def test_it_is_paused(service: Stack) -> None:
    """A paused service is refused with "use recover"."""
    ours = service.container(seen.SERVICE)
    pause(ours)
    try:
        reason = refused(service)["test_the_service_is_not_hung_paused_or_looping"]
    finally:
        ours.unpause()
        service.wait_until_ready()

    assert "is paused → run `pytest -m recover`" in reason


# --- room


@FAULT(
    kind="the archive cannot be written",
    phase="before",
    happened="refused, with the path",
    verdict="REFUSED",
)
def test_the_archive_cannot_be_written(service: Stack) -> None:
    """An archive that takes nothing is found before the stop, and the path is named."""
    then = identities(service)
    (service.root / "taken").write_text("a file where a folder should be")
    targets.target_file(service, archive="taken/runs")
    done = targets.procedure(service)

    assert done.returncode == 10, done.stdout
    assert then == identities(service)
    assert str(service.root / "taken") in done.stdout
    assert "The archive takes this run's evidence." in done.stdout


@FAULT(
    kind="the engine's disk has too little room",
    phase="before",
    happened="refused",
    verdict="REFUSED",
)
def test_the_disk_is_too_full(service: Stack) -> None:
    """With less room on the engine's disk than the target asks for, nothing is stopped."""
    targets.target_file(service, disk_free=10**17)

    assert "are required" in refused(service)["test_the_engine_has_room"]


def test_everything_is_told_at_once(service: Stack) -> None:
    """Findings do not hide each other: each of several is in one report."""
    targets.target_file(service, disk_free=10**17)
    port = free_port()
    service.set_env(KESTRA_HTTP_PORT=str(port), KESTRA_DB_PASSWORD=password())
    with seen.listener(port, socket.AF_INET, "127.0.0.1"):
        found = refused(service)

    assert {
        "test_the_engine_has_room",
        "test_the_ports_are_free_or_ours",
        "test_the_new_containers_credentials_log_in",
    } <= found.keys()


# --- servers that are unwell: each is made anew with a fault


def with_fault(service: Stack, fault: str, **settings: str) -> None:
    """Replace the server by one with a fault; the `.env` says so too, so that nothing else is found."""
    service.set_env(UNDERSTUDY=f"{SHORT_TIMES['UNDERSTUDY']} {fault}", **settings)
    service.compose("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", seen.SERVICE)


@pytest.fixture(scope="module", name="unwell")
def _unwell(service: Stack) -> Stack:
    """The stack whose server is replaced; the last tests of this module, so it is not mended in between."""
    return service


@FAULT(
    kind="health answers 200 and says DOWN",
    phase="before",
    happened="refused: the body counts",
    verdict="REFUSED",
)
def test_health_says_down_with_a_200(unwell: Stack) -> None:
    """A health page that answers 200 and says DOWN in its body is not taken for health."""
    with_fault(unwell, "unhealthy-body")
    wait_for(lambda: "refused" not in seen.health(unwell), "the ports to open", 20)
    reason = refused(unwell)["test_health_says_up"]

    assert "200 DOWN" in reason
    assert "pytest -m recover" in reason


@FAULT(
    kind="the server accepts and never answers",
    phase="before",
    happened="refused, and recover is named",
    verdict="REFUSED",
)
def test_it_hangs(unwell: Stack) -> None:
    """A server that accepts and never answers is refused with "use recover"."""
    with_fault(unwell, "hang")
    wait_for(lambda: "refused" not in seen.health(unwell), "the ports to open", 20)
    reason = refused(unwell)["test_the_service_is_not_hung_paused_or_looping"]

    assert "answers on neither port" in reason
    assert "pytest -m recover" in reason


@FAULT(
    kind="the stop's grace is shorter than the drain",
    phase="before",
    happened="refused",
    verdict="REFUSED",
)
def test_the_grace_is_shorter_than_the_drain(unwell: Stack) -> None:
    """A stop grace that would end the server in the middle of its drain is found."""
    with_fault(unwell, "", KESTRA_STOP_GRACE="3s")
    unwell.wait_until_ready()
    reason = refused(unwell)["test_the_stop_grace_covers_the_drain"]

    assert "killed after 3 s" in reason
    assert "drains up to 5 s" in reason


@FAULT(
    kind="the server ends at every boot",
    phase="before",
    happened="refused, and recover is named",
    verdict="REFUSED",
)
def test_it_loops(unwell: Stack) -> None:
    """A server in a crash loop is refused with "use recover"; its container stays the same one."""
    with_fault(unwell, "crash-at-boot")
    wait_for(lambda: unwell.container(seen.SERVICE).attrs["RestartCount"] >= 2, "a crash loop", 30, 0.2)
    then = unwell.container(seen.SERVICE).id
    done = targets.procedure(unwell)

    assert done.returncode == 10, done.stdout
    assert then == unwell.container(seen.SERVICE).id
    assert "pytest -m recover" in done.stdout, done.stdout
    assert (Path(targets.latest(unwell)) / "report.html").is_file()
