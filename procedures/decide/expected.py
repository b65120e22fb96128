"""What should run once a procedure is through: the one thing that post checks compare the new container with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from procedures.decide import accepted
from procedures.decide.accepted import Goal
from procedures.decide.baseline import Baseline
from procedures.kestra.versions import is_older, numbers
from reports.record.observed import (
    Binding,
    Container,
    Database,
    Image,
    Rendering,
    ServiceInstance,
    Settings,
    Snapshot,
    Unseen,
)
from reports.record.values import Hidden

WORKING_PARTS = frozenset({"EXECUTOR", "WORKER"})
"""What must be alive where nothing is left of the heartbeats before."""
_GONE = {"INDEXER": "2.0"}
"""Parts that a version, and those after it, do not have."""
LIVENESS = 45.0
"""Seconds after which Kestra takes a silent part for dead, where the part itself does not say."""


ALIVE = frozenset({"CREATED", "RUNNING", "TERMINATING"})
"""The states of a server that acts on the database, or is about to, or has not ended."""


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


def parts_of(look: Snapshot[Hidden] | None) -> frozenset[str] | Unseen:
    """Return the parts of the server that ran at a look; those that do the work where there were none."""
    if look is None or look.database is None:
        return WORKING_PARTS
    if isinstance(look.database, Unseen):
        return look.database
    found = look.database.instances
    if isinstance(found, Unseen):
        return found
    running = [one for one in found if one.state == "RUNNING"]
    if not running and found:
        # A server that was stopped has left its parts behind, and earlier ones theirs, of other versions maybe.
        last = min(found, key=lambda one: one.age).server_id
        running = [one for one in found if one.server_id == last]
    return frozenset(one.type for one in running) or WORKING_PARTS


def silent_parts(
    parts: frozenset[str], database: Database | Unseen | None, container: Container
) -> tuple[str, ...] | Unseen:
    """Return which of these parts of the server send no heartbeats from this container."""
    if not isinstance(database, Database):
        return database or Unseen("the database was not looked at")
    if isinstance(database.instances, Unseen):
        return database.instances
    ours = [one for one in database.instances if one.hostname == container.id[:12]]
    gone = {part for one in ours for part in parts if _has_no(part, one.version)}
    now = {
        one.type for one in ours if one.state == "RUNNING" and one.age < (one.liveness_timeout or LIVENESS)
    }
    return tuple(sorted(parts - gone - now))


def others_alive(instances: tuple[ServiceInstance, ...], own: frozenset[str]) -> tuple[str, ...]:
    """Return the host names of the servers alive on this database that are none of our own."""
    alive = {
        one.hostname
        for one in instances
        if one.state in ALIVE and one.age < (one.liveness_timeout or LIVENESS)
    }
    return tuple(sorted(alive - own))


def _has_no(part: str, version: str) -> bool:
    """Whether a version, by the word of its own heartbeats, does not have a part that earlier ones had."""
    since = _GONE.get(part)
    return since is not None and bool(numbers(version)) and not is_older(version, since)


def _unseen(value: object, what: str) -> Unseen:
    return value if isinstance(value, Unseen) else Unseen(what)
