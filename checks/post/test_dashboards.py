"""The dashboards that the target file names: they show the service as it is now."""

from __future__ import annotations

from procedures.decide.check_files import seen
from reports.record.observed import DashboardSeen, Unseen


def test_every_dashboard_shows_the_service(dashboards: tuple[DashboardSeen, ...]) -> None:
    """Every dashboard shows what it must, in an answer made after the service was back."""
    blind = [dashboard.shows for dashboard in dashboards if isinstance(dashboard.shows, Unseen)]
    unseen = [answer.unseen for answer in blind]
    wrong = [
        f"{dashboard.name} shows {dashboard.shows} and not {dashboard.expected}"
        for dashboard in dashboards
        if not isinstance(dashboard.shows, Unseen) and dashboard.shows != dashboard.expected
    ]
    assert not wrong, (
        f"{'; '.join((*wrong, *unseen))} → open {' and '.join(dashboard.url for dashboard in dashboards)}"
    )
    if blind:
        seen(Unseen("; ".join(unseen), "; ".join(answer.next_move for answer in blind)))
