"""The container that will be replaced, and the name and ports that a start needs."""

from __future__ import annotations

import math

from procedures.decide import leftovers
from procedures.decide.check_files import check, seen
from procedures.diagnosis.holders import described, meet, owner, publishing
from procedures.kestra.editions import edition_of_image
from procedures.steps import reach
from procedures.target.target import Target
from reports.record.observed import Binding, Container, Ephemeral, Host, Image, Listener, Snapshot, Unseen


@check(again=True)
def test_one_container_is_this_services(containers_before: tuple[Container, ...]) -> None:
    """Exactly one container carries this service's Compose labels."""
    names = ", ".join(
        f"{container.name} ({container.id[:12]}, {container.state})" for container in containers_before
    )
    move = (
        "`pytest -m recover` removes those that never ran"
        if leftovers.are(containers_before)
        else "`docker rm -f ID` for each that is not the service"
    )
    assert len(containers_before) == 1, (
        f"{len(containers_before)} containers carry the labels: {names} → {move}"
    )


@check(again=True)
def test_the_service_is_not_hung_paused_or_looping(
    before: Snapshot, target: Target, containers_before: tuple[Container, ...]
) -> None:
    """The container's state is known: the container is not paused, not in a restart loop and not hung."""
    for container in containers_before:
        assert not container.paused, f"{container.name} is paused → run `pytest -m recover`"
        assert not container.restarting, (
            f"{container.name} is in a restart loop, last exit code {container.exit_code} → run `pytest -m recover`"
        )
        assert container.state in {"running", "exited", "created"}, (
            f"{container.name} is {container.state} → run `pytest -m recover`"
        )
        if container.running:
            server = seen(before.server)
            assert reach.answers(before, target), (
                f"{container.name} runs but answers on neither port ({server.health.said}) → run `pytest -m recover`"
            )


def test_the_container_name_is_free_or_ours(before: Snapshot) -> None:
    """No other container holds the name that the start needs."""
    name = seen(before.operator_rendering).container_name
    holders = [neighbour for neighbour in seen(before.neighbours) if neighbour.name == name]
    image = before.image.id if isinstance(before.image, Image) else ""
    for holder in holders:
        by_hand = not holder.project and holder.image_id == image
        whose = (
            "no Compose project, made from this service's image by `docker run`" if by_hand else owner(holder)
        )
        grace = math.ceil(seen(before.operator_rendering).stop_grace or 10)
        move = (
            f"`docker stop -t {grace} {name} && docker rm {name}`, then `pytest -m recover`"
            if by_hand
            else f"`docker rename {name} {name}-aside`, which frees the name and stops nothing"
        )
        assert not holders, f"a container of {whose} holds the name {name} and is {holder.state} → {move}"


@check(again=True)
def test_the_ports_are_free_or_ours(before: Snapshot) -> None:
    """Every configured port is free on the engine's own host, or this very container publishes it."""
    rendering, ours = seen(before.operator_rendering), seen(before.containers)
    mine = {
        (binding.host_ip, binding.host_port)
        for container in ours
        if container.running
        for binding in container.bindings
    }
    for wanted in rendering.bindings:
        held = publishing(seen(before.neighbours), wanted)
        assert held is None, (
            f"port {wanted.host_port} is published by {described(held)} → change the port in the env file, or stop "
            "that container"
        )
        if not any(port == wanted.host_port and meet(ip, wanted.host_ip) for ip, port in mine):
            foreign = [listener for listener in seen(before.listeners) if _listens(listener, wanted)]
            assert not foreign, (
                f"port {wanted.host_port} is taken on the engine's host by {_holder(before, wanted.host_port)}, which is no "
                f"container of this service (it listens on {foreign[0].ip}) → change the port in the env file, or end that "
                f"process (`ss -ltnp 'sport = :{wanted.host_port}'` there names it)"
            )


@check(advisory=True)
def test_this_machine_sees_the_same_ports(before: Snapshot, listeners_here: tuple[Listener, ...]) -> None:
    """The listening ports that this machine sees agree with the engine's."""
    here = {listener.port for listener in listeners_here}
    for container in seen(before.containers):
        hidden = [
            binding.host_port
            for binding in container.bindings
            if container.running and binding.host_port not in here
        ]
        assert not hidden, (
            f"the engine publishes ports {hidden}, but nothing listens on them here: the engine forwards without a proxy → do "
            "not judge ports by this machine's tools"
        )


@check(advisory=True)
def test_no_port_is_one_that_connections_are_given(before: Snapshot, ephemeral_here: Ephemeral) -> None:
    """No published port is one that this machine may give to an outgoing connection."""
    published = sorted({binding.host_port for binding in seen(before.operator_rendering).bindings})
    risky = ",".join(str(port) for port in published if ephemeral_here.may_give(port))
    kept = f"{ephemeral_here.reserved},{risky}".strip(",")
    assert not risky, (
        f"port {risky} lies between {ephemeral_here.first} and {ephemeral_here.last}: in the outage this machine may give "
        f"it to a connection, and then the start fails → run `sysctl -w net.ipv4.ip_local_reserved_ports={kept}` (and add "
        "a line in /etc/sysctl.d for the next boot), or set a port outside of that range in the env file"
    )


@check(advisory=True)
def test_the_container_restarts_by_itself(before: Snapshot) -> None:
    """The service has a restart policy, so it comes back after a restart of the engine."""
    policy = seen(before.operator_rendering).restart_policy
    assert policy not in {"", "no"}, (
        "there is no restart policy → set `restart: unless-stopped` in the compose file"
    )


@check(advisory=True)
def test_docker_checks_the_services_health(before: Snapshot) -> None:
    """The service has a health check of its own in Docker."""
    where = edition_of_image(before.image).paths.readiness
    assert seen(before.operator_rendering).has_health_check, f"there is no health check → add one on {where}"


@check(advisory=True)
def test_the_management_port_is_on_loopback_only(before: Snapshot, target: Target) -> None:
    """The management port is not published beyond loopback: `POST /stop` there needs no credentials."""
    beyond = [
        binding
        for binding in seen(before.operator_rendering).bindings
        if binding.container_port == target.management_container_port
        and not binding.host_ip.startswith(("127.", "::1"))
    ]
    assert not beyond, (
        f"it is published on {beyond[0].host_ip or 'every address'} → publish it as 127.0.0.1:PORT:8081"
    )


def _holder(before: Snapshot, port: int) -> str:
    """Name the process that listens on a port, where the engine's host is this machine and shows it."""
    if (
        seen(before.engine).elsewhere
        or not isinstance(before.host, Host)
        or isinstance(before.host.listeners, Unseen)
    ):
        return "a process"
    return next(
        (listener.owner for listener in before.host.listeners if listener.port == port and listener.owner),
        "a process",
    )


def _listens(listener: Listener, wanted: Binding) -> bool:
    return listener.port == wanted.host_port and meet(listener.ip, wanted.host_ip)
