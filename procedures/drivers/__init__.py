"""How the suite acts on the service: one contract, and a file for each driver."""

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
        """Build the command that recreates the service and nothing else, from images that are here."""

    def unpause(self, limit: float) -> Command:
        """Build the command that resumes a paused service, so that it can receive a signal."""

    def own(self, name: str, limit: float) -> Command | None:
        """Build the command of the operator's own script for a step; None if no script carries it out."""

    def fallback(self, limit: float) -> Command | None:
        """Build the command that starts the service if the operator's script did not; None if there is no fallback."""

    def remove(self, limit: float) -> Command | None:
        """Build the command that frees the name of a container made by another driver; None if that is not needed."""
