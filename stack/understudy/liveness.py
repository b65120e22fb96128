"""Heartbeats, and the search for services that fell silent, whose jobs are then given out again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import log, queues
from .database import Cursor, Pool
from .document import Document, to_json
from .moment import from_iso, now
from .queues import Bell, Kind
from .services import Services, Timing, moved

_COORDINATOR = "i.k.j.r.JdbcServiceLivenessCoordinator"
_SILENT_STATES = (
    "RUNNING",
    "TERMINATING",
    "DISCONNECTED",
    "TERMINATED_GRACEFULLY",
    "TERMINATED_FORCED",
    "NOT_RUNNING",
)


@dataclass(slots=True)
class Liveness:
    """One thread for both; it keeps no state but what is in the table."""

    pool: Pool
    bell: Bell
    services: Services
    timing: Timing
    on_failure: Callable[[Exception], None]
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._run, name="liveness", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        looked = 0.0
        try:
            while not self._stopping.wait(min(self.timing.heartbeat, self.timing.interval)):
                with self.pool.transaction() as cursor:
                    self.services.beat(cursor)
                if time.monotonic() - looked >= self.timing.interval:
                    looked = time.monotonic()
                    self._look()
        except Exception as failure:  # noqa: BLE001 -- the border: a dead heartbeat ends the server, as in Kestra
            self.on_failure(failure)

    def _look(self) -> None:
        with self.pool.transaction() as cursor:
            cursor.execute(
                "SELECT value FROM service_instance WHERE state = ANY(%s) ORDER BY created_at FOR UPDATE SKIP LOCKED",
                (list(_SILENT_STATES),),
            )
            for (row,) in cursor.fetchall():
                judge(cursor, row)
        self.bell.ring()


def judge(cursor: Cursor, row: Document) -> None:
    """Move one row of a service that fell silent or ended."""
    state, silent = row["state"], (now() - from_iso(row["updatedAt"])).total_seconds()
    settings = row["config"]
    timed_out = silent > settings["liveness"]["timeout"]
    grace_over = silent > settings["terminationGracePeriod"]
    at_once = settings["workerTaskRestartStrategy"] == "IMMEDIATELY"
    if state == "RUNNING" and timed_out:
        log.warn(_COORDINATOR, f"Detected non-responding service [{_name(row)}] after timeout.")
        _update(cursor, moved(row, "DISCONNECTED"))
        if at_once:
            _give_out_again(cursor, row)
    elif state in ("TERMINATING", "DISCONNECTED") and (grace_over or (at_once and timed_out)):
        _give_out_again(cursor, row)
        _update(cursor, moved(row, "NOT_RUNNING"))
    elif row["type"] == "WORKER" and state in ("TERMINATED_GRACEFULLY", "TERMINATED_FORCED"):
        _update(cursor, moved(row, "NOT_RUNNING"))
    elif row["type"] == "WORKER" and state == "NOT_RUNNING":
        _update(cursor, moved(row, "EMPTY"))


def _give_out_again(cursor: Cursor, row: Document) -> None:
    if row["type"] != "WORKER" or row["config"]["workerTaskRestartStrategy"] == "NEVER":
        return
    cursor.execute("DELETE FROM worker_job_running WHERE worker_uuid = %s RETURNING value", (row["id"],))
    jobs = [value for (value,) in cursor.fetchall()]
    if jobs:
        after = "Trigger task restart for non-responding workers after termination grace period"
        log.info(_COORDINATOR, f"{after}: [{row['id']}]")
    for job in jobs:
        run = job["taskRun"]
        log.warn(
            _COORDINATOR, f"[taskrun: {run['id']}] [execution: {run['executionId']}] Re-emitting WorkerTask."
        )
        queues.emit(cursor, Kind.JOB, run["id"], {key: job[key] for key in ("taskRun", "task", "variables")})


def _update(cursor: Cursor, row: Document) -> None:
    cursor.execute("UPDATE service_instance SET value = %s WHERE key = %s", (to_json(row), row["id"]))


def _name(row: Document) -> str:
    return f"id={row['id']}, type={row['type']}, hostname={row['server']['hostname']}"
