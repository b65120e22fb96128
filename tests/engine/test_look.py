"""The procedures that only look: what `status` and `accept` say, and that they change nothing."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests import targets
from tests.engine import service as seen
from tests.engine.heard import heard
from tests.faults import FAULT
from tests.stacks import Stack, free_port, pause, wait_for


def settle(stack: Stack) -> None:
    """Wait until Docker's own health check agrees."""
    wait_for(lambda: stack.health("kestra") == "healthy", "Docker to call the service healthy", 20)


@contextmanager
def paused(stack: Stack) -> Iterator[None]:
    """The service's container frozen: it runs and answers nothing."""
    container = stack.container("kestra")
    pause(container)
    try:
        yield
    finally:
        container.unpause()
        settle(stack)


@contextmanager
def stopped(stack: Stack) -> Iterator[None]:
    stack.compose("stop", "kestra")
    try:
        yield
    finally:
        settle(stack.up())


LIMIT, SLOW, CROWD = 1.5, 2.5, 0.05
"""Seconds that a look waits for an answer, that an answer takes in a crowd, and within which requests are one."""


class Crowded(socketserver.ThreadingTCPServer):
    """A way to the service on which requests that come at the same time wait for each other."""

    daemon_threads = True

    def __init__(self, to: int) -> None:
        self.to, self.waiting, self.slow = to, 0, 0
        super().__init__(("127.0.0.1", free_port()), Way)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def hold(self) -> None:
        """Wait with a request as long as it takes among those that wait at the same time."""
        self.waiting += 1
        time.sleep(CROWD)
        if self.waiting > 1:
            self.slow += 1
            time.sleep(SLOW)
        self.waiting -= 1


class Way(socketserver.BaseRequestHandler):
    """One connection, led on to the service."""

    def handle(self) -> None:
        assert isinstance(self.server, Crowded)
        with socket.create_connection(("127.0.0.1", self.server.to)) as behind, suppress(OSError):
            threading.Thread(target=self.answer, args=(behind,), daemon=True).start()
            while asked := self.request.recv(65536):
                self.server.hold()
                behind.sendall(asked)

    def answer(self, behind: socket.socket) -> None:
        with suppress(OSError):
            while said := behind.recv(65536):
                self.request.sendall(said)


@contextmanager
def crowded(service: Stack, port: str) -> Iterator[Crowded]:
    with Crowded(int(service.env[f"KESTRA_{port}_PORT"])) as way:
        threading.Thread(target=way.serve_forever, daemon=True).start()
        try:
            yield way
        finally:
            way.shutdown()


def test_status_of_a_healthy_service(service: Stack) -> None:
    """A healthy service is told with its container, image, ports, health and database, and nothing is left of the look."""
    settle(service)
    before, identity = seen.files(service.root), seen.identity(service)

    with heard() as changes:
        done = targets.procedure(service, name="status")

    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("HEALTHY", "container: ", "image: ", "ports: 127.0.0.1:", "server: health 200", "login ok"):
        assert said in done.stdout
    assert "ACCEPTED" not in done.stdout
    assert identity == seen.identity(service)
    assert before == seen.files(service.root)
    assert changes.of(f"com.docker.compose.project={service.project}") == []
    assert seen.ours(seen.run_id(done.stdout)) == []


@pytest.mark.parametrize("state", [paused, stopped])
def test_status_of_a_service_that_does_not_answer(service: Stack, state: object) -> None:
    """A service that does not answer is no healthy one, whatever the engine calls its container."""
    with state(service):  # type: ignore[operator]
        done = targets.procedure(service, name="status")

    assert done.returncode == 12, done.stdout + done.stderr
    assert "NOT HEALTHY" in done.stdout
    assert "does not answer" in done.stdout


