"""The start uses what was checked, and not what the target's files say by then."""

from __future__ import annotations

from pathlib import Path

from procedures.observe import rendered
from procedures.observe.moments.observers import Observers
from procedures.problems import StepFailed
from procedures.target.steps_by import replaces


class Checked:
    """What was checked, as Compose rendered it; `stem` begins the names of a run's files beside its journal."""

    def __init__(self, observers: Observers, stem: Path) -> None:
        self._observers = observers
        self._stem = stem
        self._is_used = False

    def use(self, *, starts_otherwise: bool) -> None:
        """Let the start use it, unless the run chooses for itself what it starts."""
        observers = self._observers
        self._is_used = observers.start.freeze(self._stem)
        if self._is_used and not starts_otherwise:
            observers.start.choose(observers.start.frozen.start, takes_over=replaces(observers.target.steps))

    def keep(self) -> None:
        """Write it where the start looks for it, before any step that a start may have to follow."""
        if not self._is_used:
            return
        try:
            rendered.write(self._stem, self._observers.target.compose_files, self._observers.start.model)
        except OSError as error:
            raise StepFailed(
                f"what was checked cannot be kept in {rendered.folder(self._stem)}: {error.strerror or error}",
                "make room there, or set XDG_STATE_HOME to another folder",
            ) from error
        self._observers.start.rehearse_frozen()

    def forget(self) -> None:
        """Remove what this run kept: nobody starts anything from it any more."""
        rendered.forget(self._stem)

    def forget_all(self) -> None:
        """Remove what this run and earlier runs kept: what runs now was accepted."""
        rendered.forget_all(self._stem.parent)
