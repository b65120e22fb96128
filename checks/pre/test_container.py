"""The container that will be replaced, and what a start needs free."""

from __future__ import annotations

import math

from procedures.decide import leftovers
from procedures.decide.check_files import check, seen
from procedures.diagnosis.holders import meet, owner, publishing, told
from procedures.kestra.editions import edition_of_image
from procedures.steps import reach
from procedures.target.target import Target
from reports.record.observed import Binding, Container, Ephemeral, Host, Image, Listener, Snapshot, Unseen


@check(again=True)
def test_one_container_is_this_services(containers_before: tuple[Container, ...]) -> None:
    """Exactly one container carries this service's Compose labels."""
    names = ", ".join(f"{one.name} ({one.id[:12]}, {one.state})" for one in containers_before)
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
    """The container's state is known, and it is neither paused, nor looping, nor hung."""
    for one in containers_before:
        assert not one.paused, f"{one.name} is paused → `pytest -m recover`"
        assert not one.restarting, (
            f"{one.name} is in a restart loop, last exit code {one.exit_code} → `pytest -m recover`"
        )
        assert one.state in {"running", "exited", "created"}, (
            f"{one.name} is {one.state} → `pytest -m recover`"
        )
        if one.running:
            server = seen(before.server)
            assert reach.answers(before, target), (
                f"{one.name} runs and answers on neither port ({server.health.said}) → `pytest -m recover`"
            )


def test_the_container_name_is_free_or_ours(before: Snapshot) -> None:
    """Nothing else holds the name that the start needs."""
    name = seen(before.operator_rendering).container_name
    holders = [one for one in seen(before.neighbours) if one.name == name]
    image = before.image.id if isinstance(before.image, Image) else ""
    for one in holders:
        by_hand = not one.project and one.image_id == image
        whose = "no Compose project, made of this service's image by `docker run`" if by_hand else owner(one)
        grace = math.ceil(seen(before.operator_rendering).stop_grace or 10)
        move = (
            f"`docker stop -t {grace} {name} && docker rm {name}`, then `pytest -m recover`"
            if by_hand
            else f"`docker rename {name} {name}-aside`, which frees the name and ends nothing"
        )
        assert not holders, (
            f"the name {name} is held by a container of {whose}, which is {one.state} → {move}"
        )


@check(again=True)
def test_the_ports_are_free_or_ours(before: Snapshot) -> None:
    """Every configured port is free, or published by this very container, on the engine's own host."""
    rendering, ours = seen(before.operator_rendering), seen(before.containers)
    mine = {
        (one.host_ip, one.host_port) for container in ours if container.running for one in container.bindings
    }
    for wanted in rendering.bindings:
        held = publishing(seen(before.neighbours), wanted)
        assert held is None, (
            f"port {wanted.host_port} is published by {told(held)} → change the port in the env file, or stop "
            "that container"
        )
        if not any(port == wanted.host_port and meet(ip, wanted.host_ip) for ip, port in mine):
            foreign = [one for one in seen(before.listeners) if _listens(one, wanted)]
            assert not foreign, (
                f"port {wanted.host_port} is taken on the engine's host by {_holder(before, wanted.host_port)}, no container "
                f"of this service (listens on {foreign[0].ip}) → change the port in the env file, or end that process "
                f"(`ss -ltnp 'sport = :{wanted.host_port}'` there names it)"
            )


@check(advisory=True)
def test_this_machine_sees_the_same_ports(before: Snapshot, listeners_here: tuple[Listener, ...]) -> None:
    """The list of listening ports of this machine agrees with the engine's."""
    here = {one.port for one in listeners_here}
    for one in seen(before.containers):
        hidden = [
            binding.host_port for binding in one.bindings if one.running and binding.host_port not in here
        ]
        assert not hidden, (
            f"ports {hidden} are published by the engine and not listened on here: the engine "
            "forwards without a proxy → do not judge ports by this machine's tools"
        )


@check(advisory=True)
def test_no_port_is_one_that_connections_are_given(before: Snapshot, ephemeral_here: Ephemeral) -> None:
    """No published port is one that this machine may give to a connection of anybody's."""
    published = sorted({one.host_port for one in seen(before.operator_rendering).bindings})
    risky = ",".join(str(one) for one in published if ephemeral_here.may_give(one))
    kept = f"{ephemeral_here.reserved},{risky}".strip(",")
    assert not risky, (
        f"port {risky} lies between {ephemeral_here.first} and {ephemeral_here.last}: in the outage a connection may be given it, and "
        f"the start then fails → `sysctl -w net.ipv4.ip_local_reserved_ports={kept}` (and a line in /etc/sysctl.d for the "
        "next boot), or a port outside of that range in the env file"
    )


@check(advisory=True)
def test_the_container_restarts_by_itself(before: Snapshot) -> None:
    """The service has a restart policy, so that it comes back after the engine was restarted."""
    policy = seen(before.operator_rendering).restart_policy
    assert policy not in {"", "no"}, "there is none → set `restart: unless-stopped` in the compose file"


@check(advisory=True)
def test_docker_checks_the_services_health(before: Snapshot) -> None:
    """The service has a health check of its own in Docker."""
    where = edition_of_image(before.image).paths.readiness
    assert seen(before.operator_rendering).has_health_check, f"there is none → add one on {where}"


@check(advisory=True)
def test_the_management_port_is_on_loopback_only(before: Snapshot, target: Target) -> None:
    """The management port is not published beyond loopback: `POST /stop` there needs no credentials."""
    open_ones = [
        one
        for one in seen(before.operator_rendering).bindings
        if one.container_port == target.management_container_port
        and not one.host_ip.startswith(("127.", "::1"))
    ]
    assert not open_ones, (
        f"it is published on {open_ones[0].host_ip or 'every address'} → publish it as 127.0.0.1:PORT:8081"
    )


def _holder(before: Snapshot, port: int) -> str:
    """Name the process that listens on a port, where the engine's host is this machine and shows it to us."""
    if (
        seen(before.engine).elsewhere
        or not isinstance(before.host, Host)
        or isinstance(before.host.listeners, Unseen)
    ):
        return "a process"
    return next((one.owner for one in before.host.listeners if one.port == port and one.owner), "a process")


def _listens(one: Listener, wanted: Binding) -> bool:
    return one.port == wanted.host_port and meet(one.ip, wanted.host_ip)
