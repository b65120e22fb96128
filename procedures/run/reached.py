"""The moments of a real run, for the checks of one way; the states reach each state, or give the reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.decide.accepted import Goal
from procedures.decide.announcement import Announcement
from procedures.decide.baseline import Baseline
from procedures.decide.expected import Expected
from procedures.decide.transitions import Start, Stop
from procedures.problems import CannotObserve
from procedures.run.procedure import Intent
from procedures.run.states import States
from procedures.steps import own_scripts
from procedures.target.target import Target
from procedures.way_back.cut_off import Kept
from reports.record.evidence import EngineEvent, Outage, StepResult, Way
from reports.record.observed import Snapshot, Unseen
from reports.redaction.redact import Redaction


@dataclass(frozen=True, slots=True)
class Reached:
    """The moments of a run, each reached when it is asked for."""

    states: States
    way: Way = Way.FORWARD
    last: Snapshot | None = None
    """The look that replaces the first one, if a check is asked again."""

    @property
    def first(self) -> Snapshot:
        return self.states.before()

    @property
    def before(self) -> Snapshot:
        return self.last or self.states.before()

    @property
    def ready(self) -> Snapshot:
        return self.states.ready()

    @property
    def stopped(self) -> Snapshot:
        return self.states.stopped()

    @property
    def after(self) -> Snapshot:
        return self.states.after(self.way)

    @property
    def target(self) -> Target:
        return self.states.run.asked.target

    @property
    def plan_only(self) -> bool:
        return self.states.run.asked.plan_only

    @property
    def stop_grace(self) -> float:
        return self.states.run.grace

    @property
    def announcement(self) -> Announcement | None:
        return self._intent.announcement

    @property
    def goal(self) -> Goal | None:
        return self._intent.goal

    @property
    def kept(self) -> Kept | None:
        return self.states.run.recovery.kept

    @property
    def unkept(self) -> tuple[str, ...]:
        return self._intent.lacking

    @property
    def start_settings(self) -> Mapping[str, str]:
        return own_scripts.settings_of(self.states.run.observers.driver)

    @property
    def baseline(self) -> Baseline:
        return self.states.baseline

    @property
    def expected(self) -> Expected:
        return self.states.expected(self.way)

    @property
    def parts_expected(self) -> frozenset[str]:
        return self.states.parts_expected

    @property
    def rolled_back(self) -> frozenset[str]:
        return self.states.rolled_back

    @property
    def acts(self) -> bool:
        return self.states.run.acts

    @property
    def our_stop(self) -> Stop | None:
        self.states.stopped()
        return self.states.run.our_stop

    @property
    def our_start(self) -> Start | None:
        self.states.after(self.way)
        run = self.states.run
        return run.our_start if self.way is Way.FORWARD else run.our_return

    @property
    def started_servers(self) -> frozenset[str]:
        return self.states.run.started_servers

    @property
    def outage(self) -> Outage | None:
        self.states.after(self.way)
        run = self.states.run
        start = run.our_return or run.our_start
        if run.watch is None:
            return None
        if start and start.ready and start.ready.ended:
            run.watch.outlast_silence()
        outage = run.watch.so_far()
        if outage is not None and run.watch.broke_off:
            raise CannotObserve(
                "the probe that looked from outside had ended before it was asked to", "run again"
            )
        return outage

    @property
    def script_results(self) -> tuple[StepResult, ...]:
        self.states.after()
        return self.states.run.script_results

    @property
    def others(self) -> tuple[EngineEvent, ...] | Unseen:
        self.states.after()
        watch = self.states.run.watch
        return watch.others if watch else Unseen("nobody listened to the engine meanwhile")

    @property
    def redaction(self) -> Redaction:
        return self.states.run.redaction

    @property
    def _intent(self) -> Intent:
        return self.states.run.intent
