"""A run that is suspended while the server boots: time in which nobody could look is not the server's."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack
from tests.striking import started_by

pytestmark = pytest.mark.understudy

BOOT = 4.0


@FAULT(
    kind="the run is suspended for longer than a boot may take",
    phase=Phase.START,
    happened="the time in which nobody could look is not counted as the server's; one more look finds it there",
    verdict="ACCEPTED",
)
@pytest.mark.parametrize(("kind", "with_children"), [("end", True), ("end", False), ("begin", True)], ids=str)
def test_a_suspended_run_does_not_blame_the_server(service: Stack, kind: str, *, with_children: bool) -> None:
    """Stopped by SIGSTOP as the start begins or has ended, the run alone or with its probe, it ends accepted."""
    targets.target_file(service, budgets={"boot": f"{BOOT:g}s"})
    run = targets.started(service)
    targets.wait_for_step(service, run, "start", kind)
    suspended = [run.pid, *(started_by(service) if with_children else ())]
    _send(suspended, signal.SIGSTOP)
    time.sleep(BOOT + 2)  # no wait for anything: that so much time goes by is the input
    _send(suspended, signal.SIGCONT)
    output, _ = run.communicate(timeout=targets.LIMIT)

    assert run.returncode == 0, output
    record = targets.record(targets.latest(service))
    assert record["verdict"] == "ACCEPTED"
    assert service.is_ready()
    assert seen.ours(seen.run_id(output)) == []


def _send(processes: list[int], what: signal.Signals) -> None:
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one, what)
