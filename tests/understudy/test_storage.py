"""What the server under test keeps in Postgres is named and typed as the recorded one's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.stacks import wait_for
from tests.understudy import recordings
from tests.understudy.server import Server

_HISTORY = "SELECT installed_rank, version, description, script, checksum, success FROM flyway_schema_history ORDER BY 1"
_COLUMNS = (
    "SELECT column_name || ' ' || data_type FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
)


def test_the_schema_history_is_the_recorded_one(server: Server, recorded: str) -> None:
    """Every migration is there with its checksum, and no other."""
    expected = recordings.lines(f"schema-history-{recorded}.txt")

    assert expected == server.psql(_HISTORY).splitlines()


@pytest.mark.parametrize("line", recordings.lines("tables.txt"), ids=lambda line: line.partition(":")[0])
def test_a_table_has_the_recorded_columns(server: Server, line: str) -> None:
    """Names, types and order of the columns are Kestra's."""
    table, _, columns = line.partition(": ")
    found = server.psql(_COLUMNS.format(table=table)).splitlines()

    assert columns.split(", ") == found


@pytest.mark.parametrize("line", recordings.lines("enums.txt"), ids=lambda line: line.partition("|")[0])
def test_an_enum_has_the_recorded_values(server: Server, recorded: str, line: str) -> None:
    """The values are Kestra's; the one that a later migration adds is not there before."""
    name, _, values = line.partition("|")
    expected = [value for value in values.split() if recorded != "0.20.7" or value != "SKIPPED"]
    found = server.psql(f"SELECT unnest(enum_range(NULL::{name}))").splitlines()

    assert expected == found


def test_the_instance_id_is_a_setting(server: Server) -> None:
    """The id that `/api/v1/configs` shows is the one in the table."""
    value = json.loads(server.psql("SELECT value FROM settings WHERE key = 'instance.uuid'"))

    assert value["key"] == "instance.uuid"
    assert re.fullmatch(r"[0-9A-Za-z]{18,23}", value["value"])


def test_each_service_has_a_row_as_recorded(server: Server) -> None:
    """One running row of each type, with the numbers by which it is to be judged."""
    expected = json.loads("".join(recordings.lines("service-instance.json")))
    statement = "SELECT value FROM service_instance WHERE state = 'RUNNING' ORDER BY service_type"
    rows = [json.loads(row) for row in server.psql(statement).splitlines()]

    assert [row["type"] for row in rows] == ["EXECUTOR", "INDEXER", "SCHEDULER", "WEBSERVER", "WORKER"]
    for row in rows:
        assert _shape(expected) == _shape(row)
        assert [event["value"] for event in expected["events"][:2]] == [e["value"] for e in row["events"]]


def test_heartbeats_are_written(server: Server) -> None:
    """All five rows are renewed again and again."""
    statement = "SELECT min(updated_at) FROM service_instance WHERE state = 'RUNNING'"
    before = server.psql(statement)

    wait_for(lambda: server.psql(statement) > before, "a heartbeat of all services", 10)


def test_sessions_name_themselves_as_jdbc_does(server: Server) -> None:
    """A look at Postgres' sessions finds the server under the name that Kestra's sessions have."""
    statement = f"SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = '{server.database}'"
    names = server.psql(statement).splitlines()

    assert {"PostgreSQL JDBC Driver"} == {name for name in names if name != "psql"}


@pytest.mark.understudy
def test_every_version_names_the_understudy(server: Server, recorded: str) -> None:
    """No evidence can take it for Kestra."""
    found = server.psql("SELECT DISTINCT value #>> '{server, version}' FROM service_instance")

    assert found == f"{recorded}-understudy"


def _shape(value: Any) -> Any:
    """Keys and types; of metrics, which come and go, only that they are a list."""
    if isinstance(value, dict):
        return {key: "list" if key == "metrics" else _shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shape(each) for each in value[:1]]
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )
