"""The archive keeps whole runs, tells its troubles in one error, and never removes what is still needed."""

# ruff: noqa: SIM300 - expected on the left

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from reports import archive
from reports.archive import ArchiveUnwritable
from reports.pruning import prune
from reports.record.evidence import Verdict
from reports.record.observed import Secret
from reports.record.record import Record, RecordUnreadable
from reports.redaction.redact import MARK, Redaction
from tests.reports import samples

SECRET = Secret("Zq7rT4kxW9")


def run(folder: Path, number: int, record: Record | None = None) -> Path:
    """Put a whole sealed run into the archive."""
    told = record or samples.accepted()
    begun = archive.begin(
        folder, archive.stem(f"2026-11-23T11:57:{number:02}.5Z", "tools", "restart", f"{number:08x}")
    )
    archive.write_record(begun, told)
    return archive.seal(begun, told)


def listed(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def names(folder: Path) -> list[str]:
    return [path.name for path in archive.runs(folder)]


def test_a_run_s_name_says_when_what_and_how_it_ended(tmp_path: Path) -> None:
    """Sorted by name is sorted by time, and the verdict stands in it."""
    begun = archive.begin(
        tmp_path, archive.stem("2026-11-23T11:57:03.120+00:00", "Tools & Co", "apply_env", "1a2b-3c4d")
    )

    assert begun.name == "20261123T115703Z-tools-co-apply-env-running-1a2b3c4d"
    assert archive.is_open(begun)

    sealed = archive.seal(begun, replace(samples.accepted(), verdict=Verdict.NOT_ACCEPTED))

    assert sealed.name == "20261123T115703Z-tools-co-apply-env-not-accepted-1a2b3c4d"
    assert not archive.is_open(sealed)
    assert [sealed] == list(tmp_path.iterdir())


def test_a_hostile_target_s_name_stays_inside_the_archive(tmp_path: Path) -> None:
    """No name leaves the archive's folder, and none holds more than ASCII."""
    begun = archive.begin(
        tmp_path, archive.stem(samples.BEGAN.isoformat(), f"../../{samples.EVIL}", "restart", "../1")
    )

    assert begun.parent == tmp_path
    assert begun.name.isascii()
    assert archive.RUN_NAME.fullmatch(begun.name)


def test_two_runs_of_one_name_are_refused(tmp_path: Path) -> None:
    """A run never writes into the folder of another one."""
    stem = archive.stem(samples.BEGAN.isoformat(), "tools", "restart", "1")
    archive.begin(tmp_path, stem)

    with pytest.raises(ArchiveUnwritable, match="File exists"):
        archive.begin(tmp_path, stem)


@pytest.mark.parametrize("name", samples.ALL)
def test_the_record_is_read_back(tmp_path: Path, name: str) -> None:
    """What is written can be read, hostile values and all, and no temporary file is left."""
    told = samples.ALL[name]()
    archive.write_record(tmp_path, told)

    assert told.verdict == archive.read_record(tmp_path).verdict
    assert told.who == archive.read_record(tmp_path).who
    assert [archive.RECORD] == listed(tmp_path)


def test_a_record_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """Half a record is no record."""
    (tmp_path / archive.RECORD).write_text('{"run": "x"')

    with pytest.raises(RecordUnreadable, match=r"evidence\.json"):
        archive.read_record(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the new file, never the old one."""
    archive.write_record(tmp_path, samples.accepted())

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchiveUnwritable, match="No space left on device") as caught:
        archive.write_record(tmp_path, samples.refused())

    assert tmp_path / archive.RECORD == caught.value.path
    assert Verdict.ACCEPTED == archive.read_record(tmp_path).verdict
    assert [archive.RECORD] == listed(tmp_path)


def test_an_archive_that_is_a_file_is_told(tmp_path: Path) -> None:
    """The message names the path, and what to do."""
    (tmp_path / "runs").write_text("")

    with pytest.raises(ArchiveUnwritable, match=r"cannot write .*runs.*: .*change the archive's folder"):
        archive.begin(tmp_path / "runs", archive.stem(samples.BEGAN.isoformat(), "tools", "restart", "1"))


def test_the_checksums_hold(tmp_path: Path) -> None:
    """`sha256sum --check` reads them, finds every file, and sees a change."""
    begun = archive.begin(tmp_path, archive.stem(samples.BEGAN.isoformat(), "tools", "restart", "1"))
    (begun / "logs").mkdir()
    (begun / "logs" / "back\\slash and\nline.log").write_text("x")
    archive.write_record(begun, samples.accepted())
    archive.write_report(begun, samples.accepted())
    sealed = archive.seal(begun, samples.accepted())

    def checked() -> subprocess.CompletedProcess[str]:
        command = ["sha256sum", "--check", "--strict", archive.SUMS]
        return subprocess.run(command, cwd=sealed, check=False, capture_output=True, text=True)

    assert 0 == checked().returncode
    assert 3 == len((sealed / archive.SUMS).read_text().splitlines())

    (sealed / archive.REPORT).write_text("changed")

    assert 0 != checked().returncode


def test_the_index_lists_every_run_the_newest_first(tmp_path: Path) -> None:
    """Open, sealed and unreadable runs all stand in it; what is no run does not."""
    run(tmp_path, 1)
    down = run(tmp_path, 2, samples.service_down())
    broken = run(tmp_path, 3)
    (broken / archive.RECORD).write_text("{")
    archive.begin(tmp_path, archive.stem("2026-11-23T11:57:04Z", "tools", "restart", "4"))
    (tmp_path / "notes").mkdir()

    page = archive.write_index(tmp_path).read_text()
    rows = page.split("<tr>")[2:]

    assert ["running", "unreadable", "SERVICE DOWN", "ACCEPTED"] == [
        next(
            word for word in ("running", "unreadable", "SERVICE DOWN", "ACCEPTED") if f"<b>{word}</b>" in row
        )
        for row in rows
    ]
    assert f'href="./{down.name}/' in page
    assert "cannot be read" in page
    assert "at least 29.796 s" in page
    assert "10.310 s ± 0.018 s" in page
    assert "Ana Ribeiro" in page
    assert "memory grew since Friday" in page
    assert "notes" not in page


def test_the_index_of_nothing(tmp_path: Path) -> None:
    """An archive without a run says so."""
    assert "There is no run yet." in archive.write_index(tmp_path).read_text()


def test_latest_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """`latest` points at the run named last, relative, so that the archive can be moved."""
    archive.point_latest(tmp_path, run(tmp_path, 1))
    second = run(tmp_path, 2)
    link = archive.point_latest(tmp_path, second)

    assert second.name == str(link.readlink())
    assert 3 == len(listed(tmp_path))


def test_prune_keeps_the_newest(tmp_path: Path) -> None:
    """What is older than the last `keep` sealed runs goes."""
    kept = [run(tmp_path, number) for number in range(1, 6)]
    removed = prune(tmp_path, 2)

    assert {kept[0], kept[1], kept[2]} == set(removed)
    assert [kept[4].name, kept[3].name] == names(tmp_path)


def test_prune_never_removes_an_open_run(tmp_path: Path) -> None:
    """An open run is a duty to recover, however old it is."""
    begun = archive.begin(tmp_path, archive.stem("2026-11-01T00:00:00Z", "tools", "restart", "a"))
    run(tmp_path, 1)
    run(tmp_path, 2)
    prune(tmp_path, 1)

    assert begun.is_dir()
    assert 2 == len(names(tmp_path))


def test_prune_never_removes_the_newest_accepted_run(tmp_path: Path) -> None:
    """Later runs are compared with it, and a run that was not accepted is no substitute."""
    run(tmp_path, 1)
    accepted = run(tmp_path, 2)
    run(tmp_path, 3, samples.refused())
    run(tmp_path, 4, replace(samples.refused(), verdict=Verdict.NOT_ACCEPTED))
    prune(tmp_path, 1)

    assert accepted.is_dir()
    assert 2 == len(names(tmp_path))


def test_prune_keeps_where_a_rollback_leads(tmp_path: Path) -> None:
    """The newest accepted run of another image stays, and so does that of another target."""
    now = samples.accepted()
    image = replace(samples.AFTER, containers=(samples.container(image_id="sha256:old"),))
    other = run(tmp_path, 1, replace(now, target=replace(samples.TARGET, name="other")))
    old = run(tmp_path, 2, samples.accepted((samples.BEFORE, image)))
    run(tmp_path, 3)
    newest = run(tmp_path, 4)
    prune(tmp_path, 0)

    assert sorted([other.name, old.name, newest.name], reverse=True) == names(tmp_path)


def test_secrets_in_files_and_names_are_told_without_them(tmp_path: Path) -> None:
    """The finding names the file without repeating the secret."""
    redaction = Redaction([SECRET], names={SECRET: "KESTRA_DB_PASSWORD"})
    (tmp_path / "clean.log").write_text("nothing")
    (tmp_path / "leak.log").write_text(f"password {SECRET.value}")
    (tmp_path / f"log-{SECRET.value}.txt").write_text("nothing")

    leaks = archive.withhold(tmp_path, redaction)

    assert {"leak.log", f"log-{MARK}.txt"} == {leak.file for leak in leaks}
    assert {("KESTRA_DB_PASSWORD raw",)} == {leak.found for leak in leaks}


def test_what_leaks_is_withheld(tmp_path: Path) -> None:
    """A file that holds a secret does not stay in the bundle."""
    redaction = Redaction([SECRET])
    (tmp_path / "clean.log").write_text("nothing")
    (tmp_path / "leak.log").write_text(json.dumps({"a": SECRET.value}))

    assert ["leak.log"] == [leak.file for leak in archive.withhold(tmp_path, redaction)]
    assert ["clean.log"] == listed(tmp_path)
    assert () == archive.withhold(tmp_path, redaction)
    assert ["clean.log"] == listed(tmp_path)
