"""The operator's own validation commands: run within their limit, and read as the target file says."""

from __future__ import annotations

import json
import re
from typing import Any

from procedures.drivers import shell
from procedures.drivers.scripts import Scripts, plain
from procedures.target.steps_by import JSON, Claimed, Validation
from procedures.target.target import Target
from reports.record.claimed import ValidationSeen
from reports.redaction import excerpt

KEPT = 8000


class Unreadable(Exception):  # noqa: N818 - says what is the matter
    """The claim is not where the target file says."""


def look(target: Target, scripts: Scripts) -> tuple[ValidationSeen, ...]:
    """Run every validation command, one after the other, and return what each claims."""
    return tuple(_run(validation, scripts, target.budgets.look) for validation in target.validate)


def _run(validation: Validation, scripts: Scripts, limit: float) -> ValidationSeen:
    result = shell.run(scripts.command(validation, limit))
    healthy = checked = None
    problem = _not_run(result)
    if not problem:
        try:
            healthy, checked = read(validation, result.stdout)
        except Unreadable as error:
            problem = str(error)
    return ValidationSeen(
        name=validation.name,
        command=validation.command,
        exit_code=result.exit_code,
        took=round(result.took, 3),
        output=excerpt.last(plain(result.output), KEPT),
        healthy=healthy,
        checked=checked,
        least=validation.checked.least if validation.checked else 0,
        problem=problem,
    )


def _not_run(result: shell.Result) -> str:
    if result.timed_out:
        return f"it did not end within {result.command.limit:g} s"
    return f"it could not be started: {result.output}" if result.exit_code is None else ""


def read(validation: Validation, output: str) -> tuple[bool, int | None]:
    """Return what an output claims: whether all is well, and how much was looked at."""
    if not output.strip():
        raise Unreadable("it printed nothing on its standard output")
    if validation.reads == JSON:
        said = _parsed(output)
        value = _at(said, validation.healthy.key)
        return str(value).casefold() == validation.healthy.value.casefold(), _count(said, validation.checked)
    text = plain(output)
    healthy = re.search(validation.healthy.pattern, text, re.MULTILINE) is not None
    return healthy, _counted(text, validation.checked)


def _parsed(output: str) -> Any:
    try:
        return json.loads(output)
    except ValueError as error:
        raise Unreadable(f"what it printed is no JSON: {error}") from error


def _at(said: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(said, dict) or part not in said:
            raise Unreadable(f"its JSON has no key {key!r}")
        said = said[part]
    return said


def _count(said: Any, asked: Claimed | None) -> int | None:
    if asked is None:
        return None
    value = _at(said, asked.key)
    if isinstance(value, list):
        return len(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Unreadable(f"the value of {asked.key!r} is no number")


def _counted(text: str, asked: Claimed | None) -> int | None:
    if asked is None:
        return None
    found = re.search(asked.pattern, text, re.MULTILINE)
    if found is None or not found[1].isdecimal():
        raise Unreadable(f"it does not say how much it looked at: nothing matches {asked.pattern!r}")
    return int(found[1])
