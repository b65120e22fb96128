"""How the procedures ended that tests have typed, so that what is told of a test can be held against it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from reports.record.evidence import EXIT_STATUS

PLANNED, HEALTHY, USAGE = "WOULD BE LET THROUGH", "HEALTHY", "USAGE ERROR"
"""The endings that are no verdict: of a plan, of a look, and of what was typed wrong."""
_BY_STATUS = {status: str(verdict) for verdict, status in EXIT_STATUS.items()}
ENDINGS = (*_BY_STATUS.values(), PLANNED, HEALTHY, USAGE)

_typed: list[Callable[[], str]] = []


def note(words: Sequence[str], status: int) -> None:
    """Note a procedure that was typed and has ended."""
    ending = _ending(words, status)
    _typed.append(lambda: ending)


def note_running(words: Sequence[str], run: subprocess.Popen[Any]) -> None:
    """Note a procedure that has been started; how it ended is asked when it is needed."""
    _typed.append(lambda: _ending(words, run.poll()))


def count() -> int:
    """How many procedures have been noted by now."""
    return len(_typed)


def between(first: int, last: int) -> list[str]:
    """How those ended, in the order in which they were typed; one that a signal ended has no ending."""
    return [ending for one in _typed[first:last] if (ending := one())]


def _ending(words: Sequence[str], status: int | None) -> str:
    if status == 0 and "--plan" in words:
        return PLANNED
    if status == 0 and "status" in words:
        return HEALTHY
    if status == 4:
        return USAGE
    return "" if status is None else _BY_STATUS.get(status, "")
