"""The update: the image is resolved and pulled while the service still runs, then the restart starts it."""

from __future__ import annotations

from collections.abc import Callable

from procedures.decide.announcement import Announcement
from procedures.drivers import shell
from procedures.drivers.compose import Compose
from procedures.observe.snapshot import Observers
from procedures.problems import StepFailed
from procedures.steps.acting import Acting
from procedures.way_back.names import NAME, give_back
from reports.record.evidence import Step, StepStatus
from reports.record.observed import Container
from reports.redaction import excerpt

PULL = "pull"


def look(observers: Observers, containers: tuple[Container, ...]) -> Announcement:
    """Ask the registry, where the target's policy says that it is asked, and change nothing."""
    reference = observers.operator_rendering.image
    here = observers.engine.image(reference)
    running = observers.engine.image(containers[0].image_id) if len(containers) == 1 else None
    asked = observers.target.pull == "always" or (observers.target.pull == "missing" and here is None)
    return Announcement(reference, observers.announced() if asked else None, here, running)


def steps(compose: Compose, announcement: Announcement, limit: float) -> tuple[Step, ...]:
    """Return the pull, with what undoes it: the name goes back to the image that had it."""
    if not announcement.pulls:
        return ()
    pull = compose.pull(announcement.reference, limit)
    undo = _undo(compose, announcement)
    return (Step(PULL, "pull the new image", pull.argv, limit, False, " ".join(undo.argv)),)


class Updating:
    """Pulls the image, and takes the pull back where the run is refused."""

    def __init__(
        self,
        planned: tuple[Step, ...],
        announcement: Announcement,
        acting: Acting,
        observers: Observers,
        tell: Callable[[str], None],
    ) -> None:
        self._step = next((one for one in planned if one.name == PULL), None)
        self._announcement = announcement
        self._acting = acting
        self._observers = observers
        self._tell = tell
        self._pulled = False

    def pull(self) -> None:
        """Pull; whatever the registry does, nothing has been stopped by then."""
        if self._step is None:
            return
        step, reference = self._step, self._announcement.reference
        self._pulled = True
        self._acting.remember(NAME, **self._moved)
        result = self._acting.breakable(
            step, self._observers.compose.pull(reference, step.limit), hear=self._tell
        )
        if result.status is not StepStatus.DONE:
            said = " ".join(excerpt.last(result.output, 300).split())
            raise StepFailed(
                f"{reference} could not be pulled: {result.reason}: {said}",
                "see the registry, its login and the disk, then run again; nothing was touched",
            )
        new = self._observers.engine.image(reference)
        self._acting.remember(NAME, **self._moved, has=new.id if new else "")

    @property
    def _moved(self) -> dict[str, str]:
        here = self._announcement.here
        return {"reference": self._announcement.reference, "had": here.id if here else ""}

    def undo(self) -> str:
        """Give the name back to the image that had it."""
        return give_back(self._observers, self._moved) if self._pulled else ""


def _undo(compose: Compose, announcement: Announcement) -> shell.Command:
    if announcement.here is not None:
        return compose.name_image(announcement.here.id, announcement.reference)
    return compose.unname_image(announcement.reference)
