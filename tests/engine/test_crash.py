"""Runs that are cut off: what stands afterwards, what the next run says, and how the service comes back."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import endings, targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import READY_LIMIT, Stack, wait_for

ENDED = targets.LIMIT / 2


@pytest.fixture(autouse=True)
def _well(service: Stack) -> Iterator[None]:
    """Let each test begin with a service that runs and owes nothing, whatever the one before it has found."""
    if not service.is_ready():
        service.up()
    for journal in targets.journals(service):
        journal.unlink()
    for folder in targets.folders(service):
        if "-running-" in folder.name:
            shutil.rmtree(folder)
    yield
    seen.wait_until_gone(service)


def kill(run: subprocess.Popen[str]) -> None:
    """End pytest as nobody can prevent it; what it had started lives on."""
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=ENDED)


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = run.communicate(timeout=ENDED)
    return run.returncode, output or ""


def open_folder(stack: Stack) -> Path:
    """The folder that the killed run has left without a verdict."""
    (found,) = [one for one in targets.folders(stack) if "-running-" in one.name]
    return found


def sealed(stack: Stack, run: str) -> Path:
    """The folder of a run under its last name."""
    (found,) = [one for one in targets.folders(stack) if one.name.endswith(run)]
    return found


def answers(stack: Stack) -> bool:
    try:
        return httpx.get(f"{stack.http_url}/ping", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def drained(master: int) -> Iterator[None]:
    """Read a terminal meanwhile, so that its writer is never blocked; then close it."""
    over = threading.Event()
    reading = threading.Thread(target=_read_until, args=(master, over))
    reading.start()
    try:
        yield
    finally:
        # A read in hand would keep the terminal open.
        over.set()
        reading.join()
        os.close(master)


def _read_until(master: int, over: threading.Event) -> None:
    while not over.is_set():
        if select.select([master], [], [], 0.02)[0]:
            try:
                os.read(master, 65536)
            except OSError:
                return


OUTAGE = {("begin", "stop"): "stop", ("end", "stop"): "outage", ("begin", "start"): "start"}
KILLED = [
    pytest.param(
        kind,
        step,
        id=f"{kind} {step}",
        marks=FAULT(
            kind="SIGKILL",
            phase=phase,
            happened="the next run refuses and tells; recover brings the service back, both records are sealed",
            verdict="LOCKED, ACCEPTED",
        ),
    )
    for (kind, step), phase in OUTAGE.items()
]


@pytest.mark.parametrize(("kind", "step"), KILLED)
def test_a_run_killed_in_the_outage_is_recovered(service: Stack, kind: str, step: str) -> None:
    """After SIGKILL in the outage the next run refuses with 15 and tells; recover brings the service back."""
    killed = targets.started(service)
    targets.wait_for_step(service, killed, step, kind)
    kill(killed)
    seen.wait_until_gone(service)
    left = open_folder(service)
    run = left.name.rpartition("-")[2]
    state = [one.id for one in service.containers(seen.SERVICE)]
    ends = [
        f"is exited since {one.attrs['State']['FinishedAt']}"
        for one in service.containers(seen.SERVICE)
        if one.status == "exited"
    ]

    refused = targets.procedure(service)

    assert refused.returncode == 15, refused.stdout
    assert state == [one.id for one in service.containers(seen.SERVICE)]
    assert f"run {run}" in refused.stdout
    assert "had begun save_logs, stop" in refused.stdout
    assert "the engine shows now" in refused.stdout
    assert f"{service.project}-kestra is" in refused.stdout
    assert [one for one in ends if one not in refused.stdout] == []
    assert "pytest -m recover" in refused.stdout
    assert "up -d --no-deps --force-recreate --pull never kestra" in refused.stdout

    recovered = targets.procedure(service, name="recover")

    assert recovered.returncode == 0, recovered.stdout
    assert service.is_ready()
    for folder, verdict in ((sealed(service, run), "INTERRUPTED"), (targets.latest(service), "ACCEPTED")):
        assert f"-{verdict.lower()}-" in folder.name
        assert targets.record(folder)["verdict"] == verdict
        assert verdict in (folder / "report.html").read_text(encoding="utf-8")
        assert (folder / "journal.jsonl").stat().st_size
        assert seen.checksums(folder).returncode == 0
    assert all(targets.entries(one)[-1]["kind"] == "sealed" for one in targets.journals(service))
    assert targets.record(targets.latest(service))["recovered_from"] == run
    assert seen.ours(run) == seen.ours(seen.run_id(recovered.stdout)) == []
    assert targets.procedure(service, "--plan").returncode == 0


@FAULT(
    kind="SIGKILL",
    phase="prepare",
    happened="the service was not touched; the next run seals the record as interrupted and goes on",
    verdict="ACCEPTED",
)
def test_a_run_killed_before_it_changed_anything_is_sealed_by_the_next(service: Stack) -> None:
    """After SIGKILL while preparing, the next restart seals the old record as interrupted and goes on."""
    then = seen.identity(service)
    killed = targets.started(service)
    targets.wait_for_step(service, killed, "save_logs")
    kill(killed)
    seen.wait_until_gone(service)
    run = open_folder(service).name.rpartition("-")[2]

    assert then == seen.identity(service)

    done = targets.procedure(service)
    old = sealed(service, run)

    assert done.returncode == 0, done.stdout
    assert f"run {run}" in done.stdout
    assert "cut off before it changed anything" in done.stdout
    assert "-restart-interrupted-" in old.name
    assert (targets.record(old)["verdict"], targets.record(old)["executed"]) == ("INTERRUPTED", False)
    assert "INTERRUPTED" in (old / "report.html").read_text(encoding="utf-8")
    assert seen.checksums(old).returncode == 0
    assert seen.ours(run) == []


@FAULT(
    kind="SIGKILL before the journal, and between the evidence's seal and the journal's",
    phase=Phase.NEXT_RUN,
    happened="the next run gives the folder its verdict, seals the journal with the one that the archive has, and goes on",
    verdict="ACCEPTED, ACCEPTED",
)
def test_what_was_left_half_sealed_is_completed_by_the_next_run(service: Stack) -> None:
    """Killed at its very beginning a run leaves no folder without an end; killed at its very end it owes nothing."""
    killed = targets.started(service)
    wait_for(lambda: any(targets.archive(service).glob("*-running-*/.process.json")), "its folder", 30, 0.005)
    kill(killed)
    early = open_folder(service).name.rpartition("-")[2]
    assert not [one for one in targets.journals(service) if one.stem == early]

    first = targets.procedure(service)
    lost = sealed(service, early)

    assert first.returncode == 0, first.stdout
    assert f"run {early} was cut off and left no verdict" in first.stdout
    assert "-restart-interrupted-" in lost.name
    assert targets.record(lost)["verdict"] == "INTERRUPTED"
    assert seen.checksums(lost).returncode == 0

    journal = targets.journals(service)[-1]
    written = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    assert '"sealed"' in written[-1]
    journal.write_text("".join(written[:-1]), encoding="utf-8")

    second = targets.procedure(service)

    assert second.returncode == 0, second.stdout
    assert f"run {journal.stem} of" in second.stdout
    assert "before it sealed its journal: ACCEPTED" in second.stdout
    assert (targets.entries(journal)[-1]["kind"], targets.entries(journal)[-1]["verdict"]) == (
        "sealed",
        "ACCEPTED",
    )
    assert not [one for one in targets.folders(service) if "-running-" in one.name]


@pytest.fixture
def signals_are_heard() -> Iterator[None]:
    """Whoever runs the tests by `nohup`, or in the background, has every process beneath ignore what is tested here."""
    before = {one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGHUP, signal.SIGINT)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.usefixtures("signals_are_heard")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
@FAULT(
    kind="a signal that asks the run to end",
    phase="outage",
    happened="the service is started, and the record written",
    verdict="INTERRUPTED",
)
def test_a_signal_in_the_outage_ends_in_a_started_service(service: Stack, name: str) -> None:
    """Asked to end in the outage, the run starts the service, writes its record and ends with 14."""
    then = seen.identity(service)
    run = targets.started(service)
    targets.wait_for_step(service, run, "stop", "end")
    os.kill(run.pid, signal.Signals[name])
    status, output = ended(run)
    record = targets.record(targets.latest(service))

    assert status == 14, output
    wait_for(lambda: answers(service), "the service to answer", READY_LIMIT)
    assert then[0] != seen.identity(service)[0]
    assert (record["verdict"], record["run"]) == ("INTERRUPTED", seen.run_id(output))
    assert name in record["verdict_reasons"][0]
    assert f"interrupted by {name}" in (targets.latest(service) / "report.html").read_text(encoding="utf-8")
    assert {one["step"]["name"]: one["status"] for one in record["steps"]}["start"] == "done"
    assert 'name="verdict"' in (targets.latest(service) / "junit.xml").read_text(encoding="utf-8")
    assert re.search(r"the service answers again since \d\d:\d\d:\d\d UTC, away \d+\.\d{3} s ± ", output), (
        output
    )
    assert "By hand" not in output
    assert "pytest -m recover" not in output
    assert seen.checksums(targets.latest(service)).returncode == 0
    assert seen.ours(record["run"]) == []


@pytest.mark.usefixtures("signals_are_heard")
@FAULT(
    kind="Ctrl-C, twice, to the whole process group",
    phase="start",
    happened="the commands in hand end in their own time",
    verdict="INTERRUPTED",
)
def test_ctrl_c_on_the_terminal_cuts_off_no_command(service: Stack) -> None:
    """Ctrl-C goes to the whole process group; the commands in hand end in their own time all the same."""
    run = targets.started(service)
    targets.wait_for_step(service, run, "start")
    os.killpg(run.pid, signal.SIGINT)
    os.killpg(run.pid, signal.SIGINT)
    status, output = ended(run)
    record = targets.record(targets.latest(service))
    state = seen.identity(service)
    _, _, told = output.partition(
        "Nothing has to be typed to have the service. To judge it without touching it:\n"
    )
    typed = shlex.split(told.splitlines()[0]) if told else []

    assert status == 14, output
    wait_for(lambda: answers(service), "the service to answer", READY_LIMIT)
    assert {one["step"]["name"]: one["status"] for one in record["steps"]}["start"] == "done"
    assert typed == ["pytest", "-m", "accept", f"--target={service.root / targets.FILE}"]

    judged = targets.procedure(service, name=typed[2])

    assert judged.returncode == 0, judged.stdout
    assert state == seen.identity(service)


@FAULT(
    kind="a signal that asks the run to end",
    phase="prepare",
    happened="the service was not touched, and nothing is left on the engine",
    verdict="INTERRUPTED",
)
def test_a_signal_before_the_stop_touches_nothing(service: Stack) -> None:
    """Asked to end while it prepares, the run ends with 14 and the service was not touched."""
    then = seen.identity(service)
    run = targets.started(service)
    targets.wait_for_step(service, run, "save_logs")
    volumes = seen.volumes_of(targets.journals(service)[-1].stem)
    os.kill(run.pid, signal.SIGTERM)
    status, output = ended(run)
    record = targets.record(targets.latest(service))

    assert status == 14, output
    assert len(volumes) == 3, "lock and lookouts"
    assert [one for one in volumes.values() if one] == [], "an anonymous volume can outlive its container"
    assert then == seen.identity(service)
    assert (record["verdict"], record["executed"]) == ("INTERRUPTED", False)
    assert targets.entries(targets.journals(service)[-1])[-1]["kind"] == "sealed"
    assert seen.ours(record["run"]) == []


@pytest.mark.usefixtures("signals_are_heard")
@FAULT(
    kind="the operator's terminal is closed",
    phase="outage",
    happened="the service is started, and the record written",
    verdict="INTERRUPTED",
)
def test_a_closed_terminal_is_a_hang_up(service: Stack) -> None:
    """The operator's terminal closes in the outage: the service is started, the record written, 14."""
    mine, theirs = pty.openpty()
    # `setsid --ctty` makes the terminal the run's own, so that closing it sends the hang-up.
    command = ["setsid", "--ctty", *targets.argv(service)]
    with subprocess.Popen(
        command,
        cwd=targets.PROJECT,
        env=targets.environment(service),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as run:
        endings.note_running(command, run)
        os.close(theirs)
        with drained(mine):
            targets.wait_for_step(service, run, "stop", "end")
        status = run.wait(ENDED)
    record = targets.record(targets.latest(service))

    assert status == 14
    wait_for(lambda: answers(service), "the service to answer", READY_LIMIT)
    assert record["verdict"] == "INTERRUPTED"
    assert "SIGHUP" in record["verdict_reasons"][0]
    assert (targets.latest(service) / "report.html").is_file()


@FAULT(
    kind="the terminal is lost without a signal",
    phase="outage",
    happened="the run goes on to its end in silence",
    verdict="ACCEPTED",
)
def test_a_terminal_that_is_lost_without_a_signal_is_no_reason_to_end(service: Stack) -> None:
    """Where nobody hangs up and only the writing fails, the run goes on to its end in silence."""
    mine, theirs = pty.openpty()
    run = targets.started(service, stdout=theirs, stderr=theirs)
    os.close(theirs)
    with drained(mine):
        targets.wait_for_step(service, run, "stop", "end")
    status = run.wait(ENDED)

    assert status == 0
    assert service.is_ready()
    assert targets.record(targets.latest(service))["verdict"] == "ACCEPTED"
    assert seen.checksums(targets.latest(service)).returncode == 0


@FAULT(
    kind="the pipe that is written to is closed",
    phase="outage",
    happened="the run goes on to its end",
    verdict="ACCEPTED",
)
def test_a_closed_pipe_is_no_reason_to_end(service: Stack) -> None:
    """`pytest -m restart | head -1`, whose pipe is gone in the outage, restarts and writes its record."""
    run = targets.started(service)
    assert run.stdout is not None
    targets.wait_for_step(service, run, "stop", "end")
    run.stdout.close()
    status = run.wait(ENDED)

    assert status == 0
    assert service.is_ready()
    assert targets.record(targets.latest(service))["verdict"] == "ACCEPTED"


@FAULT(
    kind="the lock is pruned away",
    phase="ready",
    happened="the run ends before the stop",
    verdict="INTERRUPTED",
)
def test_a_lost_lock_ends_the_run_before_the_stop(service: Stack) -> None:
    """Somebody prunes the lock away while the run prepares: nothing is touched, and the run says so."""
    then = seen.identity(service)
    run = targets.started(service)
    targets.wait_for_step(service, run, "save_logs")
    seen.lock_of(service).remove(force=True)
    status, output = ended(run)

    assert status not in {0, 11, 12}, output
    assert then == seen.identity(service)
    assert "the lock was lost" in output


@FAULT(
    kind="two runs at once",
    phase="plan",
    happened="the second one names the first, which is not disturbed",
    verdict="LOCKED",
)
def test_two_runs_at_once_are_one(service: Stack) -> None:
    """A second run on the same service ends with 15 and names the first; the first one is not disturbed."""
    first = targets.started(service)
    targets.wait_for_step(service, first, "save_logs")
    # On a busy machine the first would be through before the second comes to the lock.
    os.kill(first.pid, signal.SIGSTOP)
    try:
        second = targets.procedure(service)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    status, output = ended(first)

    assert status == 0, output
    assert second.returncode == 15, second.stdout
    assert f"run {seen.run_id(output)}" in second.stdout
    assert f"process {first.pid}" in second.stdout
    assert targets.record(sealed(service, seen.run_id(second.stdout)))["verdict"] == "LOCKED"
