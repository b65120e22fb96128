"""The queue table: what is emitted is taken once, in order, by one consumer of each kind."""

from __future__ import annotations

import threading
from enum import StrEnum

from .database import Cursor
from .document import Document, to_json


class Kind(StrEnum):
    """The types of message that the understudy sends."""

    EXECUTION = "io.kestra.core.models.executions.Execution"
    KILLED = "io.kestra.core.models.executions.ExecutionKilled"
    JOB = "io.kestra.core.runners.WorkerJob"
    RESULT = "io.kestra.core.runners.WorkerTaskResult"


class Bell:
    """Wakes this server's consumers when something was emitted; those of another server poll."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0

    def ring(self) -> None:
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """Wait until it has rung more often than that; return how often it has."""
        with self._rung:
            self._rung.wait_for(lambda: self._count > seen, timeout)
            return self._count


def emit(cursor: Cursor, kind: Kind, key: str, value: Document) -> None:
    cursor.execute(
        "INSERT INTO queues (type, key, value) VALUES (%s, %s, %s)", (kind.value, key, to_json(value))
    )


def take_for_executor(cursor: Cursor) -> tuple[Kind, Document] | None:
    """Take the oldest message for the executor; it counts as consumed when the transaction commits."""
    return _take(cursor, "consumer_executor", (Kind.EXECUTION, Kind.KILLED, Kind.RESULT))


def take_for_worker(cursor: Cursor) -> tuple[Kind, Document] | None:
    """Take the oldest job for a worker."""
    return _take(cursor, "consumer_worker", (Kind.JOB,))


def _take(cursor: Cursor, consumer: str, kinds: tuple[Kind, ...]) -> tuple[Kind, Document] | None:
    cursor.execute(
        f'UPDATE queues SET {consumer} = true, updated = now() WHERE "offset" = (SELECT "offset" FROM queues '  # noqa: S608 -- the column is one of two words above
        f'WHERE {consumer} = false AND type = ANY(%s::queue_type[]) ORDER BY "offset" LIMIT 1 FOR UPDATE SKIP LOCKED) '
        "RETURNING type, value",
        ([kind.value for kind in kinds],),
    )
    row = cursor.fetchone()
    return None if row is None else (Kind(row[0]), row[1])
