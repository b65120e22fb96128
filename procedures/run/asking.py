"""What checks may ask for, by name; each is a value that was observed or noted, never a way to act."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from procedures.decide import leftovers
from procedures.decide.accepted import Goal
from procedures.decide.acts import Start, Stop
from procedures.decide.announcement import Announcement
from procedures.decide.baseline import Baseline
from procedures.decide.claims import seen
from procedures.decide.expected import Expected, as_it_was
from procedures.problems import Blocked, CannotObserve
from procedures.run.states import States
from procedures.steps import reaching, scripted
from procedures.target.scripting import START, STOP
from procedures.target.target import Target
from procedures.way_back.cut_off import Kept
from reports.record.claimed import Need, ValidationSeen
from reports.record.evidence import EngineEvent, Outage, StepResult, Way
from reports.record.observed import (
    Container,
    DashboardSeen,
    Direct,
    DryRun,
    Ephemeral,
    Image,
    Listener,
    Server,
    Snapshot,
)
from reports.record.scripted import Rehearsal, ScriptSeen


class Asking:
    """Gives a check what it names; reaching a state is the run's business, and so is every reason not to."""

    def __init__(self, states: States, way: Way = Way.FORWARD) -> None:
        self._states = states
        self._run = states.run
        self._way = way

    @property
    def target(self) -> Target:
        return self._run.asked.target

    @property
    def stop_grace(self) -> float:
        return self._run.grace

    @property
    def before(self) -> Snapshot:
        return self._states.before()

    @property
    def server_before(self) -> Server:
        return reaching.server_of(self._states.before(), self.target)

    @property
    def server_itself_before(self) -> Direct:
        return seen(self._states.before().direct)

    @property
    def listeners_here(self) -> tuple[Listener, ...]:
        return seen(seen(self._states.before().host).listeners)

    @property
    def ephemeral_here(self) -> Ephemeral:
        return seen(seen(self._states.before().host).ephemeral)

    @property
    def container_before(self) -> Container:
        return _container(self._states.before())

    @property
    def containers_before(self) -> tuple[Container, ...]:
        return seen(self._states.before().containers)

    @property
    def baseline(self) -> Baseline:
        return self._states.baseline

    @property
    def expected(self) -> Expected:
        return self._states.expected(self._way)

    @property
    def parts_expected(self) -> frozenset[str]:
        return self._states.parts_expected

    @property
    def announcement(self) -> Announcement:
        found = self._run.intent.announcement
        if found is None:
            raise Blocked("this procedure brings no image")
        return found

    @property
    def goal(self) -> Goal:
        found = self._run.intent.goal
        if found is None:
            raise Blocked("this procedure goes back to no earlier run")
        if found.unseen is not None:
            raise CannotObserve(found.unseen.what, found.unseen.next_move)
        return found

    @property
    def kept(self) -> Kept:
        found = self._run.recovery.kept
        if found is None:
            raise Blocked("no run that was cut off has kept anything")
        return found

    @property
    def unkept(self) -> tuple[str, ...]:
        self.containers_before  # noqa: B018 - where these were not seen, nobody knows
        return self._run.intent.lacking

    @property
    def superseded(self) -> Expected:
        """What the settings applied by this run have replaced."""
        return as_it_was(self.before, self.container_before, self._states.baseline)

    @property
    def candidate(self) -> Image:
        if not self._run.asked.plan_only:
            return seen(self._states.ready().image)
        if (known := self.announcement.known) is None:
            raise Blocked("a plan pulls nothing")
        return known

    @property
    def rolled_back(self) -> frozenset[str]:
        return self._states.rolled_back

    @property
    def images_to_keep(self) -> tuple[str, ...]:
        return tuple(one.image_id for one in self.containers_before)

    @property
    def settings_to_keep(self) -> Container:
        return self.container_before

    @property
    def mounts_to_keep(self) -> Container:
        return self.container_before

    @property
    def schema_to_keep(self) -> tuple[str, ...]:
        return seen(self._states.baseline.schema)

    @property
    def schema_to_grow(self) -> tuple[str, ...]:
        return seen(self._states.baseline.schema)

    @property
    def flows_to_keep(self) -> tuple[str, ...]:
        return seen(self._states.baseline.flows)

    @property
    def flows_noted(self) -> tuple[str, ...]:
        return seen(self._states.baseline.flows)

    @property
    def executions_to_keep(self) -> tuple[str, ...]:
        return seen(self._states.baseline.executions)

    @property
    def scripts(self) -> tuple[ScriptSeen, ...]:
        return seen(self._states.before().scripts)

    @property
    def rehearsals(self) -> dict[str, Rehearsal]:
        return scripted.rehearsals_of(self.scripts)

    @property
    def stop_rehearsal(self) -> Rehearsal:
        return self.rehearsals[STOP]

    @property
    def start_rehearsal(self) -> Rehearsal:
        return self.rehearsals[START]

    @property
    def secrets_shown(self) -> dict[str, tuple[str, ...]]:
        scan = self._run.redaction.scan
        return {step: tuple(scan(one.output.encode())) for step, one in self.rehearsals.items()}

    @property
    def start_settings(self) -> dict[str, str]:
        return scripted.settings_of(self._run.observers.driver)

    @property
    def dry_run(self) -> DryRun:
        return seen(self._states.before().dry_run)

    @property
    def needs(self) -> tuple[Need, ...]:
        return seen(self._states.before().needs)

    @property
    def validations_ready(self) -> tuple[ValidationSeen, ...]:
        return seen(self._states.ready().validations)

    @property
    def script_results(self) -> tuple[StepResult, ...]:
        self._states.after()
        return self._run.script_results

    @property
    def others_touched(self) -> tuple[EngineEvent, ...]:
        self._states.after()
        if self._run.watch is None:
            raise CannotObserve("nobody listened to the engine meanwhile")
        return scripted.meanwhile(seen(self._run.watch.others), self._run.script_results)

    @property
    def validations(self) -> tuple[ValidationSeen, ...]:
        return seen(self._states.after().validations)

    @property
    def ready(self) -> Snapshot:
        return self._states.ready()

    @property
    def stopped(self) -> Snapshot:
        return self._states.stopped()

    @property
    def our_stop(self) -> Stop:
        self._states.stopped()
        if self._run.our_stop is None:
            raise Blocked("this run stopped nothing")
        return self._run.our_stop

    @property
    def after(self) -> Snapshot:
        return self._states.after(self._way)

    @property
    def server_after(self) -> Server:
        return reaching.server_of(self._states.after(self._way), self.target)

    @property
    def server_itself(self) -> Direct:
        return seen(self._states.after(self._way).direct)

    @property
    def container_after(self) -> Container:
        return _container(self._states.after(self._way))

    @property
    def own_servers(self) -> frozenset[str]:
        """The host names of our own servers: what runs now, and what this run has stopped, whose heartbeats may be young."""
        ours = {_container(self._states.after(self._way)).id[:12]}
        if self._run.acts:
            ours |= {one.id[:12] for one in self.containers_before}
            ours |= self._run.started_servers
        return frozenset(ours)

    @property
    def docker_health(self) -> str:
        return _container(self._states.after(self._way)).health

    @property
    def our_start(self) -> Start:
        self._states.after(self._way)
        started = self._run.our_start if self._way is Way.FORWARD else self._run.our_return
        if started is None:
            raise Blocked("this run started nothing")
        return started

    @property
    def dashboards_before(self) -> tuple[DashboardSeen, ...]:
        return seen(self._states.before().dashboards)

    @property
    def dashboards(self) -> tuple[DashboardSeen, ...]:
        return seen(self._states.after(self._way).dashboards)

    @property
    def outage(self) -> Outage:
        self._states.after(self._way)
        watch = self._run.watch
        start = self._run.our_return or self._run.our_start
        if watch and start and start.ready and start.ready.ended:
            watch.outlast_silence()
        outage = watch.so_far() if watch else None
        if watch is None or outage is None:
            raise CannotObserve("nobody looked at the service from outside")
        if watch.broke_off:
            raise CannotObserve(
                "the probe that looked from outside had ended before it was asked to", "run again"
            )
        return outage

    def ask(self, function: Callable[..., None]) -> None:
        """Ask a check as pytest would, with what it names."""
        function(**{name: getattr(self, name) for name in inspect.signature(function).parameters})

    def again(self, function: Callable[..., None], ready: Snapshot) -> None:
        """Ask a pre check a second time: what it saw before is now what was seen last."""

        def rehearsals() -> dict[str, Rehearsal]:
            return scripted.rehearsals_of(seen(ready.scripts))

        anew: dict[str, Callable[[], object]] = {
            "before": lambda: ready,
            "server_before": lambda: reaching.server_of(ready, self.target),
            "server_itself_before": lambda: seen(ready.direct),
            "container_before": lambda: _container(ready),
            "containers_before": lambda: seen(ready.containers),
            "dry_run": lambda: seen(ready.dry_run),
            "scripts": lambda: seen(ready.scripts),
            "rehearsals": rehearsals,
            "stop_rehearsal": lambda: rehearsals()[STOP],
            "start_rehearsal": lambda: rehearsals()[START],
            "images_to_keep": lambda: tuple(one.image_id for one in seen(ready.containers)),
            "settings_to_keep": lambda: _container(ready),
            "mounts_to_keep": lambda: _container(ready),
        }
        names = inspect.signature(function).parameters
        function(**{name: anew[name]() if name in anew else getattr(self, name) for name in names})


def _container(snapshot: Snapshot) -> Container:
    found = leftovers.without(seen(snapshot.containers))
    if len(found) != 1:
        raise CannotObserve(f"there are {len(found)} containers of the service, not one")
    return found[0]
