"""The gate opens on complete passing evidence."""

from __future__ import annotations

import pytest

from procedures.decide import gate
from reports.record.evidence import Outcome
from tests.unit.results import check, result

GOOD = {Outcome.PASSED, Outcome.WAIVED, Outcome.NOT_APPLICABLE}
A, B = check("a"), check("b")
ADVICE = check("advice", advisory=True)


@pytest.mark.parametrize("outcome", Outcome)
def test_one_result_decides(outcome: Outcome) -> None:
    """Only what passed, was waived or does not apply lets through; everything else is named with its outcome."""
    decision = gate.decide([A, B], {A.id: result(A, Outcome.PASSED), B.id: result(B, outcome)})

    assert (outcome in GOOD) is decision.open
    assert decision.open or f"{B.id} ({outcome})" == decision.why


def test_a_check_that_has_not_run_keeps_it_closed() -> None:
    """A planned check without a result closes the gate: absence of failure is no evidence."""
    decision = gate.decide([A, B], {A.id: result(A, Outcome.PASSED)})

    assert (False, (B,), f"{B.id} (has not run)") == (decision.open, decision.missing, decision.why)


@pytest.mark.parametrize("planned", [[], [ADVICE]])
def test_nothing_required_opens_nothing(planned: list[object]) -> None:
    """Without a required check there is nothing that could open it."""
    decision = gate.decide(planned, {ADVICE.id: result(ADVICE, Outcome.PASSED)})  # type: ignore[arg-type]

    assert (decision.open, decision.why) == (False, "the lack of any required check")


@pytest.mark.parametrize("outcome", Outcome)
def test_advice_closes_nothing(outcome: Outcome) -> None:
    """An advisory check closes nothing, however it ends, and is missed by nobody."""
    passed = {A.id: result(A, Outcome.PASSED)}

    assert gate.decide([A, ADVICE], {**passed, ADVICE.id: result(ADVICE, outcome)}).open
    assert gate.decide([A, ADVICE], passed).open


def test_every_finding_is_named() -> None:
    """All that keeps it closed is told at once."""
    decision = gate.decide([A, B], {A.id: result(A, Outcome.FAILED)})

    assert f"{A.id} (failed), {B.id} (has not run)" == decision.why


def test_a_result_of_another_check_counts_for_nothing() -> None:
    """A result that nobody planned opens nothing."""
    assert not gate.decide([A], {B.id: result(B, Outcome.PASSED)}).open
