"""Room on the disks, and an archive that can store the evidence."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.target.target import Target
from reports.record.observed import Snapshot


@check(again=True)
def test_the_engine_has_room(before: Snapshot, target: Target) -> None:
    """The disk that the engine writes to has room for a new container and its log."""
    free = seen(seen(before.host).engine_free)
    assert free >= target.disk_free, (
        f"{free / 1e6:.0f} MB are free, {target.disk_free / 1e6:.0f} MB are required → make room: `docker system df` "
        "shows what takes it"
    )


def test_the_archive_can_be_written(before: Snapshot, target: Target) -> None:
    """The archive takes this run's evidence."""
    host = seen(before.host)
    assert not host.archive_problem, f"{host.archive_problem} → fix it, or set 'archive' in {target.file}"
    needed = 4 * target.log_bytes
    assert host.archive_free >= needed, (
        f"{host.archive} has {host.archive_free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB may be needed → make room"
    )
