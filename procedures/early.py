"""What is in force while the rest of the suite is still being read, which takes a while: Ctrl-C is noted, and cuts off nothing."""

from __future__ import annotations

import signal
from types import FrameType


class Early:
    """Notes Ctrl-C until the session can judge it."""

    def __init__(self) -> None:
        self.heard = ""
        self._listens = False

    def listen(self) -> None:
        # If Ctrl-C is ignored, whoever started us wants that.
        self._listens = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._listens:
            signal.signal(signal.SIGINT, self._note)

    def let_go(self) -> None:
        """Give the signal back to Python, and raise what was noted: there is no run to end."""
        if self._listens:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.heard:
            raise KeyboardInterrupt

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.heard = "SIGINT"


EARLY = Early()


def pytest_addoption() -> None:
    """Listen. pytest calls this as soon as it has read this file, before it reads the next."""
    EARLY.listen()
