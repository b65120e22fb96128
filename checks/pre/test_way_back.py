"""Whether what runs now could be had again."""

from __future__ import annotations

from procedures.decide.check_files import seen
from reports.record.observed import Snapshot


def test_what_runs_can_be_brought_back(before: Snapshot, unkept: tuple[str, ...]) -> None:
    """What runs now can be made again exactly as it is, whoever has made it."""
    seen(before.containers)
    assert not unkept, (
        f"it cannot be made again: {'; '.join(unkept)} → start the service where it is down (`pytest -m recover`), or "
        "bring back what is missing; if you waive this, there is no way back"
    )
