"""Executions as values: what their documents become when something happens to them."""

from __future__ import annotations

from datetime import datetime

from .document import Document, new_id
from .moment import from_iso, now, to_iso, to_iso_duration

TERMINAL = frozenset({"SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED", "SKIPPED"})


def state(*histories: tuple[str, datetime]) -> Document:
    """Make a state that went through these."""
    first, (current, last) = histories[0][1], histories[-1]
    made: Document = {
        "current": current,
        "histories": [{"state": name, "date": to_iso(moment)} for name, moment in histories],
        "duration": to_iso_duration(last - first),
        "startDate": to_iso(first),
    }
    if current in TERMINAL:
        made["endDate"] = to_iso(last)
    return made


def moved(old: Document, name: str) -> Document:
    """Make the state that follows."""
    histories = [(entry["state"], from_iso(entry["date"])) for entry in old["histories"]]
    return state(*histories, (name, now()))


def ended(document: Document) -> bool:
    return document["state"]["current"] in TERMINAL


def create(flow: Document, labels: list[Document], inputs: Document) -> Document:
    """Make a new execution of a flow."""
    made, key = now(), new_id()
    return {
        "id": key,
        "namespace": flow["namespace"],
        "flowId": flow["id"],
        "flowRevision": flow["revision"],
        **({"inputs": inputs} if inputs else {}),
        "labels": [*labels, {"key": "system.correlationId", "value": key}],
        "state": state(("CREATED", made)),
        "originalId": key,
        "deleted": False,
        "metadata": {"attemptNumber": 1, "originalCreatedDate": to_iso(made)},
    }


def task_run(execution: Document, task: Document) -> Document:
    """Make the run of one task that is about to be given to a worker."""
    return {
        "id": new_id(),
        "executionId": execution["id"],
        "namespace": execution["namespace"],
        "flowId": execution["flowId"],
        "taskId": task["id"],
        "state": state(("CREATED", now())),
    }


def with_task_run(execution: Document, run: Document) -> Document:
    """Put a run in, in the place of the one that it follows."""
    runs = [old for old in execution.get("taskRunList", []) if old["id"] != run["id"]]
    return {**execution, "taskRunList": [*runs, run]}


def with_state(execution: Document, name: str) -> Document:
    return {**execution, "state": moved(execution["state"], name)}


def next_task(execution: Document, flow: Document) -> Document | None:
    """The first task of the flow that has no run yet."""
    begun = {run["taskId"] for run in execution.get("taskRunList", [])}
    return next((task for task in flow["tasks"] if task["id"] not in begun), None)


def variables(execution: Document, flow: Document, run: Document) -> Document:
    """What an expression of this run can name."""
    outputs = {done["taskId"]: done.get("outputs") or {} for done in execution.get("taskRunList", [])}
    return {
        "flow": {key: flow[key] for key in ("id", "namespace", "revision")},
        "execution": {"id": execution["id"], "startDate": execution["state"]["startDate"]},
        "task": {"id": run["taskId"]},
        "taskrun": {"id": run["id"], "startDate": run["state"]["startDate"]},
        "inputs": execution.get("inputs", {}),
        "labels": {label["key"]: label["value"] for label in execution["labels"]},
        "outputs": outputs,
    }
