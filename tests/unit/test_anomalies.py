"""Anomalies: which of a run's findings become rows, and that a file gets them once, in one act, or not at all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from procedures import restart, status
from procedures.decide.course import Course
from procedures.diagnosis import anomalies
from procedures.problems import TypedWrong
from procedures.run.evidence import anomaly_rows
from procedures.run.procedure import Asked, Procedure
from procedures.run.run import Run
from reports.record.evidence import Anomalies, CheckResult, Finding, Outcome, Verdict
from reports.record.record import Record
from tests.reports import samples
from tests.unit.results import check

DOCUMENT = b"# Troubleshooting\r\n\r\n| Sintoma | A\xc3\xa7\xc3\xa3o sugerida |\r\n|---|---|\r\n| a | b |"
ROW = b"\r\n| One holds. failed: the port is taken | find who listens |"


def _record(*results: CheckResult, **fields: Any) -> Record:
    return replace(samples.refused(), **{"results": results, "findings": (), "anomalies": None, **fields})


def _failed(name: str = "one", reason: str = "the port is taken", **kind: Any) -> CheckResult:
    return CheckResult(check(name, **kind), Outcome.FAILED, reason, "find who listens")


def _run(file: Path | None, *, asked: bool = True, leaves_nothing: bool = False) -> Run:
    """As much of a run as there is to know here."""
    course = Course()
    run = SimpleNamespace(
        asked=SimpleNamespace(
            target=SimpleNamespace(anomalies=file), record_anomalies=asked, leaves_nothing=leaves_nothing
        ),
        course=course,
        finding=lambda text, move="": course.findings.append(Finding(text, move)),
    )
    return cast("Run", run)


def _noted(run: Run, record: Record | None = None) -> Anomalies:
    told = anomaly_rows.noted(run, record or _record(_failed()))
    assert told.anomalies is not None
    assert told.anomalies is run.course.anomalies
    return told.anomalies


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    made = tmp_path / "kestra.md"
    made.write_bytes(DOCUMENT)
    return made


# --- which rows


def test_what_does_not_hold_makes_a_row_and_nothing_else_does() -> None:
    """Failed and unknown required checks are rows; advisory, waived, blocked, passed ones are none."""
    record = _record(
        _failed(),
        replace(_failed("two"), outcome=Outcome.UNKNOWN, reason="nobody looked", next_move=""),
        _failed("three", advisory=True),
        *(
            CheckResult(check(str(one)), one, "x", "y")
            for one in Outcome
            if one not in {Outcome.FAILED, Outcome.UNKNOWN}
        ),
    )

    assert [(one.symptom, one.action) for one in anomalies.proposed(record)] == [
        ("One holds. failed: the port is taken", "find who listens"),
        ("Two holds. unknown: nobody looked", f"see the evidence of run {record.run}"),
    ]


def test_one_reason_is_one_row() -> None:
    """Checks that fail for the same reason are one symptom, and the same one asked again is no other."""
    record = _record(_failed("one"), _failed("one"), _failed("two"), _failed("three"))

    (row,) = anomalies.proposed(record)
    assert row.symptom == "One holds. (and 2 more) failed: the port is taken"
    assert row.row == r"| One holds. (and 2 more) failed: the port is taken | find who listens |"


@pytest.mark.parametrize(
    ("verdict", "executed", "count"),
    [
        (Verdict.REFUSED, False, 2),
        (Verdict.NOT_ACCEPTED, True, 2),
        (Verdict.NOT_ACCEPTED, False, 1),
        (Verdict.ACCEPTED, True, 2),
        (Verdict.LOCKED, False, 0),
        (Verdict.CANNOT_OBSERVE, False, 0),
    ],
)
def test_findings_are_rows_of_a_run_that_did_something_or_was_refused(
    verdict: Verdict, executed: bool, count: int
) -> None:
    """What a run noted counts where it acted or refused to; one that saw nothing has nothing to say."""
    record = _record(
        _failed(), verdict=verdict, executed=executed, findings=(Finding("noted", "mend it"), Finding("said"))
    )
    found = anomalies.proposed(record)

    assert len(found) == count
    assert count < 2 or found[-1].row == "| noted | mend it |"


def test_a_run_that_was_refused_without_a_plan_says_why() -> None:
    """What the env file says wrongly keeps a plan from being made: then the verdict's reasons are the symptoms."""
    record = _record(verdict_reasons=(".env: KESTRA_HTTP_PORT is no port → correct it", "no plan"))

    assert [one.row for one in anomalies.proposed(record)] == [
        "| .env: KESTRA_HTTP_PORT is no port | correct it |",
        f"| no plan | see the evidence of run {record.run} |",
    ]


# --- the file


