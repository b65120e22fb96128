"""The plan: the state of the service, and what of the checks applies to it."""

from __future__ import annotations

from typing import Any

import pytest

from procedures.decide import check_files, plan
from procedures.decide.plan import Reason, Situation, State
from procedures.listed import PROCEDURES
from procedures.run.facts import NAMES
from procedures.target.target import SUITE
from reports.record.evidence import BACK, Phase, Way
from reports.record.observed import Unseen
from tests.unit.results import check, container

NEVER_RAN = container(id="new", running=False, state="created", started_at="0001-01-01T00:00:00Z")


def _situation(state: State = State.RUNNING, **fields: Any) -> Situation:
    return Situation(state, **{"has_health_check": True, **fields})


@pytest.mark.parametrize(
    ("containers", "state"),
    [
        ((), State.ABSENT),
        ((container(),), State.RUNNING),
        ((container(running=False, state="exited"),), State.STOPPED),
        ((container(running=False, state="created"),), State.STOPPED),
        ((container(paused=True),), State.PAUSED),
        ((container(restarting=True),), State.LOOPING),
        ((container(restarting=True, running=False),), State.LOOPING),
        ((container(), container(id="other")), State.SEVERAL),
        ((container(), NEVER_RAN), State.HALF),
        ((container(), container(id="other"), NEVER_RAN), State.SEVERAL),
        ((NEVER_RAN,), State.STOPPED),
    ],
)
def test_a_state_is_told_from_the_containers(containers: tuple[Any, ...], state: State) -> None:
    """One look at the engine gives one state; paused and looping are states of their own, though the engine says `running`."""
    assert state is plan.state_of(containers)


@pytest.mark.parametrize(
    ("asks", "state", "reason"),
    [
        ("before", State.STOPPED, ""),
        ("server_before", State.RUNNING, ""),
        ("server_before", State.PAUSED, ""),
        ("server_before", State.STOPPED, Reason.NOT_RUNNING),
        ("server_before", State.ABSENT, Reason.NOT_RUNNING),
        ("our_stop", State.STOPPED, Reason.NOT_RUNNING),
        ("our_stop", State.RUNNING, ""),
        ("container_before", State.STOPPED, ""),
        ("container_before", State.ABSENT, Reason.NOTHING_BEFORE),
        ("outage", State.RUNNING, ""),
        ("outage", State.STOPPED, Reason.NOT_RUNNING),
        ("baseline", State.ABSENT, ""),
        ("our_start", State.ABSENT, ""),
    ],
)
def test_what_does_not_apply_is_left_out_with_its_reason(asks: str, state: State, reason: str) -> None:
    """A check of something that is not there is left out by the plan, and says why; every other one is planned."""
    (planned,) = plan.checks_of(PROCEDURES["restart"], [check(asks=(asks,))], _situation(state))

    assert reason == planned.not_applicable


def test_without_dashboards_none_is_asked() -> None:
    """A target that names no dashboards claims nothing of any: that is not applicable, and not passed."""
    one = check(asks=("dashboards",))

    assert [
        [
            planned.not_applicable
            for planned in plan.checks_of(PROCEDURES[name], [one], _situation(has_dashboards=has))
        ]
        for name in ("restart", "accept")
        for has in (False, True)
    ] == [[Reason.NO_DASHBOARDS], [""], [Reason.NO_DASHBOARDS], [""]]


def test_without_a_health_check_dockers_word_is_not_asked() -> None:
    """Where Docker does not check there is nothing to agree with."""
    one = check(asks=("docker_health",))

    assert [
        plan.checks_of(PROCEDURES["restart"], [one], _situation(has_health_check=has))[0].not_applicable
        for has in (False, True)
    ] == [Reason.NO_HEALTH_CHECK, ""]


@pytest.mark.parametrize(
    ("procedure", "phase", "asks", "data", "advisory"),
    [
        ("restart", Phase.PRE, "containers_before", False, False),
        ("recover", Phase.PRE, "containers_before", False, True),
        ("recover", Phase.PRE, "containers_before", True, False),
        ("recover", Phase.PRE, "before", False, False),
        ("recover", Phase.READY, "ready", False, True),
        ("recover", Phase.MID, "stopped", False, False),
        ("recover", Phase.POST, "after", False, False),
    ],
)
def test_recovery_begins_with_what_is_unwell(
    procedure: str, phase: Phase, asks: str, data: bool, advisory: bool
) -> None:
    """For recovery what is amiss with what ran closes nothing, unless data is at stake; the start's own needs do."""
    (planned,) = plan.checks_of(
        PROCEDURES[procedure], [check(phase=phase, asks=(asks,), data=data)], _situation()
    )

    assert advisory is planned.advisory


def test_recovery_does_not_choose_between_containers() -> None:
    """Of several containers that ran nobody knows which one is the service: that closes the gate of recovery too."""
    one = check(phase=Phase.PRE, asks=("containers_before",))

    assert [
        plan.checks_of(PROCEDURES["recover"], [one], _situation(state))[0].advisory
        for state in (State.HALF, State.SEVERAL)
    ] == [True, False]


def test_no_check_serves_no_procedure() -> None:
    """Every check of the files is asked by some procedure: what it asks for is provided by one."""
    known = check_files.read(SUITE / "checks", NAMES)

    planned = {one.id for name in PROCEDURES for one in plan.checks_of(PROCEDURES[name], known, _situation())}
    assert {one.id for one in known} == {one for one in planned if not one.endswith(BACK)}


def test_no_check_is_dropped() -> None:
    """Every check that a procedure provides for stands in its plan, whatever the state."""
    known = check_files.read(SUITE / "checks", NAMES)

    for state in State:
        for procedure in PROCEDURES:
            planned = plan.checks_of(PROCEDURES[procedure], known, _situation(state))
            served = [one.id for one in known if set(one.asks) <= PROCEDURES[procedure].provides]
            assert served == [one.id for one in planned if one.way is Way.FORWARD]
            assert {one.not_applicable for one in planned} <= {"", *Reason}


def test_a_running_service_is_asked_everything() -> None:
    """For a restart of a service that runs nothing is left out."""
    planned = plan.checks_of(PROCEDURES["restart"], check_files.read(SUITE / "checks", NAMES), _situation())

    assert [one.id for one in planned if one.not_applicable] == []


def test_unseen_is_no_state() -> None:
    """A look that failed is no empty list of containers: it has to be handled before a state is told."""
    with pytest.raises((TypeError, AttributeError)):
        plan.state_of(Unseen("no engine"))  # type: ignore[arg-type]
