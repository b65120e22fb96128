"""What should run at the end of a procedure: post checks compare the new container with it, and with nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from procedures.decide import accepted
from procedures.decide.accepted import Goal
from procedures.decide.baseline import Baseline
from reports.record.observed import (
    Binding,
    Container,
    Image,
    Rendering,
    Settings,
    Snapshot,
    Unseen,
)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Stands for the version of an image that names none."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Image, version, settings and published ports as they were checked before; unseen if unknown."""

    image_id: str | Unseen
    version: str | Unnamed | Unseen
    settings: Settings | Unseen
    bindings: tuple[Binding, ...] | Unseen
    rendering: Rendering | None = None
    """Everything that the target's files define; None if something else is to run."""


def as_configured(look: Snapshot, version: str | Unnamed | Unseen) -> Expected:
    """Return what the target's files define, as one snapshot rendered them."""
    rendering, image = look.operator_rendering, look.image
    if not isinstance(rendering, Rendering):
        unseen = _unseen(rendering, "what Compose renders was not seen")
        return Expected(unseen, version, unseen, unseen)
    return Expected(
        image.id if isinstance(image, Image) else _unseen(image, "the image was not seen"),
        version,
        rendering.settings,
        rendering.bindings,
        rendering,
    )


def as_it_was(before: Snapshot, container: Container, baseline: Baseline) -> Expected:
    """Return what ran before: the way back must bring exactly that."""
    settings = before.running_settings
    return Expected(
        container.image_id,
        baseline.version,
        settings if isinstance(settings, Settings) else _unseen(settings, "its settings were not seen"),
        container.bindings,
    )


def with_image(expected: Expected, goal: Goal) -> Expected:
    """Return an expectation with the image and the version of an accepted run instead of its own."""
    run = goal.run
    if run is None or run.image is None:
        gone = Unseen("no accepted run with another image is in the archive")
        return replace(expected, image_id=gone, version=gone)
    return replace(expected, image_id=run.image.id, version=accepted.baseline_of(run).version)


def version_of(image: Image | Unseen | None) -> str | Unnamed | Unseen:
    """Return the version that an image names."""
    if not isinstance(image, Image):
        return _unseen(image, "the image was not seen")
    return image.version or Unnamed()


def _unseen(value: object, what: str) -> Unseen:
    return value if isinstance(value, Unseen) else Unseen(what)
