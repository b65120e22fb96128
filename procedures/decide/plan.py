"""The plan: what a run will do, made once from one look at the engine, then frozen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Protocol

from procedures.decide import leftovers
from procedures.decide.facts import Group, Presupposed, presupposed_by, provided_by
from reports.record.evidence import BACK, Check, Phase, Plan, Protects, Step, Way
from reports.record.observed import Container


class Traits(Protocol):
    """What a plan reads of a procedure."""

    @property
    def name(self) -> str: ...

    @property
    def provides(self) -> frozenset[str]: ...

    @property
    def returns(self) -> bool: ...

    @property
    def recovers(self) -> bool: ...


class State(StrEnum):
    """The state of the service, as one look at the engine shows it."""

    RUNNING = "running"
    STOPPED = "stopped"
    ABSENT = "absent"
    PAUSED = "paused"
    LOOPING = "looping"
    HALF = "half recreated"
    SEVERAL = "several"


class Reason(StrEnum):
    """Why a plan leaves something out; there are no other reasons."""

    NOT_RUNNING = "the service is not running"
    NO_HEALTH_CHECK = "the service has no health check in Docker"
    NOT_PRESUPPOSED = "recovery does not presuppose a running server"
    NOTHING_BEFORE = "there was no container before"
    NO_DASHBOARDS = "the target names no dashboards"
    NO_BASELINE = "no accepted run of this target is in the archive, so there is nothing to compare with"
    ENGINE_ELSEWHERE = "the engine is not on this machine"
    NO_SCRIPT = "no step is a script"
    NO_SUCH_SCRIPT = "no script carries out this step"
    NOT_REHEARSED = "the script may not be rehearsed: what that leaves unknown is one claim of its own"
    ALL_REHEARSED = "every script was rehearsed before it acted"
    STARTED_OTHERWISE = "this run starts an image of its own choice, and not by the script"
    STARTED_BY_COMPOSE = "Compose starts the service, and not a script"
    STARTED_BY_SCRIPT = "a script starts the service, and not Compose"
    NO_VALIDATION = "the target file names no validation command"
    NO_NEEDS = "the target file names nothing that must exist besides"
    NOTHING_NEW = "there is nothing new, so nothing is changed"
    AS_BEFORE = "what ran before a change that was cut off is started, whatever the container has now"
    AS_IT_STANDS = "the service answers, so it is judged as it stands and nothing is acted on"
    NOTHING_KEPT = "nothing is started that was kept before a change"


_DOWN = {State.STOPPED, State.ABSENT}
_OF_WHAT_RAN = Presupposed.CONTAINER | Presupposed.SERVER | Presupposed.BASELINE


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """What the plan needs to know of the look before it."""

    state: State
    has_health_check: bool
    has_baseline: bool = True
    nothing_new: bool = False
    stands: bool = False
    """Whether recovery only judges what runs."""
    has_dashboards: bool = True
    engine_elsewhere: bool = False
    lacking: Mapping[Presupposed, Reason] = dataclasses.field(default_factory=dict)
    """What else this target or this run lacks, each with the reason."""


def state_of(containers: tuple[Container, ...]) -> State:
    """Return the state of the service, read from its containers."""
    if not containers:
        return State.ABSENT
    if len(containers) > 1:
        return State.HALF if len(leftovers.without(containers)) <= 1 else State.SEVERAL
    one = containers[0]
    if one.paused:
        return State.PAUSED
    if one.restarting:
        return State.LOOPING
    return State.RUNNING if one.running else State.STOPPED


def checks_of(procedure: Traits, claims: Iterable[Check], situation: Situation) -> tuple[Check, ...]:
    """Return the checks that a procedure provides for, as this plan asks them: forward, then for its way back."""
    provided = procedure.provides
    forward = tuple(_planned(one, procedure, situation) for one in claims if set(one.asks) <= provided)
    if not procedure.returns:
        return forward
    returning = provided_by(Group.RETURNING)
    back = (
        dataclasses.replace(
            one, id=one.id + BACK, way=Way.BACK, not_applicable=_left_out(one, procedure, situation)
        )
        for one in claims
        if one.phase is Phase.POST and set(one.asks) <= returning
    )
    return (*forward, *back)


def _planned(check: Check, procedure: Traits, situation: Situation) -> Check:
    return dataclasses.replace(
        check,
        not_applicable=_left_out(check, procedure, situation),
        advisory=check.advisory or (procedure.recovers and _is_finding(check, situation.state)),
    )


def _is_finding(check: Check, state: State) -> bool:
    """Whether recovery reports this check as a finding, and does not close a gate with it.

    Recovery is for a service that is unwell, so what is wrong with the old container closes nothing, unless data is at
    stake. A check that foresees a failing start still closes the gate: the stop would cost what half works. If there
    are several containers, which one is the service is unknown. In a restart loop the process changes with every look.
    """
    if check.protects is Protects.DATA:
        return False
    return check.phase is Phase.READY or (
        check.phase is Phase.PRE
        and state is not State.SEVERAL
        and bool(_OF_WHAT_RAN & presupposed_by(check.asks))
    )


def _left_out(check: Check, procedure: Traits, situation: Situation) -> str:
    if situation.nothing_new and check.phase is not Phase.PRE:
        return Reason.NOTHING_NEW
    if situation.stands and check.phase is not Phase.POST:
        return Reason.AS_IT_STANDS
    presupposed = presupposed_by(check.asks)
    return next((reason for one, reason in _lacking(procedure, situation) if one & presupposed), "")


def _lacking(procedure: Traits, situation: Situation) -> Iterator[tuple[Presupposed, Reason]]:
    """Yield what is missing, and why; if there are several reasons, the first counts."""
    recovering, down = procedure.recovers, situation.state in _DOWN
    rows = (
        (situation.stands, Presupposed.ACT, Reason.AS_IT_STANDS),
        (not situation.has_dashboards, Presupposed.DASHBOARDS, Reason.NO_DASHBOARDS),
        (not situation.has_health_check, Presupposed.HEALTH_CHECK, Reason.NO_HEALTH_CHECK),
        (situation.engine_elsewhere, Presupposed.ENGINE_HERE, Reason.ENGINE_ELSEWHERE),
        (not situation.has_baseline, Presupposed.BASELINE, Reason.NO_BASELINE),
        *((True, one, reason) for one, reason in situation.lacking.items()),
        (down, Presupposed.SERVER, Reason.NOT_RUNNING),
        (recovering, Presupposed.SERVER, Reason.NOT_PRESUPPOSED),
        # The outage began before anybody looked.
        (recovering, Presupposed.WHOLE_OUTAGE, Reason.NOT_PRESUPPOSED),
        (down, Presupposed.WHOLE_OUTAGE, Reason.NOT_RUNNING),
        (situation.state is State.ABSENT, Presupposed.CONTAINER, Reason.NOTHING_BEFORE),
    )
    return ((one, reason) for applies, one, reason in rows if applies)


def make(
    procedure: Traits,
    state: State,
    steps: tuple[Step, ...],
    checks: tuple[Check, ...],
    worst_outage: float | None,
    *,
    untried: tuple[str, ...] = (),
) -> Plan:
    """Freeze a plan. `worst_outage` is in seconds: the stop's grace and the boot's deadline; None without a step.

    `untried` is what this procedure cannot try without acting, beyond what none can.
    """
    return Plan(
        procedure=procedure.name,
        state=state.value,
        steps=steps,
        checks=checks,
        worst_outage=worst_outage,
        looks=(
            (
                "a container `kestra-restart-inside-…` in the service's network: logs in to the database, and asks the "
                "server itself"
            ),
            "a container `kestra-restart-outside-…` in the engine host's network: reads which ports listen",
            "a command in the service's own container, where it runs: asks whether its user can write its folders",
            (
                "a container `kestra-restart-echo-…` of the service's image without network, where the "
                "configuration holds a backslash: lets the image's own echo write it"
            ),
        ),
        untried=()
        if worst_outage is None
        else (
            "whether the server ends within its grace",
            "whether the new server boots: its configuration, its login and its image have been tried, its boot not",
            *untried,
        ),
    )
