"""Landing: whatever ends a run, the service is not left down silently."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from procedures.problems import Problem
from procedures.restart import START
from procedures.run import Run
from procedures.states import States
from reports.evidence import StepStatus

HURRIED = {"SIGINT", "SIGTERM"}
"""Whoever sends these waits for us; a lost terminal does not."""
ANSWER_IN_A_HURRY = 5.0
"""Seconds for a look whether the start was heard: CI runners kill after about seven."""


def land(states: States, ask_data: Callable[[], None]) -> None:
    """Bring the service back where this run took it away, and look whether it answers.

    `ask_data` asks the data checks of the middle that were not asked yet: only a failed one holds the start back.
    """
    run = states.run
    run.interruption.hold()
    if not run.course.interrupted and run.interruption.by:
        run.course.interrupted = f"interrupted by {run.interruption.by}"
    try:
        if run.changed and not _started(run):
            _start(states, ask_data)
        if run.owes and _started(run):
            _look(run)
    except (Problem, OSError) as error:
        run.finding(f"landing failed: {error}", "start the service by hand")
    finally:
        if run.watch is not None:
            run.watch.close()


def _start(states: States, ask_data: Callable[[], None]) -> None:
    run = states.run
    run.course.interrupted = run.course.interrupted or "the run ended before its end"
    with contextlib.suppress(Problem):  # what cannot be seen now does not keep the service down
        states.look_while_landing()
        ask_data()
    if run.restarting is not None and states.may_start():
        run.tell("the run ends while the service is down: starting it")
        run.restarting.land()
        run.moment("start commanded while landing")


def _look(run: Run) -> None:
    """Look whether the service answers; in a hurry an open question stays open, and the journal with it."""
    hurried = run.interruption.by in HURRIED
    if run.restarting is None or (run.course.answers is False and not hurried):
        return
    wait = run.restarting.wait_for_answer(ANSWER_IN_A_HURRY if hurried else run.asked.target.budgets.boot)
    run.course.answers = True if wait.ended else (None if hurried else False)


def _started(run: Run) -> bool:
    """Whether the start was carried out."""
    results = run.acting.results if run.acting else []
    return any(one.step.name == START and one.status is StepStatus.DONE for one in results)
