"""Closing: from what happened to the evidence, and from the evidence to the archive."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from procedures.decide import verdict
from procedures.diagnosis import failed_boot
from procedures.observe import logbook
from procedures.run import back, boots
from procedures.run.run import Run
from procedures.steps.journal import Story
from procedures.steps.process import Process
from reports import archive, junit
from reports.printable import encodable
from reports.record.evidence import (
    EngineEvent,
    Evidence,
    Finding,
    Outcome,
    SavedFile,
    Step,
    StepResult,
    StepStatus,
    TargetRecord,
    Verdict,
    Way,
)
from reports.record.observed import Container, Database, Snapshot, Unseen
from reports.record.record import RecordUnreadable, fingerprint, from_plain, to_plain

_KEY = secrets.token_bytes(32)
"""Secrets are fingerprinted under this key; it ends with the process."""
_BY_HAND = {Verdict.SERVICE_DOWN, Verdict.INTERRUPTED, Verdict.LOCKED}
_NOT_RECOVERED = {Verdict.REFUSED, Verdict.NOT_ACCEPTED, Verdict.SERVICE_DOWN}
_RECOVER = "pytest -m recover --target={}"
_OPENS_KEPT = {
    f"pre/test_kept.py::test_{one}"
    for one in ("the_image_that_was_kept_is_here", "the_schema_is_the_one_that_it_ran_on")
}
"""The checks whether what a run had kept can be started again, by whomever."""


def evidence_of(run: Run, lost: str = "", *, running: bool = False) -> Evidence:
    """Assemble the record, clean of every known secret; `running` is for the record that a killed run leaves."""
    course = run.course
    judged, reasons = verdict.judge(
        verdict.Course(
            held=course.held,
            unobservable=course.unobservable,
            unfit=course.unfit,
            interrupted=course.interrupted or ("the run was cut off" if running else ""),
            changed=run.changed,
            acts=run.acts,
            held_back=course.held_back,
            left_out=run.left_out,
            back=back.told(run),
            went_back=course.went_back,
            answers=course.answers,
            closing=run.ledger.closing(),
            evidence_lost=lost,
        )
    )
    record = Evidence(
        run=run.id,
        began_at=run.began_at,
        ended_at="" if running else _now(),
        took=round(time.monotonic() - run.began, 3),
        verdict=judged,
        verdict_reasons=reasons,
        executed=run.changed,
        procedure=run.asked.procedure,
        who=run.who,
        target=_target(run),
        plan=run.plan,
        waivers=run.asked.waivers,
        results=failed_boot.pointed(run.ledger.results, course.gone) if course.gone else run.ledger.results,
        steps=_steps(run),
        snapshots=tuple(course.snapshots.values()),
        outage=run.outage,
        events=() if running else _events(run),
        moments=tuple(course.moments),
        exists_now=() if running else _exists_now(run),
        by_hand=_by_hand(run, judged),
        judge_by=back.judged_by(run) if judged is Verdict.INTERRUPTED and back.told(run) else "",
        findings=tuple(course.findings),
        anomalies=course.anomalies,
        recovered_from=course.recovered_from,
        boot=course.boot,
        boot_back=course.boot_back,
        redactions=run.redaction.count,
        files=_files(run.folder),
    )
    return clean(run, record)


def clean(run: Run, record: Evidence) -> Evidence:
    """Return the record as it is stored: text redacted, secrets as fingerprints."""

    def stored(text: str) -> str:
        return encodable(run.redaction.clean(text))

    return from_plain(Evidence, to_plain(record, fingerprint(_KEY), stored))


def open_folder(run: Run) -> str:
    """Create the run's folder; return why that could not be done."""
    try:
        run.folder = archive.begin(run.asked.target.archive, stem_of(run))
        run.folder_key = archive.key_of(run.folder)
        archive.note_maker(run.folder, dataclasses.asdict(Process.me()))
    except archive.ArchiveUnwritable as error:
        return str(error)
    return ""


def stem_of(run: Run) -> str:
    """Return what a run's folder is called, but for its verdict."""
    return archive.stem(run.began_at, run.asked.target.name, run.asked.procedure, run.id)


def keep(run: Run, record: Evidence) -> str:
    """Write the record as far as it is known; return why that could not be done."""
    if run.folder is None:
        return "the run has no folder"
    try:
        archive.write_record(run.folder, record, lambda secret: secret.value)
    except archive.ArchiveUnwritable as error:
        return str(error)
    return ""


