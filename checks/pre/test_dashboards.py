"""The dashboards that the target names: whether they will be able to show anything afterwards."""

from __future__ import annotations

from procedures.decide.check_files import check
from reports.record.observed import DashboardSeen, Unseen


@check(advisory=True)
def test_every_dashboard_can_be_read(dashboards_before: tuple[DashboardSeen, ...]) -> None:
    """Every dashboard answers now, tells the age of its answer, and has a value where it must show one."""
    blind = [one.shows for one in dashboards_before if isinstance(one.shows, Unseen)]
    told, moves = "; ".join(one.unseen for one in blind), "; ".join(one.next_move for one in blind)
    assert not blind, f"{told} → {moves}; as it is now, the run will not be accepted"
