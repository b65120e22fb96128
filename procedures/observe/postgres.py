"""What the database says to the credentials of the new container, asked over the network."""

from __future__ import annotations

import json
import time
from typing import Any

from procedures.observe.lookout import Lookout
from procedures.problems import CannotObserve
from reports.observed import (
    Database,
    Execution,
    Migration,
    ServiceInstance,
    Session,
    Settings,
    Unseen,
)

_ENDED = "('SUCCESS','WARNING','FAILED','KILLED','CANCELLED','SKIPPED','RETRIED')"

_VERSION = "select current_setting('server_version')"
_SESSIONS = """select coalesce(json_agg(json_build_object('pid', pid, 'user', usename, 'application',
 application_name, 'client', coalesce(host(client_addr), 'socket'), 'state', coalesce(state, ''), 'since',
 backend_start)), '[]') from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
 and backend_type = 'client backend'"""

# Kestra's tables, as its migrations make them; a value column holds the object as JSON.
_INSTANCE = "select to_json(value->>'value') from settings where key = 'instance.uuid'"
_MIGRATIONS = """select coalesce(json_agg(json_build_object('rank', installed_rank, 'version', version,
 'description', description, 'checksum', checksum, 'success', success) order by installed_rank), '[]')
 from flyway_schema_history"""
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
_RUNNING = f"select count(*) from executions where not deleted and state_current::text not in {_ENDED}"  # noqa: S608

_ALL = {
    "instance_id": _INSTANCE,
    "migrations": _MIGRATIONS,
    "instances": _INSTANCES,
    "sessions": _SESSIONS,
    "flows": _FLOWS,
    "executions": _EXECUTIONS,
    "running": _RUNNING,
}
_QUICK = {"sessions": _SESSIONS}


def look(lookout: Lookout, settings: Settings, limit: float) -> Database:
    """Log in over the network and read everything that the checks ask for."""
    return _look(lookout, settings, limit, _ALL)


def look_quickly(lookout: Lookout, settings: Settings, limit: float) -> Database:
    """Log in over the network and read only the sessions: what is instant."""
    return _look(lookout, settings, limit, _QUICK)


def _look(lookout: Lookout, settings: Settings, limit: float, queries: dict[str, str]) -> Database:
    if settings.db_password is None:
        return _unseen("refused", "the configuration holds no database password", 0.0)
    argv = (
        "psql", "--no-psqlrc", "-XAtq", "-h", settings.db_host, "-p", str(settings.db_port),
        "-U", settings.db_user, "-d", settings.db_name, "-v", "ON_ERROR_STOP=0",
        *(word for name, query in {"server_version": _VERSION, **queries}.items()
          for word in ("-c", f"select '{name}=' || (({query})::text)")),
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
        return _unseen(_login(said.text), said.text.strip()[:500], took)
    complaints = " ".join(line for line in said.text.splitlines() if not _is_answer(line))
    return Database(
        "ok", "", took, server_version=answers.pop("server_version"), **_read(answers, queries, complaints)
    )


def _unseen(login: str, said: str, took: float) -> Database:
    """Return what is known of a database that let nobody in: nothing, and never an empty list."""
    nothing = Unseen(f"nobody could log in to the database: {said}")
    return Database(login, said, took, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)


def _is_answer(line: str) -> bool:
    name, found, _ = line.partition("=")
    return bool(found) and (name in _ALL or name == "server_version")


def _login(text: str) -> str:
    """Tell refused credentials from a server that was not reached; psql has no status that does."""
    if "authentication failed" in text or "no password supplied" in text or "does not exist" in text:
        return "refused"
    return "unreachable"


def _read(answers: dict[str, str], queries: dict[str, str], complaints: str) -> dict[str, Any]:
    read: dict[str, Any] = {name: Unseen("this was not asked at this moment") for name in _ALL}
    for name in queries:
        if name not in answers:
            # `is null` concatenates to null: an empty line, so nothing was found; an error was told beside it.
            read[name] = Unseen(f"the database has no answer for {name}: {complaints[:300] or 'no such row'}")
            continue
        try:
            read[name] = _FORMS[name](json.loads(answers[name]))
        except (ValueError, KeyError, TypeError) as error:
            read[name] = Unseen(f"the database's answer for {name} has another form: {error}")
    return read


_FORMS: dict[str, Any] = {
    "instance_id": str,
    "running": int,
    "flows": tuple,
    "migrations": lambda rows: tuple(
        Migration(one["rank"], one["version"] or "", one["description"], one["checksum"], one["success"])
        for one in rows
    ),
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


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def settings_missing(settings: Settings | Unseen) -> CannotObserve | None:
    """Return why nobody can log in with these settings, where that is so."""
    if isinstance(settings, Unseen):
        return CannotObserve(settings.unseen)
    if not (settings.db_host and settings.db_name and settings.db_user):
        return CannotObserve("the configuration names no database host, name or user")
    return None
