"""The way back: keep what runs before a change, and start it again if a claim fails after the change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from procedures.decide import baseline
from procedures.decide.transitions import Start
from procedures.drivers import private, shell
from procedures.drivers.labels import PROJECT
from procedures.drivers.shell import Command
from procedures.kestra import downgrade
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.moments.observers import Observers
from procedures.observe.waiting import Look, Waiting
from procedures.problems import StepFailed
from procedures.steps import ready, stop_and_start
from procedures.steps.carry_out import Acting
from procedures.target.steps_by import STOP, replaces
from procedures.way_back import kept
from reports.record.evidence import Step, StepResult, StepStatus, Wait, Way
from reports.record.observed import Container, Database, Snapshot, Unseen
from reports.redaction import excerpt

KEEP, BACK_STOP, BACK_START = "keep", "back_stop", "back_start"
KEPT = "kept"
"""The journal's name for what was kept."""
REPOSITORY = "kestra-restart-kept"
"""The repository name of kept images: without a name the engine's owner would clear them away."""
NAME_LIMIT = 30.0
TRIAL_LIMIT = 60.0
LOOK_CADENCE = 0.2


def _steps(file: Path, observers: Observers, container: Container, grace: float) -> tuple[Step, ...]:
    """Return the step that keeps what runs, and those that would bring it back."""
    compose, name, boot = observers.compose, name_of(container), observers.target.budgets.boot
    keep = compose.name_image(container.image_id, name)
    stop = _stop(observers, container, grace, grace + stop_and_start.STOP_SPARE)
    start = kept.start(file, compose.environment, stop_and_start.START_LIMIT)
    by_hand = kept.typed(file)
    return (
        Step(
            KEEP, f"keep the present image by name, and its description in {file}", keep.argv, NAME_LIMIT, False,
            f"{' '.join(compose.unname_image(name).argv)}; rm {file}",
        ),
        Step(BACK_STOP, "way back: stop what was started", stop.argv, stop.limit, True, by_hand, Way.BACK),
        Step(BACK_START, "way back: start what ran before, as the engine described it", start.argv, boot, True, by_hand, Way.BACK),
    )  # fmt: skip


def lacking(engine: EngineObserver, container: Container) -> tuple[str, ...]:
    """Return what a container needs and lacks, to be brought back."""
    if engine.image(container.image_id) is not None:
        return ()
    return (f"its image {container.image_id[:19]} is no longer on this engine",)


def _stop(observers: Observers, container: Container, grace: float, limit: float) -> Command:
    """Build the stop of what was started in a container's place; Compose knows its own containers by their labels."""
    if PROJECT in container.labels and not replaces(observers.target.steps):
        return observers.compose.stop(grace, limit)
    return observers.compose.stop_container(observers.container_name, grace, limit)


def keep_and_try(
    observers: Observers, container: Container, file: Path, image: str, *, another: bool = False
) -> None:
    """Keep a container in a run's file, to be made of an image, `another` than its own or not; see that it can be made."""
    copied_in = observers.operator_rendering.copied_in
    was = kept.keep(observers.engine, observers.target, container, image, copied_in)
    kept.write(file, replace(was, another=another))
    run = file.name.partition(".")[0]
    must(kept.trial(file, run, observers.compose.environment, TRIAL_LIMIT))


def must(command: Command) -> None:
    """Run a command that is part of a step; raise StepFailed if it fails."""
    result = shell.run(command)
    if not result.ok:
        raise StepFailed(
            f"`{' '.join(command.argv)}` ended with {result.exit_code}: {excerpt.last(result.output, 300)}",
            "see what the engine says, and its log; nothing was stopped",
        )


def name_of(container: Container) -> str:
    """Return the name under which a container's image is kept: each project has its own name, to give back on its own."""
    image, owner = container.image_id, container.labels.get(PROJECT, container.name)
    return f"{REPOSITORY}:{owner}-{image.removeprefix('sha256:')[:12]}"


def closed_because(before: Snapshot, database: Database | Unseen) -> str:
    """Return why the database rules out a way back; empty if it does not."""
    then = before.database
    if then is None or isinstance(then, Unseen) or isinstance(then.migrations, Unseen):
        return "the database's schema was not seen before the change"
    if isinstance(database, Unseen) or isinstance(database.migrations, Unseen) or database.login != "ok":
        return "whether the database's schema has moved cannot be seen"
    if then.migrations == database.migrations:
        version = baseline.of(before).version
        closed = downgrade.too_old("" if isinstance(version, Unseen) else version, database)
        return closed.sentence if isinstance(closed, Unseen) else closed
    return (
        f"the database's schema has moved from {_newest(then)} to {_newest(database)}: what ran before does not "
        "know this schema, and only a restored copy of the database leads back"
    )


