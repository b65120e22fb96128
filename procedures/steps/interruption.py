"""Whether somebody asked this run to end, and by which signal."""

from __future__ import annotations

import signal
from types import FrameType

from procedures.problems import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""Signals by which a terminal stops a program: they are ignored, because nobody may fall asleep over a service that is down."""
HURRIED = {"SIGINT", "SIGTERM"}
"""The sender of these signals waits for us, but not for long; a lost terminal does not wait."""


class Interruption:
    """Remembers the first signal. Waits ask it, so that no exception cuts off a child process half-way."""

    def __init__(self) -> None:
        self.by = ""
        self._held = False
        self._replaced: dict[signal.Signals, object] = {}

    def listen(self) -> None:
        """Take over the signals that end a run."""
        for one in SIGNALS:
            # An ignored signal is meant to be ignored: by `nohup`, or by a shell for what it runs in the background.
            if signal.getsignal(one) is not signal.SIG_IGN:
                self._replaced[one] = signal.signal(one, self._note)

        for one in STOPS:
            self._replaced[one] = signal.signal(one, signal.SIG_IGN)

    def let_go(self) -> None:
        """Restore the earlier signal handlers."""
        for one, before in self._replaced.items():
            signal.signal(one, before)  # type: ignore[arg-type]  # exactly what signal.signal returned
        self._replaced.clear()

    def hold(self) -> None:
        """Begin landing: from here on a further signal is noted and changes nothing."""
        self._held = True

    def raise_if_asked(self) -> None:
        if self.by and not self._held:
            raise Interrupted(f"interrupted by {self.by}")

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if not self.by:
            self.by = signal.Signals(number).name
