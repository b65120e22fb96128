"""A lock whose holder cannot be seen from here: nobody takes it by himself, and the run that holds it is not disturbed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a PID namespace")

ENDED = targets.LIMIT / 2
# The same host name, the same files and the same engine; other process numbers, as in another container.
ANOTHER_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
UNDER_THE_OLD_PROC = ("unshare", "--pid", "--fork", "--kill-child")


@pytest.fixture(autouse=True)
def _well(service: Stack) -> Iterator[None]:
    """Let each test begin with a service that runs and owes nothing."""
    for journal in targets.journals(service):
        journal.unlink()
    yield
    seen.wait_until_gone(service)


@FAULT(
    kind="another run, in another PID namespace",
    phase=Phase.NEXT_RUN,
    happened="the run that holds the target lives: recover names it and touches neither its lock nor its helpers",
    verdict="ACCEPTED, LOCKED",
)
def test_a_living_run_is_not_robbed(service: Stack) -> None:
    """From another container of this host, or once its lock was pruned, `recover` refuses; the run goes on to its end."""
    targets.target_file(service, budgets={"soak": "25s"})
    living = targets.started(service)
    targets.wait_for_step(service, living, "save_logs")
    run = targets.journals(service)[-1].stem
    then = (seen.lock_of(service).id, seen.ours(run))
    # Both at once: the run that holds the target ends, and its lock with it.
    with ThreadPoolExecutor(2) as pool:
        typed = [
            pool.submit(targets.procedure, service, name="recover", behind=one)
            for one in (ANOTHER_NAMESPACE, UNDER_THE_OLD_PROC)
        ]
        refused = [one.result() for one in typed]
    now = (seen.lock_of(service).id, seen.ours(run))
    targets.wait_for_step(service, living, "start", "end")
    state = seen.identity(service)
    seen.lock_of(service).remove(force=True)
    unlocked = targets.procedure(service, name="recover")
    output, _ = living.communicate(timeout=ENDED)

    assert then == now
    for one in refused:
        assert one.returncode == 15, one.stdout + one.stderr
        assert f"the target is held by restart run {run} of" in one.stdout
        assert "PID namespace" in one.stdout
        assert "`pytest -m recover --take-over --reason TEXT`" in one.stdout
    assert unlocked.returncode == 15, unlocked.stdout
    assert f"run {run} of" in unlocked.stdout
    assert "is alive" in unlocked.stdout
    assert living.returncode == 0, output
    assert seen.identity(service) == state


@FAULT(
    kind="SIGKILL, of a run in another PID namespace",
    phase=Phase.OUTAGE,
    happened="nobody here can say that it is gone: the lock stays until somebody gives the run up by --take-over",
    verdict="LOCKED, LOCKED, ACCEPTED",
)
def test_a_run_that_is_gone_there_is_given_up_here(service: Stack) -> None:
    """A container that was killed in the outage is no proof: only a person's word removes the lock, and by recovery alone."""
    targets.target_file(service)
    killed = targets.started(service, behind=ANOTHER_NAMESPACE)
    targets.wait_for_step(service, killed, "stop", "end")
    killed.kill()
    killed.communicate(timeout=ENDED)
    seen.wait_until_gone(service)
    held = seen.lock_of(service)
    refused = [targets.procedure(service, name=one) for one in ("restart", "recover")]
    still = seen.lock_of(service)
    done = targets.procedure(service, "--take-over", "--reason", "its container is gone", name="recover")

    assert [one.returncode for one in refused] == [15, 15], refused
    assert held.id == still.id
    assert "such as a container's" in refused[1].stdout
    assert done.returncode == 0, done.stdout
    assert "the lock of a run that is gone was taken over" in done.stdout
    assert service.is_ready()
    assert all(targets.entries(one)[-1]["kind"] == "sealed" for one in targets.journals(service))
