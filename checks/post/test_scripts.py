"""What the operator's own scripts did, told from the engine and from their processes, not from their words."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.decide.transitions import Start
from procedures.drivers.labels import PROJECT
from procedures.target.steps_by import START, find
from procedures.target.target import Target
from reports.record.evidence import EngineEvent, StepResult
from reports.record.observed import Container, Snapshot

TOLD = {"kill", "stop", "restart", "pause", "rename", "destroy"}
"""What a container does not do by itself."""


def test_the_scripts_touched_nothing_else(others_touched: tuple[EngineEvent, ...], before: Snapshot) -> None:
    """While scripts acted that nobody could rehearse, nothing was done to a container that is not this project's."""
    then = {one.id: one.name for one in seen(before.neighbours)}
    # A container that ends by itself was not told to.
    touched = sorted(
        {f"{then[one.id]} ({one.action})" for one in others_touched if one.id in then and one.action in TOLD}
    )
    assert not touched, (
        f"touched meanwhile: {', '.join(touched)} → find out whether a script did that, and bring back what it stopped: "
        "`docker start` with its name"
    )


def test_the_start_script_was_enough(our_start: Start, script_results: tuple[StepResult, ...]) -> None:
    """The start script itself brought the service, without Compose standing in for it."""
    own = next((one for one in script_results if one.step.name == START), None)
    assert not our_start.fell_back, (
        f"Compose had to start it: {own.reason if own else 'the script did not'} → mend the script"
    )


@check(advisory=True)
def test_the_scripts_ended_well(script_results: tuple[StepResult, ...]) -> None:
    """Every script ended by itself with 0, and left nothing running."""
    unwell = [f"{one.step.name}: {one.reason}" for one in script_results if one.reason]
    assert not unwell, f"{'; '.join(unwell)} → mend the script: others believe its exit status"


# Compose keeps its own.
@check(only_with=("script_results",))
def test_the_owner_is_the_one_expected(before: Snapshot, container_after: Container, target: Target) -> None:
    """The new container belongs to Compose exactly if the one before did, unless a take-over was asked for."""
    was = [PROJECT in one.labels for one in seen(before.containers)]
    now = PROJECT in container_after.labels
    assert find(target.steps, START).takes_over or not was or now in was, (
        f"{container_after.name} {'is' if now else 'is no longer'} Compose's → make it again as it was made before"
    )


# What Compose's own start gives is what Compose renders.
@check(only_with=("script_results",))
def test_the_script_gave_what_was_checked(before: Snapshot, container_after: Container) -> None:
    """The start script gave the container every variable as it was checked."""
    rendering, given = seen(before.operator_rendering), container_after.environment
    changed = sorted(name for name, value in rendering.environment.items() if given.get(name) != value)
    # What a script that nobody rehearsed gives to a container of its own was not checked by its names.
    assert not changed or (PROJECT in container_after.labels) != rendering.by_compose, (
        f"{', '.join(changed)} differ → the script reads another env file, or reads it in another way than Compose does"
    )
