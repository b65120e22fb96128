"""The baseline: from the server where it answers, else from the database, else unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from procedures.decide import baseline
from reports.record.observed import Answer, Database, Image, Server, Snapshot, Unseen
from tests.checks import recording

BEFORE = recording.snapshot("before")
GONE = Unseen("the lights went out")


def _server(**fields: Any) -> Server:
    assert isinstance(BEFORE.server, Server)
    return replace(BEFORE.server, **fields)


def _database(**fields: Any) -> Database:
    assert isinstance(BEFORE.database, Database)
    return replace(BEFORE.database, **fields)


def test_a_running_server_is_the_source() -> None:
    """What the server says of itself is the baseline; the schema's history only the database knows."""
    noted = baseline.of(BEFORE)

    server = _server()
    assert ("the running server", server.version, server.instance_id) == (
        noted.source, noted.version, noted.instance_id,
    )  # fmt: skip
    assert (("demo/hello@1",), server.executions) == (noted.flows, noted.executions)
    assert isinstance(noted.schema, tuple)
    assert len(noted.schema) > 1


@pytest.mark.parametrize(
    "server",
    [
        None,
        GONE,
        _server(ping=Answer("http://x/ping", 0, "refused", 0.0)),
        _server(ping=Answer("http://x/ping", 404, "404", 0.0), version=GONE),
    ],
    ids=["none", "unseen", "mute", "a gateway in its place"],
)
def test_a_service_that_is_down_has_its_baseline_in_the_database(server: Server | Unseen | None) -> None:
    """Where no server answers the database says what must be there afterwards, and the image the version."""
    noted = baseline.of(replace(BEFORE, server=server))

    database = _database()
    assert (noted.source, noted.version) == ("the database", "0.20.7-understudy")
    assert (database.instance_id, database.flows) == (noted.instance_id, noted.flows)
    assert not isinstance(database.executions, Unseen)
    assert tuple(one.id for one in database.executions) == noted.executions


@pytest.mark.parametrize("name", ["instance_id", "flows", "executions"])
def test_what_the_server_does_not_say_the_database_does(name: str) -> None:
    """One silence of the server does not lose what the database knows."""
    noted = baseline.of(replace(BEFORE, server=_server(**{name: GONE})))

    assert getattr(baseline.of(replace(BEFORE, server=None)), name) == getattr(noted, name)


def _dark(server: Server | None, database: Database | Unseen | None) -> Snapshot:
    return replace(BEFORE, server=server, database=database)


@pytest.mark.parametrize(
    ("snapshot", "unknown"),
    [
        (_dark(None, GONE), {"instance_id", "flows", "executions", "schema"}),
        (_dark(None, None), {"instance_id", "flows", "executions", "schema"}),
        (_dark(_server(), GONE), {"schema"}),
        (_dark(_server(flows=GONE), GONE), {"flows", "schema"}),
        (_dark(None, _database(instance_id=None)), {"instance_id"}),
        (_dark(None, _database(migrations=GONE)), {"schema"}),
        (_dark(None, _database(executions=GONE)), {"executions"}),
        (_dark(_server(version=GONE), _database()), {"version"}),
        (replace(BEFORE, server=None, image=GONE, running_image=GONE), {"version", "image_id"}),
    ],
)
def test_what_nobody_saw_is_unknown(snapshot: Snapshot, unknown: set[str]) -> None:
    """A baseline that nobody saw is unseen, never empty: an empty one would agree with an empty database."""
    noted = baseline.of(snapshot)

    names = ("version", "instance_id", "flows", "executions", "schema", "image_id")
    assert unknown == {name for name in names if isinstance(getattr(noted, name), Unseen)}


def test_the_image_is_the_one_that_runs() -> None:
    """The image that runs is the baseline, not the one that the tag names by now."""
    assert isinstance(BEFORE.running_image, Image)
    moved = replace(BEFORE, image=replace(BEFORE.running_image, id="sha256:new"))

    assert BEFORE.running_image.id == baseline.of(moved).image_id


def test_a_failed_migration_is_no_part_of_the_schema() -> None:
    """Only migrations that succeeded are what must be there afterwards."""
    migrations = _database().migrations
    assert not isinstance(migrations, Unseen)
    broken = (*migrations[:-1], replace(migrations[-1], success=False))

    noted = baseline.of(replace(BEFORE, database=_database(migrations=broken)))

    assert tuple(one.version for one in migrations[:-1]) == noted.schema
