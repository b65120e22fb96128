"""The tasks that the understudy really runs: Log, Return and Sleep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .document import Document
from .expression import render
from .flow import LOG, RETURN
from .moment import parse_duration
from .problem import Problem


class TaskInterrupted(Problem):
    """The worker was told to end the task: its execution was killed, or the drain ran out of time."""


@dataclass(slots=True)
class Interruption:
    """How a running task is ended from outside."""

    killed: bool = False
    _asked: threading.Event = field(default_factory=threading.Event)

    def interrupt(self) -> None:
        self._asked.set()

    def kill(self) -> None:
        self.killed = True
        self._asked.set()

    def sleep(self, seconds: float) -> None:
        if self._asked.wait(seconds):
            raise TaskInterrupted("sleep interrupted")


Say = Callable[[str, str], None]
"""Writes a line of a level to the task's log."""


def run(task: Document, variables: Mapping[str, object], say: Say, interruption: Interruption) -> Document:
    """Run one task; what it returns are its outputs."""
    if task["type"] == LOG:
        return _log(task, variables, say)
    if task["type"] == RETURN:
        value = render(str(task.get("format", "")), variables)
        say("DEBUG", value)
        return {"value": value}
    interruption.sleep(parse_duration(render(str(task["duration"]), variables)).total_seconds())
    return {}


def _log(task: Document, variables: Mapping[str, object], say: Say) -> Document:
    messages = task.get("message", "")
    for message in messages if isinstance(messages, list) else [messages]:
        say(str(task.get("level", "INFO")), render(str(message), variables))
    return {}