def test_a_row_is_appended_once_and_nothing_else_changes(file: Path) -> None:
    """Line ends, the missing end of the last line, mode and owner stay; the second time there is nothing to do."""
    file.chmod(0o640)
    owner = (12345, 12346) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(file, *owner)
    run = _run(file)

    assert _noted(run).outcome == "1 appended"
    assert file.read_bytes() == DOCUMENT + ROW
    status = file.stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o640, *owner)
    assert _noted(_run(file)).outcome == "already there, nothing was appended"
    assert file.read_bytes() == DOCUMENT + ROW
    assert file.stat().st_ino == status.st_ino
    assert [one.name for one in file.parent.iterdir()] == ["kestra.md"]
    assert run.course.findings == []


def test_without_the_option_rows_are_proposed_and_nothing_is_written(file: Path) -> None:
    """A proposal reads the file, says what is not there yet, and leaves it alone."""
    before = file.stat().st_mtime_ns

    assert _noted(_run(file, asked=False)).outcome == "1 not there yet: --record-anomalies appends them"
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (DOCUMENT, before)
    file.write_bytes(DOCUMENT + ROW)
    assert _noted(_run(file, asked=False)).outcome == "already there"


def test_a_look_proposes_and_writes_nothing(file: Path) -> None:
    """`--plan` and `status` leave nothing behind, asked for or not; nor does a target without a list."""
    record = _record(_failed())

    assert anomaly_rows.noted(_run(file, leaves_nothing=True), record) is record
    assert anomaly_rows.noted(_run(None), record) is record
    assert anomaly_rows.noted(_run(file), _record(verdict_reasons=())).anomalies is None
    assert file.read_bytes() == DOCUMENT


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    """Where the list is a link, the file that it leads to gets the row."""
    link = tmp_path / "link.md"
    link.symlink_to(file.name)
    _noted(_run(link))

    assert link.is_symlink()
    assert file.read_bytes() == DOCUMENT + ROW


def _unfit(file: Path, said: str) -> None:
    """The run is told once why nothing could be written, with a next move; the record keeps the rows."""
    run = _run(file)
    verdict = (record := _record(_failed())).verdict
    told = anomaly_rows.noted(run, record)

    (finding,) = run.course.findings
    assert said in finding.text
    assert finding.next_move
    assert told.findings == (finding,)
    assert told.verdict is verdict
    assert told.anomalies is not None
    assert told.anomalies.outcome.startswith("nothing was written: ")
    # Without being asked to write, a run has nothing to complain of.
    assert _run(file, asked=False).course.findings == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no table"),
        (b"# Troubleshooting\n", "has no table"),
        (DOCUMENT.replace(b"Sintoma", b"Sin\xfftoma"), "is not UTF-8 (byte "),
        (DOCUMENT.decode().encode("utf-16"), "is not UTF-8 (byte 0)"),
        (DOCUMENT + b" " * 5_000_000, "is larger than"),
    ],
)
def test_a_file_that_cannot_take_a_row_stays_as_it_is(file: Path, content: bytes, said: str) -> None:
    """No table, no UTF-8, a file of another kind: one finding, no byte changed."""
    file.write_bytes(content)

    _unfit(file, said)
    assert file.read_bytes() == content


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are told apart, and none is waited for."""
    _unfit(tmp_path / "absent.md", "is missing")
    _unfit(tmp_path, "is no file")
    os.mkfifo(tmp_path / "pipe.md")
    _unfit(tmp_path / "pipe.md", "is no file")
    (tmp_path / "loop.md").symlink_to("loop.md")
    _unfit(tmp_path / "loop.md", "cannot be read")


def test_a_file_that_nobody_may_write_is_left_alone(file: Path) -> None:
    """Read-only means so for root too."""
    file.chmod(0o444)

    _unfit(file, "is not writable")
    assert file.read_bytes() == DOCUMENT


def test_a_file_that_is_edited_meanwhile_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody saves between our reading and our writing is not lost."""
    edited = DOCUMENT + b"\r\nmore"
    monkeypatch.setattr("shutil.copystat", lambda *_: file.write_bytes(edited))

    _unfit(file, "was edited meanwhile")
    assert file.read_bytes() == edited
    assert [one.name for one in file.parent.iterdir()] == ["kestra.md"]


def test_a_full_disk_leaves_the_file_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails half-way leaves the old file, and nothing beside it."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    _unfit(file, "No space left on device")
    assert file.read_bytes() == DOCUMENT
    assert [one.name for one in file.parent.iterdir()] == ["kestra.md"]


def test_the_option_is_refused_where_it_could_do_nothing(tmp_path: Path) -> None:
    """Without a list in the target file, or with a procedure that leaves nothing, it is an error of typing."""

    def asked(procedure: Procedure, file: Path | None) -> Asked:
        target = SimpleNamespace(anomalies=file, file="target.toml")
        return cast("Asked", SimpleNamespace(record_anomalies=True, target=target, procedure=procedure))

    anomaly_rows.refuse_idle(asked(restart.PROCEDURE, tmp_path))
    with pytest.raises(TypedWrong, match="names no list of anomalies"):
        anomaly_rows.refuse_idle(asked(restart.PROCEDURE, None))
    with pytest.raises(TypedWrong, match="status leaves nothing behind"):
        anomaly_rows.refuse_idle(asked(status.PROCEDURE, tmp_path))
