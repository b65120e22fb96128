"""Who keeps what runs before a change, and starts it again: Compose what it has made, a shell script anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from procedures.drivers import shell
from procedures.drivers.labels import PROJECT
from procedures.drivers.shell import Command
from procedures.observe.snapshot import Observers
from procedures.problems import StepFailed
from procedures.target.scripting import replaces
from procedures.way_back import kept, kept_run
from reports.record.observed import Container
from reports.redaction import excerpt


class Keeper(Protocol):
    """Keeps one container in a file beside the journal, and builds the commands of the way back to it."""

    file: Path

    def lacking(self, container: Container) -> tuple[str, ...]:
        """Return what of a container cannot be kept, so that it could not be had again as it was."""

    def write(self, container: Container, image: str) -> None:
        """Write the file; `image` is the name under which the container's image is kept."""

    def try_it(self, container: Container) -> None:
        """See that the file will do, as far as that can be seen while the container still runs."""

    def stop(self, grace: float, limit: float) -> Command:
        """Build the stop of what was started in the container's place."""

    def clear(self, limit: float) -> Command | None:
        """Build what frees the name that something else may hold by then; None where the start itself does."""

    def start(self, limit: float) -> Command:
        """Build the start of what was kept."""


class ByCompose:
    """Keeps a container that Compose has made, as a model of Compose's."""

    def __init__(self, file: Path, observers: Observers) -> None:
        self.file = file
        self._observers = observers
        self._compose = observers.compose
        self._is_taken_over = replaces(observers.target.steps)

    def lacking(self, container: Container) -> tuple[str, ...]:
        del container
        return ()

    def write(self, container: Container, image: str) -> None:
        kept.write(self.file, self._observers, container, image)

    def try_it(self, container: Container) -> None:
        del container
        must(self._compose.try_kept(self.file))

    def stop(self, grace: float, limit: float) -> Command:
        if self._is_taken_over:
            return self._compose.stop_container(self._observers.container_name, grace, limit)
        return self._compose.stop(grace, limit)

    def clear(self, limit: float) -> Command | None:
        return self._compose.clear((self._observers.container_name,), limit) if self._is_taken_over else None

    def start(self, limit: float) -> Command:
        return self._compose.start_kept(self.file, limit)


def must(command: Command) -> None:
    """Run a command that is part of a step; the step has failed where it has."""
    result = shell.run(command)
    if not result.ok:
        raise StepFailed(
            f"`{' '.join(command.argv)}` ended with {result.exit_code}: {excerpt.last(result.output, 300)}",
            "see the engine's log",
        )


def keeper(container: Container | None, observers: Observers, stem: Path) -> Keeper:
    """Return who keeps a container; `stem` is the file's path without what says its kind."""
    if container is not None and PROJECT not in container.labels:
        return kept_run.Script(stem.with_name(stem.name + kept_run.SUFFIX), observers, stem.name)
    return ByCompose(stem.with_name(stem.name + kept.SUFFIX), observers)
