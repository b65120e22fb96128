"""What the database says to the credentials of the new container, asked over the network."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from typing import Any

from procedures.observe.engine.lookout import Lookout
from procedures.problems import CannotObserve
from reports.record.observed import (
    FLYWAY_HISTORY,
    OWN_HISTORY,
    Database,
    Execution,
    InFlight,
    Job,
    Migration,
    ServiceInstance,
    Session,
    Settings,
    Unseen,
)
from reports.redaction import excerpt

# Paused ones wait for somebody: no stop interrupts them.
_AT_REST = "('SUCCESS','WARNING','FAILED','KILLED','CANCELLED','SKIPPED','RETRIED','PAUSED','BREAKPOINT')"

_FROM_TEXT = 'printf "%s\\n" "$0" | psql "$@"'
"""What hands a script to psql, so that it can ask for a table only where there is one."""

_VERSION = "select current_setting('server_version')"
_SESSIONS = """select coalesce(json_agg(json_build_object('pid', pid, 'user', usename, 'application',
 application_name, 'client', coalesce(host(client_addr), 'socket'), 'state', coalesce(state, ''), 'since',
 backend_start)), '[]') from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
 and backend_type = 'client backend'"""

# Kestra's tables, as its migrations make them; a value column holds the object as JSON.
_INSTANCE = "select to_json(value->>'value') from settings where key = 'instance.uuid'"
_LAST_VERSION = (
    """select to_json(coalesce((select value->>'value' from settings where key = 'instance.version'), ''))"""
)
_BY_FLYWAY = """select coalesce(json_agg(json_build_object('rank', installed_rank, 'version', version,
 'description', description, 'checksum', checksum, 'success', success) order by installed_rank), '[]')
 from flyway_schema_history"""
_BY_ITSELF = """select coalesce(json_agg(json_build_object('rank', rank, 'version', script_id, 'description', description,
 'digest', checksum, 'success', success) order by rank), '[]') from (select row_number() over
 (order by installed_on, script_id) as rank, * from kestra_migration_history) history"""
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
_UNDER_WAY = f"not deleted and state_current::text not in {_AT_REST}"
_TASK = "value->'taskRun'->>'executionId'"
# A task in a worker's hands may belong to an execution whose state does not show it.
_RUNNING = f"""select (select count(*) from executions where {_UNDER_WAY}) + (select count(*) from worker_job_running
 where {_TASK} is not null and {_TASK} not in (select id from executions where {_UNDER_WAY}))"""  # noqa: S608
_IN_FLIGHT = f"""select coalesce(json_agg(json_build_object('id', id, 'namespace', namespace, 'flow', flow_id,
 'state', state_current, 'lasts', extract(epoch from now() at time zone 'utc' - start_date), 'earlier',
 (select max(extract(epoch from end_date - start_date)) from (select x.start_date, x.end_date from executions x
 where not x.deleted and x.namespace = one.namespace and x.flow_id = one.flow_id and x.end_date is not null
 order by x.start_date desc limit 20) lately))), '[]') from (select * from executions where {_UNDER_WAY}
 order by start_date limit 200) one"""  # noqa: S608
# What a trigger has in a worker's hands is no work: a realtime trigger is there for ever.
_JOBS = f"""select coalesce(json_agg(json_build_object('id', key, 'execution', {_TASK}, 'worker',
 coalesce(to_jsonb(one)->>'worker_uuid', to_jsonb(one)->>'worker_uid', ''))), '[]') from
 (select * from worker_job_running where {_TASK} is not null limit 500) one"""  # noqa: S608

_ALL = {
    "instance_id": _INSTANCE,
    FLYWAY_HISTORY: _BY_FLYWAY,
    OWN_HISTORY: _BY_ITSELF,
    "last_version": _LAST_VERSION,
    "instances": _INSTANCES,
    "sessions": _SESSIONS,
    "flows": _FLOWS,
    "executions": _EXECUTIONS,
    "running": _RUNNING,
    "in_flight": _IN_FLIGHT,
    "jobs": _JOBS,
}
_HISTORIES = (FLYWAY_HISTORY, OWN_HISTORY)
_QUICK = {"sessions": _SESSIONS}


def look(lookout: Lookout, settings: Settings, limit: float, noted: tuple[str, ...] = ()) -> Database:
    """Log in over the network and read everything that the checks ask for; `noted` are executions to look up by id."""
    return _look(lookout, settings, limit, {**_ALL, "noted": _noted(noted)})


def look_quickly(lookout: Lookout, settings: Settings, limit: float) -> Database:
    """Log in over the network and read only the sessions: what is instant."""
    return _look(lookout, settings, limit, _QUICK)


def _noted(ids: tuple[str, ...]) -> str:
    """Build the look for executions by their ids, which are an API's words: anything but an id is left out."""
    known = ",".join(f"'{one}'" for one in ids if re.fullmatch(r"[A-Za-z0-9_-]+", one)) or "null"
    return f"""select coalesce(json_agg(json_build_object('id', id, 'namespace', namespace, 'flow', flow_id, 'state',
 state_current)), '[]') from executions where not deleted and id in ({known})"""  # noqa: S608


