"""How long to wait for an answer: as long as the path took before, and once more, alone, before it counts as silent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reports.record.observed import Answer

MUTE = "accepted and mute"
SLACK = 3.0
"""A slow path gets this many times what it took before, and at most this many times its limit."""

Said = tuple[Answer, Any]
"""An answer, and its body as it was read."""


class Pace:
    """How long each path's answers have taken in this run, and so how long to wait for the next one."""

    def __init__(self) -> None:
        self._took: dict[str, float] = {}

    def limit(self, name: str, limit: float) -> float:
        """Return a path's limit: several times what it took before, if that is more, and never without end."""
        return min(max(limit, SLACK * self._took.get(name, 0.0)), SLACK * limit)

    def note(self, name: str, answer: Answer) -> None:
        if answer.status:
            self._took[name] = max(self._took.get(name, 0.0), answer.took)


def ask_the_mute_again(said: dict[str, Said], ask: Callable[[str, float], Said], limit: float) -> None:
    """Ask each mute path a second time, alone and with more patience; it counts as slow if others answer.

    A server that is mute on every path, and to a request that is alone, is mute: no further path is asked again.
    """
    until = time.monotonic() + 2 * SLACK * limit
    for name in [name for name, (answer, _) in said.items() if answer.said == MUTE]:
        first = said[name][0]
        slow = f"slow: no answer within {first.took:.1f} s"
        if time.monotonic() < until:
            said[name] = ask(name, SLACK * limit)
            if said[name][0].said != MUTE:
                continue
            slow += f", nor alone within {said[name][0].took:.1f} s"
        if not any(answer.status for answer, _ in said.values()):
            return
        said[name] = replace(first, said=slow), None
