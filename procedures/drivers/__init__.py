"""How the service is acted on: one contract, a file for each way."""

from __future__ import annotations

from typing import Protocol

from procedures.drivers.shell import Command


class Driver(Protocol):
    """Builds the commands that act; running them is the journal's work.

    Every command is a value with the exact argument list that an operator could type in its working directory.
    """

    def stop(self, grace: float, limit: float) -> Command:
        """Build the command that stops the service and nothing else; `grace` is in seconds before a SIGKILL."""

    def start(self, limit: float) -> Command:
        """Build the command that recreates the service and nothing else, from what is here."""

    def unpause(self, limit: float) -> Command:
        """Build the command that lets a paused service run on, so that it can hear a signal."""

    def rehearse_start(self, limit: float) -> Command:
        """Build the command that says what `start` would do and does nothing."""
