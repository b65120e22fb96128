"""One run: the plain object behind pytest's hooks, from the first look at the engine to the last act."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from procedures import baseline, claims, journal, plan, restart, who
from procedures.acting import Acting
from procedures.acts import Start, Stop
from procedures.drivers.compose import Compose
from procedures.holding import Holding
from procedures.interruption import Interruption
from procedures.ledger import Ledger
from procedures.observe import host
from procedures.observe.engine import EngineObserver, endpoint
from procedures.observe.snapshot import Observers
from procedures.problems import Blocked, CannotObserve, Held, Interrupted, Problem
from procedures.target import Target
from procedures.waiting import Waiting
from procedures.watching import Watch
from reports.evidence import (
    Check,
    CheckResult,
    EngineEvent,
    Finding,
    Moment,
    Outage,
    Outcome,
    Phase,
    Plan,
    StepStatus,
    Waiver,
)
from reports.observed import Snapshot, Unseen
from reports.redact import Redaction

ANSWER_AFTER_LANDING = 5.0
"""Seconds that a run asked to end spends on looking whether its start was heard: CI runners kill after about seven."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    procedure: str
    target: Target
    plan_only: bool
    waivers: tuple[Waiver, ...]
    given: Mapping[str, str]
    arguments: tuple[str, ...]
    checks: Path
    take_over: bool


@dataclass(slots=True)
class Course:
    """How far this run came; everything here is told in the evidence."""

    held: str = ""
    unobservable: str = ""
    interrupted: str = ""
    held_back: str = ""
    answers: bool | None = None
    landed: bool = False
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    recovered_from: str = ""


