"""The update: the image is resolved and pulled while the service still runs; the restart then starts it."""

from __future__ import annotations

from collections.abc import Callable

from procedures.decide.announcement import Announcement
from procedures.decide.facts import Group
from procedures.drivers import shell
from procedures.drivers.compose import Compose
from procedures.observe.moments.observers import Observers
from procedures.problems import StepFailed
from procedures.run.procedure import Intent, Procedure, Service
from procedures.steps.carry_out import Acting
from procedures.way_back.names import NAME, give_back
from procedures.way_back.way_back import WayBack
from reports.record.evidence import Step, StepStatus
from reports.record.observed import Container, Image, Snapshot
from reports.redaction import excerpt

PULL = "pull"


def intend(service: Service) -> Intent:
    """Pull what the files name, if it is new, and start it."""
    announced = look(service.observers, service.containers)
    nothing_new = ""
    if service.runs and announced.nothing_new:
        nothing_new = f"no new image: {announced.reference} is what the container runs already"
    keep = WayBack(service.observers, service.container, service.stem, service.grace, taken=True)
    pull = Pull(announced, service.observers)
    return Intent(
        prepare=(keep, pull),
        way_back=keep,
        lacking=keep.lacking,
        names_back=pull.give_name_back,
        announcement=announced,
        nothing_new=nothing_new,
        applies=True,
        brings=lambda ready: describe(announced, ready),
    )


def look(observers: Observers, containers: tuple[Container, ...]) -> Announcement:
    """Ask the registry, if the target's policy says so; change nothing."""
    reference = observers.operator_rendering.image
    here = observers.engine.image(reference)
    running = observers.engine.image(containers[0].image_id) if len(containers) == 1 else None
    asked = observers.target.pull == "always" or (observers.target.pull == "missing" and here is None)
    return Announcement(reference, observers.announced() if asked else None, here, running)


def describe(announced: Announcement, ready: Snapshot) -> str:
    """Say which image replaces which, once the new one is here."""
    if not isinstance(ready.image, Image):
        return ""
    return f"the image changes from {_named(announced.running)} to {_named(ready.image)}"


class Pull:
    """The pull, if there is one, and its undoing: the name goes back to the image that had it."""

    def __init__(self, announced: Announcement, observers: Observers) -> None:
        self._announced = announced
        self._observers = observers
        self._pulled = False

    @property
    def steps(self) -> tuple[Step, ...]:
        if not self._announced.pulls:
            return ()
        pull = self._command
        undo = _undo(self._observers.compose, self._announced)
        return (Step(PULL, "pull the new image", pull.argv, pull.limit, False, " ".join(undo.argv)),)

    @property
    def _command(self) -> shell.Command:
        return self._observers.compose.pull(self._announced.reference, self._observers.target.budgets.pull)

    def carry_out(self, acting: Acting, before: Snapshot, say: Callable[[str], None]) -> None:
        """Pull; whatever the registry does, nothing has been stopped yet."""
        del before
        reference = self._announced.reference
        for step in self.steps:
            self._pulled = True
            acting.remember(NAME, **self._moved)
            result = acting.breakable(step, self._command, hear=say)
            if result.status is not StepStatus.DONE:
                said = " ".join(excerpt.last(result.output, 300).split())
                raise StepFailed(
                    f"{reference} could not be pulled: {result.reason}: {said}",
                    "see the registry, its login and the disk, then run again; nothing was touched",
                )
            new = self._observers.engine.image(reference)
            acting.remember(NAME, **self._moved, has=new.id if new else "")

    @property
    def _moved(self) -> dict[str, str]:
        here = self._announced.here
        return {"reference": self._announced.reference, "had": here.id if here else ""}

    def give_name_back(self) -> str:
        """Give the name back to the image that had it and runs again, if there was one."""
        return self.undo() if self._announced.here is not None else ""

    def undo(self) -> str:
        """Give the name back to the image that had it."""
        return give_back(self._observers, self._moved) if self._pulled else ""


def _undo(compose: Compose, announcement: Announcement) -> shell.Command:
    if announcement.here is not None:
        return compose.name_image(announcement.here.id, announcement.reference)
    return compose.unname_image(announcement.reference)


def _named(image: Image | None) -> str:
    if image is None:
        return "none"
    digest = next((one.partition("@")[2] for one in image.digests), image.id)
    return f"{image.version or 'an unnamed version'} ({digest[:19]})"


PROCEDURE = Procedure(
    "update",
    "restart with the image that the files name now, pulled and judged before the stop",
    Group.ACTING | Group.KEEPING | Group.NEW_IMAGE | Group.NEW_SETTINGS | Group.NEW_SCHEMA,
    intend,
    returns=True,
    pulls_first=True,
)
