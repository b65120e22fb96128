"""Leftovers: containers of the service that a start which was cut off has made and never started.

Compose recreates by making the new container under a name of its own beside the old one; whoever cuts it off there
leaves two, and the next call of Compose picks one of them.
"""

from __future__ import annotations

from procedures.acting import Acting
from procedures.observe.snapshot import Observers
from procedures.problems import StepFailed
from reports.evidence import Step
from reports.observed import Container

CLEAR = "clear_leftovers"
LIMIT = 30.0


def are(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """Return those that may be removed: never started, beside another one."""
    if len(containers) < 2:
        return ()
    return tuple(one for one in containers if one.state == "created" and not one.was_started)


def without(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """Return the containers that count."""
    gone = {one.id for one in are(containers)}
    return tuple(one for one in containers if one.id not in gone)


def planned(
    steps: tuple[Step, ...], observers: Observers, containers: tuple[Container, ...]
) -> tuple[Step, ...]:
    """Put the step that clears them before the first one that changes anything."""
    found = are(containers)
    if not found:
        return steps
    command = observers.compose.clear(tuple(one.id for one in found), LIMIT)
    step = Step(
        CLEAR,
        "remove what a start that was cut off has left: made, never started, so nothing is in it",
        command.argv,
        LIMIT,
        True,
        "nothing to bring back",
    )
    at = next((at for at, one in enumerate(steps) if one.changing), len(steps))
    return (*steps[:at], step, *steps[at:])


def clear(step: Step, acting: Acting, observers: Observers) -> None:
    """Remove them, and see that they have gone."""
    ids = tuple(word for word in step.command if len(word) == 64)
    # The engine itself refuses to remove one that somebody has started since the plan was made.
    acting.command(step, observers.compose.clear(ids, LIMIT))
    left = [one.name for one in observers.containers() if one.id in ids]
    if left:
        raise StepFailed(f"{', '.join(left)} could not be removed", "see the step's output")
