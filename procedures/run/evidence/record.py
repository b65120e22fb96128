"""The record: from what happened in a run to its evidence, and from there to what is kept."""

from __future__ import annotations

import dataclasses
import secrets
import time
from pathlib import Path

from procedures.decide import verdict
from procedures.diagnosis import failed_boot
from procedures.kestra.api import is_understudy
from procedures.run import back
from procedures.run.run import Run
from reports import archive
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
from reports.record.record import Record, fingerprint, recorded
from reports.record.values import now

_KEY = secrets.token_bytes(32)
"""The key under which secrets are fingerprinted; it ends with the process."""
_BY_HAND = {Verdict.SERVICE_DOWN, Verdict.INTERRUPTED, Verdict.LOCKED}
_NOT_RECOVERED = {Verdict.REFUSED, Verdict.NOT_ACCEPTED, Verdict.SERVICE_DOWN}
_RECOVER = "pytest -m recover --target={}"
_OPENS_KEPT = {
    f"pre/test_kept.py::test_{one}"
    for one in ("the_image_that_was_kept_is_here", "the_schema_is_the_one_that_it_ran_on")
}
"""The checks that say whether what a run kept can be started again, by hand too."""


def record_of(run: Run, lost: str = "", *, running: bool = False) -> Record:
    """Return the record of a run as far as it has come; `running`: for the record that a killed run leaves."""
    return as_recorded(run, _evidence_of(run, lost, running=running))


def as_recorded(run: Run, evidence: Evidence) -> Record:
    """Remove every secret that a run knows from its evidence: only here does evidence become a record."""
    return recorded(evidence, fingerprint(_KEY), lambda text: encodable(run.redaction.clean(text)))


def findings_of(run: Run) -> tuple[Finding, ...]:
    """Return what a run has noted so far, as its record shows it."""
    clean = run.redaction.clean
    return tuple(Finding(clean(one.text), clean(one.next_move)) for one in run.course.findings)


def _evidence_of(run: Run, lost: str, *, running: bool) -> Evidence:
    """Assemble everything that is known of a run, secrets included; `running`: for what a killed run leaves."""
    course = run.course
    cut_off = course.interrupted or ("the run was cut off" if running else "")
    judged, reasons = verdict.judge(
        dataclasses.replace(course, interrupted=cut_off),
        changed=run.changed,
        acts=run.acts,
        closing=run.ledger.closing(),
        left_out=run.left_out,
        back=back.sentence(run),
        lost=lost,
    )
    return Evidence(
        run=run.id,
        began_at=run.began_at,
        ended_at="" if running else now(),
        took=round(time.monotonic() - run.began, 3),
        verdict=judged,
        verdict_reasons=reasons,
        executed=run.changed,
        procedure=run.asked.procedure.name,
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
        judge_by=back.judged_by(run) if judged is Verdict.INTERRUPTED and back.sentence(run) else "",
        findings=tuple(course.findings),
        anomalies=course.anomalies,
        recovered_from=course.recovered_from,
        boot=course.boot,
        boot_back=course.boot_back,
        redactions=run.redaction.count,
        files=_files(run.folder),
    )


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
        http_url=run.observers.viewpoint.url(target.http_url) if known else target.http_url,
        management_url=run.observers.viewpoint.url(target.management_url) if known else target.management_url,
        understudy=any(_is_understudy(one) for one in run.course.snapshots.values()),
        engine=run.engine_id,
    )


def _is_understudy(snapshot: Snapshot) -> bool:
    server = snapshot.server
    named = server is not None and not isinstance(server, Unseen) and server.understudy
    images = (snapshot.image, snapshot.running_image)
    return named or any(
        one is not None and not isinstance(one, Unseen) and is_understudy(one.version) for one in images
    )


def _steps(run: Run) -> tuple[StepResult, ...]:
    """Return every planned step, carried out or not."""
    carried = {one.step.name: one for one in (run.acting.results if run.acting else ())}
    planned: tuple[Step, ...] = run.plan.steps if run.plan else ()
    return tuple(carried.get(one.name) or _not_taken(run, one) for one in planned)


def _not_taken(run: Run, step: Step) -> StepResult:
    """Distinguish a step that was not reached from a way back that was not needed."""
    if step.way is Way.BACK and not run.course.went_back and not run.ledger.failed_forward():
        return StepResult(step, StepStatus.NOT_APPLICABLE, reason="the way back was not needed")
    return StepResult(step, StepStatus.PLANNED)


def _events(run: Run) -> tuple[EngineEvent, ...]:
    heard = run.events
    if isinstance(heard, Unseen):
        run.finding(heard.unseen, heard.next_move)
        return ()
    return heard


def _exists_now(run: Run) -> tuple[str, ...] | Unseen:
    try:
        observers = run.observers
        containers = (*observers.containers(), *observers.databases())
    except Exception as error:  # noqa: BLE001 - the record of a failed look, whatever failed
        return Unseen(str(error))
    return tuple(_describe(one) for one in containers) or ("no container of the service or its database",)


def _describe(container: Container) -> str:
    health = f", {container.health}" if container.health else ""
    return f"{container.name} ({container.id[:12]}): {container.stands}{health}, image {container.image}"


def _by_hand(run: Run, judged: Verdict) -> tuple[str, ...]:
    if run.recovery.kept is not None and not run.changed and judged in _NOT_RECOVERED:
        return (*_as_before(run), *_by_files(run), _RECOVER.format(run.asked.target.file))
    if judged not in _BY_HAND or (judged is Verdict.INTERRUPTED and back.sentence(run)):
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
    """Return the commands that start what ran before a change, of this run or of an interrupted one.

    Return none if the database rules that out: nobody may type a line at night that meets a migrated database.
    """
    asked = [one.outcome for one in run.ledger.results if one.check.name in _OPENS_KEPT]
    if run.course.way_back_closed or any(one is not Outcome.PASSED for one in asked):
        return ()
    files = [run.way_back.file] if run.way_back is not None and run.way_back.leads_back else []
    if run.recovery.kept is not None and run.recovery.kept.file.exists():
        files.append(run.recovery.kept.file)
    return tuple(run.as_before(one) for one in files)


def _by_files(run: Run) -> tuple[str, ...]:
    """Return the commands that start what the target's files name; none unless that is known to fit the database."""
    before, cut = run.course.snapshots.get("before"), run.recovery.kept
    database = before.database if before is not None else None
    if cut is None or not isinstance(database, Database) or cut.files_closed(database):
        return ()
    return tuple(f"as the target's files say: {one}" for one in run.observers.start.typed_by_files)


def _files(folder: Path | None) -> tuple[SavedFile, ...]:
    if folder is None:
        return ()
    notes = {"journal.jsonl": "the run's journal", "log-": "a container's log, secrets taken out"}
    notes["script-"] = "what an operator's own script printed, secrets taken out"
    try:
        found = sorted(folder.iterdir())
    except OSError:  # the folder is gone; sealing reports that
        return ()
    return tuple(
        SavedFile(one.name, next((note for head, note in notes.items() if one.name.startswith(head)), ""))
        for one in found
        if one.is_file()
        and one.name not in {archive.RECORD, archive.REPORT, archive.SUMS, archive.MADE_BY, "junit.xml"}
    )
