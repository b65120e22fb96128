"""The step that removes leftovers: containers that an interrupted start made and never started."""

from __future__ import annotations

from procedures.decide import leftovers
from procedures.observe.moments.observers import Observers
from procedures.problems import StepFailed
from procedures.steps.carry_out import Acting
from reports.record.evidence import Step
from reports.record.observed import Container

CLEAR = "clear_leftovers"
LIMIT = 30.0


def planned(observers: Observers, containers: tuple[Container, ...]) -> tuple[Step, ...]:
    """Return the step that removes leftovers, if there are any."""
    found = leftovers.are(containers)
    if not found:
        return ()
    command = observers.compose.clear(tuple(one.id for one in found), LIMIT)
    purpose = "remove what a start that was cut off has left: made, never started, so nothing is in it"
    return (Step(CLEAR, purpose, command.argv, LIMIT, True, "nothing to bring back"),)


def clear(step: Step, acting: Acting, observers: Observers) -> None:
    """Remove the leftovers, and check that they are gone."""
    ids = tuple(word for word in step.command if len(word) == 64)
    # The engine itself refuses to remove a container that was started since the plan was made.
    acting.command(step, observers.compose.clear(ids, LIMIT))
    left = [one.name for one in observers.containers() if one.id in ids]
    if left:
        raise StepFailed(f"{', '.join(left)} could not be removed", "see the step's output")
