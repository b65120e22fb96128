"""The executor: moves executions on as messages arrive, and gives their tasks to the workers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from . import execution as executions
from . import log, queues, store
from .database import Cursor, Pool
from .document import Document
from .moment import from_iso, now
from .queues import Bell, Kind

_POLL = 0.5  # for what another server emitted; our own rings the bell
_RUNNING = "RUNNING"


@dataclass(slots=True)
class Executor:
    """One thread that takes messages from the queue table."""

    pool: Pool
    bell: Bell
    on_kill: Callable[[str], bool]
    """Ends what runs for an execution in this server's worker; says whether there was anything."""
    on_failure: Callable[[Exception], None]
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="jdbc-queue-Execution_0", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no further message; what is left is for the next server."""
        self._stopping.set()
        self.bell.ring()
        if self._thread:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        seen = 0
        try:
            while not self._stopping.is_set():
                if not self._turn():
                    seen = self.bell.wait(seen, _POLL)
        except Exception as failure:  # noqa: BLE001 -- the border: a dead consumer ends the server, as in Kestra
            self.on_failure(failure)

    def _turn(self) -> bool:
        with self.pool.transaction() as cursor:
            taken = queues.take_for_executor(cursor)
            if taken:
                self._handle(cursor, *taken)
        if taken:
            self.bell.ring()
        return taken is not None

    def _handle(self, cursor: Cursor, kind: Kind, message: Document) -> None:
        execution = store.lock_execution(cursor, message["executionId"])
        if execution is None or executions.ended(execution):
            return
        if kind is Kind.EXECUTION:
            self._begin(cursor, execution)
        elif kind is Kind.RESULT:
            self._join(cursor, execution, message["taskRun"])
        else:
            self._kill(cursor, execution)

    def _begin(self, cursor: Cursor, execution: Document) -> None:
        if execution["state"]["current"] == "CREATED":
            _say(execution, "Flow started")
            self._go_on(cursor, executions.with_state(execution, _RUNNING))

    def _join(self, cursor: Cursor, execution: Document, run: Document) -> None:
        execution = executions.with_task_run(execution, run)
        result = run["state"]["current"]
        if result not in executions.TERMINAL:
            store.save_execution(cursor, execution)
        elif execution["state"]["current"] == "KILLING":
            _end(cursor, execution, "KILLED")
        elif result in ("FAILED", "KILLED"):
            _end(cursor, execution, result)
        else:
            self._go_on(cursor, execution)

    def _go_on(self, cursor: Cursor, execution: Document) -> None:
        flow = store.find_revision(cursor, execution)
        if flow is None:
            _end(cursor, execution, "FAILED")
            return
        task = executions.next_task(execution, flow)
        if task is None:
            _end(cursor, execution, "SUCCESS")
            return
        run = executions.task_run(execution, task)
        variables = executions.variables(execution, flow, run)
        store.save_execution(cursor, executions.with_task_run(execution, run))
        queues.emit(cursor, Kind.JOB, run["id"], {"taskRun": run, "task": task, "variables": variables})

    def _kill(self, cursor: Cursor, execution: Document) -> None:
        killing = executions.with_state(execution, "KILLING")
        if self.on_kill(execution["id"]):
            store.save_execution(cursor, killing)
        else:
            _end(cursor, killing, "KILLED")


def _end(cursor: Cursor, execution: Document, name: str) -> None:
    ended = executions.with_state(execution, name)
    store.save_execution(cursor, ended)
    took = now() - from_iso(ended["state"]["startDate"])
    minutes, seconds = divmod(took.total_seconds(), 60)
    _say(ended, f"Flow completed with state {name} in 00:{int(minutes):02d}:{seconds:06.3f}")


def _say(execution: Document, message: str) -> None:
    where = (
        f"[namespace: {execution['namespace']}] [flow: {execution['flowId']}] [execution: {execution['id']}]"
    )
    log.info(f"flow.{execution['flowId']}", f"{where} {message}")
