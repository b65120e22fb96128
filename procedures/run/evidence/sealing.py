"""Sealing: from the evidence to the archive, for this run and for a killed one."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from procedures.diagnosis import failed_boot
from procedures.observe import logbook
from procedures.run import explaining
from procedures.run.evidence.record import record_of
from procedures.run.run import Run
from procedures.steps.journal import Story
from procedures.steps.process import Process
from reports import archive, junit, pruning
from reports.record.evidence import (
    Finding,
    SavedFile,
    StepResult,
    StepStatus,
    Verdict,
)
from reports.record.record import Record, RecordUnreadable


def open_folder(run: Run) -> str:
    """Create the run's folder; return why it cannot be created."""
    try:
        run.folder = archive.begin(run.asked.target.archive, stem_of(run))
        run.folder_key = archive.key_of(run.folder)
        archive.note_maker(run.folder, dataclasses.asdict(Process.me()))
    except archive.ArchiveUnwritable as error:
        return str(error)
    return ""


def stem_of(run: Run) -> str:
    """Return the name of a run's folder, without its verdict."""
    return archive.stem(run.began_at, run.asked.target.name, run.asked.procedure.name, run.id)


def keep(run: Run, record: Record) -> str:
    """Write the record as far as it is known; return why it cannot be written."""
    if run.folder is None:
        return "the run has no folder"
    try:
        archive.write_record(run.folder, record)
    except archive.ArchiveUnwritable as error:
        return str(error)
    return ""


def save_last_logs(run: Run) -> None:
    """Save the log of the container that runs now, and the journal."""
    if run.folder is None:
        return
    if run.changed:
        try:
            for container in run.observers.containers():
                logbook.save(run.observers, container, run.folder, run.redaction.clean, "after")
        except Exception as error:  # noqa: BLE001 - a missing log must not take the record with it
            run.finding(f"the new container's log could not be saved: {error}")
        _save_last_words(run, run.folder)
        _note_failed_boot(run)
    if run.journal is not None:
        with contextlib.suppress(OSError):
            text = run.journal.file.read_text(encoding="utf-8")
            archive.write_private(run.folder / "journal.jsonl", run.redaction.clean(text))


def _note_failed_boot(run: Run) -> None:
    try:
        explaining.note_boot(run, failed_boot.AFTER)
    except Exception as error:  # noqa: BLE001 - as above
        run.finding(f"why the server does not boot could not be diagnosed: {error}")


def _save_last_words(run: Run, folder: Path) -> None:
    """Save what the stopped container logged until its end: how it drained, or that it was forced."""
    words = run.restarting.last_words if run.restarting else None
    if words is None:
        return
    try:
        logbook.save_last_words(words, run.observers, folder, run.redaction.clean)
    except Exception as error:  # noqa: BLE001 - as above
        run.finding(f"what the old container said at its end could not be saved: {error}")


def seal(run: Run, record: Record) -> tuple[Path | None, Record]:
    """Sweep the finished folder for secrets, hash it, name it, list it; return where it is."""
    if run.folder is None:
        return None, record
    if archive.key_of(run.folder) != run.folder_key:
        raise archive.ArchiveUnwritable(
            run.folder, "it was removed meanwhile, with what had been saved there"
        )
    if not (run.folder / archive.REPORT).is_file():
        archive.write_report(run.folder, record, run.redaction.clean)
    record = _swept(run, record)
    sealed = archive.seal(run.folder, record)
    _keep_house(run, sealed)
    return sealed, record


def _keep_house(run: Run, sealed: Path) -> None:
    """List the run, point to it and remove old ones; if that fails (another run at work), no evidence is lost."""
    list_runs(run, sealed.parent)
    try:
        archive.point_latest(sealed.parent, sealed)
        pruning.prune(sealed.parent, run.asked.target.archive_keep)
    except archive.ArchiveUnwritable as error:
        run.finding(f"the archive could not be kept in order: {error}")


def list_runs(run: Run, folder: Path) -> None:
    """Write the page that lists the archive's runs."""
    try:
        archive.write_index(folder)
    except archive.ArchiveUnwritable as error:
        run.finding(f"the archive's list of runs could not be written: {error}")


def seal_killed(run: Run, story: Story) -> Path | None:
    """Render and seal the evidence of a killed run, from the record that it left."""
    folder = archive.folder_of(Path(str(story.about.get("archive", ""))), story.run)
    if folder is not None and not archive.is_open(folder):
        return folder  # it ended by itself, with a verdict that left the journal open
    if folder is None:
        run.finding(f"run {story.run} left no folder in the archive; its journal is {story.file}")
        return None
    try:
        killed = _as_killed(archive.read_record(folder), story)
    except RecordUnreadable as error:
        run.finding(f"the record of run {story.run} cannot be read: {error}")
        return None
    try:
        text = run.redaction.clean(story.file.read_text(encoding="utf-8"))
        archive.write_private(folder / "journal.jsonl", text)
        archive.write_record(folder, killed)
        archive.write_report(folder, killed, run.redaction.clean)
        return archive.seal(folder, killed)
    except (archive.ArchiveUnwritable, OSError) as error:
        run.finding(f"the evidence of run {story.run} cannot be sealed: {error}")
        return None


def _as_killed(record: Record, story: Story) -> Record:
    """Complete the record of a killed run from its journal: the steps it began, and how they ended."""
    planned = {one.name: one for one in record.plan.steps} if record.plan else {}
    steps = tuple(
        StepResult(planned[name], StepStatus(story.ended.get(name, StepStatus.BEGUN)))
        for name in story.begun
        if name in planned
    )
    known = {
        one.step.name: one for one in record.steps if one.status not in {StepStatus.PLANNED, StepStatus.BEGUN}
    }
    return completed(
        dataclasses.replace(
            record,
            verdict=Verdict.INTERRUPTED,
            verdict_reasons=(f"the run was killed; it had begun {', '.join(story.begun) or 'no step'}",),
            executed=story.changed,
            steps=tuple(known.get(one.step.name, one) for one in steps),
            files=(*record.files, SavedFile("journal.jsonl", "the run's journal")),
        )
    )


def completed(record: Record) -> Record:
    """Note in a record that its run did not write all of it."""
    note = Finding("this record was completed and rendered by a later run")
    return dataclasses.replace(record, findings=(*record.findings, note))


def cut_off(record: Record) -> Record:
    """Return the record of a run without a journal that says more."""
    reasons = ("it was left here without a verdict: the run was killed, or the archive took no more of it",)
    return dataclasses.replace(record, verdict=Verdict.INTERRUPTED, verdict_reasons=reasons)


def _swept(run: Run, record: Record) -> Record:
    leaks = archive.withhold(run.folder, run.redaction) if run.folder else ()
    if not leaks or run.folder is None:
        return record
    secrets = ", ".join(f"{one.file} ({'; '.join(one.found)})" for one in leaks)
    record = record_of(
        run, lost=f"a secret was found in the finished evidence, which was withheld: {secrets}"
    )
    archive.write_record(run.folder, record)
    archive.write_report(run.folder, record, run.redaction.clean)
    junit.amend(run.folder / "junit.xml", record)
    return record
