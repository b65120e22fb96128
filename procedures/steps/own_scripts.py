"""Steps by the operator's own scripts: exit code and output are recorded, but only the engine is believed."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from procedures.decide.facts import Presupposed
from procedures.decide.plan import Reason
from procedures.drivers import Driver
from procedures.drivers.labels import PROJECT
from procedures.drivers.scripts import plain
from procedures.drivers.shell import Result
from procedures.kestra.words import LEAVES_OUT, LEAVES_OUT_PREFIX
from procedures.observe.moments.observers import Observers
from procedures.observe.outage.watching import Watch
from procedures.observe.waiting import Look, Waiting
from procedures.problems import CannotObserve
from procedures.steps.carry_out import Acting, ToResult
from procedures.target.steps_by import SAVE_LOGS, START, STATUS, STOP, Needs, script
from procedures.target.target import Target
from reports import archive
from reports.record.evidence import EngineEvent, Step, StepResult, StepStatus, Wait
from reports.record.observed import Container, Rendering, Unseen
from reports.record.scripted import Rehearsal, ScriptSeen
from reports.record.values import moment
from reports.redaction import excerpt

OWN_LOGS, TAKE_OVER, FALLBACK = "save_logs_by_script", "take_over", "fallback"
PREPARING = {STATUS: STATUS, OWN_LOGS: SAVE_LOGS}
"""The scripts that run before the second gate: by the step's name in the plan, its name in the target file."""
TAIL = 20_000
"""How much of a script's output is recorded; its newest part says how it ended."""
STATUS_LIMIT = 30.0
RM_LIMIT = 30.0
UNHEARD = 2.0
"""Seconds in which a container that received no signal must end, if a script that has returned ended it at all."""
CLOCKS = 0.5
"""Seconds by which the engine's clock and ours may differ when an event is compared with a step."""
GONE_FOR = 5.0
"""Seconds after which a missing container is not waited for: with `--rm`, the container goes when its server dies."""


def planned(steps: tuple[Step, ...], driver: Driver, save_logs: float) -> tuple[Step, ...]:
    """Return the steps of a procedure, with what the operator's scripts add and change."""
    if not any(one.changing for one in steps):
        return steps
    looks = {
        STATUS: (STATUS_LIMIT, "let the operator's own script say what it sees"),
        OWN_LOGS: (save_logs, "let the operator's own script show the logs, and keep what it prints"),
    }
    extended: list[Step] = []
    for name, (limit, purpose) in looks.items():
        if command := driver.own(PREPARING[name], limit):
            extended.append(Step(name, purpose, command.argv, command.limit, False, "nothing to undo"))
    for step in steps:
        if step.name == START and (remove := driver.remove(RM_LIMIT)):
            purpose = "free the name that a container of another driver holds, once it has stopped"
            extended.append(Step(TAKE_OVER, purpose, remove.argv, RM_LIMIT, True, step.way_back))
        is_own = step.changing and driver.own(step.name, step.limit) is not None
        purpose = f"{step.purpose.replace(' and nothing else', '')}, by the operator's own script"
        extended.append(dataclasses.replace(step, purpose=purpose) if is_own else step)
    if instead := driver.fallback(save_logs):
        purpose = "only if the script does not bring the service: start it by Compose"
        extended.append(Step(FALLBACK, purpose, instead.argv, instead.limit, True, " ".join(instead.argv)))
    return tuple(extended)


def lacking(target: Target, driver: Driver) -> dict[Presupposed, Reason]:
    """Return what checks may presuppose and a target lacks."""
    scripts = [one for one in target.steps if one.is_own]
    missing: dict[Presupposed, Reason] = {}
    if not scripts:
        missing[Presupposed.SCRIPT] = Reason.NO_SCRIPT
    if all(one.rehearse for one in scripts):
        missing[Presupposed.UNREHEARSED] = Reason.ALL_REHEARSED if scripts else Reason.NO_SCRIPT
    if not any(one.rehearse for one in scripts):
        missing[Presupposed.REHEARSAL] = Reason.NOT_REHEARSED if scripts else Reason.NO_SCRIPT
    rehearsals = ((Presupposed.STOP_REHEARSAL, STOP), (Presupposed.START_REHEARSAL, START))
    for presupposed, step in rehearsals:
        own = script(target.steps, step)
        if own is None or not own.rehearse:
            missing[presupposed] = Reason.NO_SUCH_SCRIPT if own is None else Reason.NOT_REHEARSED
    if script(target.steps, START) and driver.own(START, 1.0) is None:
        start = (Presupposed.START_REHEARSAL, Presupposed.START_BY_SCRIPT, Presupposed.START_BY_COMPOSE)
        missing |= dict.fromkeys(start, Reason.STARTED_OTHERWISE)
    elif script(target.steps, START):
        missing[Presupposed.START_BY_COMPOSE] = Reason.STARTED_BY_SCRIPT
    else:
        missing[Presupposed.START_BY_SCRIPT] = Reason.STARTED_BY_COMPOSE
    if not target.validate:
        missing[Presupposed.VALIDATION] = Reason.NO_VALIDATION
    if target.needs == Needs():
        missing[Presupposed.NEEDS] = Reason.NO_NEEDS
    return missing


