"""Checks, results and containers with nothing but what a test says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reports.record.evidence import Check, CheckResult, Outcome, Phase, Protects
from reports.record.observed import Container, Unseen
from tests.checks import recording


def check(
    name: str = "one",
    phase: Phase = Phase.PRE,
    *,
    advisory: bool = False,
    data: bool = False,
    again: bool = False,
    not_applicable: str = "",
    asks: tuple[str, ...] = (),
) -> Check:
    return Check(
        id=f"{phase}/test_some.py::test_{name}",
        phase=phase,
        claim=f"{name.capitalize()} holds.",
        asks=asks,
        advisory=advisory,
        protects=Protects.DATA if data else Protects.SERVICE,
        again=again,
        not_applicable=not_applicable,
    )


def result(of: Check, outcome: Outcome, reason: str = "because") -> CheckResult:
    return CheckResult(of, outcome, reason)


def container(**fields: Any) -> Container:
    """A recorded container of the service, running, with these fields changed."""
    found = recording.snapshot("before").containers
    assert not isinstance(found, Unseen)
    return replace(found[0], **fields)
