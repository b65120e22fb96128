"""The ledger: one result a planned check, what is waived, what is blocked, what both gates make of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures.decide.ledger import Ledger
from reports.record.evidence import Check, Outcome, Phase, Waiver, Way
from tests.unit.results import check, result

PRE = check("pre")
AGAIN = check("hot", again=True)
READY = check("ready", Phase.READY)
MID = check("mid", Phase.MID, data=True)
POST = check("post", Phase.POST)
LEFT_OUT = check("left_out", Phase.POST, not_applicable="the service is not running")
ALL = (PRE, AGAIN, READY, MID, POST, LEFT_OUT)


def _ledger(*passed: Check, waive: str = "") -> Ledger:
    ledger = Ledger(ALL, (Waiver(waive, "known", "ada"),) if waive else ())
    for one in passed:
        ledger.note(result(one, Outcome.PASSED, ""))
    return ledger


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN, Outcome.BLOCKED])
def test_a_waived_check_becomes_waived(outcome: Outcome) -> None:
    """What does not hold and was waived is waived, and its reason tells what it was, by whom, and why."""
    kept = _ledger(waive=PRE.id).note(result(PRE, outcome, "no room"))

    assert Outcome.WAIVED is kept.outcome
    assert f"{outcome}: no room; waived by ada: known" == kept.reason


def test_a_waived_check_that_holds_passed() -> None:
    """A waiver that was not needed changes nothing."""
    assert Outcome.PASSED is _ledger(waive=PRE.id).note(result(PRE, Outcome.PASSED)).outcome


def test_a_data_check_is_never_waived() -> None:
    """A check that protects data stays failed, whatever was typed."""
    assert Outcome.FAILED is _ledger(waive=MID.id).note(result(MID, Outcome.FAILED)).outcome


def test_a_waiver_holds_for_the_second_asking() -> None:
    """A check that is asked again is waived again."""
    ledger = _ledger(waive=AGAIN.id)

    assert Outcome.WAIVED is ledger.note(result(ledger.again()[0], Outcome.FAILED)).outcome


def test_the_checks_that_are_asked_again_are_their_own() -> None:
    """What is asked again has an id of its own, belongs to the phase ready, and is not asked a third time."""
    (again,) = _ledger().again()

    assert (f"{AGAIN.id} again", Phase.READY, False) == (again.id, again.phase, again.again)


def test_both_gates_ask_for_everything_before_them() -> None:
    """The second gate opens when all of pre, all of ready and all that was asked again let through."""
    ledger = _ledger(PRE)
    assert not ledger.first_gate().open
    ledger.note(result(AGAIN, Outcome.PASSED))
    assert ledger.first_gate().open
    ledger.note(result(READY, Outcome.PASSED))
    assert not ledger.second_gate().open
    ledger.note(result(ledger.again()[0], Outcome.PASSED))

    assert ledger.second_gate().open


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
def test_what_no_longer_holds_closes_the_second_gate(outcome: Outcome) -> None:
    """A check that passed before and does not when it is asked again keeps the second gate closed."""
    ledger = _ledger(PRE, AGAIN, READY)
    ledger.note(result(ledger.again()[0], outcome))

    assert ledger.first_gate().open
    assert not ledger.second_gate().open


def test_the_rest_is_blocked_with_its_reason() -> None:
    """What was not reached is blocked and says why; what the plan left out says that instead."""
    ledger = _ledger(PRE)

    blocked = {one.check.id: one for one in ledger.block_rest("the gate is closed")}

    assert {one.id for one in ALL} - {PRE.id} == set(blocked)
    assert (blocked[POST.id].outcome, blocked[POST.id].reason) == (Outcome.BLOCKED, "the gate is closed")
    assert Outcome.NOT_APPLICABLE is blocked[LEFT_OUT.id].outcome
    assert blocked[LEFT_OUT.id].reason == "the service is not running"
    assert ledger.block_rest("again") == ()


def test_results_are_told_in_the_order_of_the_phases() -> None:
    """Results are told by phase, whenever they were noted, and in a phase as they were asked."""
    ledger = Ledger(ALL, ())
    for one in (POST, MID, READY, AGAIN, PRE):
        ledger.note(result(one, Outcome.PASSED))

    assert [one.check for one in ledger.results] == [AGAIN, PRE, READY, MID, POST]


@pytest.mark.parametrize(
    ("of", "outcome", "held"),
    [
        (MID, Outcome.FAILED, True), (MID, Outcome.UNKNOWN, False), (MID, Outcome.BLOCKED, False),
        (MID, Outcome.PASSED, False), (check("mid", Phase.MID), Outcome.FAILED, False),
        (check("mid", Phase.MID, data=True, advisory=True), Outcome.FAILED, False),
    ],
)  # fmt: skip
def test_only_a_failed_data_check_holds_a_start_back(of: Check, outcome: Outcome, held: bool) -> None:
    """A start is held back by a required check that protects data and failed: unknown ones do not."""
    ledger = Ledger((of,), ())
    ledger.note(result(of, outcome))

    assert held is bool(ledger.failed_data((Phase.MID,)))
    assert not ledger.failed_data((Phase.POST,))


@pytest.mark.parametrize(
    ("of", "outcome", "leads"),
    [
        (POST, Outcome.FAILED, True), (POST, Outcome.UNKNOWN, False), (POST, Outcome.BLOCKED, False),
        (MID, Outcome.FAILED, False), (check("post", Phase.POST, advisory=True), Outcome.FAILED, False),
        (replace(POST, way=Way.BACK), Outcome.FAILED, False),
    ],
)  # fmt: skip
def test_only_a_failed_claim_leads_back(of: Check, outcome: Outcome, leads: bool) -> None:
    """What failed after the start leads back; what nobody could see, advice and the way back itself do not."""
    ledger = Ledger((of,), ())
    ledger.note(result(of, outcome))

    assert leads is bool(ledger.failed_forward())


def test_what_is_kept_is_clean() -> None:
    """Whoever wrote a reason or a move, a check, a waiver or what ended the run: what is kept of it is clean."""
    waiver = Waiver(PRE.id, "hunter2 is known", "ada hunter2")
    ledger = Ledger(ALL, (waiver,), lambda text: text.replace("hunter2", "…"))
    found = [
        ledger.note(replace(result(one, Outcome.FAILED, "it says hunter2"), next_move="change hunter2"))
        for one in (PRE, MID)
    ]
    kept = [*found, *ledger.block_rest("locked by hunter2"), *ledger.results]

    assert len(kept) > len(ALL)
    assert [one for one in kept if "hunter2" in f"{one.reason} {one.next_move}"] == []
    assert found[0].reason == "failed: it says …; waived by ada …: … is known"


def test_what_closes_is_told() -> None:
    """Everything required that does not let through is told; advice, waivers and what does not apply are not."""
    ledger = Ledger((*ALL, check("advice", advisory=True)), (Waiver(PRE.id, "known", "ada"),))
    for one in (PRE, READY, check("advice", advisory=True)):
        ledger.note(result(one, Outcome.FAILED))
    ledger.block_rest("closed")

    assert {READY.id, AGAIN.id, MID.id, POST.id} == {one.check.id for one in ledger.closing()}
