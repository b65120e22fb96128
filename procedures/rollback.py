"""The rollback: to the image of the newest accepted run that ran on another one than the service runs on now."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from procedures import accepted
from procedures.accepted import Accepted, Past
from procedures.observe.snapshot import Observers
from procedures.problems import StepFailed
from reports.evidence import Step, StepResult, StepStatus
from reports.observed import Container, Image

CHOOSE = "choose"
SUFFIX = ".rollback.json"


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a rollback leads: the accepted run, and its image as it is on the engine now; none where it has gone."""

    run: Accepted | None
    image: Image | None


def look(observers: Observers, containers: tuple[Container, ...], past: Past) -> Goal:
    """Find the newest accepted run of another image in the archive."""
    running = {one.image_id for one in containers}
    for one in accepted.runs(past):
        if one.image is not None and one.image.id not in running:
            return Goal(one, observers.engine.image(one.image.id))
    return Goal(None, None)


def step(file: Path) -> Step:
    """Return the step that writes which image the start uses; the target's own files stay as they are."""
    return Step(CHOOSE, f"write the image to go back to into {file}", (), 10.0, False, f"rm {file}")


def choose(planned: Step, file: Path, service: str, goal: Goal) -> StepResult:
    """Write a Compose file that names the image and nothing else, safe from a crash."""
    if goal.image is None:
        raise StepFailed("there is no image to go back to", "see what the checks said of it")
    image = goal.image.id
    text = json.dumps({"services": {service: {"image": image, "pull_policy": "never"}}})
    with file.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return StepResult(planned, StepStatus.DONE, output=f"{file}: {text}")
