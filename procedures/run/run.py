"""One run: the plain object behind pytest's hooks. What it does is in the modules beside it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from procedures.decide import check_files
from procedures.decide.course import Course
from procedures.decide.ledger import Ledger
from procedures.decide.transitions import Start, Stop
from procedures.drivers.command_text import on_engine
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.moments.observers import Observers
from procedures.observe.outage.watching import Watch
from procedures.problems import Blocked
from procedures.run import who
from procedures.run.earlier import Earlier
from procedures.run.facts import NAMES
from procedures.run.holding import Holding
from procedures.run.procedure import Asked, Intent
from procedures.steps import journal, own_scripts, stop_and_start
from procedures.steps.carry_out import Acting
from procedures.steps.checked import Checked
from procedures.steps.interruption import Interruption
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
        self.environment = environment
        self.engine: EngineObserver | None = None
        self.engine_id = ""
        self._observers: Observers | None = None
        self._earlier: Earlier | None = None
        self.holding: Holding | None = None
        self.acting: Acting | None = None
        """Carries out steps, while the target is held."""
        self.restarting: stop_and_start.Restart | None = None
        self.unprepared = ""
        """Why nothing can be prepared, if the lock was taken and the journal could not be opened."""
        self.watch: Watch | None = None
        self.grace = 0.0

    @property
    def observers(self) -> Observers:
        if self._observers is None:
            raise Blocked(self.course.unobservable or "the target was not observed")
        return self._observers

    @observers.setter
    def observers(self, observers: Observers) -> None:
        self._observers = observers

    @property
    def endpoint(self) -> str:
        return self.engine.where.url if self.engine else ""

    @property
    def earlier(self) -> Earlier:
        """What earlier runs of this service left."""
        if self._earlier is None:
            raise Blocked(self.course.unobservable or "the target was not observed")
        return self._earlier

    @earlier.setter
    def earlier(self, earlier: Earlier) -> None:
        self._earlier = earlier

    @property
    def shelter(self) -> Path:
        """Where the evidence goes if the archive cannot take it."""
        return journal.home(self.environment) / "runs"

    @property
    def open_journals(self) -> tuple[journal.Story, ...]:
        """The unsealed journals of this target, this run's own among them."""
        return self.earlier.open_journals

    @property
    def recovery(self) -> cut_off.Recovery:
        """The way out of an interrupted change."""
        return self.intent.recovery

    def follow(self, planned: Plan) -> None:
        """Freeze the plan: from here on the ledger holds what becomes of each of its checks."""
        self.plan = planned
        self.ledger = Ledger(planned.checks, self.asked.waivers, self.shown)

    def redact_by(self, redaction: Redaction) -> None:
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
        self.redact_by(Redaction(secret, public, secret))
        for one in self.redaction.weak:
            self.finding(
                f"{one} equals a public word of the target or of the report itself, or is very short: it is redacted "
                "only where it stands as a value, and the final scan leaves it out",
                "choose a longer password of its own",
            )

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
        return self.intent.way_back if self.acting else None

    @property
    def changed_at(self) -> float | None:
        """When the first changing step was begun, on the monotonic clock."""
        return self.acting.changed_at if self.acting else None

    @property
    def changed(self) -> bool:
        return bool(self.acting and self.acting.changed)

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
        carried = self.acting.results if self.acting else []
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
        return self.holding.taken_over if self.holding else ()

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

    def close(self) -> None:
        """Close the connections to the engine and to the service."""
        if self._observers:
            self._observers.close()
        if self.engine:
            self.engine.close()

    # What goes on record

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
        return self.acting.journal if self.acting else None


def _public(observers: Observers) -> tuple[str, ...]:
    """Return words of the target that are no secrets, whatever else they are used for."""
    settings = observers.viewpoint.settings
    named = () if isinstance(settings, Unseen) else (settings.db_user, settings.db_name, settings.db_host)
    return (*named, observers.operator_rendering.image, observers.operator_rendering.container_name)
