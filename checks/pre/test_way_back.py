"""What runs now can be brought back."""

from __future__ import annotations

from procedures.decide.check_files import seen
from reports.record.observed import Snapshot


def test_what_runs_can_be_brought_back(before: Snapshot, unkept: tuple[str, ...]) -> None:
    """What runs now can be made again exactly as it is, whoever made it."""
    seen(before.containers)
    assert not unkept, (
        f"it cannot be made again: {'; '.join(unkept)} → if the service is down, start it (`pytest -m recover`), or bring "
        "back what is missing; if you waive this check, there is no way back"
    )
