"""Kestra's tables, as its migrations make them: the queries, and how their rows are read.

Each query returns one JSON value; a `value` column of Kestra's holds the object as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from procedures.kestra.executions import AT_REST
from reports.record.observed import (
    FLYWAY_HISTORY,
    Execution,
    InFlight,
    Job,
    Migration,
    ServiceInstance,
    Session,
    Unseen,
)

OWN_HISTORY = "kestra_migration_history"
PLACE_OF_INSTANCE_ID = "the table settings, key instance.uuid"

_SESSIONS = """select coalesce(json_agg(json_build_object('pid', pid, 'user', usename, 'application',
 application_name, 'client', coalesce(host(client_addr), 'socket'), 'state', coalesce(state, ''), 'since',
 backend_start)), '[]') from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
 and backend_type = 'client backend'"""
_INSTANCE = "select to_json(value->>'value') from settings where key = 'instance.uuid'"
_LAST_VERSION = (
    """select to_json(coalesce((select value->>'value' from settings where key = 'instance.version'), ''))"""
)
_INSTANCES = """select coalesce(json_agg(json_build_object('id', service_id, 'type', service_type, 'state', state,
 'age', extract(epoch from now() - updated_at), 'hostname', value->'server'->>'hostname', 'version',
 value->'server'->>'version', 'server', value->'server'->>'id', 'grace',
 value->'config'->'terminationGracePeriod', 'timeout', value->'config'->'liveness'->'timeout')), '[]')
 from service_instance where state not in ('EMPTY', 'NOT_RUNNING') or updated_at > now() - interval '1 hour'"""
_FLOWS = """select coalesce(json_agg(namespace || '/' || id || '@' || revision order by namespace, id), '[]') from
 (select distinct on (namespace, id) namespace, id, revision, deleted from flows
 order by namespace, id, revision desc) newest where not deleted"""
_EXECUTIONS = """select coalesce(json_agg(json_build_object('id', id, 'namespace', namespace, 'flow', flow_id,
 'state', state_current)), '[]') from (select * from executions where not deleted
 order by start_date desc nulls last limit 20) newest"""
_UNDER_WAY = f"not deleted and state_current::text not in {AT_REST}"
_TASK = "value->'taskRun'->>'executionId'"
# A worker may hold a task of an execution whose state does not show it.
_RUNNING = f"""select (select count(*) from executions where {_UNDER_WAY}) + (select count(*) from worker_job_running
 where {_TASK} is not null and {_TASK} not in (select id from executions where {_UNDER_WAY}))"""  # noqa: S608
_IN_FLIGHT = f"""select coalesce(json_agg(json_build_object('id', id, 'namespace', namespace, 'flow', flow_id,
 'state', state_current, 'lasts', extract(epoch from now() at time zone 'utc' - start_date), 'earlier',
 (select max(extract(epoch from end_date - start_date)) from (select x.start_date, x.end_date from executions x
 where not x.deleted and x.namespace = one.namespace and x.flow_id = one.flow_id and x.end_date is not null
 order by x.start_date desc limit 20) lately))), '[]') from (select * from executions where {_UNDER_WAY}
 order by start_date limit 200) one"""  # noqa: S608
# A trigger that a worker holds is no work: a realtime trigger stays there for ever.
_JOBS = f"""select coalesce(json_agg(json_build_object('id', key, 'execution', {_TASK}, 'worker',
 coalesce(to_jsonb(one)->>'worker_uuid', to_jsonb(one)->>'worker_uid', ''))), '[]') from
 (select * from worker_job_running where {_TASK} is not null limit 500) one"""  # noqa: S608

HISTORIES: Mapping[str, str] = {
    FLYWAY_HISTORY: """select coalesce(json_agg(json_build_object('rank', installed_rank, 'version', version,
 'description', description, 'checksum', checksum, 'success', success) order by installed_rank), '[]')
 from flyway_schema_history""",
    OWN_HISTORY: """select coalesce(json_agg(json_build_object('rank', rank, 'version', script_id, 'description',
 description, 'digest', checksum, 'success', success) order by rank), '[]') from (select row_number() over
 (order by installed_on, script_id) as rank, * from kestra_migration_history) history""",
}
"""The history tables of all editions; a database has one or several of them, and each that exists is queried."""

QUICK: Mapping[str, str] = {"sessions": _SESSIONS}
"""The queries that are instant."""

_ALL = {
    "instance_id": _INSTANCE,
    **HISTORIES,
    "last_version": _LAST_VERSION,
    "instances": _INSTANCES,
    **QUICK,
    "flows": _FLOWS,
    "executions": _EXECUTIONS,
    "running": _RUNNING,
    "in_flight": _IN_FLIGHT,
    "jobs": _JOBS,
}


def everything(noted: tuple[str, ...]) -> dict[str, str]:
    """Return every query by the name of its answer; `noted` are executions to look up by id."""
    return {**_ALL, "noted": _noted(noted)}


def _noted(ids: tuple[str, ...]) -> str:
    """Build the query for executions by id; the ids come from an API, so anything that is no id is left out."""
    known = ",".join(f"'{one}'" for one in ids if re.fullmatch(r"[A-Za-z0-9_-]+", one)) or "null"
    return f"""select coalesce(json_agg(json_build_object('id', id, 'namespace', namespace, 'flow', flow_id, 'state',
 state_current)), '[]') from executions where not deleted and id in ({known})"""  # noqa: S608


def _executions(rows: Iterable[Mapping[str, str]]) -> tuple[Execution, ...]:
    return tuple(Execution(one["id"], one["namespace"], one["flow"], one["state"]) for one in rows)


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


FORMS: Mapping[str, Callable[[Any], Any]] = {
    "instance_id": str,
    "running": int,
    "flows": tuple,
    "last_version": str,
    FLYWAY_HISTORY: lambda rows: None if rows is None else tuple(
        Migration(one["rank"], one["version"] or "", one["description"], one["checksum"], one["success"])
        for one in rows
    ),
    OWN_HISTORY: lambda rows: None if rows is None else tuple(
        Migration(
            one["rank"], one["version"], one["description"], None, one["success"], OWN_HISTORY, one["digest"] or ""
        )
        for one in rows
    ),
    "in_flight": lambda rows: tuple(
        InFlight(
            one["id"], one["namespace"], one["flow"], one["state"], float(one["lasts"]), _seconds(one["earlier"])
        )
        for one in rows
    ),
    "jobs": lambda rows: tuple(Job(one["id"], one["execution"], one["worker"]) for one in rows),
    "instances": lambda rows: tuple(
        ServiceInstance(
            one["id"], one["type"], one["state"], float(one["age"]), one["hostname"] or "", one["version"] or "",
            one["server"] or "", _seconds(one["grace"]), _seconds(one["timeout"]),
        )
        for one in rows
    ),
    "sessions": lambda rows: tuple(
        Session(one["pid"], one["user"] or "", one["application"] or "", one["client"], one["state"], one["since"])
        for one in rows
    ),
    "executions": _executions,
    "noted": _executions,
}  # fmt: skip
"""How each answer becomes a value; a history table that does not exist gives None."""

FIELDS = (*(one for one in FORMS if one not in HISTORIES), "migrations")
"""The fields that the answers fill; all histories fill one."""


def whole_history(
    histories: Iterable[tuple[Migration, ...] | Unseen | None],
) -> tuple[Migration, ...] | Unseen:
    """Join all histories that exist; without any the schema is unknown."""
    rows: tuple[Migration, ...] = ()
    there = False
    for history in histories:
        if isinstance(history, Unseen):
            return history
        there = there or history is not None
        rows += history or ()
    if not there:
        return Unseen(f"the database has no schema history: neither {' nor '.join(HISTORIES)}")
    return rows