def save_last_logs(run: Run) -> None:
    """Save the log of the container that runs now, and the journal."""
    if run.folder is None:
        return
    if run.changed:
        try:
            for one in run.observers.containers():
                logbook.save(run.observers, one, run.folder, run.redaction.clean, "after")
        except Exception as error:  # noqa: BLE001 - a log that cannot be had takes no record with it
            run.finding(f"the new container's log could not be saved: {error}")
        _save_last_words(run, run.folder)
        _note_failed_boot(run)
    if run.journal is not None:
        with contextlib.suppress(OSError):
            text = run.journal.file.read_text(encoding="utf-8")
            archive.write_private(run.folder / "journal.jsonl", run.redaction.clean(text))


def _note_failed_boot(run: Run) -> None:
    try:
        boots.note(run, failed_boot.AFTER)
    except Exception as error:  # noqa: BLE001 - as above
        run.finding(f"why the server does not boot could not be looked into: {error}")


def _save_last_words(run: Run, folder: Path) -> None:
    """Save what the container that was stopped said until its end: how it drained, or that it was forced."""
    words = run.restarting.last_words if run.restarting else None
    if words is None:
        return
    try:
        logbook.save_last_words(words, run.observers, folder, run.redaction.clean)
    except Exception as error:  # noqa: BLE001 - as above
        run.finding(f"what the old container said at its end could not be saved: {error}")


def seal(run: Run, record: Evidence) -> tuple[Path | None, Evidence]:
    """Sweep the finished folder for secrets, hash it, give it its name, list it; return where it lies."""
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
    """List the run, point to it and remove old ones; where that fails (somebody else's run), no evidence is lost."""
    list_runs(run, sealed.parent)
    try:
        archive.point_latest(sealed.parent, sealed)
        archive.prune(sealed.parent, run.asked.target.archive_keep)
    except archive.ArchiveUnwritable as error:
        run.finding(f"the archive could not be kept in order: {error}")


def list_runs(run: Run, folder: Path) -> None:
    """Write the page that lists the archive's runs."""
    try:
        archive.write_index(folder)
    except archive.ArchiveUnwritable as error:
        run.finding(f"the archive's list of runs could not be written: {error}")


def seal_killed(run: Run, story: Story) -> Path | None:
    """Render and seal the evidence of a run that was killed, from the record that it left."""
    folder = archive.folder_of(Path(str(story.about.get("archive", ""))), story.run)
    if folder is not None and not archive.is_open(folder):
        return folder  # it ended by itself, with a verdict that left the journal open
    if folder is None:
        run.finding(f"run {story.run} left no folder in the archive; its journal is {story.file}")
        return None
    try:
        told = _as_killed(archive.read_record(folder), story)
    except RecordUnreadable as error:
        run.finding(f"the record of run {story.run} cannot be read: {error}")
        return None
    try:
        text = run.redaction.clean(story.file.read_text(encoding="utf-8"))
        archive.write_private(folder / "journal.jsonl", text)
        archive.write_record(folder, told, lambda secret: secret.value)
        archive.write_report(folder, told, run.redaction.clean)
        return archive.seal(folder, told)
    except (archive.ArchiveUnwritable, OSError) as error:
        run.finding(f"the evidence of run {story.run} cannot be sealed: {error}")
        return None


def _as_killed(record: Evidence, story: Story) -> Evidence:
    """Complete the record of a killed run from its journal: which steps it had begun, and how they ended."""
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


def completed(record: Evidence) -> Evidence:
    """Say of a record that its run did not write all of it."""
    told = Finding("this record was completed and rendered by a later run")
    return dataclasses.replace(record, findings=(*record.findings, told))


def cut_off(record: Evidence) -> Evidence:
    """Return the record of a run of which no journal tells more."""
    reasons = ("it was left here without a verdict: the run was killed, or the archive took no more of it",)
    return dataclasses.replace(record, verdict=Verdict.INTERRUPTED, verdict_reasons=reasons)


def _swept(run: Run, record: Evidence) -> Evidence:
    leaks = archive.withhold(run.folder, run.redaction) if run.folder else ()
    if not leaks or run.folder is None:
        return record
    told = ", ".join(f"{one.file} ({'; '.join(one.found)})" for one in leaks)
    record = evidence_of(run, lost=f"a secret was found in the finished evidence, which was withheld: {told}")
    archive.write_record(run.folder, record, lambda secret: secret.value)
    archive.write_report(run.folder, record, run.redaction.clean)
    junit.amend(run.folder / "junit.xml", record)
    return record


def _target(run: Run) -> TargetRecord:
    target, known = run.asked.target, not run.course.unobservable
    return TargetRecord(
        name=target.name,
        file=str(target.file),
        root=str(target.root),
        project=run.observers.project if known else "",
        service=target.service,
        database_service=target.database_service,
        container=run.observers.operator_rendering.container_name if known else "",
        endpoint=run.endpoint,
        http_url=run.observers.url(target.http_url) if known else target.http_url,
        management_url=run.observers.url(target.management_url) if known else target.management_url,
        understudy=any(_is_understudy(one) for one in run.course.snapshots.values()),
        engine=run.engine_id,
    )


def _is_understudy(snapshot: Snapshot) -> bool:
    server = snapshot.server
    named = server is not None and not isinstance(server, Unseen) and server.understudy
    images = (snapshot.image, snapshot.running_image)
    return named or any(
        one is not None and not isinstance(one, Unseen) and "understudy" in one.version for one in images
    )


def _steps(run: Run) -> tuple[StepResult, ...]:
    """Return every planned step, carried out or not."""
    carried = {one.step.name: one for one in (run.acting.results if run.acting else ())}
    planned: tuple[Step, ...] = run.plan.steps if run.plan else ()
    return tuple(carried.get(one.name) or _not_taken(run, one) for one in planned)


def _not_taken(run: Run, step: Step) -> StepResult:
    """Tell a step that was not reached from a way back that was not needed."""
    if step.way is Way.BACK and not run.course.went_back and not run.ledger.failed_forward():
        return StepResult(step, StepStatus.NOT_APPLICABLE, reason="the way back was not needed")
    return StepResult(step, StepStatus.PLANNED)


def _events(run: Run) -> tuple[EngineEvent, ...]:
    heard = run.events
    if isinstance(heard, Unseen):
        run.finding(heard.unseen)
        return ()
    return heard


def _exists_now(run: Run) -> tuple[str, ...] | Unseen:
    try:
        observers = run.observers
        found = (*observers.containers(), *observers.databases())
    except Exception as error:  # noqa: BLE001 - the record of a failed look, whatever failed
        return Unseen(str(error))
    return tuple(_told(one) for one in found) or ("no container of the service or its database",)


def _told(one: Container) -> str:
    health = f", {one.health}" if one.health else ""
    return f"{one.name} ({one.id[:12]}): {one.stands}{health}, image {one.image}"


def _by_hand(run: Run, judged: Verdict) -> tuple[str, ...]:
    if run.recovery.kept is not None and not run.changed and judged in _NOT_RECOVERED:
        return (*_as_before(run), *_by_files(run), _RECOVER.format(run.asked.target.file))
    if judged not in _BY_HAND or (judged is Verdict.INTERRUPTED and back.told(run)):
        return ()
    if run.course.by_hand:
        return tuple(one for one in run.course.by_hand if one)
    if run.course.held_back:
        first, *others = _as_before(run) or run.start_commands
        return (
            f"first clear what stands above, then: {first}",
            *others,
            _RECOVER.format(run.asked.target.file),
        )
    if not run.changed:
        return ()
    start = _by_files(run) if run.recovery.kept is not None else run.start_commands
    return (*start, *_as_before(run), _RECOVER.format(run.asked.target.file))


def _as_before(run: Run) -> tuple[str, ...]:
    """Return the commands that start what ran before a change, this run's own or that of a run that was cut off.

    None where that was seen to be closed: whoever types the first line at night must not meet a migrated database.
    """
    asked = [one.outcome for one in run.ledger.results if one.check.name in _OPENS_KEPT]
    if run.course.way_back_closed or any(one is not Outcome.PASSED for one in asked):
        return ()
    files = [run.returning.file] if run.returning is not None and run.returning.leads_back else []
    if run.recovery.kept is not None and run.recovery.kept.file.exists():
        files.append(run.recovery.kept.file)
    return tuple(run.as_before(one) for one in files)


def _by_files(run: Run) -> tuple[str, ...]:
    """Return the commands that start what the target's files name; none where that is not seen to fit the database."""
    before, cut = run.course.snapshots.get("before"), run.recovery.kept
    database = before.database if before is not None else None
    if cut is None or not isinstance(database, Database) or cut.files_closed(database):
        return ()
    return tuple(f"as the target's files say: {one}" for one in run.observers.typed_by_files)


def _files(folder: Path | None) -> tuple[SavedFile, ...]:
    if folder is None:
        return ()
    notes = {"journal.jsonl": "the run's journal", "log-": "a container's log, secrets taken out"}
    notes["script-"] = "what an operator's own script printed, secrets taken out"
    try:
        found = sorted(folder.iterdir())
    except OSError:  # it has gone; whoever seals it says so
        return ()
    return tuple(
        SavedFile(one.name, next((note for head, note in notes.items() if one.name.startswith(head)), ""))
        for one in found
        if one.is_file()
        and one.name not in {archive.RECORD, archive.REPORT, archive.SUMS, archive.MADE_BY, "junit.xml"}
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