class WayBack:
    """Keeps what runs, and brings it back; each method is one step or two of the plan.

    `stem` begins the name of the file, `grace` is the seconds that a server has to end. If `taken`, this run itself
    goes back when a claim fails; otherwise only recovery does, if this run is cut off.
    """

    def __init__(
        self, observers: Observers, container: Container | None, stem: Path, grace: float, *, taken: bool
    ) -> None:
        self.file = stem.with_name(stem.name + kept.SUFFIX)
        """Where what ran before is kept."""
        self.lacking = () if container is None else lacking(observers.engine, container)
        """What the present container needs and lacks, to be brought back."""
        self.kept = False
        self._observers = observers
        self._container = None if self.lacking else container
        self._grace = grace
        self._taken = taken
        self._acting: Acting | None = None
        self._waiting: Waiting | None = None
        self._planned: dict[str, Step] = {}
        self._start_limit = stop_and_start.START_LIMIT
        self._named = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the step that keeps what runs, and those of the way back; none if there is nothing to go back to."""
        if self._container is None:
            return ()
        found = _steps(self.file, self._observers, self._container, self._grace)
        return found if self._taken else tuple(one for one in found if one.name == KEEP)

    def hold(self, planned: tuple[Step, ...], acting: Acting, waiting: Waiting) -> None:
        """Take what is needed to act, once the lock is held."""
        self._acting, self._waiting = acting, waiting
        self._planned = {one.name: one for one in planned}
        if STOP in self._planned:
            # An interrupted stop leaves its drain to the start: a start that is cut short there would start nothing.
            self._start_limit = stop_and_start.START_LIMIT + self._planned[STOP].limit

    @property
    def leads_back(self) -> bool:
        """Whether this run itself goes back to what it kept; otherwise only recovery does, if this run is cut off."""
        return self.kept and BACK_START in self._planned

    def carry_out(self, acting: Acting, before: Snapshot, say: Callable[[str], None]) -> None:
        """Name the present image; keep the container's description and the schema of its database."""
        del say
        container, database = before.container, before.database
        if container is None or KEEP not in self._planned:
            return
        step = self._planned[KEEP]
        acting.carry_out(step, lambda: self._keep(step, container))
        schema = database.schema if isinstance(database, Database) else database
        acting.remember(
            KEPT,
            image=container.image_id,
            schema=list(schema) if isinstance(schema, tuple) else None,
            named=self._named,
            file=str(self.file),
            sha256=private.digest(self.file),
        )
        self.kept = True

    def _keep(self, step: Step, container: Container) -> StepResult:
        observers, name = self._observers, name_of(container)
        if observers.engine.image(name) is None:  # an earlier run may have named it, and may need it
            must(observers.compose.name_image(container.image_id, name))
            self._named = name
        keep_and_try(observers, container, self.file, name)
        return StepResult(step, StepStatus.DONE, output=f"{name}; {self.file}")

    def undo(self) -> str:
        """Undo the keeping after a refusal, and say what could not be undone."""
        had = self.file.exists()
        self.file.unlink(missing_ok=True)
        if not self._named:
            return f"undone: {self.file} was removed" if had else ""
        result = shell.run(self._observers.compose.unname_image(self._named))
        word = "undone" if result.ok else "could not be undone"
        return f"{word}: the name {self._named}"

    def stop_new(self) -> None:
        """Stop what was started, if it still runs."""
        if self._container is not None and any(one.running for one in self._observers.containers()):
            step = self._planned[BACK_STOP]
            self._held.command(step, _stop(self._observers, self._container, self._grace, step.limit))

    def start_kept(self, look: Look, hopeless: Callable[[], str]) -> Start:
        """Start what was kept, and wait until it answers."""
        assert self._waiting is not None
        began = ready.engine_time(self._observers)
        result = self.land()
        step = self._planned[BACK_START]
        limit = stop_and_start.AFTER_FAILED_START if result.status is StepStatus.FAILED else step.limit
        wait = self._waiting.until("ready again", look, limit, LOOK_CADENCE, hopeless)
        self._held.add_wait(step, wait)
        return Start(result, began, wait, None)

    def land(self) -> StepResult:
        """Command the start of what was kept; nothing is waited for."""
        environment = self._observers.compose.environment
        return self._held.command(
            self._planned[BACK_START], kept.start(self.file, environment, self._start_limit)
        )

    def note_soak(self, start: Start, wait: Wait) -> Start:
        """Record the soak of what was brought back."""
        self._held.add_wait(self._planned[BACK_START], wait)
        return Start(start.step, start.commanded_at, start.ready, wait)

    @property
    def _held(self) -> Acting:
        assert self._acting is not None, "nothing is acted on before it is held"
        return self._acting


def _newest(database: Database) -> str:
    return (
        database.migrations[-1].version
        if isinstance(database.migrations, tuple) and database.migrations
        else "none"
    )