def has_health_check(target: Target, rendering: Rendering, containers: tuple[Container, ...]) -> bool:
    """Whether the new container will have a health check; for one that a script makes, whether something promises that."""
    start = script(target.steps, START)
    if start is None:
        return rendering.has_health_check
    shown = rendering.has_health_check and not rendering.by_compose
    return shown or (not start.takes_over and any(one.health for one in containers))


def rehearsals_of(scripts: tuple[ScriptSeen, ...]) -> dict[str, Rehearsal]:
    """Return the rehearsals by step; if one could not be made, all of them are unknown."""
    for one in scripts:
        if isinstance(one.rehearsal, Unseen):
            raise CannotObserve(f"{one.file}: {one.rehearsal.unseen}", one.rehearsal.next_move)
    return {one.step: one.rehearsal for one in scripts if isinstance(one.rehearsal, Rehearsal)}


def left_out(driver: Driver) -> str:
    """Return why the start script left the service out on purpose; empty if no variable demands that."""
    value = settings_of(driver).get(LEAVES_OUT, "")
    if value.lower() in {"", "0", "false"}:  # what the stack's own script takes as a no
        return ""
    return (
        f"the service was left out on purpose: {LEAVES_OUT}={value} is set for the start script, and no container of it "
        "was started → unset it, then `pytest -m recover`"
    )


def settings_of(driver: Driver) -> dict[str, str]:
    """Return the variables of the start script that leave something out, or look as if they do."""
    command = driver.own(START, 1.0)
    given = (command.environment or {}) if command else {}
    return {name: value for name, value in given.items() if name.upper().startswith(LEAVES_OUT_PREFIX)}


def meanwhile(events: tuple[EngineEvent, ...], results: tuple[StepResult, ...]) -> tuple[EngineEvent, ...]:
    """Return the events that happened while a script ran; the engine's clock and ours may differ a little."""
    spans = [(moment(one.began_at).timestamp() - CLOCKS, one.took + 2 * CLOCKS) for one in results]
    return tuple(
        one
        for one in events
        if any(0 <= moment(one.at).timestamp() - began <= length for began, length in spans)
    )


