"""The archive as a run's past: whose runs they are, and what is said of an archive that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from procedures import rollback
from procedures.decide import accepted
from procedures.decide.accepted import Past
from procedures.observe.moments.observers import Observers
from procedures.problems import CannotObserve
from procedures.run.facts import changes
from reports import archive
from reports.record.evidence import Verdict
from reports.record.observed import Unseen
from tests.reports import samples

TARGET = samples.accepted().target
assert TARGET is not None
MINE = samples.ENGINE.id


def past(folder: Path) -> Past:
    assert TARGET is not None
    return Past(folder, TARGET.project, TARGET.service, MINE)


def sealed(folder: Path, number: int, *, noted: str = "", saw: str = MINE) -> Path:
    """Put an accepted run into the archive, as its record notes its engine and as its look saw it."""
    engine = replace(samples.ENGINE, id=saw) if saw else Unseen("the lights went out")
    looks = tuple(replace(one, engine=engine) for one in (samples.BEFORE, samples.AFTER))
    told = replace(samples.accepted(looks), run=f"{number}", target=replace(samples.TARGET, engine=noted))
    stem = archive.stem(f"2026-11-23T11:57:{number:02}.5Z", "tools", "restart", f"{number:08x}")
    begun = archive.begin(folder, stem)
    archive.write_record(begun, told)
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


def changed(folder: Path, **values: object) -> Path:
    """Write another record into a sealed run, as somebody does who wants another past."""
    told = replace(archive.read_record(folder), **values)  # type: ignore[arg-type]  # by their names
    archive.write_record(folder, told)
    return folder


@pytest.mark.parametrize(
    "values",
    [{"verdict_reasons": ("well",)}, {"verdict": Verdict.REFUSED}, {"snapshots": ()}],
    ids=["a word", "its verdict, so that an older one is found", "what it saw"],
)
def test_a_record_that_was_changed_is_no_baseline_and_no_older_one_is(
    tmp_path: Path, values: dict[str, object]
) -> None:
    """The newest accepted run is not what was sealed: then nobody knows what to compare with."""
    sealed(tmp_path, 1)
    bad = changed(sealed(tmp_path, 2), **values)

    with pytest.raises(CannotObserve, match="not known to be as it was sealed") as raised:
        accepted.last(past(tmp_path))

    assert str(bad) in raised.value.what
    assert str(bad) in raised.value.next_move


@pytest.mark.parametrize("sums", ["", "0  report.html\n", None], ids=["empty", "another file's", "gone"])
def test_a_record_whose_checksum_is_gone_is_no_baseline(tmp_path: Path, sums: str | None) -> None:
    """Without its checksum nothing vouches for a record."""
    folder = sealed(tmp_path, 1)
    (folder / archive.SUMS).unlink()
    if sums is not None:
        (folder / archive.SUMS).write_text(sums)

    with pytest.raises(CannotObserve, match="not known to be as it was sealed"):
        accepted.last(past(tmp_path))


def test_a_run_that_failed_and_calls_itself_accepted_is_no_baseline(tmp_path: Path) -> None:
    """Whoever writes the verdict into a record has not its checksum with it."""
    begun = archive.begin(tmp_path, archive.stem("2026-11-23T11:57:01Z", "tools", "restart", "a"))
    archive.write_record(begun, samples.refused())
    folder = archive.seal(begun, samples.refused())
    archive.write_record(folder, samples.accepted())

    with pytest.raises(CannotObserve, match="not known"):
        accepted.last(past(tmp_path))


def test_a_rollback_has_no_goal_in_a_past_that_was_changed(tmp_path: Path) -> None:
    """The run that it would go back to is unknown, and with it every claim about it."""
    changed(sealed(tmp_path, 1), verdict_reasons=("well",))

    goal = rollback.look(Observers.__new__(Observers), (), past(tmp_path))

    assert (goal.run, goal.image) == (None, None)
    assert goal.unseen is not None
    at: Any = SimpleNamespace(goal=goal)
    with pytest.raises(CannotObserve, match="not known"):
        changes.goal(at)


@pytest.mark.parametrize(
    "values", [{"procedure": "restart"}, {"verdict": Verdict.ACCEPTED}, {"target": None}]
)
def test_whether_an_image_was_rolled_back_is_unknown_in_a_past_that_was_changed(
    tmp_path: Path, values: dict[str, object]
) -> None:
    """An update's record that was changed may have been the one that went back from this very image."""
    told = replace(samples.service_down(), procedure="update")
    begun = archive.begin(tmp_path, archive.stem("2026-11-23T11:57:01Z", "tools", "update", "a"))
    archive.write_record(begun, told)
    folder = archive.seal(begun, told)
    assert accepted.rolled_back(past(tmp_path)) is not None
    changed(folder, **values)

    with pytest.raises(CannotObserve, match="not known"):
        accepted.rolled_back(past(tmp_path))
