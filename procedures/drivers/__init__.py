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

    def own(self, name: str, limit: float) -> Command | None:
        """Build the operator's own script for a step; None where no script carries it out."""

    def fallback(self, limit: float) -> Command | None:
        """Build what starts the service where the operator's script did not; None where nothing stands in for it."""

    def remove(self, limit: float) -> Command | None:
        """Build what frees the name of a container that another driver has made; None where that is not asked for."""
