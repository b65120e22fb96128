"""The new container: that it is new, ours, as configured, and alone."""

from __future__ import annotations

from collections.abc import Callable

from procedures.decide.check_files import check, seen
from procedures.decide.expected import Expected
from procedures.decide.transitions import Start
from procedures.way_back import changes, recreation
from reports.record.observed import Binding, Container, Neighbour, Snapshot


def test_it_is_a_new_container_started_by_us(
    before: Snapshot, container_after: Container, our_start: Start
) -> None:
    """The service runs in a new container, which was started after our start command."""
    old = {one.id for one in seen(before.containers)}
    assert container_after.running, f"{container_after.name} is {container_after.state} → `docker logs` of it"
    assert container_after.id not in old, (
        "it is the old container: the start recreated nothing → see the step's output"
    )
    assert our_start.began_before(container_after), (
        f"it was started at {container_after.started_at}, before our command → somebody else started it"
    )


@check(protects="data")
def test_it_is_of_the_expected_image(expected: Expected, container_after: Container) -> None:
    """The container is of the image that was checked."""
    image = seen(expected.image_id)
    assert container_after.image_id == image, (
        f"it is of {container_after.image_id[:19]}, checked was {image[:19]} → the tag was moved, or the container was "
        "made by somebody else: compare `docker inspect` of both"
    )


def test_it_does_not_restart(container_after: Container) -> None:
    """The container runs, and has not been restarted since it was started."""
    assert container_after.running and not container_after.paused, (
        f"{container_after.name} is {container_after.state} → `docker logs {container_after.name}`"
    )
    assert container_after.restart_count == 0, (
        f"it was restarted {container_after.restart_count} times → `docker logs {container_after.name}`"
    )


def test_it_has_soaked(our_start: Start) -> None:
    """The new container was watched for a while, and stayed the same one, running."""
    assert our_start.soak is not None and our_start.soak.ended, (
        f"{our_start.soak.sentence if our_start.soak else 'it never became ready, so it did not soak'} → see its log"
    )


def test_its_configuration_is_the_one_that_was_checked(expected: Expected, after: Snapshot) -> None:
    """The container was given the configuration that was checked, as its server reads it."""
    assert seen(after.running_settings) == seen(expected.settings), (
        "it differs → the env file or the compose file was edited between the checks and the start"
    )


# What this run has not made is compared with the files by nobody's promise.
@check(only_with=("our_start",))
def test_it_is_made_as_was_checked(
    expected: Expected, before: Snapshot, after: Snapshot, container_after: Container
) -> None:
    """The whole of the container is what was checked: its variables, mounts, privileges, networks, limits and all the rest."""
    one, image = container_after, seen(after.running_image)
    if expected.rendering is not None:
        changed = recreation.everything(one, expected.rendering, image)
    else:
        changed = recreation.between(one, seen(before.containers))
    assert not changed, (
        f"it has others: {', '.join(changed)} → somebody edited the files or made the container meanwhile: compare `docker "
        "inspect` of it with the compose file"
    )


def test_its_published_ports_are_the_expected_ones(expected: Expected, container_after: Container) -> None:
    """The container publishes the ports that were checked, at the addresses that were checked."""
    wanted = seen(expected.bindings)
    assert not changes.published_elsewhere(container_after.bindings, wanted), (
        f"it publishes {_told(container_after.bindings)}; checked were {_told(wanted)} → see the compose file"
    )


def test_nothing_else_was_touched(before: Snapshot, after: Snapshot) -> None:
    """No other container of this project was touched, and none has gone."""
    project = seen(before.operator_rendering).project
    touched = _touched(before, after, lambda one: one.project == project)
    database = [(one.id, one.started_at) for one in seen(before.database_containers)]
    if database != [(one.id, one.started_at) for one in seen(after.database_containers)]:
        touched.append("the service's own Postgres")
    assert not touched, f"touched meanwhile: {', '.join(touched)} → see the engine's events in the report"


@check(advisory=True)
def test_no_neighbour_was_touched(before: Snapshot, after: Snapshot) -> None:
    """No container of another project was touched meanwhile, and none has gone."""
    project = seen(before.operator_rendering).project
    touched = _touched(before, after, lambda one: one.project != project)
    assert not touched, f"touched meanwhile: {', '.join(touched)} → somebody else works on this engine"


def test_docker_calls_it_healthy(docker_health: str) -> None:
    """Docker's own health check of the new container agrees."""
    assert docker_health == "healthy", (
        f"Docker says {docker_health or 'nothing'} → see the health check's own log"
    )


def _told(bindings: tuple[Binding, ...]) -> str:
    found = (f"{one.host_ip or 'every address'}:{one.host_port} for {one.container_port}" for one in bindings)
    return ", ".join(sorted(found)) or "nothing"


def _touched(before: Snapshot, after: Snapshot, which: Callable[[Neighbour], bool]) -> list[str]:
    """Return the names of those containers that are not what they were."""
    then = {one.id: one for one in seen(before.neighbours) if which(one)}
    now = {one.id: (one.started_at, one.state) for one in seen(after.neighbours)}
    return sorted(one.name for one in then.values() if now.get(one.id) != (one.started_at, one.state))
