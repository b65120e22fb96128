"""How a container ended, and whether a start was ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures.decide.transitions import Ending, Start, Stop
from reports.record.evidence import EngineEvent, StepStatus
from reports.record.observed import Unseen
from reports.record.values import moment
from tests.checks import recording
from tests.unit.results import container

OURS = container()
TERM = {"signal": "15"}
KILL = {"signal": "9"}


def _events(*told: tuple[str, dict[str, str]], of: str = OURS.id) -> tuple[EngineEvent, ...]:
    return tuple(
        EngineEvent("2026-11-23T12:00:00+00:00", "container", action, "x", of, words)
        for action, words in told
    )


def _stop(events: tuple[EngineEvent, ...] | Unseen) -> Stop:
    return Stop(recording.step("stop"), OURS, events)


@pytest.mark.parametrize(
    ("events", "ending"),
    [
        (_events(("kill", TERM), ("die", {"exitCode": "143"})), Ending.CLEAN),
        (_events(("kill", TERM), ("die", {"exitCode": "0"})), Ending.CLEAN),
        (_events(("kill", TERM), ("kill", KILL), ("die", {"exitCode": "137"})), Ending.FORCED),
        (_events(("kill", KILL), ("die", {"exitCode": "0"})), Ending.FORCED),
        (_events(("kill", TERM), ("die", {"exitCode": "137"})), Ending.FORCED),
        (_events(("die", {"exitCode": "137"})), Ending.FORCED),
        (_events(("die", {"exitCode": "0"})), Ending.UNKNOWN),
        (_events(("kill", TERM)), Ending.UNKNOWN),
        (_events(("kill", {}), ("die", {"exitCode": "143"})), Ending.CLEAN),
        ((), Ending.UNKNOWN),
        (Unseen("the engine's events are missing"), Ending.UNKNOWN),
        (_events(("kill", KILL), ("die", {"exitCode": "137"}), of="another"), Ending.UNKNOWN),
        (_events(("stop", {}), ("die", {"exitCode": "143"})), Ending.UNKNOWN),
    ],
)
def test_an_ending_is_told_from_the_engine(events: tuple[EngineEvent, ...] | Unseen, ending: Ending) -> None:
    """Clean after a TERM alone, forced when it was killed by whomever, and unknown where nobody saw it."""
    assert ending is _stop(events).ending


def test_the_recorded_stop_was_clean() -> None:
    """A real stop of a server that drained: TERM, and 143."""
    before = recording.snapshot("before").container
    assert before is not None
    stop = Stop(recording.step("stop"), before, recording.events())

    assert (stop.ending, stop.signals, stop.exit_code) == (Ending.CLEAN, ("15",), 143)


def test_a_start_is_ours_if_it_came_after_our_command() -> None:
    """A container that was started before our command was started by somebody else."""
    one = container(started_at="2026-11-23T12:00:00.500000000Z")
    at = moment(one.started_at).timestamp()
    step = recording.step("start")

    assert Start(step, at - 0.1, None, None).began_before(one)
    assert not Start(step, at + 0.1, None, None).began_before(one)
    assert not Start(step, at, None, None).began_before(container(started_at="0001-01-01T00:00:00Z"))


@pytest.mark.parametrize("status", StepStatus)
def test_only_a_done_start_is_done(status: StepStatus) -> None:
    """A start that failed, timed out or was only begun is not done."""
    step = replace(recording.step("start"), status=status)

    assert (status is StepStatus.DONE) is Start(step, 0.0, None, None).done
