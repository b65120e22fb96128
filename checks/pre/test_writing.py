"""What the server must write: a restart mends none of it."""

from __future__ import annotations

from procedures.decide import writing
from procedures.decide.check_files import check, seen
from reports.record.observed import Container, Snapshot


# Only a server that runs can be asked.
@check(only_with=("server_before",))
def test_the_server_can_write_what_it_must(before: Snapshot, container_before: Container) -> None:
    """The running server can write its storage, and every folder that is mounted to be written."""
    found = writing.barred(seen(before.folders))
    assert not found, writing.told(found, container_before.name)
