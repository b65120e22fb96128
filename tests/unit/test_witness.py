"""What a check's body did, and what others make of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from procedures.problems import Blocked, CannotObserve
from procedures.session import outcome
from procedures.session.witness import Witness
from procedures.steps import reach
from reports.record.evidence import Outcome
from tests.unit.results import check

WRONG = AssertionError("from elsewhere")


def body(**_given: object) -> None:
    """A check that holds."""


def yields() -> Iterator[None]:
    yield


def crashes() -> None:
    raise KeyError("x")


def foreign() -> None:
    raise WRONG


def fails() -> None:
    reach.__dict__["_refuse_for_a_test"]()


def entered(function: Callable[..., object]) -> Witness:
    """Who has seen a body run, whatever became of it."""
    witness = Witness(function)  # type: ignore[arg-type]  # one of them yields
    with suppress(BaseException):
        witness.function()
    return witness


def judged(witness: Witness, told: BaseException | None = None) -> tuple[Outcome, str]:
    found = outcome.of(check(), witness.ended(told), 0.0, 0.0)
    return found.outcome, found.reason


def test_a_body_that_was_entered_and_left_has_passed() -> None:
    assert judged(entered(body)) == (Outcome.PASSED, "")


def test_a_body_that_was_never_entered_has_not_passed() -> None:
    told, reason = judged(Witness(body))
    assert told is Outcome.UNKNOWN
    assert "was never run" in reason


def test_a_body_that_has_only_begun_has_not_passed() -> None:
    """A function that yields returns at once, and has asserted nothing."""
    told, reason = judged(entered(yields))
    assert told is Outcome.UNKNOWN
    assert "did not reach its end" in reason


@pytest.mark.parametrize("told", [None, pytest.fail.Exception("x"), KeyError("y")])
def test_what_the_body_raised_is_what_counts(told: BaseException | None) -> None:
    """Whoever swallows it, or puts something else in its place, changes nothing."""
    assert judged(entered(crashes), told) == (
        Outcome.UNKNOWN,
        "the check itself ended with KeyError: 'x'",
    )


def test_an_assertion_of_ours_fails_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper of ours may assert for a check."""
    code = compile("def refuse():\n    assert False, 'it is not → mend it'", str(reach.__file__), "exec")
    space: dict[str, object] = {}
    exec(code, space)
    monkeypatch.setitem(reach.__dict__, "_refuse_for_a_test", space["refuse"])

    assert judged(entered(fails)) == (Outcome.FAILED, "it is not")


def test_an_assertion_from_elsewhere_fails_none() -> None:
    """A timer raises wherever the check happens to be; its assertion says nothing of the claim."""
    told, reason = judged(entered(foreign))
    assert told is Outcome.UNKNOWN
    assert "not the check's own" in reason


@pytest.mark.parametrize("told", [WRONG, pytest.fail.Exception("Timeout"), pytest.skip.Exception("no")])
@pytest.mark.parametrize("witness", [Witness(body), entered(body)], ids=["not entered", "left"])
def test_what_others_say_fails_nothing_and_passes_nothing(witness: Witness, told: BaseException) -> None:
    assert judged(witness, told)[0] is Outcome.UNKNOWN


@pytest.mark.parametrize("told", [None, WRONG])
def test_what_was_barred_stays_barred(told: BaseException | None) -> None:
    """Even where its body was run all the same."""
    witness = entered(body)
    witness.barred = Blocked("the gate is closed")

    assert judged(witness, told) == (Outcome.BLOCKED, "the gate is closed")


def test_a_witness_asks_for_what_its_check_asks() -> None:
    """pytest and ourselves read from a function what it is to be given."""

    def asks(before: object, target: object) -> None: ...

    assert list(inspect.signature(Witness(asks).function).parameters) == ["before", "target"]


def test_a_timer_that_strikes_while_we_ask_ends_only_that_check() -> None:
    """Outside pytest's own loop nobody else would catch what is raised into a check."""

    def ask(_body: Callable[..., None]) -> None:
        raise pytest.fail.Exception("Timeout")

    assert outcome.asked(check(), body, ask).outcome is Outcome.UNKNOWN


def test_what_cannot_be_observed_is_told_with_its_move() -> None:
    def blind() -> None:
        raise CannotObserve("no engine", "start it")

    found = outcome.of(check(), entered(blind).ended(None), 0.0, 0.0)
    assert (found.outcome, found.next_move) == (Outcome.UNKNOWN, "start it")
