"""The journal: written before the act, read by whoever comes after a crash."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from procedures.steps import journal
from procedures.steps.journal import Journal, JournalUnreadable, Place, read_journal, seal_for
from reports.record.evidence import Step, StepStatus

STOP = Step("stop", "stop it", ("docker", "stop"), 30.0, changing=True, way_back="docker start")
SAVE = Step("save_logs", "save", (), 30.0, changing=False, way_back="nothing to undo")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "journals")


def _begun(place: Place, run: str = "1a2b") -> Journal:
    made = Journal(place, run)
    made.open(run, {"archive": "/srv/runs"})
    return made


def test_a_whole_story_is_told(place: Place) -> None:
    """Who ran, what was begun, how it ended, what leads back, and that it was sealed."""
    written = _begun(place)
    written.begin(SAVE)
    written.end(SAVE, StepStatus.DONE, "")
    written.begin(STOP)
    written.seal("ACCEPTED")
    written.close()

    told = read_journal(written.file)

    assert (told.run, told.about, told.sealed) == ("1a2b", {"archive": "/srv/runs"}, "ACCEPTED")
    assert told.begun == ("save_logs", "stop")
    assert told.ended == {"save_logs": "done"}
    assert (told.unfinished, told.changing_begun, told.way_back) == (("stop",), ("stop",), "docker start")
    assert told.changed
    assert told.began_at


def test_a_step_stands_on_disk_before_it_is_taken(place: Place) -> None:
    """What is begun can be read by another process before `begin` returns."""
    written = _begun(place)

    written.begin(STOP)
    told = read_journal(written.file)
    written.close()

    assert (told.unfinished, written.changed) == (("stop",), True)


def test_every_line_is_synced_before_the_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is followed by a sync of its own; the folder is synced when the file is made."""
    happened: list[str] = []
    really_write, really_sync = os.write, os.fsync

    def write(descriptor: int, data: bytes) -> int:
        happened.append(json.loads(data)["kind"])
        return really_write(descriptor, data)

    def sync(descriptor: int) -> None:
        happened.append("sync")
        really_sync(descriptor)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", sync)
    written = _begun(place)
    written.begin(STOP)
    written.end(STOP, StepStatus.DONE, "")
    written.seal("ACCEPTED")
    written.close()

    assert happened == ["sync", "run", "sync", "begin", "sync", "end", "sync", "sealed", "sync"]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_last_line_that_was_cut_off_is_left_out(cut: int, place: Place) -> None:
    """A crash in the middle of a line loses that line and nothing else."""
    written = _begun(place)
    written.begin(STOP)
    written.close()
    whole = written.file.read_bytes()
    written.file.write_bytes(whole[:-cut])

    told = read_journal(written.file)

    assert (told.begun, told.changed, told.sealed) == ((), False, "")
    assert told.run == "1a2b"


def test_an_empty_journal_is_open(place: Place) -> None:
    """A run that was killed before its first line has changed nothing, and its journal bears its name."""
    written = Journal(place, "1a2b")
    written.close()

    (told,) = place.open_journals()

    assert (told.run, told.changed) == ("1a2b", False)


@pytest.mark.parametrize("text", ["no json\n", '{"kind": "run"\n{}\n', "\x00\n"])
def test_a_broken_line_is_unreadable(text: str, place: Place) -> None:
    """Anything else that cannot be read is told with the file and what to do; it is never taken for sealed."""
    place.folder.mkdir()
    file = place.folder / "1a2b.jsonl"
    file.write_text(text)

    with pytest.raises(JournalUnreadable) as raised:
        place.open_journals()

    assert str(file) in raised.value.what
    assert "by hand" in raised.value.next_move


def test_a_journal_of_another_version_is_not_guessed_at(place: Place) -> None:
    """A journal that another version wrote is named with both versions."""
    written = _begun(place)
    written.close()
    written.file.write_text(written.file.read_text().replace('"version": 1', '"version": 2'))

    with pytest.raises(JournalUnreadable, match=f"of version 2, this suite reads {journal.VERSION}"):
        read_journal(written.file)


def test_a_folder_in_its_place_is_unreadable(place: Place) -> None:
    """What cannot be opened is unreadable, and no crash."""
    (place.folder / "1a2b.jsonl").mkdir(parents=True)

    with pytest.raises(JournalUnreadable):
        place.open_journals()


def test_open_journals_are_those_that_nobody_sealed(place: Place) -> None:
    """A sealed journal is no duty; the others are told oldest first, whatever their names."""
    for name, sealed in (("b", False), ("a", False), ("c", True)):
        written = _begun(place, name)
        if sealed:
            written.seal("REFUSED")
        written.close()
        if name == "b":
            written.file.write_text(written.file.read_text().replace('"at": "20', '"at": "19'))

    assert [one.run for one in place.open_journals()] == ["b", "a"]


def test_a_target_without_journals_has_no_open_one(tmp_path: Path) -> None:
    """Where no run has been there is no duty, and no folder is made for looking."""
    place = Place(tmp_path / "none")

    assert (place.open_journals(), place.folder.exists()) == ((), False)


def test_a_later_run_can_seal_it(place: Place) -> None:
    """What a killed run left is sealed by whoever judged it."""
    written = _begun(place)
    written.close()

    seal_for(read_journal(written.file), "INTERRUPTED")

    assert (read_journal(written.file).sealed, place.open_journals()) == ("INTERRUPTED", ())


def test_a_line_that_was_cut_off_does_not_swallow_the_seal(place: Place) -> None:
    """Sealing a journal whose last line is half a line leaves a journal that can be read, and is sealed."""
    written = _begun(place)
    written.begin(STOP)
    written.close()
    written.file.write_bytes(written.file.read_bytes()[:-10])

    seal_for(read_journal(written.file), "INTERRUPTED")

    assert (read_journal(written.file).sealed, place.open_journals()) == ("INTERRUPTED", ())


def test_it_is_sealed_once(place: Place) -> None:
    """A second seal changes nothing."""
    written = _begun(place)
    written.seal("ACCEPTED")
    written.seal("REFUSED")
    written.close()

    assert read_journal(written.file).sealed == "ACCEPTED"
    assert written.file.read_text().count('"sealed"') == 1


def test_a_run_never_writes_into_anothers_journal(place: Place) -> None:
    """A journal of the same name is not appended to."""
    _begun(place).close()

    with pytest.raises(FileExistsError):
        Journal(place, "1a2b")


def test_only_its_owner_reads_it(place: Place) -> None:
    """Folder and file are the user's own."""
    written = _begun(place)
    written.close()

    assert (place.folder.stat().st_mode & 0o777, written.file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_place_is_keyed_by_engine_project_and_service(tmp_path: Path) -> None:
    """Another engine, project or service has another folder; the clone has no say in it."""
    environment = {"XDG_STATE_HOME": str(tmp_path), "HOME": "/home/ada"}
    one = Place.of("E1", "tools", "kestra", environment)

    assert one == Place.of("E1", "tools", "kestra", environment)
    others = {
        Place.of(*key, environment).folder
        for key in (("E2", "tools", "kestra"), ("E1", "other", "kestra"), ("E1", "tools", "other"))
    }
    assert len({one.folder, *others}) == 4
    assert one.folder.is_relative_to(tmp_path / "kestra-restart")
    assert Place.of("E1", "tools", "kestra", {"HOME": "/home/ada"}).folder.is_relative_to(
        "/home/ada/.local/state"
    )
