"""The work that was in flight: what the stop did to it."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.decide.work import cut
from reports.record.observed import Container, Snapshot


# A run that stopped nothing has cut nothing.
@check(leads_back=False, only_with=("our_stop",))
def test_no_work_was_cut(ready: Snapshot, after: Snapshot, container_after: Container) -> None:
    """No execution that was in flight before the stop has failed since, waits for a worker, or runs again."""
    executions = seen(cut(seen(ready.database), seen(after.database), container_after.id[:12]))
    assert not executions, (
        f"{'; '.join(executions[:5])}{f' and {len(executions) - 5} more' if len(executions) > 5 else ''} → look at them "
        "in Kestra: restart from the failed task, or wait about six minutes until Kestra gives the work of a dead worker "
        "to another; a task that runs again had been done in part before"
    )