class Scripted:
    """Runs the operator's scripts for one run, and judges by the engine what became of the service."""

    def __init__(self, acting: Acting, observers: Observers, waiting: Waiting, driver: Driver) -> None:
        self._acting = acting
        self._observers = observers
        self._waiting = waiting
        self._driver = driver
        self.spared = ""
        """Why nothing is started: the stop did not touch the server, which runs on."""
        self.left_out = ""
        """Why the start script left the service out on purpose."""
        self._gone = False

    def is_own(self, name: str) -> bool:
        return self._driver.own(name, 1.0) is not None

    def look(self, step: Step, keep: ToResult) -> None:
        """Run a script that only looks, before the second gate, and keep its output as a file too."""
        command = self._driver.own(PREPARING[step.name], step.limit)
        if command is not None:
            self._acting.breakable(step, command, keep)

    def ended(self, container: Container, began: float, limit: float, watch: Watch) -> Container | None:
        """Wait for the end of a container that a stop script may have left draining; return None once it has ended.

        A script may return before the server has ended. A server that received no signal is not waited for long.
        """
        until = time.monotonic() + limit

        def look() -> tuple[bool, str]:
            now = self._observers.engine.named(container.id)
            heard = _signals(watch, began, container.id)
            runs = now is not None and now.running
            return not runs, f"{now.state if now else 'gone'}, {heard or 'no'} signals"

        for patience in (UNHEARD, limit):
            if patience != UNHEARD and not _signals(watch, began, container.id):
                break
            wait = self._waiting.until("stopped", look, min(patience, until - time.monotonic()), 0.05)
            if wait.ended:
                return None
        now = self._observers.engine.named(container.id)
        if now is None or not now.running:
            return None
        if not _signals(watch, began, container.id) and now.started_at == container.started_at:
            self.spared = f"the stop script has not touched {now.name}, which runs on: nothing is started"
        return now

    def started(self, result: StepResult, commanded_at: float) -> StepResult:
        """Judge a start script by what runs now and did not run before; only that makes its step done."""
        found = self.running_since(commanded_at)
        if isinstance(found, str):
            self.left_out = left_out(self._driver)
            words = [
                *filter(None, (result.reason, self.left_out, found)),
                *self._taken(result.output),
                *_last_word(result.output),
            ]
            result = dataclasses.replace(result, status=StepStatus.FAILED, reason="; ".join(words))
        self._acting.note(result)
        return result

    def while_it_lives(self, look: Look, began: float) -> Look:
        """Look for readiness only while there is a container: a server that dies with `--rm` leaves nothing."""
        self._gone = False
        asked = seen = time.monotonic()

        def looking() -> tuple[bool, str]:
            nonlocal asked, seen
            over, saw = look()
            now = time.monotonic()
            if not over and now - asked > 1.0:
                asked = now
                if not isinstance(self.running_since(began), str):
                    seen = now
                self._gone = now - seen > GONE_FOR
            return over or self._gone, saw

        return looking

    def judged(self, ready: Wait) -> Wait:
        """Distinguish a wait that ended because no container was left from a wait that saw the server."""
        if not self._gone:
            return ready
        last = ready.attempts[-1].saw
        sentence = f"{ready.what}: no container of the service was left; the last look saw: {last}"
        return dataclasses.replace(ready, ended=False, sentence=sentence)

    def running_since(self, began: float) -> Container | str:
        """Return the service's container that was started since a time by the engine's clock, or why there is none."""
        containers = self._observers.containers()
        for container in containers:
            if (container.running or container.restarting) and moment(
                container.started_at
            ).timestamp() >= began:
                return container
        shown = ", ".join(f"{one.name} is {one.stands}" for one in containers)
        return f"no container of the service was started by it (the engine shows: {shown or 'none'})"

    def _taken(self, output: str) -> tuple[str, ...]:
        """Explain that a name is taken: the engine names the container's id, but not its owner."""
        if "is already in use by container" not in output:
            return ()
        holder = self._observers.engine.named(self._observers.container_name)
        project = holder.labels.get(PROJECT) if holder else None
        owner = f"Compose project {project}" if project else "no Compose project"
        return (f"the name is held by a container of {owner}, which the script does not remove",)

    def remove(self, step: Step) -> None:
        """Free the name for Compose; a container that was made with `--rm` has gone by itself."""
        command = self._driver.remove(RM_LIMIT)
        if command is not None:
            self._acting.command(step, command)


def result_of(step: Step, result: Result, folder: Path | None) -> StepResult:
    """Record what a script did; all that is asked of it here is that it could be started."""
    text = plain(result.output)
    if result.cut:
        text = text.rpartition("\n")[0] + "\n… cut here\n"
    unsaved = _unsaved(folder / f"script-{step.name}.txt", text) if folder is not None else ""
    status = StepStatus.FAILED if result.exit_code is None and not result.timed_out else StepStatus.DONE
    return StepResult(
        step,
        status,
        "",
        result.took,
        result.exit_code,
        excerpt.last(text, TAIL),
        ", ".join(filter(None, (_how(result), unsaved))),
    )


def _unsaved(file: Path, text: str) -> str:
    """Save a script's output; return why it cannot be saved. The step itself goes on, whatever the archive does."""
    try:
        archive.write_private(file, text)
    except OSError as error:
        return f"what it printed is not in {file.name}: {error.strerror or error}"
    return ""


def _how(result: Result) -> str:
    """Say how a script ended; nothing is concluded from it."""
    words = []
    if result.timed_out:
        words.append(f"it was ended at its limit of {result.command.limit:g} s")
    elif result.exit_code is None:
        words.append(f"it could not be started: {result.output}")
    elif result.exit_code:
        words.append(f"it ended with {result.exit_code}")
    if result.left:
        words.append(f"it left processes running, which were ended: {'; '.join(result.left)}")
    return ", ".join(words)


def _last_word(output: str) -> tuple[str, ...]:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return (f"its last words: {excerpt.last(lines[-1], 200)}",) if lines else ()


def _signals(watch: Watch, began: float, container: str) -> int:
    events = watch.events
    if isinstance(events, Unseen):
        return 1  # the signals are unknown
    return sum(
        one.id == container and one.action == "kill" and moment(one.at).timestamp() >= began - 0.01
        for one in events
    )
