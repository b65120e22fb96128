"""The worker: takes jobs from the queue table and runs each in a thread of its own."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from . import execution as executions
from . import log, queues, store
from . import task as tasks
from .database import Pool
from .document import Document, to_json
from .moment import from_iso, now, to_iso
from .problem import Problem
from .queues import Bell, Kind

_POLL = 0.5  # for what another server emitted; our own rings the bell
_LOGGER = "io.kestra.core.runners.Worker"


@dataclass(slots=True)
class Job:
    """One task that is being run."""

    task_run: Document
    task: Document
    variables: Document
    interruption: tasks.Interruption = field(default_factory=tasks.Interruption)


@dataclass(slots=True)
class Worker:
    """The thread that takes jobs, and what runs at the moment."""

    pool: Pool
    bell: Bell
    uuid: str
    """The id of the WORKER service: jobs that a dead server was running are found by it."""
    null_outputs: bool
    on_failure: Callable[[Exception], None]
    _jobs: dict[str, Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="jdbc-queue-WorkerJob_0", daemon=True)
        self._thread.start()

    def end_thread(self) -> None:
        """End the thread that takes jobs, and nothing else (the fault of a dead worker)."""
        self._stopping.set()
        self.bell.ring()
        if self._thread:
            self._thread.join(timeout=5)

    def runnings(self) -> list[Document]:
        """What the management port shows of the running tasks."""
        with self._lock:
            jobs = list(self._jobs.values())
        return [
            {"type": "task", "taskRun": _without_attempts(job.task_run), "task": job.task} for job in jobs
        ]

    def kill(self, execution: str) -> bool:
        """End what runs for an execution; say whether there was anything."""
        with self._lock:
            hit = [job for job in self._jobs.values() if job.task_run["executionId"] == execution]
        for job in hit:
            job.interruption.kill()
        return bool(hit)

    def drain(self, grace: timedelta) -> bool:
        """Take no further job and wait for those that run; say whether they ended by themselves."""
        self.end_thread()
        deadline = time.monotonic() + grace.total_seconds()
        by_themselves = self._wait_until(deadline)
        if not by_themselves:
            pending = (
                "Worker still has some pending threads after `terminationGracePeriod`. Forcing shutdown now."
            )
            log.warn(_LOGGER, pending, thread="worker-shutdown")
            with self._lock:
                jobs = list(self._jobs.values())
            for job in jobs:
                job.interruption.interrupt()
            self._await_interrupted(time.monotonic() + 5)
        log.info(_LOGGER, "All working threads are terminated.")
        return by_themselves

    def _wait_until(self, deadline: float) -> bool:
        said = 0.0
        while remaining := len(self._jobs):
            if time.monotonic() >= deadline:
                return False
            if time.monotonic() - said >= 1:
                log.warn(_LOGGER, f"Waiting for all worker threads to terminate (remaining: {remaining}).")
                said = time.monotonic()
            time.sleep(0.02)
        return True

    def _await_interrupted(self, deadline: float) -> None:
        while self._jobs and time.monotonic() < deadline:
            time.sleep(0.02)

    def _run(self) -> None:
        seen = 0
        try:
            while not self._stopping.is_set():
                job = self._taken()
                if job is None:
                    seen = self.bell.wait(seen, _POLL)
                else:
                    name = f"worker_{next(self._numbers)}"
                    threading.Thread(target=self._carry_out, args=(job,), name=name, daemon=True).start()
        except Exception as failure:  # noqa: BLE001 -- the border: a dead consumer ends the server, as in Kestra
            self.on_failure(failure)

    def _taken(self) -> Job | None:
        with self.pool.transaction() as cursor:
            taken = queues.take_for_worker(cursor)
            if taken is None:
                return None
            message = taken[1]
            instance = {"workerUuid": self.uuid, "workerGroup": None, "partitions": None}
            value = {"workerInstance": instance, "type": "task", **message}
            cursor.execute(
                "INSERT INTO worker_job_running (key, value) VALUES (%s, %s) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (message["taskRun"]["id"], to_json(value)),
            )
        job = Job(message["taskRun"], message["task"], message["variables"])
        with self._lock:
            self._jobs[job.task_run["id"]] = job
        return job

    def _carry_out(self, job: Job) -> None:
        try:
            self._run_task(job)
        except Exception as failure:  # noqa: BLE001 -- the border: what is no failure of the task ends the server
            self.on_failure(failure)
        finally:
            with self._lock:
                self._jobs.pop(job.task_run["id"], None)

    def _run_task(self, job: Job) -> None:
        began, name = now(), job.task["type"].rpartition(".")[2]
        _say(job, f"Type {name} started")
        job.task_run = self._running(job, began)
        self._result(job.task_run)
        outputs, result = self._outcome(job)
        ended = executions.moved(job.task_run["state"], result)
        attempt = executions.moved(executions.state(("CREATED", began), ("RUNNING", began)), result)
        run = {**job.task_run, "outputs": outputs, "state": ended, "attempts": [{"state": attempt}]}
        self._result(run, done=True)
        took = (now() - from_iso(run["state"]["startDate"])).total_seconds()
        _say(job, f"Type {name} with state RUNNING completed in 00:{int(took // 60):02d}:{took % 60:06.3f}")

    def _running(self, job: Job, began: datetime) -> Document:
        attempt = executions.state(("CREATED", began), ("RUNNING", began))
        run = {**job.task_run, "state": executions.moved(job.task_run["state"], "RUNNING")}
        return {**run, "attempts": [{"state": attempt}], **({"outputs": None} if self.null_outputs else {})}

    def _outcome(self, job: Job) -> tuple[Document, str]:
        try:
            return tasks.run(job.task, job.variables, self._logger(job), job.interruption), "SUCCESS"
        except tasks.TaskInterrupted as interrupted:
            if job.interruption.killed:
                return {}, "KILLED"
            self._logger(job)("ERROR", str(interrupted))
            log.raw(f"java.lang.InterruptedException: {interrupted}")
        except (Problem, KeyError) as failure:
            self._logger(job)("ERROR", str(failure))
        return {}, "FAILED"

    def _result(self, run: Document, *, done: bool = False) -> None:
        with self.pool.transaction() as cursor:
            message = {"executionId": run["executionId"], "taskRun": run}
            queues.emit(cursor, Kind.RESULT, run["id"], message)
            if done:
                cursor.execute("DELETE FROM worker_job_running WHERE key = %s", (run["id"],))
        self.bell.ring()

    def _logger(self, job: Job) -> tasks.Say:
        thread = threading.current_thread().name

        def say(level: str, message: str) -> None:
            run = job.task_run
            entry = {key: run[key] for key in ("namespace", "flowId", "taskId", "executionId")}
            entry |= {"taskRunId": run["id"], "attemptNumber": 0, "timestamp": to_iso(now()), "level": level}
            with self.pool.transaction() as cursor:
                store.save_log(cursor, {**entry, "thread": thread, "message": message, "deleted": False})
            # Kestra's console shows INFO and worse.
            if show := {"INFO": log.info, "WARN": log.warn, "ERROR": log.error}.get(level):
                show(_short(job), message)

        return say


def _without_attempts(run: Document) -> Document:
    return {key: value for key, value in run.items() if key != "attempts"}


def _say(job: Job, message: str) -> None:
    run = job.task_run
    where = f"[namespace: {run['namespace']}] [flow: {run['flowId']}] [task: {run['taskId']}]"
    where += f" [execution: {run['executionId']}] [taskrun: {run['id']}]"
    log.info(f"flow.{run['flowId']}.{run['taskId']}", f"{where} {message}")


def _short(job: Job) -> str:
    run = job.task_run
    return f"f.{run['flowId'][0]}.{run['executionId'][0]}.{run['id']}"
