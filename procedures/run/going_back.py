"""Going back: whether a failed claim leads back, whether the database permits it, and the way back itself, once."""

from __future__ import annotations

import time

from procedures.diagnosis import failed_boot
from procedures.kestra import heartbeats
from procedures.observe import logbook
from procedures.observe.moments.snapshot import look_after
from procedures.observe.waiting import Look
from procedures.problems import Blocked
from procedures.run import explaining
from procedures.run.run import Run
from procedures.steps import reach, ready
from procedures.way_back import way_back
from reports.record.observed import Snapshot

PROBE_SPARE = 5.0
"""Seconds in which the probe must have seen the server that answers us."""


def not_needed(run: Run) -> str:
    """Return why the way back is not needed, before anybody asks whether it is possible; empty if it is needed."""
    if not run.changed:
        return "nothing was changed, so there is nothing to go back from"
    if not run.ledger.failed_forward():
        return "no claim has failed, so the way back was not needed"
    return ""


def go(run: Run, before: Snapshot, soak: float) -> Snapshot:
    """Start what ran before, let it soak, and look at it; `soak` is in seconds."""
    if run.way_back is None or not run.way_back.leads_back or run.restarting is None:
        raise Blocked("there is no way back: nothing ran before that could be brought back")
    run.observers.viewpoint.look_at_kept(before)
    _allowed(run, before)
    _save_failed_logs(run)
    explaining.before_going_back(run)
    if run.course.gone:
        run.course.findings[:] = failed_boot.pointed_findings(run.course.findings, run.course.gone)
    run.say("a claim has failed: going back to what ran before")
    run.course.went_back = True
    run.course.answers = None
    run.way_back.stop_new()
    try:
        _allowed(run, before)  # it may have gone on migrating until it was stopped
    except Blocked:
        run.course.went_back = False
        run.restarting.land()
        raise
    give_names_back(run)
    run.our_return = run.way_back.start_kept(_look(run), run.restarting.waits.hopeless)
    run.moment("back again")
    run.course.answers = bool(run.our_return.ready and run.our_return.ready.ended)
    note_return(run)  # from here on, what runs is what ran before, however the run ends
    if run.course.answers:
        run.our_return = run.way_back.note_soak(run.our_return, run.restarting.waits.soak(soak))
        run.restarting.wait_for_parts(heartbeats.parts_of(before))
    if run.watch is not None:
        if run.course.answers:
            run.watch.outlast_silence()
        run.watch.end_probe()
    snapshot = look_after(run.observers, "returned")
    run.course.answers = reach.answers(snapshot, run.asked.target)
    return snapshot


def give_names_back(run: Run) -> None:
    """Give the image that ran before its name back, if a pull moved it: the container is made again by that name."""
    if given_back := run.intent.names_back():
        run.finding(given_back)


def _look(run: Run) -> Look:
    """Look whether what was started is ready, here and for the probe: the measured outage needs its end.

    A probe that has not seen it for a while is not waited for.
    """
    heard = run.watch.look_for_ready() if run.watch is not None else None
    first: list[float] = []

    def look() -> tuple[bool, str]:
        answers, saw = ready.look_at_service(run.observers)
        if not answers or heard is None or run.watch is None or not run.watch.looks:
            return answers, saw
        first.append(time.monotonic())
        return heard()[0] or first[-1] - first[0] > PROBE_SPARE, saw

    return reach.by_the_service(run.observers, look)


def _allowed(run: Run, before: Snapshot) -> None:
    """Check that the database permits the way back; otherwise leave the service to what was started."""
    if closed := way_back.closed_because(before, run.observers.database()):
        run.observers.viewpoint.look_at_configured()
        run.course.way_back_closed = closed
        run.finding(f"the way back is closed: {closed}", "see the new container's log, or restore a copy")
        raise Blocked(f"the way back is closed: {closed}")


def note_return(run: Run) -> None:
    """Report what is as it was, and what is not: the target's files belong to their owner."""
    file = run.way_back.file if run.way_back else ""
    run.finding(
        f"the service runs what it ran before, by {file}; the target's own files still say what failed",
        "correct them before anybody starts the service from them",
    )


def _save_failed_logs(run: Run) -> None:
    """Save the log of the failed container: the way back makes the container anew, and its log would be lost."""
    if run.folder is None:
        return
    try:
        for container in run.observers.containers():
            logbook.save(run.observers, container, run.folder, run.redaction.clean, failed_boot.FAILED)
            run.course.gone = container.name
        explaining.note_boot(run, failed_boot.FAILED)
    except Exception as error:  # noqa: BLE001 - a missing log closes no way back
        run.finding(f"the log of what failed could not be saved: {error}")
