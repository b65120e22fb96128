"""The stop's grace, compared with the server's own drain and with the work in flight."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.decide.work import may_outlast, patience
from procedures.kestra.heartbeats import runs
from procedures.problems import CannotObserve
from procedures.target.target import Target
from reports.record.observed import Snapshot, Unseen


# Only a running server drains.
@check(only_with=("server_before",))
def test_the_stop_grace_covers_the_drain(before: Snapshot, stop_grace: float, target: Target) -> None:
    """The stop waits at least as long as the server's own drain may take, so it kills no task."""
    drain = _drain(before, target)
    assert stop_grace >= drain, (
        f"the container is killed after {stop_grace:g} s, but the server drains up to {drain:g} s → set stop_grace_period "
        "above the drain in the compose file and recreate the container in a quiet hour"
    )


# Only a running server holds work.
@check(again=True, only_with=("server_before",))
def test_no_work_may_outlast_the_stop(before: Snapshot, stop_grace: float, target: Target) -> None:
    """No task that a worker holds may outlast the stop or the server's own drain."""
    database = seen(before.database)
    grace = patience(database, min(stop_grace, _drain(before, target)))
    tasks = seen(may_outlast(database, grace))
    assert not tasks, (
        f"{'; '.join(tasks[:5])}{f' and {len(tasks) - 5} more' if len(tasks) > 5 else ''}: the stop waits {grace:g} s and "
        "cuts what lasts longer: it fails, or is done once more → wait until it has ended, kill it in Kestra, or waive "
        "this check with a reason"
    )


def _drain(before: Snapshot, target: Target) -> float:
    """Return the server's own figure, else the target file's, else the configuration's; no figure is unknown, not zero."""
    database = before.database
    if (
        database is not None
        and not isinstance(database, Unseen)
        and not isinstance(database.instances, Unseen)
    ):
        reported = [
            server.termination_grace
            for server in database.instances
            if runs(server) and server.termination_grace is not None
        ]
        if reported:
            return max(reported)
    if target.budgets.drain is not None:
        return target.budgets.drain
    configured = seen(before.running_settings).termination_grace
    if configured is not None:
        return configured
    raise CannotObserve(
        "the server's drain time is neither in its heartbeats nor in its configuration",
        f"set budgets.drain in {target.file}",
    )
