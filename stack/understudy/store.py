"""Flows, executions and logs in their tables."""

from __future__ import annotations

from dataclasses import dataclass

from .database import Cursor
from .document import Document, new_id, to_json

_LATEST = (
    "SELECT value, source_code FROM (SELECT DISTINCT ON (namespace, id) value, source_code, deleted, namespace, id "
    "FROM flows ORDER BY namespace, id, revision DESC) latest WHERE NOT deleted"
)


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """A flow with the source that it was made from."""

    value: Document
    source: str

    def with_source(self) -> Document:
        return {**self.value, "source": self.source}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for; pages count from 1."""

    number: int = 1
    size: int = 10

    @property
    def clause(self) -> str:
        return f"LIMIT {self.size} OFFSET {(self.number - 1) * self.size}"


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """What a search for executions asks for; nothing in it that is `None` or empty narrows the search."""

    namespace: str | None = None
    flow_id: str | None = None
    states: tuple[str, ...] = ()
    newest_first: bool = False


def find_flow(cursor: Cursor, namespace: str, key: str) -> StoredFlow | None:
    cursor.execute(f"{_LATEST} AND namespace = %s AND id = %s", (namespace, key))
    row = cursor.fetchone()
    return None if row is None else StoredFlow(*row)


def find_revision(cursor: Cursor, execution: Document) -> Document | None:
    """The flow in the revision that an execution was made of."""
    cursor.execute(
        "SELECT value FROM flows WHERE namespace = %s AND id = %s AND revision = %s ORDER BY deleted LIMIT 1",
        (execution["namespace"], execution["flowId"], execution["flowRevision"]),
    )
    row = cursor.fetchone()
    return None if row is None else row[0]


def search_flows(cursor: Cursor, namespace: str | None, text: str, page: Page) -> tuple[list[Document], int]:
    """Find flows of a namespace and those below it, with the text in their id or namespace."""
    where = " AND (%(ns)s IS NULL OR namespace = %(ns)s OR namespace LIKE %(ns)s || '.%%')"
    where += " AND (namespace || '.' || id) ILIKE '%%' || %(text)s || '%%'"
    values = {"ns": namespace, "text": text}
    cursor.execute(f"SELECT count(*) FROM ({_LATEST}{where}) found", values)  # noqa: S608 -- constants; values are bound
    total = cursor.fetchone()[0]
    cursor.execute(f"{_LATEST}{where} ORDER BY namespace, id {page.clause}", values)
    return [row[0] for row in cursor.fetchall()], total


def save_flow(cursor: Cursor, flow: Document, source: str) -> StoredFlow:
    """Store a flow as the next revision of its id."""
    cursor.execute(
        "SELECT coalesce(max(revision), 0) + 1 FROM flows WHERE namespace = %s AND id = %s",
        (flow["namespace"], flow["id"]),
    )
    value = {**flow, "revision": cursor.fetchone()[0]}
    key = f"{value['namespace']}_{value['id']}_{value['revision']}"
    cursor.execute(
        "INSERT INTO flows (key, value, source_code) VALUES (%s, %s, %s)", (key, to_json(value), source)
    )
    return StoredFlow(value, source)


def delete_flow(cursor: Cursor, stored: StoredFlow) -> None:
    save_flow(cursor, {**stored.value, "deleted": True}, stored.source)


def find_execution(cursor: Cursor, key: str) -> Document | None:
    cursor.execute("SELECT value FROM executions WHERE key = %s AND NOT deleted", (key,))
    row = cursor.fetchone()
    return None if row is None else row[0]


def lock_execution(cursor: Cursor, key: str) -> Document | None:
    """Read an execution that nobody else changes until the transaction ends."""
    cursor.execute("SELECT value FROM executions WHERE key = %s AND NOT deleted FOR UPDATE", (key,))
    row = cursor.fetchone()
    return None if row is None else row[0]


def save_execution(cursor: Cursor, execution: Document) -> None:
    cursor.execute(
        "INSERT INTO executions (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (execution["id"], to_json(execution)),
    )


def search_executions(cursor: Cursor, wanted: ExecutionFilter, page: Page) -> tuple[list[Document], int]:
    where = (
        "FROM executions WHERE NOT deleted AND (%(ns)s IS NULL OR namespace = %(ns)s OR namespace LIKE %(ns)s || '.%%') "
        "AND (%(flow)s IS NULL OR flow_id = %(flow)s) AND (%(states)s = '{}' OR state_current::text = ANY(%(states)s))"
    )
    values = {"ns": wanted.namespace, "flow": wanted.flow_id, "states": list(wanted.states)}
    cursor.execute(f"SELECT count(*) {where}", values)
    total = cursor.fetchone()[0]
    order = f"start_date {'DESC' if wanted.newest_first else 'ASC'}, key"
    cursor.execute(f"SELECT value {where} ORDER BY {order} {page.clause}", values)
    return [row[0] for row in cursor.fetchall()], total


def save_log(cursor: Cursor, entry: Document) -> None:
    cursor.execute("INSERT INTO logs (key, value) VALUES (%s, %s)", (new_id(), to_json(entry)))


def logs_of(cursor: Cursor, execution: str) -> list[Document]:
    cursor.execute("SELECT value FROM logs WHERE execution_id = %s ORDER BY timestamp, key", (execution,))
    return [row[0] for row in cursor.fetchall()]


def search_logs(
    cursor: Cursor, namespace: str | None, flow: str | None, page: Page
) -> tuple[list[Document], int]:
    where = (
        "FROM logs WHERE (%(ns)s IS NULL OR namespace = %(ns)s) AND (%(flow)s IS NULL OR flow_id = %(flow)s)"
    )
    values = {"ns": namespace, "flow": flow}
    cursor.execute(f"SELECT count(*) {where}", values)
    total = cursor.fetchone()[0]
    cursor.execute(f"SELECT value {where} ORDER BY timestamp, key {page.clause}", values)
    return [row[0] for row in cursor.fetchall()], total


def forget_first_flow(cursor: Cursor) -> None:
    """Remove a flow as if it had never been there (a fault)."""
    cursor.execute(
        "DELETE FROM flows WHERE (namespace, id) = (SELECT namespace, id FROM flows ORDER BY namespace, id LIMIT 1)",
    )


def forget_newest_execution(cursor: Cursor) -> None:
    """Remove an execution as if it had never been there (a fault)."""
    cursor.execute(
        "DELETE FROM executions WHERE key = (SELECT key FROM executions ORDER BY start_date DESC LIMIT 1)"
    )
