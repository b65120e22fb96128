"""What should run once a procedure is through: the one thing that post checks compare the new container with."""

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
    """Stands where a version should be that the image does not name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Image, version, settings and published ports, each as it was checked before; unseen where nobody could say."""

    image_id: str | Unseen
    version: str | Unnamed | Unseen
    settings: Settings | Unseen
    bindings: tuple[Binding, ...] | Unseen
    rendering: Rendering | None = None
    """The whole of what the target's files make; None where something else is to run."""


def as_configured(look: Snapshot, version: str | Unnamed | Unseen) -> Expected:
    """Return what the target's files promise, as one look rendered them."""
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
    """Return what ran before, which is what a way back must bring again."""
    settings = before.running_settings
    return Expected(
        container.image_id,
        baseline.version,
        settings if isinstance(settings, Settings) else _unseen(settings, "its settings were not seen"),
        container.bindings,
    )


def with_image(found: Expected, goal: Goal) -> Expected:
    """Return an expectation with the image and the version of an accepted run in the place of its own."""
    run = goal.run
    if run is None or run.image is None:
        gone = Unseen("no accepted run with another image is in the archive")
        return replace(found, image_id=gone, version=gone)
    return replace(found, image_id=run.image.id, version=accepted.baseline_of(run).version)


def version_of(image: Image | Unseen | None) -> str | Unnamed | Unseen:
    """Return the version that an image says it is."""
    if not isinstance(image, Image):
        return _unseen(image, "the image was not seen")
    return image.version or Unnamed()


def _unseen(value: object, what: str) -> Unseen:
    return value if isinstance(value, Unseen) else Unseen(what)
