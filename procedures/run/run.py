"""One run: the plain object behind pytest's hooks, from the first look at the engine to the last act."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from procedures.decide import check_files
from procedures.decide.course import Course
from procedures.decide.ledger import Ledger
from procedures.decide.transitions import Start, Stop
from procedures.drivers.command_text import on_engine
from procedures.drivers.compose import Compose
from procedures.observe import host
from procedures.observe.engine import endpoint
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.moments.observers import Observers
from procedures.observe.outage.watching import Watch
from procedures.observe.waiting import Waiting
from procedures.problems import Blocked, CannotObserve, Held, Interrupted
from procedures.run import planning, who
from procedures.run.earlier import Earlier
from procedures.run.facts import NAMES
from procedures.run.holding import Holding
from procedures.run.procedure import Asked, Intent, Service
from procedures.steps import journal, own_scripts, stop_and_start
from procedures.steps.carry_out import Acting
from procedures.steps.checked import Checked
from procedures.steps.interruption import Interruption
from procedures.target import env_file
from procedures.target.steps_by import START
from procedures.way_back import cut_off
from procedures.way_back import kept as kept_file
from procedures.way_back.way_back import WayBack
from reports.record.evidence import (
    EngineEvent,
    Finding,
    Moment,
    Outage,
    Plan,
    Step,
    StepResult,
    Verdict,
)
from reports.record.observed import Unseen
from reports.record.values import known, now
from reports.redaction import excerpt
from reports.redaction.redact import Redaction


class Run:
    """What one execution knows and holds: what was typed, the plan, the lock, the journal, the findings."""

    def __init__(
        self,
        asked: Asked,
        environment: Mapping[str, str],
        interruption: Interruption,
        say: Callable[[str], None],
    ) -> None:
        self.asked = asked
        self.id = secrets.token_hex(4)
        self.began = time.monotonic()
        self.began_at = now()
        self.interruption = interruption
        self.say = say
        self.course = Course()
        self.who = who.look(environment, asked.given, asked.arguments)
        self.redaction = Redaction(())
        self.plan: Plan | None = None
        self.ledger = Ledger((), ())
        self.our_stop: Stop | None = None
        self.our_start: Start | None = None
        self.our_return: Start | None = None
        """The start of what ran before, after a claim failed."""
        self.intent = Intent()
        self.checked: Checked | None = None
        self.folder: Path | None = None
        self.folder_key = (0, 0)
        """Distinguishes the folder from another of the same name, should somebody remove it."""
        self.claims = check_files.read(asked.checks, NAMES)
        self.before_changing: Callable[[], None] = lambda: None
        """Called before the first changing step: the record is written, so that a killed run has one."""
        self._environment = environment
        self._engine: EngineObserver | None = None
        self.engine_id = ""
        self._observers: Observers | None = None
        self._earlier: Earlier | None = None
        self._holding: Holding | None = None
        self._acting: Acting | None = None
        self.restarting: stop_and_start.Restart | None = None
        self.unprepared = ""
        """Why nothing can be prepared, if the lock was taken and the journal could not be opened."""
        self.watch: Watch | None = None
        self.grace = 0.0

    # The first look, and the plan made from it

    def observe(self) -> None:
        """Look once and make the plan; what cannot be read ends the run as unobservable."""
        self._know(Redaction(one for file in self.asked.target.env_files for one in env_file.secrets(file)))
        try:
            host.need_files(self.asked.target)
            where = endpoint.of_target(self.asked.target, self._environment)
            self._engine = EngineObserver(where, self.asked.target.budgets.look)
            self.engine_id = self._engine.engine().id
            compose = Compose(self.asked.target, where.environment(self._environment), where.url)
            self._observers = Observers(self.asked.target, self._engine, compose, self.id)
            self.learn_secrets()
            self._note_environment(compose)
            self._make_plan()
        except CannotObserve as error:
            self.course.unobservable = error.sentence
            # A mistake in the env file is a fact of the target, and is reported with its key: Compose does not name the key.
            if self._engine is not None:
                self.course.unfit = "; ".join(host.wrongly_said(self.asked.target))
        except Interrupted as error:
            self.course.interrupted = error.what
        except Exception as error:  # noqa: BLE001 - pytest would end here with a traceback, and nothing on record
            self.course.unobservable = f"an error of this suite's own: {type(error).__name__}: {error}"
            self.finding(self.course.unobservable, "report it with this record")
        self.moment("planned")

    def _note_environment(self, compose: Compose) -> None:
        """Name the variables for Compose and the docker client that the caller's environment contains."""
        handed_on = f"; handed on: {', '.join(compose.handed_on)}" if compose.handed_on else ""
        if compose.dropped:
            self.finding(
                f"not handed on to Compose and the engine's client: {', '.join(compose.dropped)}{handed_on}",
                f"`unset {' '.join(compose.dropped)}` before a command is typed by hand",
            )
        elif any(one.startswith("COMPOSE_") for one in compose.handed_on):
            self.finding(f"of the caller's environment{handed_on}")

    @property
    def observers(self) -> Observers:
        if self._observers is None:
            raise Blocked(self.course.unobservable or "the target was not observed")
        return self._observers

    @property
    def endpoint(self) -> str:
        return self._engine.where.url if self._engine else ""

    def _make_plan(self) -> None:
        """Ask the procedure what it intends to do to the service as it was found, and freeze the plan."""
        asked, observers = self.asked, self.observers
        self._earlier = earlier = Earlier(observers, asked, self.engine_id, self._environment)
        waiting = Waiting(self.interruption.raise_if_asked, self.say)
        stem = earlier.place.folder / self.id
        service = Service(observers, observers.containers(), stem, earlier.past, earlier.owed, waiting)
        self.intent = planning.intent_of(asked.procedure, service)
        if asked.procedure.acts:
            self.checked = Checked(observers, stem)
        if asked.procedure.recovers:
            self.learn_secrets()  # what was kept before a change contains secrets
        for one in self.intent.findings:
            self.finding(one.text, one.next_move)
        if self.intent.nothing_new:
            self.finding(self.intent.nothing_new)
        self.grace = service.grace
        self.plan = planning.plan_of(asked.procedure, service, self.intent, self.claims)
        self.ledger = Ledger(self.plan.checks, asked.waivers, self.shown)

    @property
    def earlier(self) -> Earlier:
        """What earlier runs of this service left."""
        if self._earlier is None:
            raise Blocked(self.course.unobservable or "the target was not observed")
        return self._earlier

    @property
    def shelter(self) -> Path:
        """Where the evidence goes if the archive cannot take it."""
        return journal.home(self._environment) / "runs"

    @property
    def open_journals(self) -> tuple[journal.Story, ...]:
        """The unsealed journals of this target, this run's own among them."""
        return self.earlier.open_journals

    @property
    def recovery(self) -> cut_off.Recovery:
        """The way out of an interrupted change."""
        return self.intent.recovery

    def _know(self, redaction: Redaction) -> None:
        self.redaction = redaction
        excerpt.know(redaction.clean)

    def learn_secrets(self) -> None:
        """Build the redaction anew from every secret value that is known by now."""
        observers, target = self.observers, self.asked.target
        public = (
            target.name,
            target.service,
            target.database_service,
            observers.project,
            *_public(observers),
        )
        secret = observers.secrets()
        self._know(Redaction(secret, public, secret))
        for one in self.redaction.weak:
            self.finding(
                f"{one} equals a public word of the target or of the report itself, or is very short: it is redacted "
                "only where it stands as a value, and the final scan leaves it out",
                "choose a longer password of its own",
            )

    # The lock and the journal

    def hold(self) -> None:
        """Take the lock and open the journal; an earlier holder in the way ends this run as locked."""
        if self.course.unobservable or self.asked.leaves_nothing or self.plan is None or self._engine is None:
            return
        try:
            # What was typed may contain a secret, and labels on the engine are public too.
            given = {name: self.redaction.clean(text) for name, text in self.asked.given.items()}
            asked = dataclasses.replace(self.asked, given=given)
            holding = Holding(self.observers, asked, self.id, self.who, self._environment)
        except CannotObserve as error:
            self.course.unobservable = error.what
            return
        self._holding = holding
        try:
            holding.take()
        except Held as error:
            held = error.sentence
            self.course.held = self.typed(held)
            # While another run is alive, nobody may start anything by hand.
            start = (self.as_before(holding.kept),) if holding.kept else self.start_commands
            self.course.by_hand = [*holding.by_hand, *start] if holding.by_hand else []
            return
        except CannotObserve as error:
            self.course.unobservable = error.what
            return
        except OSError as error:
            self.unprepared = f"the journal cannot be written: {error}"
            self.finding(self.unprepared, "free some room there, or set XDG_STATE_HOME to another folder")
            return
        self.course.recovered_from = holding.recovered_from
        self.course.findings += holding.findings
        steps = self._frozen_steps()
        self._acting = Acting(holding.journal, holding.lock, self.interruption, self.say)
        waiting = Waiting(self.interruption.raise_if_asked, self.say)
        self.restarting = stop_and_start.Restart(
            steps, self.observers.driver, self._acting, self.observers, waiting
        )
        if self.intent.way_back is not None:
            self.intent.way_back.hold(steps, self._acting, waiting)
        self.moment("locked")

    def _frozen_steps(self) -> tuple[Step, ...]:
        """Let the start use what was checked. The plan names the files, which others can type; the step names what it used."""
        planned = self.plan.steps if self.plan else ()
        if self.checked is None:
            return planned
        self.checked.use(starts_otherwise=self.intent.start is not None)
        return stop_and_start.started_by(planned, self.observers.driver)

    @property
    def start_commands(self) -> tuple[str, ...]:
        """The exact commands that bring the service up by hand."""
        planned = self.plan is not None and any(one.name == START for one in self.plan.steps)
        return self.observers.driver.typed_start if planned else ()

    def as_before(self, kept: Path) -> str:
        """Return how to start by hand what was kept before a change."""
        return f"as it was before the change, unless the database was migrated since: {kept_file.typed(kept)}"

    @property
    def way_back(self) -> WayBack | None:
        """The way back, if this procedure has one and the target is held."""
        return self.intent.way_back if self._acting else None

    @property
    def acting(self) -> Acting | None:
        return self._acting

    @property
    def changed_at(self) -> float | None:
        """When the first changing step was begun, on the monotonic clock."""
        return self._acting.changed_at if self._acting else None

    @property
    def changed(self) -> bool:
        return bool(self._acting and self._acting.changed)

    @property
    def owes_evidence(self) -> bool:
        """Whether a run without evidence is no good run: it changed something, or evidence is all that it is for."""
        return self.changed or not (self.acts or self.asked.leaves_nothing)

    @property
    def acts(self) -> bool:
        """Whether this run does more than look: a service that stands and answers is only judged."""
        return self.asked.procedure.acts and not self.recovery.stands

    @property
    def stopped_short(self) -> str:
        """Why no more checks can be asked; empty if the run goes on."""
        if self.course.unobservable:
            return f"no plan could be made: {self.course.unobservable}"
        if self.course.held:
            return f"locked: {self.course.held}"
        return f"the run ended before: {self.course.interrupted}" if self.course.interrupted else ""

    @property
    def spared(self) -> str:
        """Why nothing is started although the stop was commanded: the stop did not touch the server."""
        return self.restarting.scripted.spared if self.restarting else ""

    @property
    def left_out(self) -> str:
        """Why the start script left the service out on purpose."""
        return self.restarting.scripted.left_out if self.restarting else ""

    @property
    def script_results(self) -> tuple[StepResult, ...]:
        """The results of the steps that the operator's own scripts carried out."""
        carried = self._acting.results if self._acting else []
        driver = self.observers.driver
        return tuple(
            one for one in carried if driver.own(own_scripts.PREPARING.get(one.step.name, one.step.name), 1.0)
        )

    @property
    def started_servers(self) -> frozenset[str]:
        """The host names of the containers that this run started, and stopped again on its way back."""
        found = self.course.snapshots.get("after")
        return frozenset(one.id[:12] for one in known(found.containers if found else None))

    @property
    def taken_over(self) -> tuple[journal.Story, ...]:
        """The journals of interrupted runs that this run has taken over."""
        return self._holding.taken_over if self._holding else ()

    def give_names_back(self) -> None:
        """Give back the image names that the pulls of interrupted runs moved: the pulled images do not run."""
        for sentence in cut_off.give_back(self.observers, self.taken_over):
            self.finding(sentence)

    def has_recovered(self, verdict: str) -> bool:
        """Whether this run did what the open journals of others demand."""
        if not self.asked.procedure.recovers:
            return False
        # A service that stands is only judged; nothing else was done about it.
        if self.recovery.stands:
            return verdict == Verdict.ACCEPTED
        return self.changed and not self.owes and not self.course.held_back

    @property
    def owes(self) -> bool:
        """Whether the service was touched and was not seen to answer since: a duty to recover.

        A start that was held back is left to whoever clears the way; after a change it is left to recovery, because only
        recovery knows what ran before.
        """
        leaves_it = bool(self.course.held_back) and not (self.way_back and self.way_back.leads_back)
        return self.changed and self.course.answers is not True and not leaves_it

    def let_go(self, verdict: str) -> None:
        """Seal the journal if nothing is owed, and give the lock back."""
        try:
            if verdict == Verdict.ACCEPTED:
                self._forget()
            if self.checked is not None and self._acting is not None and self.course.answers:
                self.checked.forget()
            if self._holding:
                self._holding.let_go(verdict, owed=self.owes)
        except OSError as error:
            self.finding(
                f"the journal cannot be sealed: {error.strerror or error}",
                "free some room there; the next run will ask for `pytest -m recover`",
            )
        finally:
            if self._observers:
                self._observers.close()
            if self._engine:
                self._engine.close()

    def _forget(self) -> None:
        """Remove what was kept for a way back, if this run held the target and judged what runs now."""
        if self.checked is None or self._acting is None or self.intent.nothing_new:
            return
        if self.recovery.stands and not self.recovery.as_kept:
            return  # it was just named as what leads back
        try:
            kept_file.forget_all(self.earlier.place.folder)
            self.checked.forget_all()
            for story in self.taken_over:
                cut_off.forget(story)  # it may be in another user's folder
        except OSError as error:
            self.finding(f"what was kept for a way back cannot be removed: {error}", "remove it by hand")

    # Small things

    def moment(self, name: str) -> None:
        wall = now()
        self.course.moments.append(Moment(name, round(time.monotonic() - self.began, 3), wall))

    def typed(self, text: str) -> str:
        """Give the commands in a text the words by which they reach the target's engine."""
        return on_engine(text, self.asked.target.engine_flags)

    def shown(self, text: str) -> str:
        """Return a text as it is shown: without secrets, and with its commands as typed for this engine."""
        return self.typed(self.redaction.clean(text))

    def finding(self, text: str, next_move: str = "") -> None:
        found = Finding(self.typed(text), self.typed(next_move))
        if found not in self.course.findings:
            self.course.findings.append(found)

    @property
    def outage(self) -> Outage | None:
        return self.watch.outage if self.watch else None

    @property
    def events(self) -> tuple[EngineEvent, ...] | Unseen:
        """What the engine did to the containers of this project since before the stop."""
        return self.watch.events if self.watch else ()

    @property
    def journal(self) -> journal.Journal | None:
        """Return this run's journal; a run that did not get the lock has none."""
        return self._acting.journal if self._acting else None


def _public(observers: Observers) -> tuple[str, ...]:
    """Return words of the target that are no secrets, whatever else they are used for."""
    settings = observers.viewpoint.settings
    named = () if isinstance(settings, Unseen) else (settings.db_user, settings.db_name, settings.db_host)
    return (*named, observers.operator_rendering.image, observers.operator_rendering.container_name)
