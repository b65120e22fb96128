"""What the operator's own scripts did, as the engine and their processes show it, not as they report it."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.decide.transitions import Start
from procedures.drivers.labels import PROJECT
from procedures.target.steps_by import START, find
from procedures.target.target import Target
from reports.record.evidence import EngineEvent, StepResult
from reports.record.observed import Container, Snapshot

BY_COMMAND = {"kill", "stop", "restart", "pause", "rename", "destroy"}
"""What a container does not do by itself."""


def test_the_scripts_touched_nothing_else(others_touched: tuple[EngineEvent, ...], before: Snapshot) -> None:
    """No container outside this project was touched while scripts acted that were not rehearsed."""
    then = {neighbour.id: neighbour.name for neighbour in seen(before.neighbours)}
    # A container that ends by itself was not touched.
    touched = sorted(
        {
            f"{then[event.id]} ({event.action})"
            for event in others_touched
            if event.id in then and event.action in BY_COMMAND
        }
    )
    assert not touched, (
        f"touched meanwhile: {', '.join(touched)} → find out whether a script did that, and start what it stopped: "
        "`docker start` with its name"
    )


def test_the_start_script_was_enough(our_start: Start, script_results: tuple[StepResult, ...]) -> None:
    """The start script itself started the service; Compose did not have to step in."""
    own = next((result for result in script_results if result.step.name == START), None)
    assert not our_start.fell_back, (
        f"Compose had to start it: {own.reason if own else 'the script did not'} → fix the script"
    )


@check(advisory=True)
def test_the_scripts_ended_well(script_results: tuple[StepResult, ...]) -> None:
    """Every script ended by itself with exit status 0 and left nothing running."""
    unwell = [f"{result.step.name}: {result.reason}" for result in script_results if result.reason]
    assert not unwell, f"{'; '.join(unwell)} → fix the script: others rely on its exit status"


# Compose never changes the owner.
@check(only_with=("script_results",))
def test_the_owner_is_the_one_expected(before: Snapshot, container_after: Container, target: Target) -> None:
    """The new container belongs to Compose exactly if the old one did, unless the target file asks for a take-over."""
    was = [PROJECT in container.labels for container in seen(before.containers)]
    now = PROJECT in container_after.labels
    assert find(target.steps, START).takes_over or not was or now in was, (
        f"{container_after.name} {'now belongs' if now else 'no longer belongs'} to Compose → make it again in the way it "
        "was made before"
    )


# A start by Compose gives exactly what Compose renders.
@check(only_with=("script_results",))
def test_the_script_gave_what_was_checked(before: Snapshot, container_after: Container) -> None:
    """The start script gave the container every variable with the value that was checked."""
    rendering, given = seen(before.operator_rendering), container_after.environment
    changed = sorted(name for name, value in rendering.environment.items() if given.get(name) != value)
    # A container of a script that was not rehearsed: its variables were not checked by name.
    assert not changed or (PROJECT in container_after.labels) != rendering.by_compose, (
        f"{', '.join(changed)} differ → the script reads another env file, or reads it differently from Compose"
    )
