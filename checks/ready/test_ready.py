"""Nothing has changed while the run prepared and the service still ran."""

from __future__ import annotations

from procedures.decide.check_files import seen
from reports.record.observed import Snapshot


def test_nothing_was_touched_while_preparing(before: Snapshot, ready: Snapshot) -> None:
    """The service's container and its start time are the same as at the first look."""
    seen_before = [(container.id, container.started_at) for container in seen(before.containers)]
    seen_now = [(container.id, container.started_at) for container in seen(ready.containers)]
    assert seen_before == seen_now, (
        "somebody else acted on the service meanwhile → find out who, then run again"
    )


def test_the_files_are_the_same(before: Snapshot, ready: Snapshot) -> None:
    """No file that the procedure uses has been edited since the first look."""
    changed = [
        file.path for file, then in zip(ready.files, before.files, strict=True) if file.sha256 != then.sha256
    ]
    assert not changed, f"{', '.join(changed)} was edited meanwhile → finish the edit, then run again"
