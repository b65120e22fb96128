"""What runs that were killed leave half done: open journals of runs that were through, and folders without a verdict."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from procedures.run.evidence import unfinished
from procedures.steps import settled
from procedures.steps.journal import Journal, Place, Story, read_journal
from procedures.steps.process import Process
from reports import archive
from reports.record.evidence import Step, Verdict
from reports.record.record import Record
from reports.redaction.redact import Redaction
from tests.reports import samples

STOP = Step("stop", "", (), 1.0, True, "")
GONE = replace(Process.me(), began="1")


def owed(folder: Path, run: str = "1a2b") -> Story:
    """An open journal of a run that has begun to change something."""
    journal = Journal(Place(folder / "state" / "target"), run)
    journal.open(run, {"archive": str(folder / "runs")})
    journal.begin(STOP)
    journal.close()
    return read_journal(journal.file)


def begun(folder: Path, run: str = "1a2b", procedure: str = "restart") -> Path:
    return archive.begin(folder, archive.stem("2026-11-23T11:57:01Z", "tools", procedure, run))


def sealed(folder: Path, run: str = "1a2b", **values: Any) -> Path:
    """The folder of a run with its verdict."""
    told: Record = replace(samples.accepted(), run=run, **values)
    made = begun(folder, run)
    archive.write_record(made, told)
    return archive.seal(made, told)


@pytest.mark.parametrize(
    ("verdict", "owes"),
    [
        (Verdict.ACCEPTED, False),
        (Verdict.NOT_ACCEPTED, False),
        (Verdict.ROLLED_BACK, False),
        (Verdict.INTERRUPTED, True),
        (Verdict.SERVICE_DOWN, True),
    ],
)
def test_a_run_that_the_archive_holds_as_through_owes_nothing(
    tmp_path: Path, verdict: Verdict, *, owes: bool
) -> None:
    """Its journal was not sealed any more; a verdict after which the service may be down leaves it owed."""
    story = owed(tmp_path)
    sealed(tmp_path / "runs", verdict=verdict)

    assert settled.among((story,)) == ({} if owes else {"1a2b": str(verdict)})


def test_a_record_in_the_shelter_counts_as_well(tmp_path: Path) -> None:
    """What the archive did not take lies beside the journals."""
    story = owed(tmp_path)
    sealed(tmp_path / "state" / "runs", verdict=Verdict.NO_EVIDENCE)

    assert settled.among((story,)) == {"1a2b": "NO EVIDENCE"}


@pytest.mark.parametrize("harm", ["changed", "another run's", "not sealed", "none"])
def test_a_record_that_vouches_for_nothing_leaves_it_owed(tmp_path: Path, harm: str) -> None:
    """Only what was sealed, and is as it was sealed, says that a run was through."""
    story, runs = owed(tmp_path), tmp_path / "runs"
    if harm == "changed":
        archive.write_record(
            sealed(runs, verdict=Verdict.SERVICE_DOWN), replace(samples.accepted(), run="1a2b")
        )
    elif harm == "another run's":
        told = samples.accepted()
        folder = begun(runs)
        archive.write_record(folder, told)
        archive.seal(folder, told)
    elif harm == "not sealed":
        archive.write_record(begun(runs), replace(samples.accepted(), run="1a2b"))

    assert settled.among((story,)) == {}


def test_what_an_accepted_recovery_had_recovered_is_settled_with_it(tmp_path: Path) -> None:
    """Killed between its own seal and the other's, it leaves both to the next run."""
    stories = (owed(tmp_path, "1a2b"), owed(tmp_path, "3c4d"))
    sealed(tmp_path / "runs", "3c4d", recovered_from="1a2b")

    assert settled.among(stories) == {
        "3c4d": "ACCEPTED",
        "1a2b": "INTERRUPTED, recovered as ACCEPTED by run 3c4d",
    }


def completing(folder: Path, *journals: str) -> list[str]:
    """Complete what was left in an archive, as the next run on the target `tools`; return what it has found."""
    found: list[str] = []
    run: Any = SimpleNamespace(
        asked=SimpleNamespace(target=SimpleNamespace(archive=folder, name="tools")),
        open_journals=[SimpleNamespace(run=one) for one in journals],
        redaction=Redaction(()),
        finding=found.append,
    )
    unfinished.complete(run)
    return found


def made_by(folder: Path, process: Process) -> Path:
    archive.note_maker(folder, asdict(process))
    return folder


def test_an_empty_folder_of_a_run_that_is_gone_gets_its_verdict(tmp_path: Path) -> None:
    """Killed before it had written anything; its name says when it began and what it was."""
    made_by(begun(tmp_path, procedure="apply_env"), GONE)

    (told,) = completing(tmp_path)
    (folder,) = archive.runs(tmp_path)
    record = archive.read_record(folder)

    assert folder.name == "20261123T115701Z-tools-apply-env-interrupted-1a2b"
    assert folder.name in told
    assert (record.verdict, record.began_at) == (Verdict.INTERRUPTED, "2026-11-23T11:57:01+00:00")
    assert (archive.damage(folder), (folder / archive.MADE_BY).exists()) == ("", False)
    assert (folder / archive.REPORT).is_file()
    assert folder.name in (tmp_path / archive.INDEX).read_text(encoding="utf-8")


def test_what_it_had_written_is_kept(tmp_path: Path) -> None:
    """A record without an end is told as cut off; one with its verdict keeps that."""
    for run, ended in (("1a2b", ""), ("3c4d", "2026-11-23T11:58:00Z")):
        folder = made_by(begun(tmp_path, run), GONE)
        archive.write_record(folder, replace(samples.refused(), run=run, ended_at=ended))

    completing(tmp_path)

    assert {one.name.partition("-restart-")[2] for one in archive.runs(tmp_path)} == {
        "interrupted-1a2b", "refused-3c4d",
    }  # fmt: skip


@pytest.mark.parametrize(
    "process", [Process.me(), replace(GONE, namespace="pid:[1]"), replace(GONE, host="far")],
    ids=["it lives", "in another container", "on another host"],
)  # fmt: skip
def test_a_folder_whose_run_may_live_is_left_alone(tmp_path: Path, process: Process) -> None:
    folder = made_by(begun(tmp_path), process)

    assert completing(tmp_path) == []
    assert folder.is_dir()


def test_a_folder_that_an_open_journal_answers_for_is_left_to_recovery(tmp_path: Path) -> None:
    folder = made_by(begun(tmp_path), GONE)

    assert completing(tmp_path, "1a2b") == []
    assert folder.is_dir()


def test_another_target_s_folder_is_left_alone(tmp_path: Path) -> None:
    """Several targets may share an archive, and a name may begin as another one does."""
    folder = made_by(
        archive.begin(tmp_path, archive.stem("2026-11-23T11:57:01Z", "tools-2", "restart", "1a2b")), GONE
    )

    assert completing(tmp_path) == []
    assert folder.is_dir()


@pytest.mark.parametrize(("age", "left"), [(3600.0, True), (0.0, False)])
def test_an_empty_folder_that_notes_nothing_is_left_by_a_run_if_it_is_old(
    tmp_path: Path, age: float, *, left: bool
) -> None:
    """From before it was noted who fills a folder: a young one may be a run that has just begun."""
    folder = begun(tmp_path)
    then = folder.stat().st_mtime - age
    os.utime(folder, (then, then))

    assert bool(completing(tmp_path)) is left
