"""The rows that a run proposes for the operator's list of anomalies, and what became of them."""

from __future__ import annotations

import dataclasses

from procedures.diagnosis import anomalies
from procedures.problems import TypedWrong
from procedures.run.procedure import Asked
from procedures.run.run import Run
from reports.record.evidence import Anomalies
from reports.record.record import Record


def refuse_idle(asked: Asked) -> None:
    """Refuse the option if it could do nothing."""
    if not asked.record_anomalies:
        return
    if asked.target.anomalies is None:
        raise TypedWrong(
            f"--record-anomalies: {asked.target.file} names no list of anomalies",
            'add anomalies = "FILE.md" to it, or leave the option out',
        )
    if not asked.procedure.archived:
        raise TypedWrong(
            f"--record-anomalies: {asked.procedure.name} leaves nothing behind",
            "leave it out, or take another procedure",
        )


def noted(run: Run, record: Record) -> Record:
    """Propose rows for what a judged run found; append them if the operator asked for that."""
    named = run.asked.target.anomalies
    found = anomalies.proposed(record)
    if named is None or run.asked.leaves_nothing or not found:
        return record
    known = len(run.course.findings)
    try:
        outcome = anomalies.propose(named, found, append=run.asked.record_anomalies)
    except anomalies.Unfit as error:
        outcome = f"nothing was written: {error.what}"
        if run.asked.record_anomalies:
            run.finding(f"the anomalies could not be recorded: {error.what}", error.next_move)
    run.course.anomalies = Anomalies(str(named), found, outcome)
    # The record is clean already; only the rows made from it, a path and words of the system are added here.
    return dataclasses.replace(
        record, anomalies=run.course.anomalies, findings=(*record.findings, *run.course.findings[known:])
    )
