"""The target, held by one run: the lock and the journal, taken before the first check and given back at the end."""

from __future__ import annotations

import dataclasses

from procedures.observe.waiting import Waiting
from procedures.problems import CannotObserve, Held
from procedures.run.holding import Holding
from procedures.run.run import Run
from procedures.steps import stop_and_start
from procedures.steps.carry_out import Acting
from procedures.way_back import cut_off
from procedures.way_back import kept as kept_file
from reports.record.evidence import Step, Verdict


def take(run: Run) -> None:
    """Take the lock and open the journal; an earlier holder in the way ends this run as locked."""
    if run.course.unobservable or run.asked.leaves_nothing or run.plan is None:
        return
    try:
        # What was typed may contain a secret, and labels on the engine are public too.
        given = {name: run.redaction.clean(text) for name, text in run.asked.given.items()}
        asked = dataclasses.replace(run.asked, given=given)
        holding = Holding(run.observers, asked, run.id, run.who, run.environment)
    except CannotObserve as error:
        run.course.unobservable = error.what
        return
    run.holding = holding
    try:
        holding.take()
    except Held as error:
        _note_holder(run, holding, error)
    except CannotObserve as error:
        run.course.unobservable = error.what
    except OSError as error:
        run.unprepared = f"the journal cannot be written: {error}"
        run.finding(run.unprepared, "make room there, or set XDG_STATE_HOME to another folder")
    else:
        run.course.recovered_from = holding.recovered_from
        run.course.findings += holding.findings
        _be_ready_to_act(run, holding)
        run.moment("locked")


def _note_holder(run: Run, holding: Holding, error: Held) -> None:
    run.course.held = run.typed(error.sentence)
    # While another run is alive, nobody may start anything by hand.
    start = (run.as_before(holding.kept),) if holding.kept else run.start_commands
    run.course.by_hand = [*holding.by_hand, *start] if holding.by_hand else []


def _be_ready_to_act(run: Run, holding: Holding) -> None:
    steps = _frozen_steps(run)
    run.acting = acting = Acting(holding.journal, holding.lock, run.interruption, run.say)
    waiting = Waiting(run.interruption.raise_if_asked, run.say)
    run.restarting = stop_and_start.Restart(steps, run.observers.driver, acting, run.observers, waiting)
    if run.intent.way_back is not None:
        run.intent.way_back.hold(steps, acting, waiting)


def _frozen_steps(run: Run) -> tuple[Step, ...]:
    """Let the start use what was checked. The plan names the files, which others can type; the step names what it used."""
    planned = run.plan.steps if run.plan else ()
    if run.checked is None:
        return planned
    run.checked.use(starts_otherwise=run.intent.start is not None)
    return stop_and_start.started_by(planned, run.observers.driver)


def give_back(run: Run, verdict: str) -> None:
    """Seal the journal if nothing is owed, and give the lock back."""
    try:
        if verdict == Verdict.ACCEPTED:
            _forget(run)
        if run.checked is not None and run.acting is not None and run.course.answers:
            run.checked.forget()
        if run.holding:
            run.holding.let_go(verdict, owed=run.owes)
    except OSError as error:
        run.finding(
            f"the journal cannot be sealed: {error.strerror or error}",
            "make room there; the next run will ask for `pytest -m recover`",
        )
    finally:
        run.close()


def _forget(run: Run) -> None:
    """Remove what was kept for a way back, if this run held the target and judged what runs now."""
    if run.checked is None or run.acting is None or run.intent.nothing_new:
        return
    if run.recovery.stands and not run.recovery.as_kept:
        return  # it was just named as what leads back
    try:
        kept_file.forget_all(run.earlier.place.folder)
        run.checked.forget_all()
        for story in run.taken_over:
            cut_off.forget(story)  # it may be in another user's folder
    except OSError as error:
        run.finding(f"what was kept for a way back cannot be removed: {error}", "remove it by hand")