class Run:
    """Leads a procedure from state to state; each state is reached once and remembered, failure included."""

    def __init__(
        self,
        asked: Asked,
        environment: Mapping[str, str],
        interruption: Interruption,
        tell: Callable[[str], None],
    ) -> None:
        self.asked = asked
        self.id = secrets.token_hex(4)
        self.began = time.monotonic()
        self.began_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.interruption = interruption
        self.tell = tell
        self.course = Course()
        self.who = who.look(environment, asked.given, asked.arguments)
        self.redaction = Redaction(())
        self.plan: Plan | None = None
        self.ledger = Ledger((), ())
        self.our_stop: Stop | None = None
        self.our_start: Start | None = None
        self.folder: Path | None = None
        self.claims = claims.read(asked.checks)
        self.before_changing: Callable[[], None] = lambda: None
        """Called before the first changing step: the record is written, so that a killed run has one."""
        self._environment = environment
        self._reached: dict[str, Snapshot | Problem] = {}
        self._engine: EngineObserver | None = None
        self._observers: Observers | None = None
        self._holding: Holding | None = None
        self._acting: Acting | None = None
        self._restart: restart.Restart | None = None
        self._watch: Watch | None = None
        self.grace = 0.0

    # What was observed first, and the plan made from it

    def observe(self) -> None:
        """Look once and make the plan; what cannot be read ends the run as unobservable."""
        try:
            host.need_files(self.asked.target)
            where = endpoint(self._environment, self.asked.target.root)
            self._engine = EngineObserver(where)
            compose = Compose(self.asked.target, self._environment, where.url)
            self._observers = Observers(self.asked.target, self._engine, compose, self.id)
            self._learn_secrets()
            self._make_plan(compose)
        except CannotObserve as error:
            self.course.unobservable = f"{error.what} → {error.next_move}" if error.next_move else error.what
        self.moment("planned")

    @property
    def observers(self) -> Observers:
        if self._observers is None:
            raise Blocked(self.course.unobservable or "the target was not observed")
        return self._observers

    @property
    def endpoint(self) -> str:
        return self._engine.where.url if self._engine else ""

    def _make_plan(self, compose: Compose) -> None:
        target, observers = self.asked.target, self.observers
        containers = observers.containers()
        state = plan.state_of(containers)
        graces = [one.stop_grace for one in containers if one.stop_grace is not None]
        self.grace = graces[0] if graces else observers.operator_rendering.stop_grace or 10.0
        boot = target.budgets.boot
        steps = restart.steps(compose, state, self.grace, boot, target.budgets.save_logs)
        checks = plan.checks_of(self.asked.procedure, self.claims, state, observers.operator_rendering)
        self.plan = plan.make(self.asked.procedure, state, steps, checks, self.grace + boot)
        self.ledger = Ledger(checks, self.asked.waivers)

    def _learn_secrets(self) -> None:
        observers, target = self.observers, self.asked.target
        public = (
            target.name,
            target.service,
            target.database_service,
            observers.project,
            *_public(observers),
        )
        known = observers.secrets()
        self.redaction = Redaction(known, public, known)
        for one in self.redaction.weak:
            self.finding(
                f"{one} equals a public word of the target or of the report itself, or is very short: it is redacted "
                "only where it stands as a value, and the final scan leaves it out",
                "choose a longer password of its own",
            )

    # The lock and the journal

    def hold(self) -> None:
        """Take the lock and open the journal; whoever is in the way ends this run as locked."""
        if self.course.unobservable or self.asked.plan_only or self.plan is None or self._engine is None:
            return
        self._holding = Holding(self.observers, self.asked, self.id, self.who, self._environment)
        try:
            self._holding.take()
        except Held as error:
            self.course.held = f"{error.what} → {error.next_move}" if error.next_move else error.what
            self.course.by_hand = [self.start_command, *self._holding.by_hand]
            return
        except CannotObserve as error:
            self.course.unobservable = error.what
            return
        self.course.recovered_from = self._holding.recovered_from
        self.course.findings += self._holding.findings
        self._acting = Acting(self._holding.journal, self._holding.lock, self.interruption, self.tell)
        waiting = Waiting(self.interruption.raise_if_asked, self.tell)
        self._restart = restart.Restart(
            self.plan.steps, self.observers.compose, self._acting, self.observers, waiting
        )
        self.moment("locked")

    @property
    def start_command(self) -> str:
        """The exact command that brings the service up by hand."""
        step = (
            next((one for one in self.plan.steps if one.name == restart.START), None) if self.plan else None
        )
        return f"cd {self.asked.target.root} && {' '.join(step.command)}" if step else ""

    @property
    def acting(self) -> Acting | None:
        return self._acting

    @property
    def changed(self) -> bool:
        return bool(self._acting and self._acting.changed)

    @property
    def stopped_short(self) -> str:
        """Why nothing can be asked any more; empty where the run goes on."""
        if self.course.unobservable:
            return f"no plan could be made: {self.course.unobservable}"
        if self.course.held:
            return f"locked: {self.course.held}"
        return f"the run ended before: {self.course.interrupted}" if self.course.interrupted else ""

    # The states

    def before(self) -> Snapshot:
        return self._reach("before", self._before)

    def ready(self) -> Snapshot:
        return self._reach("ready", self._ready)

    def stopped(self) -> Snapshot:
        return self._reach("stopped", self._stopped)

    def after(self) -> Snapshot:
        return self._reach("after", self._after)

    @property
    def baseline(self) -> baseline.Baseline:
        return baseline.of(self.before())

    def _reach(self, name: str, reach: Callable[[], Snapshot]) -> Snapshot:
        """Reach a state once: whoever asks again gets the same snapshot, or the same reason why there is none."""
        if name not in self._reached:
            try:
                self._reached[name] = self.course.snapshots[name] = reach()
            except Problem as error:
                self._reached[name] = Blocked(error.what, error.next_move)
                if isinstance(error, Interrupted):
                    self.course.interrupted = error.what
                raise
            self.moment(name)
        found = self._reached[name]
        if isinstance(found, Problem):
            raise found
        return found

    def _before(self) -> Snapshot:
        self._go_on()
        snapshot = self.observers.before()
        self._learn_secrets()
        state = plan.state_of(snapshot.containers) if not isinstance(snapshot.containers, Unseen) else None
        if self.plan and state != self.plan.state:
            self.course.findings.append(
                Finding(
                    f"the plan was made for a service that is {self.plan.state}; before the gate it is {state}"
                )
            )
            raise Blocked("the service changed its state between the plan and the first look", "run again")
        return snapshot

    def _ready(self) -> Snapshot:
        self._go_on()
        self._first_gate()
        if self._restart is None or self.folder is None:
            raise Blocked("nothing is prepared without a lock and a folder")
        before = self.before()
        saved = [
            one
            for group in (before.containers, before.database_containers)
            if not isinstance(group, Unseen)
            for one in group
        ]
        self._restart.prepare(self.folder, tuple(saved), self.redaction.clean)
        self._watch = Watch(self.observers)
        self.moment("probe looking")
        return self.observers.before("ready")

    def ask_again(self, ask: Callable[[Check, Snapshot], CheckResult]) -> tuple[CheckResult, ...]:
        """Ask the time-critical pre checks on the snapshot ready."""
        ready = self.ready()
        return tuple(
            CheckResult(one, Outcome.NOT_APPLICABLE, one.not_applicable)
            if one.not_applicable
            else ask(one, ready)
            for one in self.ledger.again()
        )

    def _first_gate(self) -> None:
        decision = self.ledger.first_gate()
        if not decision.open:
            raise Blocked(f"the first gate is closed by {decision.why}")

    def _stopped(self) -> Snapshot:
        self._go_on()
        self.ready()
        decision = self.ledger.second_gate()
        if not decision.open or self._restart is None or self._acting is None:
            raise Blocked(f"the second gate is closed by {decision.why}")
        self.before_changing()
        self.moment("gate open")
        before = self.before()
        if before.container is not None and self._watch is not None:
            self.our_stop = self._restart.stop(before.container, self.grace, self._watch)
        return self.observers.stopped()

    def _after(self) -> Snapshot:
        self._go_on()
        self._stop_or_reason()
        if self._restart is None or not self.may_start():
            raise Blocked(self.course.held_back or "no gate was opened, so nothing is started")
        self.our_start = self._restart.start(self._watch)
        self.moment("ready again")
        self.course.answers = self.our_start.ready.ended if self.our_start.ready else None
        if self.our_start.ready and self.our_start.ready.ended:
            self.our_start = self._restart.soak(self.our_start, self._soak())
        self.moment("soaked")
        if self._watch is not None:
            self._watch.end_probe()
        snapshot = self.observers.after()
        self.course.answers = _answers(snapshot)
        return snapshot

    def _stop_or_reason(self) -> None:
        """Reach the state stopped; a stop that failed half-way is no reason to leave the service alone."""
        try:
            self.stopped()
        except Problem:
            if not self.changed or self.course.interrupted:
                raise

    def may_start(self) -> bool:
        """Whether the service may be started: it was stopped or found down, and no data check failed."""
        reached = self._reached.get("stopped")
        gate_opened = isinstance(reached, Snapshot) or self.changed
        failed = self.ledger.failed_data((Phase.MID,))
        if failed:
            self.course.held_back = "not started, because data is at stake: " + "; ".join(
                f"{one.check.claim} {one.reason}" for one in failed
            )
        return gate_opened and not failed

    def _soak(self) -> float:
        database = self.before().database
        timeouts = (
            [
                one.liveness_timeout
                for one in database.instances
                if one.state == "RUNNING" and one.liveness_timeout
            ]
            if database is not None
            and not isinstance(database, Unseen)
            and not isinstance(database.instances, Unseen)
            else []
        )
        return restart.soak_of(self.asked.target.budgets.soak, max(timeouts, default=None))

    # Landing: whatever ends this run, the service is not left down silently

    def land(self) -> None:
        """Bring the service back where this run took it away and nothing else did."""
        self.interruption.hold()
        if not self.course.interrupted and self.interruption.by:
            self.course.interrupted = f"interrupted by {self.interruption.by}"
        try:
            if self.changed and not self.started and self._restart is not None and self.may_start():
                self._land(self._restart)
        except (Problem, OSError) as error:
            self.finding(f"landing failed: {error}", "start the service by hand")
        finally:
            if self._watch is not None:
                self._watch.close()

    @property
    def started(self) -> bool:
        """Whether the start was carried out."""
        results = self._acting.results if self._acting else []
        return any(one.step.name == restart.START and one.status is StepStatus.DONE for one in results)

    def _land(self, restarting: restart.Restart) -> None:
        self.course.landed = True
        self.tell("the run ends while the service is down: starting it")
        restarting.land()
        self.moment("start commanded while landing")
        hurried = self.interruption.by in {"SIGINT", "SIGTERM"}
        wait = restarting.wait_for_answer(ANSWER_AFTER_LANDING if hurried else self.asked.target.budgets.boot)
        self.course.answers = True if wait.ended else (None if hurried else False)
        if not self.course.interrupted:
            self.course.interrupted = "the run ended before its end"

    @property
    def taken_over(self) -> tuple[journal.Story, ...]:
        """The journals of runs that were cut off, which this run has taken over."""
        return self._holding.taken_over if self._holding else ()

    def let_go(self, verdict: str) -> None:
        """Seal the journal where nothing is owed, and give the lock back."""
        owed = self.changed and self.course.answers is not True and not self.course.held_back
        if self._holding:
            self._holding.let_go(verdict, owed=owed)
        if self._observers:
            self._observers.close()
        if self._engine:
            self._engine.close()

    # Small things

    def moment(self, name: str) -> None:
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.course.moments.append(Moment(name, round(time.monotonic() - self.began, 3), wall))

    def finding(self, text: str, next_move: str = "") -> None:
        found = Finding(text, next_move)
        if found not in self.course.findings:
            self.course.findings.append(found)

    def _go_on(self) -> None:
        if self.stopped_short:
            raise Blocked(self.stopped_short)
        self.interruption.raise_if_asked()
        if time.monotonic() - self.began > self.asked.target.budgets.run and not self.changed:
            raise Interrupted(f"the run's own limit of {self.asked.target.budgets.run:g} s has passed")

    @property
    def outage(self) -> Outage | None:
        return self._watch.outage if self._watch else None

    @property
    def events(self) -> tuple[EngineEvent, ...] | Unseen:
        """What the engine did to the containers of this project since before the stop."""
        return self._watch.events if self._watch else ()

    @property
    def journal(self) -> journal.Journal | None:
        """Return this run's journal; a run that did not get the lock has none."""
        return self._acting.journal if self._acting else None


def _answers(snapshot: Snapshot) -> bool | None:
    server = snapshot.server
    if server is None or isinstance(server, Unseen):
        return None
    return server.health.status != 0 or server.ping.status != 0


def _public(observers: Observers) -> tuple[str, ...]:
    """Return words of the target that are no secrets, whatever else they are used for."""
    settings = observers.settings
    named = () if isinstance(settings, Unseen) else (settings.db_user, settings.db_name, settings.db_host)
    return (*named, observers.operator_rendering.image, observers.operator_rendering.container_name)
