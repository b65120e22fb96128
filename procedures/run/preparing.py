"""What a procedure prepares between the two gates besides the logs: a pull, what is kept for a way back, an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from procedures.observe import rendered
from procedures.observe.waiting import Waiting
from procedures.problems import StepFailed
from procedures.run.procedure import Found, Procedure
from procedures.steps.acting import Acting
from procedures.target.scripting import replaces
from procedures.way_back import kept, returning
from reports.record.evidence import Step
from reports.record.observed import Snapshot


class Preparing:
    """Looks what there is to do while the plan is made, does it when the first gate is open, and takes it back."""

    def __init__(self, procedure: Procedure, found: Found) -> None:
        self.returning: returning.Returning | None = None
        self._procedure = procedure
        self._observers = found.observers
        self._container = found.only
        self._stem = found.stem
        self._kept_in = returning.file_of(found.stem)
        self._acting: Acting | None = None
        self._tell: Callable[[str], None] = _silent
        self._freezes = False
        self._planned: set[str] = set()
        keeps = found.only if procedure.keeps else None
        lacking = returning.lacking(found.observers.engine, keeps) if keeps is not None else ()
        self.intent = intent = procedure.intend(found)
        self.lacking = lacking or intent.lacking
        """What the present container has that could not be had again."""
        observers = found.observers
        observers.changes_settings, observers.applies = procedure.returns, intent.applies
        observers.asks_registry = intent.announcement is not None and intent.announcement.pulls
        if intent.start is not None:
            observers.choose(intent.start)

    def steps(self, grace: float) -> tuple[Step, ...]:
        """Return the steps that prepare, and those of the way back."""
        found: tuple[Step, ...] = ()
        if self.keeps:
            boot = self._observers.target.budgets.boot
            found = returning.steps(self._kept_in, self._observers, self._container, grace, boot)
            if not self._procedure.returns:
                found = tuple(one for one in found if one.name == returning.KEEP)
        return (*found, *(step for one in self.intent.prepare for step in one.steps))

    @property
    def keeps(self) -> bool:
        """Whether what runs is kept, to be had again."""
        return self._procedure.keeps and not self.lacking

    def hold(
        self, planned: tuple[Step, ...], acting: Acting, waiting: Waiting, tell: Callable[[str], None]
    ) -> None:
        """Take what is needed to act, once the lock is held."""
        self._acting, self._tell = acting, tell
        self._planned = {one.name for one in planned}
        if self.keeps:
            self.returning = returning.Returning(
                planned,
                file=self._kept_in,
                container=self._container,
                acting=acting,
                observers=self._observers,
                waiting=waiting,
            )

    def freeze(self) -> None:
        """Let the start use what was checked, and not what the target's files say by then."""
        self._freezes = self._observers.freeze(self._stem)
        if self._freezes and self.intent.start is None:
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
        if self._acting is not None:
            for one in self.intent.prepare:
                if self._planned.issuperset(step.name for step in one.steps):
                    one.carry_out(self._acting, before, self._tell)

    def _write_rendered(self) -> None:
        files = self._observers.target.compose_files
        try:
            rendered.write(self._stem, files, self._observers.model)
        except OSError as error:
            raise StepFailed(
                f"what was checked cannot be kept in {rendered.folder(self._stem)}: {error.strerror or error}",
                "free some room there, or set XDG_STATE_HOME to another folder",
            ) from error

    def undo(self) -> Iterator[str]:
        """Take back what was prepared, the last thing first, and tell it: the run was refused."""
        for one in (*reversed(self.intent.prepare), self.returning):
            if one is not None and (told := one.undo()):
                yield told
        self.forget_rendered()

    def forget_rendered(self) -> None:
        """Remove what this run has rendered: nobody starts anything from it any more."""
        rendered.forget(self._stem)

    def give_names_back(self) -> str:
        """Give a name that moved with a pull back to the image that runs again."""
        announced = self.intent.announcement
        if announced is None or announced.here is None:
            return ""
        return next((told for one in self.intent.prepare if (told := one.undo())), "")

    def forget(self) -> None:
        """Remove what this run and earlier ones have kept for a way back: what runs now was accepted."""
        folder = self._kept_in.parent
        # What a rollback has started from holds the container's values too.
        for one in (*folder.glob(f"*{kept.ANY}*"), *folder.glob(f"*{kept.CHOSEN}*")):
            one.unlink(missing_ok=True)
        rendered.forget_all(folder)


def _silent(_: str) -> None:
    """Say nothing: nothing is carried out before it is held."""
