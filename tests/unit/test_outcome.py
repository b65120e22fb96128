"""How a check ended, in our own outcomes and in pytest's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from procedures.problems import (
    Blocked,
    CannotObserve,
    Held,
    Interrupted,
    NotApplicable,
    StepFailed,
    TypedWrong,
)
from procedures.session import outcome
from reports.record.evidence import Outcome
from tests.unit.results import check, result

CHECK = check()


@pytest.mark.parametrize(
    ("error", "expected", "reason", "move"),
    [
        (None, Outcome.PASSED, "", ""),
        (AssertionError("it is paused → resume it"), Outcome.FAILED, "it is paused", "resume it"),
        (AssertionError("a\n  b → c\nassert 1 == 2\n +  where"), Outcome.FAILED, "a b", "c"),
        (AssertionError("it is\nassert False"), Outcome.FAILED, "it is", ""),
        (AssertionError(), Outcome.FAILED, "the claim does not hold", ""),
        (
            pytest.fail.Exception("Timeout"),
            Outcome.UNKNOWN,
            "the check itself ended with Failed: Timeout",
            "",
        ),
        (CannotObserve("no engine", "start it"), Outcome.UNKNOWN, "no engine", "start it"),
        (NotApplicable("it is down"), Outcome.NOT_APPLICABLE, "it is down", ""),
        (Blocked("the gate is closed", "mend it"), Outcome.BLOCKED, "the gate is closed", "mend it"),
        (StepFailed("it still runs", "kill it"), Outcome.BLOCKED, "it still runs", "kill it"),
        (Interrupted("interrupted by SIGTERM"), Outcome.BLOCKED, "interrupted by SIGTERM", ""),
        (Held("by ada"), Outcome.BLOCKED, "by ada", ""),
        (TypedWrong("typed"), Outcome.BLOCKED, "typed", ""),
        (
            pytest.skip.Exception("not today"),
            Outcome.UNKNOWN,
            "the check itself ended with Skipped: not today",
            "",
        ),
        (
            pytest.xfail.Exception("known"),
            Outcome.UNKNOWN,
            "the check itself ended with XFailed: known",
            "",
        ),
        (KeyError("x"), Outcome.UNKNOWN, "the check itself ended with KeyError: 'x'", ""),
        (KeyboardInterrupt(), Outcome.UNKNOWN, "the check itself ended with KeyboardInterrupt: ", ""),
        (SystemExit(0), Outcome.UNKNOWN, "the check itself ended with SystemExit: 0", ""),
    ],
)
def test_an_end_is_an_outcome(error: BaseException | None, expected: Outcome, reason: str, move: str) -> None:
    """Only an assertion fails a claim; a skip, a crash and whatever else we did not raise mean that nobody knows."""
    told = outcome.of(CHECK, error, 1e9, 0.12345678)

    assert (expected, reason, move) == (told.outcome, told.reason, told.next_move)
    assert (told.asked_at, told.took) == ("2001-09-09T01:46:40.000+00:00", 0.1235)


@pytest.mark.parametrize("one", Outcome)
def test_a_pushed_report_is_no_pass(one: Outcome) -> None:
    """A check that pytest never came to is a skip with its reason in every view."""
    report = outcome.report_of(result(CHECK, one, "the gate is closed"))

    assert ("skipped", "setup", f"checks/{CHECK.id}") == (report.outcome, report.when, report.nodeid)
    assert isinstance(report.longrepr, tuple)
    assert f"{one}: the gate is closed" == report.longrepr[2]


@pytest.mark.parametrize("one", Outcome)
@pytest.mark.parametrize("advisory", [True, False])
def test_only_what_withholds_acceptance_is_a_failure(one: Outcome, advisory: bool, tmp_path: Path) -> None:
    """An advisory finding, a waived one and one that was not asked are no failures: CI is red where the run is."""
    found = result(check("one", advisory=advisory), one)
    report = pytest.TestReport("x", ("x", 0, "x"), {}, "passed", None, "call")
    item = cast("pytest.Item", SimpleNamespace(path=tmp_path, location=("x", 0, "x")))

    outcome.set_report(report, found, item)

    failed = not advisory and one in {Outcome.FAILED, Outcome.UNKNOWN}
    assert failed is (report.outcome == "failed")
    assert (one is Outcome.PASSED) is (report.outcome == "passed")
    assert not failed or found.closes
