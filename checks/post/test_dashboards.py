"""The dashboards that the target names: that they show the service as it is now."""

from __future__ import annotations

from procedures.decide.check_files import seen
from reports.record.observed import DashboardSeen, Unseen


def test_every_dashboard_shows_the_service(dashboards: tuple[DashboardSeen, ...]) -> None:
    """Every dashboard shows what it must, in an answer that was made after the service was back."""
    blind = [one.shows for one in dashboards if isinstance(one.shows, Unseen)]
    told = [one.unseen for one in blind]
    wrong = [
        f"{one.name} shows {one.shows} and not {one.expected}"
        for one in dashboards
        if not isinstance(one.shows, Unseen) and one.shows != one.expected
    ]
    assert not wrong, f"{'; '.join((*wrong, *told))} → open {' and '.join(one.url for one in dashboards)}"
    if blind:
        seen(Unseen("; ".join(told), "; ".join(one.next_move for one in blind)))
