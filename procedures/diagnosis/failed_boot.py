"""Why a start has brought no service: what its container says, what differs from what ran before, where its log is."""

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
"""Which of the saved logs is the one of the container that did not boot."""
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
    """Return the last lines of a log that tell an error, each once; where none does, its last lines.

    Java names what it does not take beside its error, in a line without that word: what has no level of its own, and
    stands beside an error, is told with it where there is room.
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
    """Return what of the container is not as in the one that ran before; values of variables are never told."""
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
    """Return findings of which those about a container that goes now lead to its saved log: the one of that name is another by then."""
    place = f"see log-{FAILED}-{container}.txt in this run's folder"
    return [
        dataclasses.replace(one, next_move=_LOOK.sub(place, one.next_move))
        if container in one.next_move or container in one.text
        else one
        for one in findings
    ]


def pointed(results: tuple[CheckResult, ...], container: str) -> tuple[CheckResult, ...]:
    """Return results of which those about a container that has gone lead to its saved log."""
    place = f"see log-{FAILED}-{container}.txt in this run's folder"
    return tuple(
        dataclasses.replace(one, next_move=_LOOK.sub(place, one.next_move))
        if one.check.phase is Phase.POST and one.check.way is Way.FORWARD and _OF_DATABASE not in one.check.id
        else one
        for one in results
    )
