"""The rollback: to the image of the newest accepted run that ran on another one than the service runs on now."""

from __future__ import annotations

import json
from pathlib import Path

from procedures.decide import accepted
from procedures.decide.accepted import Goal, Past
from procedures.drivers import private
from procedures.drivers.labels import PROJECT
from procedures.drivers.shell import Command
from procedures.observe.snapshot import Observers
from procedures.problems import CannotObserve, StepFailed
from procedures.way_back import kept_run
from procedures.way_back.kept import CHOOSE, CHOSEN
from reports.record.evidence import Step, StepResult, StepStatus
from reports.record.observed import Container

LIMIT = 40.0


def look(observers: Observers, containers: tuple[Container, ...], past: Past) -> Goal:
    """Find the newest accepted run of another image in the archive."""
    running = {one.image_id for one in containers}
    try:
        for one in accepted.runs(past):
            if one.image is not None and one.image.id not in running:
                return Goal(one, observers.engine.image(one.image.id))
    except CannotObserve as error:
        return Goal(None, None, error)
    return Goal(None, None)


class Choice:
    """The file that says what the start uses; the target's own files, and the operator's scripts, stay as they are.

    For a container that Compose has made it names the image and nothing else. Any other container's is a script that
    makes it again from that image, with the values that it has now.
    """

    def __init__(self, observers: Observers, container: Container | None, stem: Path) -> None:
        self._observers = observers
        self._script: kept_run.Script | None = None
        self.file = stem.with_name(f"{stem.name}{CHOSEN}json")
        if container is not None and PROJECT not in container.labels:
            self.file = stem.with_name(f"{stem.name}{CHOSEN}sh")
            self._script = kept_run.Script(self.file, observers, stem.name)

    def start(self, limit: float) -> Command:
        """Build the start of what was chosen."""
        if self._script is not None:
            return self._script.start(limit)
        return self._observers.frozen.with_file(self.file).start(limit)

    @property
    def step(self) -> Step:
        return Step(CHOOSE, f"write what to go back to into {self.file}", (), LIMIT, False, f"rm {self.file}")

    def write(self, goal: Goal, container: Container | None) -> StepResult:
        """Write the file, safe from a crash, and try it where it is a script."""
        if goal.image is None:
            raise StepFailed("there is no image to go back to", "see what the checks said of it")
        image = goal.image.id
        if self._script is not None and container is not None:
            if lacking := self._script.lacking(container):
                raise StepFailed(
                    f"{container.name} cannot be made again as it is: {', '.join(lacking)}",
                    "make it without that, or start the earlier image by hand",
                )
            self._script.write(container, image)
            self._script.try_it()
        else:
            service = self._observers.target.service
            named = {"services": {service: {"image": image, "pull_policy": "never"}}}
            private.write(self.file, json.dumps(named))
        return StepResult(self.step, StepStatus.DONE, output=f"{self.file}: {image}")
