"""The rollback: to the image of the newest accepted run whose image is not the one that the service runs on now."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from procedures.decide import accepted
from procedures.decide.accepted import Goal, Past
from procedures.decide.facts import Group
from procedures.drivers import private
from procedures.drivers.labels import PROJECT
from procedures.drivers.shell import Command
from procedures.observe.moments.observers import Observers
from procedures.problems import CannotObserve, StepFailed
from procedures.run.procedure import Intent, Procedure, Service
from procedures.steps.carry_out import Acting
from procedures.target.steps_by import START, script
from procedures.way_back import kept
from procedures.way_back.kept import CHOOSE, CHOSEN
from procedures.way_back.way_back import WayBack, keep_and_try
from reports.record.evidence import Step, StepResult, StepStatus
from reports.record.observed import Container, Snapshot

LIMIT = 40.0


def intend(service: Service) -> Intent:
    """Go back to an earlier run's image, and to nothing else of that run."""
    goal = look(service.observers, service.containers, service.past)
    choice = Choice(service.observers, service.container, service.stem, goal)
    keep = WayBack(service.observers, service.container, service.stem, service.grace, taken=False)
    lacking = keep.lacking
    if service.container is None and script(service.observers.target.steps, START):
        lacking = ("there is no container whose values it could be started with",)
    return Intent(prepare=(keep, choice), way_back=keep, start=choice.start, goal=goal, lacking=lacking)


def look(observers: Observers, containers: tuple[Container, ...], past: Past) -> Goal:
    """Find the newest accepted run with another image in the archive."""
    running = {one.image_id for one in containers}
    try:
        for run in accepted.runs(past):
            if run.image is not None and run.image.id not in running:
                return Goal(run, observers.engine.image(run.image.id))
    except CannotObserve as error:
        return Goal(None, None, error)
    return Goal(None, None)


class Choice:
    """The file from which a rollback starts; the target's files and the operator's scripts stay as they are.

    For a container made by Compose, it names the image and nothing else. Any other container is made again from
    its description and that image, with its present values.
    """

    def __init__(self, observers: Observers, container: Container | None, stem: Path, goal: Goal) -> None:
        self._observers = observers
        self._goal = goal
        self._by_description = container is not None and PROJECT not in container.labels
        self.file = stem.with_name(f"{stem.name}{CHOSEN}json")

    def start(self, limit: float) -> Command:
        """Build the start of the chosen image."""
        if self._by_description:
            return kept.start(self.file, self._observers.compose.environment, limit)
        return self._observers.start.frozen.with_file(self.file).start(limit)

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self._step,)

    @property
    def _step(self) -> Step:
        return Step(CHOOSE, f"write what to go back to into {self.file}", (), LIMIT, False, f"rm {self.file}")

    def carry_out(self, acting: Acting, before: Snapshot, say: Callable[[str], None]) -> None:
        """Write the file, safe from a crash; try it if it is a description."""
        del say
        image = self._goal.image
        acting.remember(CHOOSE, image=image.id if image else "")
        acting.carry_out(self._step, lambda: self._write(before.container))

    def undo(self) -> str:
        """Remove the file."""
        if not self.file.exists():
            return ""
        self.file.unlink()
        return f"undone: {self.file} was removed"

    def _write(self, container: Container | None) -> StepResult:
        if self._goal.image is None:
            raise StepFailed("there is no image to go back to", "see what the checks said of it")
        image = self._goal.image.id
        if self._by_description and container is not None:
            keep_and_try(self._observers, container, self.file, image, another=True)
        else:
            service = self._observers.target.service
            named = {"services": {service: {"image": image, "pull_policy": "never"}}}
            private.write(self.file, json.dumps(named))
        return StepResult(self._step, StepStatus.DONE, output=f"{self.file}: {image}")


PROCEDURE = Procedure(
    "rollback",
    "restart with the image of the last accepted run that ran on another one",
    Group.ACTING | Group.KEEPING | Group.GOAL | Group.SAME_SETTINGS | Group.SAME_SCHEMA,
    intend,
)
