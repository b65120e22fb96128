"""Boots that were waited for in vain: what a run keeps of them."""

from __future__ import annotations

from procedures.decide.acts import Start
from procedures.diagnosis import failed_boot
from procedures.observe.engine import logs
from procedures.run.run import Run
from reports.record.evidence import FailedBoot
from reports.redaction import excerpt

_BYTES, _LIMIT = 200_000, 3.0


def is_known(run: Run) -> bool:
    """Say whether what was started last, forward or on the way back, was waited for in vain."""
    return _in_vain(run) is not None


def _in_vain(run: Run) -> Start | None:
    start = run.our_return if run.course.went_back else run.our_start
    return start if start is not None and not (start.ready and start.ready.ended) else None


def note(run: Run, when: str) -> None:
    """Keep why the container that runs now does not boot; its log has just been saved."""
    start = _in_vain(run)
    if start is None or run.course.answers:
        return
    found = run.observers.containers()
    if len(found) != 1:
        return
    one = found[0]
    text = excerpt.cleaned(logs.text_of(run.observers.engine, one.id, _BYTES, _LIMIT))
    told = run.restarting.hopeless() if run.restarting is not None else ""
    boot = FailedBoot(
        container=one.name,
        how=told or (start.ready.sentence if start.ready is not None else "it never became ready"),
        said=failed_boot.last_errors(text),
        differs=failed_boot.differences(run.course.snapshots.get("before"), one),
        log=f"log-{when}-{one.name}.txt",
    )
    if run.course.went_back:
        run.course.boot_back = boot
    else:
        run.course.boot = boot
