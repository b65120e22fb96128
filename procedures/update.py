"""The update: the image is resolved and pulled while the service still runs, then the restart starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from procedures.acting import Acting
from procedures.drivers import shell
from procedures.drivers.compose import Compose
from procedures.observe.snapshot import Observers
from procedures.problems import CannotObserve, StepFailed
from reports import excerpt
from reports.evidence import Step, StepStatus
from reports.observed import Container, Image, Unseen

PULL, NAME = "pull", "name"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an update would bring, as known before anything is pulled.

    `digest` is the registry's word, None where the target says that an image that is here is not pulled;
    `here` is the image that the reference names on this engine now, `running` the one that the container is of.
    """

    reference: str
    digest: str | Unseen | None
    here: Image | None
    running: Image | None

    @property
    def pulls(self) -> bool:
        """Whether the image is pulled."""
        return self.digest is not None

    @property
    def nothing_new(self) -> bool:
        """Whether the container is of that very image already."""
        if self.running is None or isinstance(self.digest, Unseen):
            return False
        if self.digest is None:
            return self.here is not None and self.here.id == self.running.id
        return any(one.endswith(f"@{self.digest}") for one in self.running.digests)

    @property
    def known(self) -> Image | None:
        """The image that an update would bring, where this engine has that very one already."""
        if self.here is None or isinstance(self.digest, Unseen):
            return None
        if self.digest is None or any(one.endswith(f"@{self.digest}") for one in self.here.digests):
            return self.here
        return None

    @property
    def untried(self) -> tuple[str, ...]:
        """What nobody can say of the new image before it was pulled."""
        if self.nothing_new or self.known is not None:
            return ()
        return (
            (
                f"what {self.reference} is: its processor, its entry point, its version, and whether a run went back from "
                "it; it is not on this engine as its registry announces it, and a plan pulls nothing"
            ),
        )


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


def give_back(observers: Observers, moved: Mapping[str, Any]) -> str:
    """Give a name that a pull has moved back to the image that had it; tell what was done, nothing where nothing was.

    `moved` is what the journal says of it: the name, the image that had it, and the one that the pull brought.
    """
    reference, had, brought = (str(moved.get(key, "")) for key in ("reference", "had", "has"))
    try:
        now = observers.engine.image(reference)
    except CannotObserve as error:
        return f"the name {reference} could not be given back: {error}"
    if not reference or (now.id if now else "") == had:
        return ""
    if now is not None and brought and now.id != brought:
        return f"the name {reference} stays where it is: it was moved once more since this suite pulled it"
    compose = observers.compose
    command = compose.name_image(had, reference) if had else compose.unname_image(reference)
    word = "undone" if shell.run(command).ok else "could not be undone"
    return f"{word}: {' '.join(command.argv)}"


def _undo(compose: Compose, announcement: Announcement) -> shell.Command:
    if announcement.here is not None:
        return compose.name_image(announcement.here.id, announcement.reference)
    return compose.unname_image(announcement.reference)
