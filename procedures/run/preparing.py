"""What a procedure prepares between the two gates besides the logs: a pull, what is kept for a way back, an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from procedures import PROCEDURES, rollback, update
from procedures.decide.accepted import Goal, Past
from procedures.decide.announcement import Announcement
from procedures.observe import rendered
from procedures.observe.snapshot import Observers
from procedures.observe.waiting import Waiting
from procedures.problems import StepFailed
from procedures.steps.acting import Acting
from procedures.target.scripting import START, replaces, script
from procedures.way_back import keeping, kept, returning
from procedures.way_back.changes import changes
from reports.record.evidence import Step
from reports.record.observed import Container, Image, Snapshot


class Preparing:
    """Looks what there is to do while the plan is made, does it when the first gate is open, and takes it back."""

    def __init__(
        self, procedure: str, observers: Observers, containers: tuple[Container, ...], stem: Path, past: Past
    ) -> None:
        self.procedure = procedure
        self.announcement: Announcement | None = None
        self.goal: Goal | None = None
        self.returning: returning.Returning | None = None
        self.nothing_new = ""
        self.lacking: tuple[str, ...] = ()
        """What the present container has that could not be had again."""
        self._observers = observers
        self._containers = containers
        self._keeper = keeping.keeper(self._only, observers, stem)
        self._choice = rollback.Choice(observers, self._only, stem)
        self._updating: update.Updating | None = None
        self._acting: Acting | None = None
        self._stem = stem
        self._freezes = False
        self._planned: dict[str, Step] = {}
        self._look(past)

    def _look(self, past: Past) -> None:
        observers, containers = self._observers, self._containers
        if self._only is not None and self._may_keep:
            self.lacking = self._keeper.lacking(self._only)
        elif self.procedure == "rollback" and script(observers.target.steps, START):
            self.lacking = ("there is no container whose values it could be started with",)
        observers.changes_settings = PROCEDURES[self.procedure].returns
        if self.procedure == "update":
            self.announcement = update.look(observers, containers)
            observers.asks_registry = self.announcement.pulls
            observers.applies = True
            if self._runs and self.announcement.nothing_new:
                reference = self.announcement.reference
                self.nothing_new = f"no new image: {reference} is what the container runs already"
        if self.procedure == "apply_env":
            observers.applies = True
            rendering = observers.operator_rendering
            image = observers.engine.image(containers[0].image_id) if self._runs else None
            if self._runs and not changes(containers[0], rendering, image):
                self.nothing_new = "nothing to apply: the container has every value that the files give it"
        if self.procedure == "rollback":
            self.goal = rollback.look(observers, containers, past)
            observers.choose(self._choice.start)

    @property
    def _only(self) -> Container | None:
        return self._containers[0] if len(self._containers) == 1 else None

    @property
    def _runs(self) -> bool:
        """Whether the service is there: one that is down is started, whatever is new."""
        return len(self._containers) == 1 and self._containers[0].running

    def steps(self, grace: float) -> tuple[Step, ...]:
        """Return the steps that prepare, and those of the way back."""
        observers, budgets = self._observers, self._observers.target.budgets
        compose = observers.compose
        found: tuple[Step, ...] = ()
        if self.can_return:
            found += returning.steps(self._keeper, compose, self._containers, grace, budgets.boot)
        elif self.keeps:
            more = returning.steps(self._keeper, compose, self._containers, grace, budgets.boot)
            found += tuple(one for one in more if one.name == returning.KEEP)
        if self.announcement is not None:
            found += update.steps(compose, self.announcement, budgets.pull)
        if self.goal is not None:
            found += (self._choice.step,)
        return found

    @property
    def can_return(self) -> bool:
        """Whether this run goes back by itself where a claim fails."""
        return PROCEDURES[self.procedure].returns and self.keeps

    @property
    def keeps(self) -> bool:
        """Whether what runs is kept, to be had again."""
        return self._may_keep and not self.lacking

    @property
    def _may_keep(self) -> bool:
        return PROCEDURES[self.procedure].returns or self.procedure == "rollback"

    def hold(
        self, planned: tuple[Step, ...], acting: Acting, waiting: Waiting, tell: Callable[[str], None]
    ) -> None:
        """Take what is needed to act, once the lock is held."""
        self._acting = acting
        self._planned = {one.name: one for one in planned}
        if self.keeps:
            self.returning = returning.Returning(planned, self._keeper, acting, self._observers, waiting)
        if self.announcement is not None:
            self._updating = update.Updating(planned, self.announcement, acting, self._observers, tell)

    def freeze(self) -> None:
        """Let the start use what was checked, and not what the target's files say by then."""
        self._freezes = self._observers.freeze(self._stem)
        if self._freezes and self.goal is None:
            self._observers.choose(
                self._observers.frozen.start, takes_over=replaces(self._observers.target.steps)
            )

    def keep_checked(self) -> None:
        """Keep what was checked where the start will look for it, before any step that a start may have to follow."""
        if self._freezes:
            self._write_rendered()
            self._observers.rehearse_frozen()

    def prepare(self, before: Snapshot) -> None:
        """Do what is done while the service still runs."""
        if self.returning is not None and self.returning.planned and before.container is not None:
            self.returning.keep(before.container, before.database)
        if self._updating is not None:
            self._updating.pull()
        if self.goal is not None and self._acting is not None:
            choice, goal = self._choice, self.goal
            self._acting.remember(kept.CHOOSE, image=goal.image.id if goal.image else "")
            self._acting.carry_out(choice.step, lambda: choice.write(goal, before.container))

    def _write_rendered(self) -> None:
        files = self._observers.target.compose_files
        try:
            rendered.write(self._stem, files, self._observers.model)
        except OSError as error:
            raise StepFailed(
                f"what was checked cannot be kept in {rendered.folder(self._stem)}: {error.strerror or error}",
                "free some room there, or set XDG_STATE_HOME to another folder",
            ) from error

    def told(self, ready: Snapshot) -> str:
        """Tell which image takes the place of which, once it is here."""
        if self.announcement is None or not isinstance(ready.image, Image):
            return ""
        return f"the image changes from {_named(self.announcement.running)} to {_named(ready.image)}"

    def undo(self) -> Iterator[str]:
        """Take back what was prepared, and tell it: the run was refused."""
        for one in (self._updating, self.returning):
            if one is not None and (told := one.undo()):
                yield told
        self.forget_rendered()
        if self._choice.file.exists():
            self._choice.file.unlink()
            yield f"undone: {self._choice.file} was removed"

    def forget_rendered(self) -> None:
        """Remove what this run has rendered: nobody starts anything from it any more."""
        rendered.forget(self._stem)

    def give_names_back(self) -> str:
        """Give a name that moved with a pull back to the image that runs again."""
        if self._updating is None or self.announcement is None or self.announcement.here is None:
            return ""
        return self._updating.undo()

    def forget(self) -> None:
        """Remove what this run and earlier ones have kept for a way back: what runs now was accepted."""
        folder = self._keeper.file.parent
        # What a rollback has started from holds the container's values too.
        for one in (*folder.glob(f"*{kept.ANY}*"), *folder.glob(f"*{kept.CHOSEN}*")):
            one.unlink(missing_ok=True)
        rendered.forget_all(folder)


def _named(image: Image | None) -> str:
    if image is None:
        return "none"
    digest = next((one.partition("@")[2] for one in image.digests), image.id)
    return f"{image.version or 'an unnamed version'} ({digest[:19]})"
