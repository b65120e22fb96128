"""Landing: however a run ends, the service is not left down silently."""

from __future__ import annotations

from collections.abc import Callable

from procedures.problems import Problem
from procedures.run import going_back
from procedures.run.run import Run
from procedures.run.states import States
from procedures.steps import reach
from procedures.steps.interruption import HURRIED
from procedures.steps.own_scripts import FALLBACK
from procedures.target.steps_by import START, STOP
from procedures.way_back import way_back
from reports.record.evidence import StepResult, StepStatus

STARTS = {START, FALLBACK, way_back.BACK_START}
STOPS = {STOP, way_back.BACK_STOP}
ANSWER_IN_A_HURRY = 5.0
"""Seconds for a look whether the start took effect: CI runners kill after about seven."""
SEEN_WITHIN = 1.0
"""Seconds in which the probe must have seen the answer that we received."""
_REPORT = "report it with this record"


def land(states: States, ask_data: Callable[[], None]) -> None:
    """Bring the service back if this run took it away, and look whether it answers.

    `ask_data` asks the data checks of the outage that were not asked yet: only a failed one holds the start back.
    """
    run = states.run
    run.interruption.hold()
    if not run.course.interrupted and run.interruption.by:
        run.course.interrupted = f"interrupted by {run.interruption.by}"
    try:
        if run.changed and not _started(run) and not (run.spared or run.left_out):
            _start(states, ask_data)
        if not run.changed:
            _undo(run)
        if run.owes and (_started(run) or run.spared):
            _look(run)
        elif run.owes and not reach.runs(run.observers):
            run.course.answers = False  # the commanded start brought nothing
    except BaseException as error:  # noqa: BLE001 - whatever it is, the record must still be written
        run.finding(f"landing failed: {type(error).__name__}: {error}", "start the service by hand")
    finally:
        _close_watch(run)


def _start(states: States, ask_data: Callable[[], None]) -> None:
    run = states.run
    if "after" not in run.course.snapshots:
        run.course.interrupted = run.course.interrupted or "the run ended before its end"
    try:
        states.look_while_landing()
        ask_data()
    except Problem:
        pass
    except BaseException as error:  # noqa: BLE001 - what cannot be seen now does not keep the service down
        run.finding(f"an error of this suite's own while landing: {type(error).__name__}: {error}", _REPORT)
    if run.restarting is not None and states.may_start():
        run.say("the run ends and the service was not started: starting it")
        if _bring_back(run).status is StepStatus.DONE:
            run.course.answers = None  # what was seen before this start says nothing of it
        run.moment("start commanded while landing")


def _bring_back(run: Run) -> StepResult:
    """Start what ran before, if it was kept and nothing new was started, or if a claim led back; otherwise what the files say."""
    assert run.restarting is not None
    taken = {one.step.name for one in run.acting.results} if run.acting else set()
    if run.way_back is not None and run.way_back.leads_back and (START not in taken or run.course.went_back):
        before = run.course.snapshots["before"]
        run.observers.viewpoint.look_at_kept(before)
        # What was never started has moved no schema.
        if START not in taken or not way_back.closed_because(before, run.observers.database()):
            going_back.give_names_back(run)
            result = run.way_back.land()
            if result.status is StepStatus.DONE:
                going_back.note_return(run)
            return result
    run.observers.viewpoint.look_at_configured()
    return run.restarting.land()


def _undo(run: Run) -> None:
    """Undo what was prepared, if the service was not touched."""
    for one in reversed(run.intent.prepare):
        if undone := one.undo():
            run.finding(undone)
    if run.checked is not None:
        run.checked.forget()


def _close_watch(run: Run) -> None:
    try:
        if run.watch is not None:
            run.watch.close()
    except BaseException as error:  # noqa: BLE001 - whatever it saw, the record must still be written
        run.finding(f"what was watched cannot be reported: {type(error).__name__}: {error}", _REPORT)


def _look(run: Run) -> None:
    """Look whether the service answers; in a hurry an open question stays open, and so does the journal."""
    hurried = run.interruption.by in HURRIED
    if run.restarting is None or (run.course.answers is False and not hurried):
        return
    wait = run.restarting.wait_for_answer(ANSWER_IN_A_HURRY if hurried else run.asked.target.budgets.boot)
    run.course.answers = True if wait.ended else (None if hurried else False)
    if wait.ended and run.watch is not None:
        run.watch.outlast_silence(SEEN_WITHIN)


def _started(run: Run) -> bool:
    """Whether a start was carried out, and nothing was stopped after it."""
    ways = {way_back.BACK_START, way_back.BACK_STOP} if run.course.went_back else STARTS | STOPS
    acts = [one for one in (run.acting.results if run.acting else []) if one.step.name in ways]
    return bool(acts) and acts[-1].step.name in STARTS and acts[-1].status is StepStatus.DONE
