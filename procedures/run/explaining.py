"""What was wrong, reported by a run: each cause once, without secrets, and without influence on the run; failed boots too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from procedures.decide.transitions import Start
from procedures.diagnosis import diagnosis, failed_boot
from procedures.diagnosis.diagnosis import Case, Cause
from procedures.observe.engine import logs
from procedures.observe.moments.observers import Observers
from procedures.problems import Blocked
from procedures.run.run import Run
from procedures.steps.interruption import HURRIED
from reports.record.evidence import FailedBoot
from reports.record.observed import Snapshot
from reports.redaction import excerpt

_BYTES, _LIMIT = 200_000, 3.0
_NEWEST_FIRST = ("returned", "after", "stopped", "ready", "before")


def before(run: Run, snapshot: Snapshot) -> None:
    """Report what was wrong, before anything is done about it."""
    _note(run, diagnosis.before, lambda: Case(run.asked.target, run.observers, snapshot))


def before_going_back(run: Run) -> None:
    """Report what the failed new server says: the way back removes its container together with the log."""
    _note(run, diagnosis.afterwards, lambda: _case(run))


def afterwards(run: Run) -> None:
    """For a run that did not end well: report what the service, its logs and the failed steps say."""
    # A sender of these signals kills soon afterwards: the record comes first.
    if run.interruption.by not in HURRIED:
        _note(run, diagnosis.afterwards, lambda: _case(run))


def _case(run: Run) -> Case:
    known = run.course.snapshots
    return Case(
        run.asked.target,
        _observers(run),
        next((known[name] for name in _NEWEST_FIRST if name in known), None),
        tuple(run.acting.results) if run.acting else (),
        run.course.unobservable,
        run.changed,
    )


def _observers(run: Run) -> Observers | None:
    try:
        return run.observers
    except Blocked:
        return None


def _note(
    run: Run, look: Callable[[Case, Collection[str]], Iterator[Cause]], case: Callable[[], Case]
) -> None:
    """Turn causes into findings; an error meanwhile must not change how a run goes or ends."""
    causes = run.course.causes
    try:
        for cause in look(case(), causes):
            if cause.name:
                causes.add(cause.name)
            run.finding(run.redaction.clean(cause.finding.text), cause.finding.next_move)
    except Exception as error:  # noqa: BLE001 - a missing explanation is a finding
        run.finding(f"what was wrong could not be diagnosed: {type(error).__name__}: {error}")


# Boots


def boot_is_known(run: Run) -> bool:
    """Whether what was started last, forward or on the way back, never became ready."""
    return _in_vain(run) is not None


def _in_vain(run: Run) -> Start | None:
    start = run.our_return if run.course.went_back else run.our_start
    return start if start is not None and not (start.ready and start.ready.ended) else None


def note_boot(run: Run, when: str) -> None:
    """Record why the container that runs now does not boot; its log has just been saved."""
    start = _in_vain(run)
    if start is None or run.course.answers:
        return
    containers = run.observers.containers()
    if len(containers) != 1:
        return
    container = containers[0]
    text = excerpt.cleaned(logs.text_of(run.observers.engine, container.id, _BYTES, _LIMIT))
    hopeless = run.restarting.waits.hopeless() if run.restarting is not None else ""
    boot = FailedBoot(
        container=container.name,
        how=hopeless or (start.ready.sentence if start.ready is not None else "it never became ready"),
        said=failed_boot.last_errors(text),
        differs=failed_boot.differences(run.course.snapshots.get("before"), container),
        log=f"log-{when}-{container.name}.txt",
    )
    if run.course.went_back:
        run.course.boot_back = boot
    else:
        run.course.boot = boot
