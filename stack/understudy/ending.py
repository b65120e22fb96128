"""Why a server ends, and the exit status that each reason has."""

from __future__ import annotations

import threading
from enum import Enum


class Reason(Enum):
    """Why the server ends; the value is its exit status."""

    TERM = 143
    INTERRUPT = 130
    STOPPED = 1
    LOST = 2
    FROZEN = 3
    CRASHED = 4

    @property
    def status(self) -> int:
        return self.value if self.value > 128 else 1


class Ending:
    """The first reason to end counts."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self.reason: Reason | None = None

    def ask(self, reason: Reason) -> None:
        self.reason = self.reason or reason
        self._asked.set()

    def wait(self, timeout: float) -> bool:
        return self._asked.wait(timeout)
