"""What became of an item, as one of our outcomes, and how pytest's report shows it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from procedures.problems import Blocked, CannotObserve, NotApplicable, Problem
from procedures.session.witness import Witness
from reports.record.evidence import BACK, Check, CheckResult, Outcome, Way

_ARROW = " → "


def id_of(item: pytest.Item) -> str:
    """Return the id under which a check is planned."""
    name = item.name.removesuffix(f"[{Way.FORWARD}]")
    if name.endswith(f"[{Way.BACK}]"):
        name = name.removesuffix(f"[{Way.BACK}]") + BACK
    return f"{item.path.parent.name}/{item.path.name}::{name}"


def of(check: Check, error: BaseException | None, began: float, took: float) -> CheckResult:
    """Return the result of a check that ended with `error`, or without one.

    Only an assertion says that a claim does not hold. Anything else that we did not raise on purpose, such as a skip or
    a `pytest.fail` elsewhere, leaves the claim unknown.
    """
    asked_at = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
    result = CheckResult(check, Outcome.PASSED, asked_at=asked_at, took=round(took, 4))
    if error is None:
        return result
    if isinstance(error, NotApplicable):
        return dataclasses.replace(result, outcome=Outcome.NOT_APPLICABLE, reason=error.what)
    if isinstance(error, CannotObserve):
        reason, move = error.what, error.next_move
        return dataclasses.replace(result, outcome=Outcome.UNKNOWN, reason=reason, next_move=move)
    if isinstance(error, Problem):
        return dataclasses.replace(
            result, outcome=Outcome.BLOCKED, reason=str(Blocked(error.what)), next_move=error.next_move
        )
    if isinstance(error, AssertionError):
        reason, move = _parts(str(error))
        return dataclasses.replace(
            result, outcome=Outcome.FAILED, reason=reason or "the claim does not hold", next_move=move
        )
    return dataclasses.replace(
        result, outcome=Outcome.UNKNOWN, reason=f"the check itself ended with {type(error).__name__}: {error}"
    )


def asked(check: Check, body: Callable[..., None], ask: Callable[[Callable[..., None]], None]) -> CheckResult:
    """Ask a check outside pytest's own loop, and return its result."""
    witness = Witness(body)
    began: float = time.time()
    raised: BaseException | None = None
    try:
        ask(witness.function)
    except BaseException as error:  # noqa: BLE001 - a check that crashes, or is timed out, is unknown and ends nothing
        raised = error
    return of(check, witness.ended(raised), began, time.time() - began)


def set_report(report: pytest.TestReport, result: CheckResult, item: pytest.Item) -> None:
    """Put our outcome into a report: failed if it withholds acceptance; anything else that has not passed is a skip.

    CI reads the JUnit file: if an advisory finding were a failure there, an accepted run would turn red.
    """
    advisory = " (advisory)" if result.check.advisory else ""
    words = f"{result.outcome}{advisory}: {result.reason}"
    words += f"{_ARROW}{result.next_move}" if result.next_move else ""
    if result.outcome is Outcome.PASSED:
        return
    if result.outcome in {Outcome.FAILED, Outcome.UNKNOWN} and result.closes:
        report.outcome, report.longrepr = "failed", words
    else:
        report.outcome, report.longrepr = "skipped", (str(item.path), item.location[1] or 0, words)


def report_of(result: CheckResult) -> pytest.TestReport:
    """Return a report for a check that pytest never reached."""
    name = f"checks/{result.check.id}"
    path, _, test = name.partition("::")
    return pytest.TestReport(
        name, (path, 0, test), {}, "skipped", (path, 0, f"{result.outcome}: {result.reason}"), "setup"
    )


def _parts(message: str) -> tuple[str, str]:
    """Split an assertion's message into reason and move; pytest adds its own comparison below them."""
    reason, _, move = message.partition("\nassert ")[0].partition(_ARROW)
    return " ".join(reason.split()), " ".join(move.split())
