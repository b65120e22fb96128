"""The dashboards that the target file names: they can be read now, and so after the start."""

from __future__ import annotations

from procedures.decide.check_files import check
from reports.record.observed import DashboardSeen, Unseen


@check(advisory=True)
def test_every_dashboard_can_be_read(dashboards_before: tuple[DashboardSeen, ...]) -> None:
    """Every dashboard answers now, gives the age of its answer, and has a value where it must show one."""
    blind = [dashboard.shows for dashboard in dashboards_before if isinstance(dashboard.shows, Unseen)]
    unseen, moves = (
        "; ".join(answer.unseen for answer in blind),
        "; ".join(answer.next_move for answer in blind),
    )
    assert not blind, f"{unseen} → {moves}; as it is now, the run will not be accepted"
