"""What the start of a run would start: by the target's files, by a script, or by what was kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from procedures.drivers.compose import Compose
from procedures.drivers.scripts import Scripts
from procedures.drivers.shell import Command
from procedures.observe import foreseen, operators, rendered, rendering
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.moments import service
from procedures.observe.moments.attempt import attempt
from procedures.problems import CannotObserve
from procedures.target import env_file, steps_by
from procedures.target.target import Target
from reports.record.observed import Container, DryRun, Image, Rendering, Unseen
from reports.record.scripted import ScriptSeen
from reports.record.values import known

T = TypeVar("T")


class PlannedStart:
    """The start that a run plans, and what is known of it beforehand; nothing is started here."""

    def __init__(self, target: Target, engine: EngineObserver, compose: Compose) -> None:
        self._target = target
        self._engine = engine
        self._compose = compose
        self.rendering, self.model = self._rendered(rendering.by_operator)
        self.by_files = self.rendering
        """What the target's own files say, even if something else is started."""
        self.from_kept = False
        """Whether the run starts what was kept, and not what the files say."""
        self.scripts: tuple[ScriptSeen, ...] | Unseen | None = None
        """The operator's scripts, as they were last read and rehearsed."""
        self.driver = Scripts(target, compose, self._foreign())
        self._rehearsed = self.frozen = compose

    def foresee(self, stand_in: str = "") -> None:
        """Read and rehearse the operator's scripts; if one starts the service, what it starts is what counts.

        `stand_in` is an image in the place of the one that is pulled before the scripts run for real.
        """
        self.scripts = (
            attempt(lambda: operators.look(self._target, self.driver, self._engine.where.url, stand_in))
            if self._target.steps
            else None
        )
        made = foreseen.creation_of(self.scripts, service.name_of(self._target, self.rendering))
        if not self.from_kept:
            self.rendering = foreseen.rendering(self.by_files, made) if made else self.by_files

    def choose(self, start: Callable[[float], Command], *, takes_over: bool = False) -> None:
        """Use this start, in place of Compose's or a script's; it takes a limit in seconds.

        `takes_over` plans the removal of a container that Compose has not made: this start does not remove it itself.
        """
        self.driver = Scripts(self._target, self._compose, self._foreign(), start, takes_over=takes_over)

    def freeze(self, stem: Path) -> bool:
        """Let the start use what was rendered when the plan was made; false if it already uses something else.

        A rendering that Compose cannot read back is not used: that is a finding, and if it is waived, the files are started.
        """
        if self.from_kept or self.driver.own(steps_by.START, 1.0) or self.by_files.unread:
            return False
        places = rendered.places(stem, self._target.compose_files)
        needs_env = any(
            "environment" in one
            for part in ("secrets", "configs")
            for one in (self.model.get(part) or {}).values()
        )
        self.frozen = self._compose.of_rendered(
            self.rendering.project, places, without_env_file=not needs_env
        )
        return True

    def rehearse_frozen(self) -> None:
        """Let later looks rehearse the start by what was rendered, now that it is written."""
        self._rehearsed = self.frozen

    def use_kept(self, start: Callable[[float], Command], kept: Rendering) -> None:
        """Start what was kept, and not what the files say; later looks go by it too."""
        self.from_kept = True
        self.rendering = kept
        self.choose(start)

    @property
    def typed_by_files(self) -> tuple[str, ...]:
        """The start by the target's own files, as it is typed."""
        return Scripts(self._target, self._compose).typed_start

    @property
    def script_files(self) -> tuple[Path, ...]:
        """The files of the scripts that could be read."""
        return tuple(Path(one.file) for one in known(self.scripts) if not one.problem)

    def rendered_by_file(self) -> Rendering:
        """Render by the env files alone; what was kept is the same by either."""
        if self.from_kept:
            return self.rendering  # what was kept reads no env file
        return self._rendered(rendering.by_file)

    def dry_run(self) -> DryRun | Unseen | None:
        """Rehearse the start by Compose; None if Compose does not start what was kept."""
        if self.from_kept:
            return None
        limit = self._target.budgets.look * 2
        return attempt(lambda: rendering.dry_run(self._rehearsed.rehearse_start(limit)))

    def whole_dry_run(self) -> DryRun | Unseen:
        """Rehearse the start of every service in the files."""
        limit = self._target.budgets.look * 2
        return attempt(lambda: rendering.dry_run(self._compose.rehearse_all(limit)))

    def image(self) -> Image:
        """Return the image that the run starts."""
        return image_of(self._engine, self.rendering.image)

    def image_by_files(self) -> Image | Unseen:
        """Return the image that a start by the target's own files would run."""
        return attempt(lambda: image_of(self._engine, self.by_files.image))

    def _foreign(self) -> Container | None:
        return service.unlabelled(self._target, self._engine, self.rendering)

    def _rendered(self, render: Callable[[Target, Compose, tuple[str, ...]], T]) -> T:
        names = {name for one in self._target.env_files for name in env_file.read(one).names}
        return render(self._target, self._compose, tuple(sorted(names | set(self._target.keys.names))))


def image_of(engine: EngineObserver, reference: str) -> Image:
    """Return an image of this engine."""
    image = engine.image(reference)
    if image is None:
        raise CannotObserve(f"the image {reference!r} is not on this engine")
    return image
