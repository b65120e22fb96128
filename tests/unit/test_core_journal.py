"""A journal on a disk that is full: what is written is whole, and the service does not stay down for it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, cast

import pytest

from procedures.drivers.shell import Command
from procedures.problems import StepFailed
from procedures.steps.carry_out import Acting
from procedures.steps.interruption import Interruption
from procedures.steps.journal import Journal, Place, read_journal
from reports.record.evidence import Step, StepStatus

STOP = Step("stop", "stop it", ("true",), 5.0, True, "up")
START = Step("start", "start it", ("true",), 5.0, True, "up")


class Held:
    """A lock that nobody takes away."""

    is_ours = True


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(Place(tmp_path), "1a2b")
    made.open("1a2b", {})
    return made


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk take only half of what is written."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda where, raw: write(where, raw[: len(raw) // 2]))


def acting(journal: Journal, told: list[str]) -> Acting:
    return Acting(journal, cast("Any", Held()), Interruption(), told.append)


def test_half_a_line_is_taken_back(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that did not fit leaves nothing behind, so that what comes later can be read."""
    with monkeypatch.context() as full:
        fill(full)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            journal.begin(STOP)
    assert not journal.changed

    journal.note("there is room again")
    journal.seal("ACCEPTED")

    assert (read_journal(journal.file).begun, read_journal(journal.file).sealed) == ((), "ACCEPTED")


def test_no_step_is_taken_that_the_journal_does_not_hold(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first changing step cannot be noted, it is not taken."""
    fill(monkeypatch)

    with pytest.raises(StepFailed, match="cannot be written"):
        acting(journal, []).command(STOP, Command(("touch", "taken"), tmp_path, 5))

    assert not (tmp_path / "taken").exists()


def test_in_the_outage_a_full_disk_does_not_keep_the_service_down(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the service was touched, the start is commanded whether the journal takes it or not."""
    told: list[str] = []
    one = acting(journal, told)
    one.command(STOP, Command(("true",), tmp_path, 5))
    fill(monkeypatch)

    result = one.command(START, Command(("touch", "started"), tmp_path, 5))

    assert (tmp_path / "started").exists()
    assert result.status is StepStatus.DONE
    assert any("cannot be written" in line for line in told)
