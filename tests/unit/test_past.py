"""The archive as a run's past: whose runs they are, and what is said of an archive that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from procedures import accepted
from procedures.accepted import Past
from procedures.problems import CannotObserve
from reports import archive
from reports.evidence import Evidence
from reports.observed import Unseen
from reports.record import fingerprint
from tests.reports import samples

TARGET = samples.accepted().target
assert TARGET is not None
MINE = samples.ENGINE.id


def past(folder: Path) -> Past:
    assert TARGET is not None
    return Past(folder, TARGET.project, TARGET.service, MINE)


def sealed(folder: Path, number: int, *, noted: str = "", saw: str = MINE) -> Path:
    """Put an accepted run into the archive, as its record notes its engine and as its look saw it."""
    record: Evidence = samples.accepted()
    assert record.target is not None
    engine = replace(samples.ENGINE, id=saw) if saw else Unseen("the lights went out")
    looks = tuple(replace(one, engine=engine) for one in record.snapshots)
    told = replace(record, run=f"{number}", target=replace(record.target, engine=noted), snapshots=looks)
    stem = archive.stem(f"2026-11-23T11:57:{number:02}.5Z", "tools", "restart", f"{number:08x}")
    begun = archive.begin(folder, stem)
    archive.write_record(begun, told, fingerprint(b"key"))
    return archive.seal(begun, told)


@pytest.mark.parametrize(
    ("noted", "saw", "mine"),
    [(MINE, MINE, True), ("OTHER", "OTHER", False), ("", "OTHER", False), ("", MINE, True), ("", "", True)],
    ids=[
        "noted",
        "another engine",
        "an older record of another",
        "an older record",
        "one that did not see it",
    ],
)
def test_a_run_on_another_engine_is_none_of_this_service(
    tmp_path: Path, noted: str, saw: str, *, mine: bool
) -> None:
    """Two engines may have a project of one name; a record that says nothing of its engine is taken at its word."""
    sealed(tmp_path, 1, noted=noted, saw=saw)

    assert (accepted.last(past(tmp_path)) is not None) is mine


def test_a_damaged_record_is_named_and_passed_over(tmp_path: Path) -> None:
    """The newest accepted run cannot be read: the one before is the baseline, and the folder is named."""
    good, bad = sealed(tmp_path, 1), sealed(tmp_path, 2)
    (bad / archive.RECORD).write_text("{")

    found = accepted.last(past(tmp_path))
    (told,) = accepted.damaged(past(tmp_path), found)

    assert found is not None
    assert found.folder == good
    assert str(bad) in told.text
    assert str(bad) in told.next_move
    assert list(accepted.damaged(past(tmp_path), replace(found, folder=bad))) == []


def test_a_record_without_its_file_is_damaged(tmp_path: Path) -> None:
    """Half a folder, as an interrupted copy leaves it."""
    (sealed(tmp_path, 1) / archive.RECORD).unlink()

    assert accepted.last(past(tmp_path)) is None
    assert len(list(accepted.damaged(past(tmp_path), None))) == 1


def test_an_archive_that_cannot_be_read_is_not_empty(tmp_path: Path) -> None:
    """A file in the folder's place, a folder of somebody else's: unknown, with its name and the next move."""
    (tmp_path / "runs").touch()

    with pytest.raises(CannotObserve, match=str(tmp_path / "runs")) as told:
        accepted.last(past(tmp_path / "runs"))

    assert "archive" in told.value.next_move
    assert accepted.last(past(tmp_path / "none")) is None
