"""What the database answers over the network to the credentials of the new container."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from procedures.kestra import tables
from procedures.observe.engine.lookout import Lookout
from procedures.problems import CannotObserve
from reports.record.observed import Database, Settings, Unseen
from reports.redaction import excerpt

_FROM_TEXT = 'printf "%s\\n" "$0" | psql "$@"'
"""Pipes a script into psql, so that it can query a table only if there is one."""

_VERSION = "select current_setting('server_version')"


def look(lookout: Lookout, settings: Settings, limit: float, noted: tuple[str, ...] = ()) -> Database:
    """Log in over the network and read everything that the checks ask for; `noted` are executions to look up by id."""
    return _look(lookout, settings, limit, tables.everything(noted))


def look_quickly(lookout: Lookout, settings: Settings, limit: float) -> Database:
    """Log in over the network and read only the sessions: what is instant."""
    return _look(lookout, settings, limit, tables.QUICK)


def _look(lookout: Lookout, settings: Settings, limit: float, queries: Mapping[str, str]) -> Database:
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


def _script(queries: Mapping[str, str]) -> str:
    """Write a script for psql; a history table is queried only if it exists, or the database would log an error."""
    return "\n".join(
        _where_there(name, _answering(name, query)) if name in tables.HISTORIES else _answering(name, query)
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
    """Return a database that refused the login: every value is unseen, and never an empty list."""
    nothing = Unseen(f"nobody could log in to the database: {said}")
    return Database(login, said, took, nothing, **dict.fromkeys(tables.FIELDS, nothing))


def _is_answer(line: str) -> bool:
    name, found, _ = line.partition("=")
    return bool(found) and (name in tables.FORMS or name == "server_version")


def _login(text: str) -> str:
    """Distinguish refused credentials from a server that was not reached; psql's exit status does not."""
    if "authentication failed" in text or "no password supplied" in text or "does not exist" in text:
        return "refused"
    return "unreachable"


def _read(answers: dict[str, str], queries: Mapping[str, str], complaints: str) -> dict[str, Any]:
    read: dict[str, Any] = {name: Unseen("this was not asked at this moment") for name in tables.FORMS}
    for name in queries:
        if name not in answers:
            # A null concatenates to an empty line: there was no such row. An error was printed beside it.
            read[name] = Unseen(
                f"the database has no answer for {name}: {excerpt.one_line(complaints, 300) or 'no such row'}"
            )
            continue
        try:
            read[name] = tables.FORMS[name](json.loads(answers[name]))
        except (ValueError, KeyError, TypeError) as error:
            read[name] = Unseen(f"the database's answer for {name} has another form: {error}")
    histories = [read.pop(name) for name in tables.HISTORIES]
    return {**read, "migrations": tables.whole_history(histories)}


def settings_missing(settings: Settings | Unseen) -> CannotObserve | None:
    """Return why nobody can log in with these settings; None if somebody can."""
    if isinstance(settings, Unseen):
        return CannotObserve(settings.unseen, settings.next_move)
    if not (settings.db_host and settings.db_name and settings.db_user):
        return CannotObserve("the configuration names no database host, name or user")
    return None