@FAULT(
    kind="answers that take seconds where several are asked for",
    phase="after",
    happened="slow is not mute: each is asked once more, alone, and what it says counts",
    verdict="ACCEPTED",
)
def test_a_server_that_answers_slowly_is_judged_by_its_answers(service: Stack) -> None:
    """Each answer takes longer than a look waits for it, unless nothing else is asked."""
    with crowded(service, "HTTP") as http, crowded(service, "MANAGEMENT") as management:
        ways = {"http_url": http.url, "management_url": management.url}
        # With an archive of its own: whether there is an accepted run is another test's matter.
        targets.target_file(service, **ways, archive="crowded", budgets={"look": f"{2 * LIMIT:g}s"})
        done = targets.procedure(service, name="accept")
    targets.target_file(service)

    assert done.returncode == 0, done.stdout + done.stderr
    assert http.slow > 0


@FAULT(
    kind="the database lets nobody in any more",
    phase="before",
    happened="a server that still answers is not healthy",
    verdict="NOT ACCEPTED",
)
def test_status_of_a_database_that_lets_nobody_in(service: Stack) -> None:
    """A server that still answers is not healthy where its credentials would not be let in any more."""
    user, old = service.env["KESTRA_DB_USER"], service.env["KESTRA_DB_PASSWORD"]
    service.psql(f"ALTER ROLE {user} PASSWORD 'another-one'")
    try:
        done = targets.procedure(service, name="status")
    finally:
        service.psql(f"ALTER ROLE {user} PASSWORD '{old}'")

    assert done.returncode == 11, done.stdout + done.stderr
    assert "refused" in done.stdout


def test_accept_says_that_there_is_no_baseline_and_becomes_one(service: Stack) -> None:
    """The first acceptance says that nothing could be compared; the next one compares with it, and misses a flow."""
    first = targets.procedure(service, name="accept")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "no accepted run of this target" in first.stdout
    assert targets.record(targets.latest(service))["executed"] is False

    identity = seen.identity(service)
    second = targets.procedure(service, name="accept")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "no accepted run of this target" not in second.stdout

    with httpx.Client(base_url=service.http_url, auth=service.auth, timeout=10) as client:
        client.delete("/api/v1/flows/probe/hello").raise_for_status()
    third = targets.procedure(service, name="accept")
    seen.seed(service)

    assert third.returncode == 11, third.stdout + third.stderr
    assert "probe/hello" in third.stdout
    assert targets.record(targets.latest(service))["verdict"] == "NOT ACCEPTED"
    assert identity == seen.identity(service)


@FAULT(
    kind="the service is stopped, or has no container",
    phase="after",
    happened="accept claims nothing of it",
    verdict="SERVICE DOWN",
)
def test_accept_of_a_service_that_is_down(service: Stack) -> None:
    """A service that does not answer is not accepted, and its status says so."""
    with stopped(service):
        done = targets.procedure(service, name="accept")

    assert done.returncode == 12, done.stdout + done.stderr
    assert targets.record(targets.latest(service))["verdict"] == "SERVICE DOWN"


@pytest.mark.parametrize("name", ["accept", "status"])
def test_a_plan_of_a_look_changes_nothing(service: Stack, name: str) -> None:
    """`--plan` of a procedure that only looks asks its checks for real, and leaves no file behind."""
    before = seen.files(service.root)

    done = targets.procedure(service, "--plan", name=name)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WOULD BE ACCEPTED" in done.stdout
    assert before == seen.files(service.root)


@FAULT(
    kind="the archive cannot be read",
    phase="before",
    happened="a look stays a look, and nothing is accepted against a past that nobody knows",
    verdict="HEALTHY, NOT ACCEPTED",
)
def test_an_archive_that_cannot_be_read(service: Stack) -> None:
    """It is named with the next move; a look stays a look, and nothing is accepted against a past that nobody knows."""
    file = service.root / "no-archive"
    file.touch()
    targets.target_file(service, archive=file.name)
    try:
        status = targets.procedure(service, name="status")
        accept = targets.procedure(service, name="accept")
    finally:
        targets.target_file(service)

    assert status.returncode == 0, status.stdout + status.stderr
    assert accept.returncode == 11, accept.stdout + accept.stderr
    for one in (status, accept):
        assert f"the archive {file} cannot be read" in one.stdout
        assert "target file's `archive`" in one.stdout
