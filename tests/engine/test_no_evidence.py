"""The archive goes away while a run acts: the service is landed as ever, and the record is written where it can be."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack, run

ENDED = targets.LIMIT / 2


@pytest.fixture(autouse=True)
def _archive(service: Stack) -> Iterator[None]:
    """Let each test have an archive on a disk of its own, with no more room than a run asks for."""
    place = targets.archive(service)
    place.mkdir(exist_ok=True)
    run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(place)], cwd=service.root)
    yield
    run(["umount", "--lazy", str(place)], cwd=service.root)
    seen.wait_until_gone(service)


def the_run_is_removed(archive: Path) -> None:
    """What `rm -rf` of somebody who tidies up does."""
    for one in archive.iterdir():
        shutil.rmtree(one)


def the_disk_is_read_only(archive: Path) -> None:
    """What a kernel does with a file system that has errors."""
    run(["mount", "-o", "remount,ro", str(archive)], cwd=archive.parent)


def the_disk_is_full(archive: Path) -> None:
    with suppress(OSError), (archive / "somebody's").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


GOES_AWAY = "the service is started and judged as ever; the record lies in the state folder, and the screen says where"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
@pytest.mark.parametrize(
    ("goes", "says"),
    [
        pytest.param(
            the_run_is_removed, "removed meanwhile", id="removed",
            marks=FAULT(kind="the run's folder is removed", phase=Phase.OUTAGE, happened=GOES_AWAY, verdict="NO EVIDENCE"),
        ),
        pytest.param(
            the_disk_is_read_only, "Read-only file system", id="read-only",
            marks=FAULT(kind="the archive becomes read-only", phase=Phase.OUTAGE, happened=GOES_AWAY, verdict="NO EVIDENCE"),
        ),
        pytest.param(
            the_disk_is_full, "No space left on device", id="full",
            marks=FAULT(kind="the archive is full", phase=Phase.OUTAGE, happened=GOES_AWAY, verdict="NO EVIDENCE"),
        ),
    ],
)  # fmt: skip
def test_the_archive_goes_away_in_the_outage(service: Stack, goes: Callable[[Path], None], says: str) -> None:
    """17 with the whole closing block; the evidence is complete in the state folder, and the journal is sealed."""
    acting = targets.started(service)
    targets.wait_for_step(service, acting, "stop", "end")
    goes(targets.archive(service))
    output, _ = acting.communicate(timeout=ENDED)

    assert acting.returncode == 17, output
    assert service.is_ready()
    assert "Traceback" not in output
    assert "suite's own" not in output
    assert says in output
    assert output.strip().splitlines()[-1].startswith("exit status 17: ")
    told = rescued(service, output)
    assert targets.record(told)["verdict"] == "NO EVIDENCE"
    assert {one["step"]["name"]: one["status"] for one in targets.record(told)["steps"]}["start"] == "done"
    assert (told / "journal.jsonl").stat().st_size
    assert seen.checksums(told).returncode == 0
    assert targets.entries(targets.journals(service)[-1])[-1]["kind"] == "sealed"
    assert seen.ours(seen.run_id(output)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
@FAULT(
    kind="the run's folder is removed, then SIGTERM",
    phase=Phase.LANDING,
    happened="the service is started; that the run was interrupted is told first, and the record lies in the state folder",
    verdict="INTERRUPTED",
)
def test_the_archive_goes_away_before_the_landing(service: Stack) -> None:
    """What must be known first stays first: 14, the commands by hand, and where the record is."""
    acting = targets.started(service)
    targets.wait_for_step(service, acting, "stop", "end")
    the_run_is_removed(targets.archive(service))
    os.kill(acting.pid, signal.SIGTERM)
    output, _ = acting.communicate(timeout=ENDED)

    assert acting.returncode == 14, output
    assert service.is_ready()
    assert "Traceback" not in output
    assert targets.record(rescued(service, output))["verdict"] == "INTERRUPTED"


def rescued(service: Stack, output: str) -> Path:
    """The folder that the run says it has written instead."""
    (line,) = [one for one in output.splitlines() if one.startswith("report: ")]
    folder = Path(line.removeprefix("report: ")).parent
    assert folder.is_relative_to(service.root / targets.STATE / "kestra-restart" / "runs")
    assert f"it lies in {folder.parent}" in output
    return folder
