"""The plan: what a run will do, made once from one look at the engine and frozen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from enum import StrEnum

from reports.evidence import Check, Phase, Plan, Protects, Step
from reports.observed import Container, Rendering


class State(StrEnum):
    """What the service is in, as one look at the engine shows it."""

    RUNNING = "running"
    STOPPED = "stopped"
    ABSENT = "absent"
    PAUSED = "paused"
    LOOPING = "looping"
    SEVERAL = "several"


class Reason(StrEnum):
    """Why a plan leaves something out; there are no other reasons."""

    NOT_RUNNING = "the service is not running"
    NO_HEALTH_CHECK = "the service has no health check in Docker"
    NOT_PRESUPPOSED = "recovery does not presuppose a running server"
    NOTHING_BEFORE = "there was no container before"


_DOWN = {State.STOPPED, State.ABSENT}
_BEFORE = {Phase.PRE, Phase.READY}
_NEEDS_CONTAINER = {"container_before", "containers_before"}
_NEEDS_SERVER = {"server_before", "our_stop"}


def state_of(containers: tuple[Container, ...]) -> State:
    """Tell the state of the service from its containers."""
    if not containers:
        return State.ABSENT
    if len(containers) > 1:
        return State.SEVERAL
    one = containers[0]
    if one.paused:
        return State.PAUSED
    if one.restarting:
        return State.LOOPING
    return State.RUNNING if one.running else State.STOPPED


def checks_of(
    procedure: str, claims: Iterable[Check], state: State, rendering: Rendering
) -> tuple[Check, ...]:
    """Return the checks as this plan asks them, with what is left out and why."""
    recovering = procedure == "recover"
    return tuple(
        dataclasses.replace(
            one,
            not_applicable=_left_out(one, state, rendering, recovering=recovering),
            # Recovery is for a service that is unwell: what is amiss before it is a finding and closes nothing,
            # unless data is at stake. A container in a restart loop is another process at every look.
            advisory=one.advisory
            or (recovering and one.phase in {Phase.PRE, Phase.READY} and one.protects is Protects.SERVICE),
        )
        for one in claims
    )


def _left_out(check: Check, state: State, rendering: Rendering, *, recovering: bool) -> str:
    asks = set(check.asks)
    if "docker_health" in asks and not rendering.has_health_check:
        return Reason.NO_HEALTH_CHECK
    if asks & _NEEDS_SERVER and state in _DOWN:
        return Reason.NOT_RUNNING
    if asks & _NEEDS_SERVER and recovering:
        return Reason.NOT_PRESUPPOSED
    if "outage" in asks and (recovering or state in _DOWN):
        # It began before anybody looked.
        return Reason.NOT_PRESUPPOSED if recovering else Reason.NOT_RUNNING
    if asks & _NEEDS_CONTAINER and state is State.ABSENT:
        return Reason.NOTHING_BEFORE
    return ""


def make(
    procedure: str, state: State, steps: tuple[Step, ...], checks: tuple[Check, ...], worst_outage: float
) -> Plan:
    """Freeze a plan; `worst_outage` is in seconds: the stop's grace and the boot's deadline together."""
    return Plan(
        procedure=procedure,
        state=state.value,
        steps=steps,
        checks=checks,
        worst_outage=worst_outage,
        looks=(
            "a container `kestra-restart-inside-…` in the service's network: logs in to the database",
            "a container `kestra-restart-outside-…` in the engine host's network: reads which ports listen",
            (
                "a container `kestra-restart-echo-…` of the service's image without network, where the "
                "configuration holds a backslash: lets the image's own echo write it"
            ),
        ),
        untried=(
            "whether the server ends within its grace",
            "whether the new server boots: its configuration, its login and its image have been tried, its boot not",
        ),
    )
