"""Work in flight: a server that is busy all the time, and one whose work the stop would cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack, wait_for

pytestmark = pytest.mark.understudy

COVERS = "pre/test_grace.py::test_the_stop_grace_covers_the_drain"
OUTLASTS = "pre/test_grace.py::test_no_work_may_outlast_the_stop"
DRAIN = 5.0
"""Seconds that the service gives its work."""
SLEEP = "id: {}\nnamespace: probe\ntasks:\n  - id: sleep\n    type: io.kestra.plugin.core.flow.Sleep\n    duration: PT{}S\n"
FORM = {"unused": (None, "x")}


@contextmanager
def _busy(service: Stack) -> Iterator[None]:
    """Run a short flow again and again, as soon as the service takes it, until the end."""
    done = threading.Event()

    def work() -> None:
        with httpx.Client(base_url=service.http_url, auth=service.auth, timeout=2) as client:
            while not done.wait(0.1):
                with suppress(httpx.HTTPError):
                    client.post("/api/v1/executions/probe/hello", files=FORM)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _begun(service: Stack, flow: str) -> str:
    """Run a task of ten minutes until a worker has it in its hands; return the execution."""
    with httpx.Client(base_url=service.http_url, auth=service.auth, timeout=30) as client:
        head = {"content-type": "application/x-yaml"}
        client.post("/api/v1/flows", content=SLEEP.format(flow, 600), headers=head).raise_for_status()
        begun: str = (
            client.post(f"/api/v1/executions/probe/{flow}", files=FORM).raise_for_status().json()["id"]
        )
    wait_for(
        lambda: service.psql("select count(*) from worker_job_running") == "1", "the task to begin", 20, 0.1
    )
    return begun


@FAULT(
    kind="a busy server",
    phase=Phase.SOAK,
    happened="more than twenty new executions push out of every list those that were noted; by their ids they are found",
    verdict="ACCEPTED",
)
def test_a_busy_server_loses_nothing(service: Stack) -> None:
    """New executions all the time are no loss of the earlier ones."""
    with _busy(service):
        done = targets.procedure(service)

    assert done.returncode == 0, done.stdout + done.stderr


@FAULT(
    kind="work that outlasts the stop",
    phase=Phase.BEFORE,
    happened="refused before the stop; waived, what the stop has cut is named and withholds acceptance",
    verdict="REFUSED, NOT ACCEPTED",
)
@FAULT(
    kind="a server that drains for seconds",
    phase=Phase.STOP,
    happened="silent by then, it is asked a few times a second; the outage is told with what that leaves uncertain",
    verdict="NOT ACCEPTED",
)
def test_work_that_the_stop_cuts_is_named(service: Stack) -> None:
    """A task that lasts longer than the server's own drain: nobody stops it unasked, and nobody accepts that it failed."""
    begun = _begun(service, "long")
    identity = seen.identity(service)

    refused = targets.procedure(service)

    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert f"{begun} (probe/long" in refused.stdout
    assert identity == seen.identity(service)

    waived = targets.procedure(service, "--waive", OUTLASTS, "--reason", "as a test", "--operator", "Ada")

    assert waived.returncode == 11, waived.stdout + waived.stderr
    assert f"{begun} (probe/long)" in waived.stdout
    assert service.is_ready()
    record = targets.record(targets.latest(service))
    assert record["outage"]["headline"] in {"health", "ping"}
    for path in [one for one in record["outage"]["paths"] if one["path"] in {"health", "ping"}]:
        asked = sum(one["count"] for one in path["intervals"] if not one["good"])
        assert path["length"] > DRAIN
        assert asked < 20 * path["length"], path["intervals"]


@FAULT(
    kind="work that is cut and done once more",
    phase=Phase.SOAK,
    happened="what the killed server's worker had is given out again and begins at its beginning: named, nothing is gone back",
    verdict="NOT ACCEPTED",
)
def test_work_that_is_done_once_more_is_named(service: Stack) -> None:
    """A task that the stop has cut, and that a worker of the new server has in its hands, was cut all the same."""
    service.set_env(KESTRA_STOP_GRACE="1s")
    service.up()
    begun = _begun(service, "again")
    # The new server gives out what the old one held when that has been silent for longer than its drain of 5 s.
    targets.target_file(service, budgets={"soak": "9s"})

    done = targets.procedure(service, "--waive", OUTLASTS, "--waive", COVERS, "--reason", "as a test")

    assert done.returncode == 11, done.stdout + done.stderr
    assert (
        f"{begun} (probe/again) had a task in a worker's hands, and the new one does it once more"
        in done.stdout
    )
    assert service.psql(f"select state_current from executions where id = '{begun}'") == "RUNNING"
