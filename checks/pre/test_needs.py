"""What the target file needs besides the service."""

from __future__ import annotations

from procedures.decide.check_files import check
from reports.record.claimed import Need


@check(again=True)
def test_what_is_named_exists(needs: tuple[Need, ...]) -> None:
    """Every file, container, network and port that the target file names exists."""
    missing = [f"{need.kind} {need.name}: {need.problem}" for need in needs if need.problem]
    assert not missing, f"{'; '.join(missing)} → make them, or correct 'needs' in the target file"
