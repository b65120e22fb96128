"""Flows: from the YAML source to the document, refused as Kestra refuses them."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from .document import Document
from .problem import Problem

LOG = "io.kestra.plugin.core.log.Log"
RETURN = "io.kestra.plugin.core.debug.Return"
SLEEP = "io.kestra.plugin.core.flow.Sleep"
TASK_TYPES = (LOG, RETURN, SLEEP)

_HEAD = ("id", "namespace", "revision")


class FlowInvalid(Problem):
    """A source that is no flow; `errors` are pairs of a message and the path that it belongs to."""

    def __init__(self, message: str, errors: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors


def parse(source: str) -> Document:
    """Read a flow from its source; the revision is given when it is stored."""
    tree = _tree(source)
    for key in ("id", "namespace"):
        if isinstance(tree.get(key), list | dict):
            raise _illegal(
                "Cannot deserialize value of type `java.lang.String` from "
                f"{_token(tree[key])}\n at [Source: (StringReader); line: {_line(source, key)}, column: {len(key) + 3}] "
                f'(through reference chain: io.kestra.core.models.flows.Flow["{key}"])',
            )
        if tree.get(key) in (None, ""):
            raise _constraint(key, "must not be null")
    if not tree.get("tasks"):
        raise _constraint("tasks", "must not be empty")
    if tree.get("triggers"):
        raise _constraint("triggers", "the understudy has no triggers")
    _check_tasks(tree["tasks"], source)
    return _document(tree)


def _token(value: object) -> str:
    kind = "Array" if isinstance(value, list) else "Object"
    return f"{kind} value (token `JsonToken.START_{kind.upper()}`)"


def _line(source: str, key: str) -> int:
    lines = source.splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)


def _tree(source: str) -> dict[str, object]:
    try:
        tree = yaml.safe_load(source)
    except yaml.YAMLError as invalid:
        raise _illegal(str(invalid)) from invalid
    if not isinstance(tree, dict):
        raise _illegal("Cannot construct instance of `io.kestra.core.models.flows.Flow`: no object")
    return {str(key): value for key, value in tree.items()}


def _document(tree: Mapping[str, object]) -> Document:
    rest = {key: value for key, value in tree.items() if key not in (*_HEAD, "disabled", "deleted", "tasks")}
    return {
        "id": _scalar(tree["id"]),
        "namespace": _scalar(tree["namespace"]),
        "revision": 1,
        **rest,
        "disabled": bool(tree.get("disabled", False)),
        "deleted": False,
        "tasks": tree["tasks"],
    }


def _scalar(value: object) -> str:
    # An unquoted `no` is a boolean to YAML, and Kestra's id then reads "false".
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_tasks(tasks: object, source: str) -> None:
    if not isinstance(tasks, list):
        raise _illegal('Cannot deserialize value of type `java.util.ArrayList` ("tasks")')
    for index, task in enumerate(tasks):
        if not isinstance(task, dict) or not task.get("id"):
            raise _constraint(f"tasks[{index}].id", "must not be null")
        if task.get("type") not in TASK_TYPES:
            raise _unknown_type(str(task.get("type")), index, source)


def _unknown_type(name: str, index: int, source: str) -> FlowInvalid:
    path = f'io.kestra.core.models.flows.Flow["tasks"]->java.util.ArrayList[{index}]'
    detail = (
        f"Could not resolve type id '{name}' as a subtype of `io.kestra.core.models.Plugin`: "
        f"No plugin registered for the defined type: '{name}'\n at [Source: (StringReader); "
        f"line: {source.count(chr(10)) + 1}, column: 1] (through reference chain: {path})"
    )
    return FlowInvalid(f"Invalid type: {name}", ((f"Invalid type: {name}", path), (detail, path)))


def _illegal(message: str) -> FlowInvalid:
    return FlowInvalid(f"Illegal flow yaml: {message}", ((message, "yaml"),))


def _constraint(path: str, message: str) -> FlowInvalid:
    return FlowInvalid(f"{path}: {message}", ((message, path),))
