"""No selection reaches the service: each is refused in words, and the service stays as it is."""

from __future__ import annotations

import pytest

from tests.faults import FAULT, Phase
from tests.selection.cases import ALL, GROUPS, Case
from tests.selection.conftest import Trial, identity, leftovers
from tests.stacks import Stack

CASES = [
    pytest.param(
        case,
        id=case.name,
        marks=FAULT(
            kind=kind, phase=Phase.PLAN, happened="refused in words; nothing is begun", verdict="USAGE ERROR"
        ),
    )
    for kind, cases in GROUPS.items()
    for case in cases
]


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_words(case: Case, trial: Trial) -> None:
    """What could shrink, repeat or reorder the checks is a usage error that says so."""
    tried = trial.tried[case.name]

    assert tried.done.returncode in case.statuses, tried.said[-2000:]
    assert case.says in " ".join(tried.said.split()), tried.said[-2000:]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_it_began_nothing(case: Case, trial: Trial) -> None:
    """What was refused has left neither a run's folder nor a journal."""
    tried = trial.tried[case.name]

    assert tried.target.runs == ()
    assert tried.target.journals == ()


def test_the_service_was_not_touched(service: Stack, trial: Trial) -> None:
    """All the refused runs together have left every container as it was, and nothing beside it."""
    assert len(trial.before) == 2
    assert trial.before == trial.after
    assert leftovers(service) == []
    assert identity(service)[1] == trial.before[1]