def _look(lookout: Lookout, settings: Settings, limit: float, queries: dict[str, str]) -> Database:
    if settings.db_password is None:
        return _unseen("refused", "the configuration holds no database password", 0.0)
    argv = (
        "sh", "-c", _FROM_TEXT, _script({"server_version": _VERSION, **queries}),
        "--no-psqlrc", "-XAtq", "-h", settings.db_host, "-p", str(settings.db_port),
        "-U", settings.db_user, "-d", settings.db_name, "-v", "ON_ERROR_STOP=0",
    )  # fmt: skip
    began = time.monotonic()
    said = lookout.ask(
        argv,
        limit,
        {"PGPASSWORD": settings.db_password.value, "PGCONNECT_TIMEOUT": "5", "PGAPPNAME": "kestra-restart"},
    )
    took = time.monotonic() - began
    answers = dict(line.partition("=")[::2] for line in said.text.splitlines() if _is_answer(line))
    if "server_version" not in answers:
        return _unseen(_login(said.text), excerpt.first(said.text, 500), took)
    complaints = "\n".join(line for line in said.text.splitlines() if not _is_answer(line))
    return Database(
        "ok", "", took, server_version=answers.pop("server_version"), **_read(answers, queries, complaints)
    )


def _script(queries: dict[str, str]) -> str:
    """Write a script of psql's; a history table is asked only where there is one, or its absence were an error in a log."""
    return "\n".join(
        _where_there(name, _answering(name, query)) if name in _HISTORIES else _answering(name, query)
        for name, query in queries.items()
    )


def _answering(name: str, query: str) -> str:
    return f"select '{name}=' || (({query})::text);"


def _where_there(table: str, statement: str) -> str:
    return (
        f"select to_regclass('{table}') is not null as {table} \\gset\n"
        f"\\if :{table}\n{statement}\n\\else\nselect '{table}=null';\n\\endif"
    )


def _unseen(login: str, said: str, took: float) -> Database:
    """Return what is known of a database that let nobody in: nothing, and never an empty list."""
    nothing = Unseen(f"nobody could log in to the database: {said}")
    return Database(login, said, took, nothing, **dict.fromkeys(_fields(_FORMS), nothing))


def _is_answer(line: str) -> bool:
    name, found, _ = line.partition("=")
    return bool(found) and (name in _FORMS or name == "server_version")


def _login(text: str) -> str:
    """Tell refused credentials from a server that was not reached; psql has no status that does."""
    if "authentication failed" in text or "no password supplied" in text or "does not exist" in text:
        return "refused"
    return "unreachable"


def _read(answers: dict[str, str], queries: dict[str, str], complaints: str) -> dict[str, Any]:
    read: dict[str, Any] = {name: Unseen("this was not asked at this moment") for name in _FORMS}
    for name in queries:
        if name not in answers:
            # `is null` concatenates to null: an empty line, so nothing was found; an error was told beside it.
            read[name] = Unseen(
                f"the database has no answer for {name}: {excerpt.one_line(complaints, 300) or 'no such row'}"
            )
            continue
        try:
            read[name] = _FORMS[name](json.loads(answers[name]))
        except (ValueError, KeyError, TypeError) as error:
            read[name] = Unseen(f"the database's answer for {name} has another form: {error}")
    histories = [read.pop(name) for name in _HISTORIES]
    return {**read, "migrations": _whole(histories)}


def _whole(histories: list[tuple[Migration, ...] | Unseen | None]) -> tuple[Migration, ...] | Unseen:
    """Put every history that there is into one; without any the schema is not known to be anything."""
    rows: tuple[Migration, ...] = ()
    for one in histories:
        if isinstance(one, Unseen):
            return one
        rows += one or ()
    if all(one is None for one in histories):
        return Unseen(f"the database has no schema history: neither {' nor '.join(_HISTORIES)}")
    return rows


def _fields(names: Iterable[str]) -> tuple[str, ...]:
    """Return the fields that answers become: the histories become one."""
    return (*(one for one in names if one not in _HISTORIES), "migrations")


_FORMS: dict[str, Any] = {
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
    "executions": lambda rows: tuple(
        Execution(one["id"], one["namespace"], one["flow"], one["state"]) for one in rows
    ),
}  # fmt: skip
_FORMS["noted"] = _FORMS["executions"]


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def settings_missing(settings: Settings | Unseen) -> CannotObserve | None:
    """Return why nobody can log in with these settings, where that is so."""
    if isinstance(settings, Unseen):
        return CannotObserve(settings.unseen, settings.next_move)
    if not (settings.db_host and settings.db_name and settings.db_user):
        return CannotObserve("the configuration names no database host, name or user")
    return None
