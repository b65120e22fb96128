"""Every check can fail, can pass, and never calls good what it could not see."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from procedures.decide.transitions import Stop
from reports.record.evidence import Check, Outcome
from reports.record.observed import Snapshot, Unseen
from tests.checks import cases, reach_cases, script_cases
from tests.checks.cases import Case
from tests.checks.world import CHECKS, World, ask, recorded

OPERATORS_LATER = {"script_results", "others_touched", "validations"}
WORLD = recorded()
FAILING = (*cases.FAILING, *reach_cases.FAILING, *script_cases.FAILING)
PASSING = (*cases.PASSING, *reach_cases.PASSING, *script_cases.PASSING)
MOMENTS = ("before", "ready", "stopped", "after")
UNSEEN = "the lights went out"
DARK = Unseen(UNSEEN, "switch them on")
KEPT = {"name", "taken_at", "took", "files"}
"""What a snapshot has in the dark too."""
LOOKABLE = tuple(one.name for one in fields(Snapshot) if one.name not in KEPT)
SEEN_IN_THE_DARK = {
    "pre/test_engine.py::test_the_files_can_be_used",
    "ready/test_ready.py::test_the_files_are_the_same",
    "post/test_container.py::test_it_has_soaked",
    "post/test_reach.py::test_what_answered_went_with_the_server",
    "pre/test_scripts.py::test_no_setting_is_one_that_nobody_reads",
    "post/test_scripts.py::test_the_start_script_was_enough",
    "post/test_scripts.py::test_the_scripts_ended_well",
    "post/test_server.py::test_it_became_ready",
    "post/test_server.py::test_the_outage_was_measured",
    "pre/test_kept.py::test_what_was_kept_can_be_read",
}
"""Checks over what is read from our own disk, or told by our own waits and probe: no observer has a say in them."""


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_lets_the_recorded_run_pass(check: Check) -> None:
    """A restart that was accepted holds every claim."""
    result = ask(check, WORLD)

    assert (result.outcome, result.reason) == (Outcome.PASSED, "")


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_it_does_not_hold(case: Case) -> None:
    """A run in which one thing is amiss fails the check that claims it, in words that name it and the next move."""
    result = ask(CHECKS[case.check], case.change(WORLD))

    assert case.outcome is result.outcome, result.reason
    assert case.says in f"{result.reason} → {result.next_move}"
    assert case.outcome is Outcome.UNKNOWN or result.next_move


@pytest.mark.parametrize("case", PASSING, ids=lambda case: case.name)
def test_it_lets_pass(case: Case) -> None:
    """What looks amiss and is not does not close a gate."""
    result = ask(CHECKS[case.check], case.change(WORLD))

    assert (result.outcome, result.reason) == (Outcome.PASSED, "")


def test_every_check_has_a_case_that_fails_it() -> None:
    """A check that no test makes fail claims nothing that anybody has seen."""
    assert sorted(CHECKS) == sorted({case.check for case in FAILING})


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_is_unknown_in_the_dark(check: Check) -> None:
    """What nobody could see is unknown: neither good nor bad, and its reason says what was not seen."""
    result = ask(check, _dark(WORLD, *LOOKABLE))

    if check.id in SEEN_IN_THE_DARK:
        assert Outcome.PASSED is result.outcome
        return
    assert (result.outcome, result.next_move) == (Outcome.UNKNOWN, "switch them on"), result.reason
    assert UNSEEN in result.reason


@pytest.mark.parametrize("field", LOOKABLE)
def test_one_thing_unseen_fails_nothing(field: str) -> None:
    """Where one thing could not be seen, the checks that need it are unknown and the others pass."""
    results = [ask(one, _dark(WORLD, field)) for one in CHECKS.values()]

    assert {Outcome.PASSED, Outcome.UNKNOWN} >= {one.outcome for one in results}
    needed = [one for one in results if one.outcome is Outcome.UNKNOWN]
    assert [(one.check.id, one.reason) for one in needed if UNSEEN not in one.reason] == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_asks_for_what_its_phase_has(check: Check) -> None:
    """No check asks for a state that its own phase does not have yet: it would act to be answered."""
    later = {
        "pre": {
            "ready",
            "stopped",
            "our_stop",
            "after",
            "server_after",
            "container_after",
            "docker_health",
            "dashboards",
            *OPERATORS_LATER,
        },
        "ready": {
            "stopped",
            "our_stop",
            "after",
            "server_after",
            "container_after",
            "docker_health",
            "dashboards",
            *OPERATORS_LATER,
        },
        "mid": {
            "after",
            "server_after",
            "container_after",
            "docker_health",
            "dashboards",
            "our_start",
            "outage",
        },
        "post": set(),
    }

    assert set() == later[check.phase] & set(check.asks)


def _dark(world: World, *names: str) -> World:
    """Hide things of every moment at which they were looked at."""
    for moment in MOMENTS:
        snapshot: Snapshot = getattr(world, moment)
        looked = {name: DARK for name in names if getattr(snapshot, name) is not None}
        world = replace(world, **{moment: replace(snapshot, **looked)})  # type: ignore[arg-type]
    assert isinstance(world.our_stop, Stop)
    return replace(world, our_stop=replace(world.our_stop, events=DARK)) if len(names) > 1 else world
