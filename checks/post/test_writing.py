"""What the server must write: the server that runs now can write it."""

from __future__ import annotations

from procedures.decide import writing
from procedures.decide.check_files import seen
from reports.record.observed import Container, Snapshot


def test_the_server_can_write_what_it_must(after: Snapshot, container_after: Container) -> None:
    """The server can write to its storage and to every folder that is mounted writable."""
    folders = writing.barred(seen(after.folders))
    assert not folders, writing.sentence(folders, container_after.name)
