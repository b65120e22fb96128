"""The restart: save the logs, stop the one service, start it by recreation, wait until it is ready, let it soak."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from procedures.decide.plan import State
from procedures.decide.transitions import Start, Stop
from procedures.drivers import Driver
from procedures.drivers.shell import Command
from procedures.observe import logbook
from procedures.observe.engine import logs
from procedures.observe.moments.observers import Observers
from procedures.observe.outage.watching import Watch
from procedures.observe.waiting import Waiting
from procedures.problems import StepFailed
from procedures.steps import leftovers
from procedures.steps.carry_out import Acting, ToResult
from procedures.steps.own_scripts import FALLBACK, PREPARING, TAKE_OVER, UNHEARD, Scripted, result_of
from procedures.steps.ready import engine_time
from procedures.steps.waits import Waits
from procedures.target.steps_by import SAVE_LOGS, START, STOP
from reports.record.evidence import Step, StepResult, StepStatus, Wait
from reports.record.observed import Container, Unseen

STOP_SPARE = 15.0
"""Seconds beyond the grace in which the engine must have killed what did not end by itself."""
START_LIMIT = 60.0
AFTER_FAILED_START = 5.0
"""Seconds for a look at the result of a failed start command."""
UNPAUSE = "unpause"


def steps(driver: Driver, state: State, grace: float, boot: float, save_logs: float) -> tuple[Step, ...]:
    """Return the steps for a service in a state, in order."""
    start = driver.start(START_LIMIT)
    way_back = " ".join(start.argv)
    planned = [Step(SAVE_LOGS, "save the logs of both containers", (), save_logs, False, "nothing to undo")]
    if state is State.PAUSED:
        unpause = driver.unpause(START_LIMIT).argv
        planned.append(
            Step(UNPAUSE, "let the paused server hear a signal", unpause, START_LIMIT, True, way_back)
        )
    if state not in {State.STOPPED, State.ABSENT}:
        stop = driver.stop(grace, grace + STOP_SPARE)
        planned.append(Step(STOP, "stop the server and nothing else", stop.argv, stop.limit, True, way_back))
    planned.append(
        Step(
            START,
            "recreate the service and nothing else, and wait until it is ready",
            start.argv,
            boot,
            True,
            way_back,
        )
    )
    return tuple(planned)


def started_by(planned: tuple[Step, ...], driver: Driver) -> tuple[Step, ...]:
    """Return the steps with the start as this driver carries it out, also as their way back."""
    start = driver.start(START_LIMIT).argv
    then = next((" ".join(one.command) for one in planned if one.name == START), "")
    return tuple(
        dataclasses.replace(
            one,
            command=start if one.name == START else one.command,
            way_back=" ".join(start) if then and one.way_back == then else one.way_back,
        )
        for one in planned
    )


class Restart:
    """Carries out the planned steps; each method ends when the state in its name is reached or missed."""

    def __init__(
        self,
        planned: tuple[Step, ...],
        driver: Driver,
        acting: Acting,
        observers: Observers,
        waiting: Waiting,
    ) -> None:
        self._planned = {one.name: one for one in planned}
        # An interrupted stop leaves its drain to the start: a start that is cut short there would start nothing.
        self._start_limit = START_LIMIT + (self._planned[STOP].limit if STOP in self._planned else 0.0)
        self._driver = driver
        self._acting = acting
        self._observers = observers
        self.waits = Waits(observers, waiting)
        self.scripted = Scripted(acting, observers, waiting, driver)
        self._keep: ToResult | None = None
        self.last_words: logs.LastWords | None = None
        """What the stopped container has logged since, until its end."""

    def prepare(self, folder: Path, containers: tuple[Container, ...], clean: Callable[[str], str]) -> None:
        """Save the logs of the containers, limited in time and bytes, without secrets."""
        step = self._planned[SAVE_LOGS]
        self._keep = lambda one, result: result_of(one, result, folder)

        def save() -> StepResult:
            try:
                saved = [logbook.save(self._observers, one, folder, clean, "before") for one in containers]
            except OSError as error:
                raise StepFailed(
                    f"the logs cannot be saved: {error}",
                    "free or change the archive's folder, then run again",
                ) from error
            return StepResult(step, StepStatus.DONE, output="\n".join(saved))

        self._acting.carry_out(step, save)
        for name in PREPARING:
            if name in self._planned:
                self.scripted.look(self._planned[name], self._keep)
        self._bring_back(containers)

    def _bring_back(self, before: tuple[Container, ...]) -> None:
        """Check that the scripts that only look have ended nothing; start the service if one did."""
        ran = {one.id for one in before if one.running and not one.restarting}
        if not any(name in self._planned for name in PREPARING) or not ran:
            return
        now = {one.id for one in (*self._observers.containers(), *self._observers.databases()) if one.running}
        if ran <= now:
            return
        names = ", ".join(one.name for one in before if one.id in ran - now)
        self.land()
        raise StepFailed(
            f"a script that was only to look has ended {names}; the service was started again",
            "see the steps' output; take that script out of the target file",
        )

    def stop(self, container: Container | None, grace: float, watch: Watch) -> Stop | None:
        """Stop the server; None if the plan has no stop because the service is not running."""
        if leftovers.CLEAR in self._planned:
            leftovers.clear(self._planned[leftovers.CLEAR], self._acting, self._observers)
        if STOP not in self._planned or container is None:
            return None
        if UNPAUSE in self._planned:
            self._acting.command(self._planned[UNPAUSE], self._driver.unpause(START_LIMIT))
        step = self._planned[STOP]
        self.last_words = logbook.follow(self._observers, container, engine_time(self._observers))
        began, asked = engine_time(self._observers), time.monotonic()
        own = self.scripted.is_own(STOP)
        command = self._driver.stop(grace, step.limit)
        result = self._acting.breakable(step, command, self._keep if own else None)
        spare = max(UNHEARD, grace + STOP_SPARE - (time.monotonic() - asked))
        now = (
            self.scripted.ended(container, began, spare, watch)
            if own
            else self._observers.engine.named(container.id)
        )
        if now is not None and now.running:
            raise StepFailed(
                f"{container.name} is still {now.state} after the stop command ({result.reason or 'which said it was done'})",
                "see its log; `docker kill` ends it without a drain",
            )
        return Stop(result, container, watch.since(began, container.id))

    def start(self, watch: Watch | None) -> Start:
        """Start the service and wait until it answers, then until the gateway in front of it leads there."""
        start = self._commanded(watch)
        if start.ready is None or not start.ready.ended:
            return start
        gateway = self.waits.gateway(watch)
        if gateway is not None:
            self._acting.add_wait(start.step.step, gateway)
        return dataclasses.replace(start, gateway=gateway)

    def _commanded(self, watch: Watch | None) -> Start:
        """Command the start, by the fallback if necessary, and wait until the server is ready."""
        commanded_at = engine_time(self._observers)
        self._free_the_name()
        own = self.scripted.is_own(START)
        result, ready = self._begin(
            self._planned[START], self._driver.start(self._start_limit), watch, own=own
        )
        instead = self._fallback()
        if instead is None or ready.ended or not isinstance(self.scripted.running_since(commanded_at), str):
            return Start(result, commanded_at, ready, None)
        result, ready = self._begin(self._planned[FALLBACK], instead, watch, own=False)
        return Start(result, commanded_at, ready, None, fell_back=True)

    def _fallback(self) -> Command | None:
        """Build the fallback for the operator's script, unless the script left the service out on purpose."""
        if FALLBACK not in self._planned or self.scripted.left_out:
            return None
        return self._driver.fallback(self._start_limit)

    def _begin(
        self, step: Step, command: Command, watch: Watch | None, *, own: bool
    ) -> tuple[StepResult, Wait]:
        """Command a start and wait until it answers."""
        began = engine_time(self._observers)
        result = self._acting.command(step, command, self._keep if own else None)
        look = self.waits.look_for_ready(watch)
        if own:
            result, look = self.scripted.started(result, began), self.scripted.while_it_lives(look, began)
        # Landing commands a failed start once more, so no boot is waited for before that.
        boot = self._planned[START].limit
        limit = min(boot, AFTER_FAILED_START) if result.status is StepStatus.FAILED else boot
        ready = self.waits.boot(look, limit, began, watch)
        if own:
            ready = self.scripted.judged(ready)
        self._acting.add_wait(step, ready)
        return result, ready

    def _free_the_name(self) -> None:
        if TAKE_OVER in self._planned:
            self.scripted.remove(self._planned[TAKE_OVER])

    def wait_for_parts(self, parts: frozenset[str] | Unseen) -> None:
        """Wait until every part of the server sends heartbeats, and record the wait."""
        self._acting.add_wait_to_last(self.waits.parts(parts))

    def note_soak(self, start: Start, wait: Wait) -> Start:
        """Record the soak of what was started."""
        self._acting.add_wait(self._planned[START], wait)
        return dataclasses.replace(start, soak=wait)

    def land(self) -> StepResult:
        """Command the start because the run ends while the service is down; nothing is waited for here."""
        self._free_the_name()
        command = self._driver.start(self._start_limit)
        if not self.scripted.is_own(START):
            return self._acting.command(self._planned[START], command)
        began = engine_time(self._observers)
        result = self.scripted.started(self._acting.command(self._planned[START], command, self._keep), began)
        instead = self._fallback()
        if result.status is StepStatus.DONE or instead is None:
            return result
        return self._acting.command(self._planned[FALLBACK], instead)

    def wait_for_answer(self, limit: float) -> Wait:
        """Look for a while whether the service answers, and record the wait."""
        wait = self.waits.answer(limit)
        self._acting.add_wait_to_last(wait)
        return wait
