"""What the server must write: a restart fixes none of it."""

from __future__ import annotations

from procedures.decide import writing
from procedures.decide.check_files import check, seen
from reports.record.observed import Container, Snapshot


# Only a running server can be asked.
@check(only_with=("server_before",))
def test_the_server_can_write_what_it_must(before: Snapshot, container_before: Container) -> None:
    """The running server can write to its storage and to every folder that is mounted writable."""
    folders = writing.barred(seen(before.folders))
    assert not folders, writing.sentence(folders, container_before.name)
