"""The new container: it is new, started by this run, as configured, and alone."""

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
    """The service runs in a new container that was started after this run's start command."""
    old = {container.id for container in seen(before.containers)}
    assert container_after.running, (
        f"{container_after.name} is {container_after.state} → `docker logs {container_after.name}`"
    )
    assert container_after.id not in old, (
        "it is the old container: the start recreated nothing → see the step's output"
    )
    assert our_start.began_before(container_after), (
        f"it was started at {container_after.started_at}, before the command of this run → somebody else started it"
    )


@check(protects="data")
def test_it_is_of_the_expected_image(expected: Expected, container_after: Container) -> None:
    """The container runs the image that was checked."""
    image = seen(expected.image_id)
    assert container_after.image_id == image, (
        f"it runs image {container_after.image_id[:19]}, the checked image is {image[:19]} → the tag was moved, or "
        "somebody else made the container: compare `docker inspect` of both"
    )


def test_it_does_not_restart(container_after: Container) -> None:
    """The container runs and has not been restarted since its start."""
    assert container_after.running and not container_after.paused, (
        f"{container_after.name} is {container_after.state} → `docker logs {container_after.name}`"
    )
    assert container_after.restart_count == 0, (
        f"it was restarted {container_after.restart_count} times → `docker logs {container_after.name}`"
    )


def test_it_has_soaked(our_start: Start) -> None:
    """The same new container kept running through the whole soak."""
    assert our_start.soak is not None and our_start.soak.ended, (
        f"{our_start.soak.sentence if our_start.soak else 'the server never became ready, so there was no soak'} → see "
        "its log"
    )


def test_its_configuration_is_the_one_that_was_checked(expected: Expected, after: Snapshot) -> None:
    """The container has the configuration that was checked, as its server reads it."""
    assert seen(after.running_settings) == seen(expected.settings), (
        "the configuration differs → the env file or the compose file was edited between the checks and the start"
    )


# A container that this run has not made need not be as the files say.
@check(only_with=("our_start",))
def test_it_is_made_as_was_checked(
    expected: Expected, before: Snapshot, after: Snapshot, container_after: Container
) -> None:
    """Every part of the container is as it was checked: variables, mounts, privileges, networks, limits and all the rest."""
    image = seen(after.running_image)
    if expected.rendering is not None:
        changed = recreation.everything(container_after, expected.rendering, image)
    else:
        changed = recreation.between(container_after, seen(before.containers))
    assert not changed, (
        f"these parts differ: {', '.join(changed)} → somebody edited the files or made the container meanwhile: compare "
        "its `docker inspect` with the compose file"
    )


def test_its_published_ports_are_the_expected_ones(expected: Expected, container_after: Container) -> None:
    """The container publishes the ports that were checked at the addresses that were checked."""
    wanted = seen(expected.bindings)
    assert not changes.published_elsewhere(container_after.bindings, wanted), (
        f"it publishes {_published(container_after.bindings)}, the checked ports are {_published(wanted)} → see the "
        "compose file"
    )


def test_nothing_else_was_touched(before: Snapshot, after: Snapshot) -> None:
    """No other container of this project was touched or removed."""
    project = seen(before.operator_rendering).project
    touched = _touched(before, after, lambda neighbour: neighbour.project == project)
    database = [(postgres.id, postgres.started_at) for postgres in seen(before.database_containers)]
    if database != [(postgres.id, postgres.started_at) for postgres in seen(after.database_containers)]:
        touched.append("the service's own Postgres")
    assert not touched, f"touched meanwhile: {', '.join(touched)} → see the engine's events in the report"


@check(advisory=True)
def test_no_neighbour_was_touched(before: Snapshot, after: Snapshot) -> None:
    """No container of another project was touched or removed meanwhile."""
    project = seen(before.operator_rendering).project
    touched = _touched(before, after, lambda neighbour: neighbour.project != project)
    assert not touched, f"touched meanwhile: {', '.join(touched)} → somebody else works on this engine"


def test_docker_calls_it_healthy(docker_health: str) -> None:
    """Docker's own health check says that the new container is healthy."""
    assert docker_health == "healthy", (
        f"Docker says {docker_health or 'nothing'} → see the health check's own log"
    )


def _published(bindings: tuple[Binding, ...]) -> str:
    ports = (
        f"{binding.host_ip or 'every address'}:{binding.host_port} for {binding.container_port}"
        for binding in bindings
    )
    return ", ".join(sorted(ports)) or "nothing"


def _touched(before: Snapshot, after: Snapshot, which: Callable[[Neighbour], bool]) -> list[str]:
    """Return the names of the containers that have changed or gone."""
    then = {neighbour.id: neighbour for neighbour in seen(before.neighbours) if which(neighbour)}
    now = {neighbour.id: (neighbour.started_at, neighbour.state) for neighbour in seen(after.neighbours)}
    return sorted(
        neighbour.name
        for neighbour in then.values()
        if now.get(neighbour.id) != (neighbour.started_at, neighbour.state)
    )
