"""The way back: keeping what runs before a change, and starting it again when a claim has failed after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from procedures.decide import baseline
from procedures.decide.acts import Start
from procedures.drivers import private, shell
from procedures.drivers.compose import Compose
from procedures.drivers.labels import PROJECT
from procedures.kestra import downgrade
from procedures.observe.snapshot import Observers
from procedures.observe.waiting import Look, Waiting
from procedures.steps import restart
from procedures.steps.acting import Acting
from procedures.way_back.keeping import Keeper, must
from reports.record.evidence import Step, StepResult, StepStatus, Wait, Way
from reports.record.observed import Container, Database, Snapshot, Unseen

KEEP, STOP, CLEAR, START = "keep", "back_stop", "back_clear", "back_start"
KEPT = "kept"
"""What the journal calls the fact that something was kept."""
REPOSITORY = "kestra-restart-kept"
"""Images that a way back or a rollback may need are named so, or the engine's owner would clear them away."""
NAME_LIMIT = 30.0
CLEAR_LIMIT = 30.0
LOOK_CADENCE = 0.2


def steps(
    keeper: Keeper, compose: Compose, containers: tuple[Container, ...], grace: float, boot: float
) -> tuple[Step, ...]:
    """Return the steps that keep what runs, and those that would bring it back; none where nothing is there."""
    if len(containers) != 1:
        return ()
    name = name_of(containers[0])
    keep, stop = (
        compose.name_image(containers[0].image_id, name),
        keeper.stop(grace, grace + restart.STOP_SPARE),
    )
    clear, start = keeper.clear(CLEAR_LIMIT), keeper.start(restart.START_LIMIT)
    by_hand = " ".join(start.argv)
    return (
        Step(
            KEEP, f"keep the present image by name, and its values in {keeper.file}", keep.argv, NAME_LIMIT, False,
            f"{' '.join(compose.unname_image(name).argv)}; rm {keeper.file}",
        ),
        Step(STOP, "way back: stop what was started", stop.argv, stop.limit, True, by_hand, Way.BACK),
        *(
            Step(CLEAR, "way back: free the name that it holds", one.argv, one.limit, True, by_hand, Way.BACK)
            for one in (clear,) if one is not None
        ),
        Step(START, "way back: start what ran before, with its own values", start.argv, boot, True, by_hand, Way.BACK),
    )  # fmt: skip


def name_of(container: Container) -> str:
    """Return the name under which a container's image is kept: each project has its own, to give back on its own."""
    image, owner = container.image_id, container.labels.get(PROJECT, container.name)
    return f"{REPOSITORY}:{owner}-{image.removeprefix('sha256:')[:12]}"


def closed_because(before: Snapshot, database: Database | Unseen) -> str:
    """Return why the database does not allow a way back; empty where it does."""
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


class Returning:
    """Keeps what runs, and brings it back; each method is one step or two of the plan."""

    def __init__(
        self,
        planned: tuple[Step, ...],
        keeper: Keeper,
        acting: Acting,
        observers: Observers,
        waiting: Waiting,
    ) -> None:
        self._planned = {one.name: one for one in planned}
        self._keeper = keeper
        self._acting = acting
        self._observers = observers
        self._waiting = waiting
        # A stop that was broken off leaves its drain to the start: cut short there, nobody would start anything.
        drain = self._planned[restart.STOP].limit if restart.STOP in self._planned else 0.0
        self._start_limit = restart.START_LIMIT + drain
        self.kept = False
        self._named = ""

    @property
    def file(self) -> Path:
        """Where what ran before is kept."""
        return self._keeper.file

    @property
    def planned(self) -> bool:
        """Whether there is anything to go back to."""
        return KEEP in self._planned

    @property
    def leads_back(self) -> bool:
        """Whether this run itself goes back to what it has kept; else only recovery does, where it is cut off."""
        return self.kept and START in self._planned

    def keep(self, container: Container, database: Database | Unseen | None) -> None:
        """Name the present image and write the container's values down, and what its database was like."""
        step, observers = self._planned[KEEP], self._observers
        name = name_of(container)

        def act() -> StepResult:
            if observers.engine.image(name) is None:  # an earlier run may have named it, and may need it
                must(observers.compose.name_image(container.image_id, name))
                self._named = name
            self._keeper.write(container, name)
            self._keeper.try_it(container)
            return StepResult(step, StepStatus.DONE, output=f"{name}; {self.file}")

        self._acting.carry_out(step, act)
        schema = database.schema if isinstance(database, Database) else database
        self._acting.remember(
            KEPT,
            image=container.image_id,
            schema=list(schema) if isinstance(schema, tuple) else None,
            named=self._named,
            file=str(self.file),
            sha256=private.digest(self.file),
        )
        self.kept = True

    def undo(self) -> str:
        """Take away what was kept, after a refusal, and say what could not be."""
        had = self.file.exists()
        self.file.unlink(missing_ok=True)
        if not self._named:
            return f"undone: {self.file} was removed" if had else ""
        result = shell.run(self._observers.compose.unname_image(self._named))
        word = "undone" if result.ok else "could not be undone"
        return f"{word}: the name {self._named}"

    def stop_new(self, grace: float) -> None:
        """Stop what was started, where it still runs."""
        if any(one.running for one in self._observers.containers()):
            step = self._planned[STOP]
            self._acting.command(step, self._keeper.stop(grace, step.limit))

    def start_kept(self, look: Look, hopeless: Callable[[], str]) -> Start:
        """Start what was kept, and wait until it answers."""
        began = restart.engine_time(self._observers)
        result = self.land()
        step = self._planned[START]
        limit = restart.AFTER_FAILED_START if result.status is StepStatus.FAILED else step.limit
        ready = self._waiting.until("ready again", look, limit, LOOK_CADENCE, hopeless)
        self._acting.add_wait(step, ready)
        return Start(result, began, ready, None)

    def land(self) -> StepResult:
        """Command the start of what was kept; nothing is waited for."""
        if CLEAR in self._planned and (clear := self._keeper.clear(CLEAR_LIMIT)) and self._is_held:
            self._acting.command(self._planned[CLEAR], clear)
        return self._acting.command(self._planned[START], self._keeper.start(self._start_limit))

    @property
    def _is_held(self) -> bool:
        """Whether something that Compose has not made has the service's name."""
        return any(PROJECT not in one.labels for one in self._observers.containers())

    def note_soak(self, start: Start, wait: Wait) -> Start:
        """Record the soak of what was brought back."""
        self._acting.add_wait(self._planned[START], wait)
        return Start(start.step, start.commanded_at, start.ready, wait)


def _newest(database: Database) -> str:
    return (
        database.migrations[-1].version
        if isinstance(database.migrations, tuple) and database.migrations
        else "none"
    )
