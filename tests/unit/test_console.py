"""The closing block: each finding once, with its next move and its name, and what an operator asks first."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from _pytest.config import get_config
from _pytest.terminal import TerminalReporter

from procedures.session.console import Console
from reports.record.evidence import Outcome, Verdict
from reports.record.record import Record
from tests.reports import samples


def closing(record: Record) -> list[str]:
    """What the closing block says of a record."""
    config = get_config()
    config.parse([])
    written = StringIO()
    Console(TerminalReporter(config, written), None).closing(record, "", ending="")
    return written.getvalue().splitlines()


def found(record: Record) -> Record:
    """The record as the verdict words it: claim, outcome and reason in one sentence."""
    told = [one for one in record.results if one.closes and one.outcome is not Outcome.BLOCKED]
    return replace(
        record, verdict_reasons=tuple(f"{one.check.claim} {one.outcome}: {one.reason}" for one in told)
    )


def test_a_finding_is_told_once_with_its_next_move_and_its_name() -> None:
    record = found(samples.refused())
    lines = closing(record)
    told = [one for one in record.results if one.closes and one.next_move]
    assert told
    for one in told:
        at = lines.index(f"  {one.outcome}: {one.check.claim}")
        assert lines[at + 1 : at + 4] == [
            f"    {one.reason}",
            f"    → {one.next_move}",
            f"    ({one.check.id})",
        ]
        assert sum(one.reason in line for line in lines) == 1


def test_what_was_not_reached_is_counted_from_the_record() -> None:
    record = samples.refused()
    blocked = record.count(Outcome.BLOCKED)
    assert blocked > 1
    told = [line for line in closing(record) if line.startswith("blocked: ")]
    assert sum(int(line.split()[1]) for line in told) == blocked


def test_an_outage_of_two_stretches_is_told_whole() -> None:
    """Whoever reads the screen alone learns how long users were without the service in all."""
    told = [line for line in closing(samples.gone_back()) if line.startswith("  outage: ")]
    assert told == [
        "  outage: 12.655 s ± 0.030 s, in 2 stretches: 6.000 s + 6.655 s, seen from outside on management /health"
    ]


@pytest.mark.parametrize("understudy", [True, False])
def test_the_understudy_is_said(understudy: bool) -> None:
    record = samples.understudied() if understudy else samples.accepted()
    assert understudy is any("understudy, not Kestra" in line for line in closing(record))


@pytest.mark.parametrize("verdict", [Verdict.INTERRUPTED, Verdict.REFUSED])
def test_what_the_engine_shows_is_said_where_it_is_a_question(verdict: Verdict) -> None:
    record = replace(samples.accepted(), verdict=verdict, exists_now=("tools-kestra: running",))
    lines = closing(record)
    assert (verdict is Verdict.INTERRUPTED) is ("  the engine shows now: tools-kestra: running" in lines)


def test_what_judges_a_service_that_is_back_is_told_to_type() -> None:
    record = replace(samples.killed(), by_hand=(), judge_by="pytest -m accept --target=/srv/t.toml")
    lines = closing(record)
    at = lines.index("Nothing has to be typed to have the service. To judge it without touching it:")
    assert lines[at + 1] == "  pytest -m accept --target=/srv/t.toml"
    assert "By hand" not in lines
