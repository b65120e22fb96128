"""A screen that stands still in the outage: nothing waits for it, and every signal is heard all the same."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT
from tests.stacks import READY_LIMIT, Stack, wait_for

XOFF = b"\x13"
ENDED = targets.LIMIT / 2


@contextmanager
def on_a_terminal(service: Stack) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A restart on a terminal that nobody reads, and the operator's end of it."""
    mine, theirs = pty.openpty()
    run = targets.started(service, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        yield run, mine
    finally:
        run.kill()
        run.wait()
        os.close(mine)
        seen.wait_until_gone(service)


@FAULT(
    kind="the terminal is stopped by Ctrl-S",
    phase="stop",
    happened="the run goes on to its end, and its record says that the screen stood still",
    verdict="ACCEPTED",
)
def test_ctrl_s_holds_up_nothing(service: Stack) -> None:
    """Ctrl-S at the stop: the service is back, judged and accepted, and the process ends."""
    then = seen.identity(service)
    with on_a_terminal(service) as (run, mine):
        targets.wait_for_step(service, run, "stop")
        os.write(mine, XOFF)
        status = run.wait(ENDED)
    record = targets.record(targets.latest(service))

    assert status == 0
    assert service.is_ready()
    assert then[0] != seen.identity(service)[0]
    assert record["verdict"] == "ACCEPTED"
    assert any("the screen took nothing for" in one["text"] for one in record["findings"])
    assert seen.checksums(targets.latest(service)).returncode == 0


@FAULT(
    kind="SIGTERM while the terminal is stopped by Ctrl-S",
    phase="outage",
    happened="the signal is heard, and the service is started",
    verdict="INTERRUPTED",
)
def test_a_signal_is_heard_whatever_the_screen_does(service: Stack) -> None:
    """With the screen stopped before the stop, SIGTERM in the outage ends in a started service and a record."""
    with on_a_terminal(service) as (run, mine):
        targets.wait_for_step(service, run, "save_logs")
        os.write(mine, XOFF)
        targets.wait_for_step(service, run, "stop", "end")
        os.kill(run.pid, signal.SIGTERM)
        status = run.wait(ENDED)
    record = targets.record(targets.latest(service))

    assert status == 14
    wait_for(service.is_ready, "the service to be ready", READY_LIMIT)
    assert "SIGTERM" in record["verdict_reasons"][0]
    assert {one["step"]["name"]: one["status"] for one in record["steps"]}["start"] == "done"


@FAULT(
    kind="nobody reads what the run writes",
    phase="stop",
    happened="what does not fit is lost, and the run goes on to its end",
    verdict="ACCEPTED",
)
@pytest.mark.parametrize("capture", ["fd", "tee-sys"])
def test_a_reader_that_has_stopped_reading_holds_up_nothing(service: Stack, capture: str) -> None:
    """A pager that is not scrolled, on both streams: the pipe is full before the stop, and nothing waits for it."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    full = os.write(write, b"x" * 1_000_000)
    os.set_blocking(write, True)
    run = targets.started(service, f"--capture={capture}", stdout=write, stderr=write)
    os.close(write)
    status = run.wait(ENDED)
    os.close(read)

    assert full
    assert status == 0
    assert service.is_ready()
    assert targets.record(targets.latest(service))["verdict"] == "ACCEPTED"
