"""What the server must write, as the one that runs now finds it."""

from __future__ import annotations

from procedures.decide import writing
from procedures.decide.check_files import seen
from reports.record.observed import Container, Snapshot


def test_the_server_can_write_what_it_must(after: Snapshot, container_after: Container) -> None:
    """The server can write its storage, and every folder that is mounted to be written."""
    found = writing.barred(seen(after.folders))
    assert not found, writing.told(found, container_after.name)
