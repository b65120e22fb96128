"""Why a start brought no service: the container's last lines, its differences from the one before, its log."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from procedures.drivers.colours import without_colours
from reports.record.evidence import CheckResult, Finding, Phase, Way
from reports.record.observed import Container, Snapshot
from reports.record.values import known
from reports.redaction import excerpt

AFTER, FAILED = "after", "failed"
"""The names of the saved logs of a container that did not boot."""
LINES = 5
WIDTH = 300
_ERROR = re.compile(r"\b(?:ERROR|FATAL|SEVERE|PANIC|Caused by|\w*(?:Exception|Error)\b)")
_OF_ITSELF = re.compile(r"\b(?:TRACE|DEBUG|INFO|WARN|WARNING|LOG)\b|^(?:at |\.\.\. \d)")
"""Lines that belong to no error beside them: those with a level, and the frames of a stack."""
_BESIDE = (-1, -2, 1)
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ")
_LOOK = re.compile(
    r"`docker logs[^`]*`(?: of [^`;,]*)?|[Ss]ee (?:the (?:new )?(?:server|container)'s|its) log"
)
_OF_DATABASE = "test_database.py"


def last_errors(text: str) -> tuple[str, ...]:
    """Return the last error lines of a log, each once; without errors, its last lines.

    Java names the bad value beside its error, in a line without that word. So a line without a level that stands beside
    an error is returned with it, if there is room.
    """
    lines = [_STAMP.sub("", line).strip() for line in without_colours(text).splitlines()]
    lines = [line for line in lines if line]
    newest = {line: at for at, line in enumerate(lines)}
    errors = sorted(at for line, at in newest.items() if _ERROR.search(line))[-LINES:]
    chosen = dict.fromkeys(errors or sorted(newest.values())[-LINES:])
    beside = [at + step for step in _BESIDE for at in reversed(errors)]
    for at in beside:
        if 0 <= at < len(lines) and newest[lines[at]] == at and not _OF_ITSELF.search(lines[at]):
            chosen.setdefault(at)
    return tuple(excerpt.first(lines[at], WIDTH) for at in sorted(list(chosen)[:LINES]))


def differences(before: Snapshot | None, now: Container) -> tuple[str, ...] | None:
    """Return the parts in which the container differs from the one before; values of variables are never shown."""
    then = known(before.containers if before else None)
    if len(then) != 1:
        return None  # there is nothing to compare with
    one = then[0]
    found = [] if one.image_id == now.image_id else [f"the image ({now.image}, was {one.image})"]
    keys = one.environment.keys() | now.environment.keys()
    found += sorted(key for key in keys if one.environment.get(key) != now.environment.get(key))
    parts = ("command", "mounts", "networks", "bindings", "restart_policy", "health_check")
    found += [part.replace("_", " ") for part in parts if getattr(one, part) != getattr(now, part)]
    return tuple(found)


def pointed_findings(findings: Iterable[Finding], container: str) -> list[Finding]:
    """Return findings; those about the container that is removed now point to its saved log, because its name is reused."""
    place = f"see log-{FAILED}-{container}.txt in this run's folder"
    return [
        dataclasses.replace(one, next_move=_LOOK.sub(place, one.next_move))
        if container in one.next_move or container in one.text
        else one
        for one in findings
    ]


def pointed(results: tuple[CheckResult, ...], container: str) -> tuple[CheckResult, ...]:
    """Return results; those about a container that was removed point to its saved log."""
    place = f"see log-{FAILED}-{container}.txt in this run's folder"
    return tuple(
        dataclasses.replace(one, next_move=_LOOK.sub(place, one.next_move))
        if one.check.phase is Phase.POST and one.check.way is Way.FORWARD and _OF_DATABASE not in one.check.id
        else one
        for one in results
    )
