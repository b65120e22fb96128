"""The work that was in flight: what became of it by our stop."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.decide.work import cut
from reports.record.observed import Container, Snapshot


# Where nothing was stopped nothing was cut.
@check(leads_back=False, only_with=("our_stop",))
def test_no_work_was_cut(ready: Snapshot, after: Snapshot, container_after: Container) -> None:
    """No execution that was in flight before our stop has failed since, waits for a worker, or is done once more."""
    found = seen(cut(seen(ready.database), seen(after.database), container_after.id[:12]))
    assert not found, (
        f"{'; '.join(found[:5])}{f' and {len(found) - 5} more' if len(found) > 5 else ''} → look at them in Kestra: restart "
        "from the failed task, or wait about six minutes until what a dead worker held is given out again; what is done once "
        "more was done in part before"
    )
