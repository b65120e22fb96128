"""Folders that killed runs left in the archive without a verdict; the next run on the target completes them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from procedures.run.evidence import sealing
from procedures.run.evidence.record import as_recorded
from procedures.run.run import Run
from procedures.steps.journal import JournalUnreadable
from procedures.steps.process import Process
from reports import archive
from reports.record.evidence import Evidence, Verdict, Who
from reports.record.record import RecordUnreadable

OLD = 60.0
"""Seconds after which an empty folder cannot be one that a run has just made."""


def complete(run: Run) -> None:
    """Give a verdict to every folder of this target whose run is gone and left no open journal."""
    target = run.asked.target
    try:
        owed = {one.run for one in run.open_journals}
        folders = [one for one in archive.runs(target.archive) if archive.is_open(one)]
    except (OSError, JournalUnreadable):
        return
    left = {
        short: folder
        for folder in folders
        if (short := folder.name.rpartition("-")[2]) not in owed
        and _is_of(folder, target.name)
        and _is_left(folder)
    }
    for short, folder in left.items():
        _seal(run, folder, short)
    if left:
        sealing.list_runs(run, target.archive)


def _is_of(folder: Path, target: str) -> bool:
    form = rf"[0-9TZ]+-{archive.named(target)}-[a-z-]+-{archive.RUNNING}-[a-z0-9]+"
    return re.fullmatch(form, folder.name) is not None


def _is_left(folder: Path) -> bool:
    """Whether the run that made a folder is provably gone; without a note of it, whether the folder is empty and old."""
    try:
        process = Process(**json.loads((folder / archive.MADE_BY).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return not any(folder.iterdir()) and time.time() - folder.stat().st_mtime > OLD
    return process.is_gone


def _seal(run: Run, folder: Path, short: str) -> None:
    try:
        record = archive.read_record(folder)
    except RecordUnreadable:
        record = as_recorded(run, _of_nothing(folder, short))
    completed = sealing.completed(record if record.ended_at else sealing.cut_off(record))
    try:
        archive.write_record(folder, completed)
        archive.write_report(folder, completed, run.redaction.clean)
        sealed = archive.seal(folder, completed)
    except archive.ArchiveUnwritable as error:
        run.finding(f"the evidence of run {short} cannot be sealed: {error}")
        return
    run.finding(f"run {short} was cut off and left no verdict; it now has one: {sealed.name}")


def _of_nothing(folder: Path, short: str) -> Evidence:
    """Return the evidence of a run that was killed before it wrote any."""
    stamp, _, rest = folder.name.partition("-")
    began = re.sub(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", r"\1-\2-\3T\4:\5:\6+00:00", stamp)
    procedure = rest.partition(f"-{archive.RUNNING}-")[0].rpartition("-")[2]
    return Evidence(
        run=short, began_at=began, ended_at="", took=0.0, verdict=Verdict.INTERRUPTED, verdict_reasons=(),
        executed=False, procedure=procedure, who=Who("", "", ""), target=None, plan=None,
    )  # fmt: skip
