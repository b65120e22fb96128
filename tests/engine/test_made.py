"""The whole container: what the files would make of it by now is compared with what runs, and named part by part."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack, run

SERVICE = "    container_name: ${STACK_PREFIX:-}tools-kestra\n"
STORAGE = "    name: ${STACK_PREFIX:-}tools-${KESTRA_DB_VOLUME:?is missing from .env}-storage\n"


@contextmanager
def edited(stack: Stack, *lines: str, volume: str = "") -> Iterator[None]:
    """The compose file with more lines for the service, or with another storage volume; as it was afterwards."""
    then = stack.compose_file.read_text()
    text = then.replace(SERVICE, SERVICE + "".join(f"    {one}\n" for one in lines))
    if volume:
        text = text.replace(STORAGE, f"    name: {stack.prefix}{volume}\n")
    assert text != then
    stack.compose_file.write_text(text)
    try:
        yield
    finally:
        stack.compose_file.write_text(then)


def planned(stack: Stack, *lines: str, name: str = "restart", volume: str = "") -> dict[str, str]:
    """What closes the gate of a plan, by check; nothing may have been touched."""
    identity = seen.identity(stack)
    with edited(stack, *lines, volume=volume):
        done = targets.procedure(stack, name=name)

    assert done.returncode == 10, done.stdout + done.stderr
    assert identity == seen.identity(stack)
    return seen.findings(targets.record(targets.latest(stack)))


def _fault(kind: str) -> pytest.MarkDecorator:
    return FAULT(
        kind=kind, phase=Phase.PLAN, happened="refused, with the parts that differ named", verdict="REFUSED"
    )


@pytest.mark.parametrize(
    "procedure",
    [
        pytest.param("restart", marks=_fault("another storage volume in the compose file")),
        pytest.param(
            "apply_env", marks=_fault("another storage volume in the compose file, with new settings")
        ),
    ],
)
def test_another_volume(service: Stack, procedure: str) -> None:
    """Every procedure that acts refuses another volume as a matter of data."""
    found = planned(service, name=procedure, volume="elsewhere")

    assert f"{service.prefix}elsewhere at /app/storage (new)" in found["test_the_mounts_stay_the_same"]


@_fault("privileges, a user and the engine's socket in the compose file")
def test_privileges(service: Stack) -> None:
    """What reaches into the host is refused by name; a mount is a matter of data whatever it is."""
    found = planned(
        service,
        "privileged: true",
        "user: root",
        "pid: host",
        "tmpfs: /var/run/docker.sock",
        name="apply_env",
    )

    assert "PID namespace, privileged, user" in found["test_its_privileges_and_its_reach_stay_the_same"]


@_fault("limits, labels and logging in the compose file")
def test_a_limit_and_a_label(service: Stack) -> None:
    """A plain restart changes none of the rest either."""
    found = planned(service, "mem_limit: 900m", "labels: {team: tools}", "init: true")

    assert "an init process, label team, memory" in found["test_nothing_else_of_the_container_changes"]


@_fault("a part of the compose file that has no name")
def test_what_only_compose_knows(service: Stack) -> None:
    """A difference that only Compose's own mark tells is a finding too."""
    found = planned(service, "blkio_config: {weight: 300}")

    assert "apply_env" in found["test_compose_knows_no_other_difference"]


def test_what_is_applied(service: Stack) -> None:
    """Where parts are meant to change, they are shown before the stop, and afterwards nothing differs any more."""
    with edited(service, "cpu_shares: 512", "stop_grace_period: 16s"):
        text = service.compose_file.read_text().replace(
            "    stop_grace_period: ${KESTRA_STOP_GRACE:-6m}\n", ""
        )
        service.compose_file.write_text(text)
        done = targets.procedure(service, name="apply_env")

        assert done.returncode == 0, done.stdout + done.stderr
        assert "CPU shares, stop's grace" in done.stdout
        assert targets.procedure(service, "--plan").returncode == 0
    assert targets.procedure(service, name="apply_env").returncode == 0


@FAULT(
    kind="the compose file and the env file are edited in the outage",
    phase=Phase.OUTAGE,
    happened="what was checked is started all the same, and the whole container is compared with it",
    verdict="ACCEPTED",
)
def test_files_that_are_edited_in_the_outage(service: Stack) -> None:
    """The start uses what was checked; Compose and `describe` find the container as the operator's own afterwards."""
    then, env = service.compose_file.read_text(), service.env_file.read_text()
    old = service.container("kestra").attrs
    running = targets.started(service)
    try:
        targets.wait_for_step(service, running, "stop", "end")
        service.compose_file.write_text(
            then.replace(SERVICE, f"{SERVICE}    privileged: true\n").replace(
                STORAGE, f"    name: {service.prefix}elsewhere\n"
            )
        )
        service.write_env_text('JAVA_OPTS=-Dedited=1\nX="nobody can parse this\n')
        said = running.communicate(timeout=targets.LIMIT)[0]
    finally:
        service.compose_file.write_text(then)
        service.write_env_text(env)
    made = service.container("kestra")

    assert running.returncode == 0, said
    assert not made.attrs["HostConfig"]["Privileged"]
    assert {one["Name"] for one in old["Mounts"]} == {one["Name"] for one in made.attrs["Mounts"]}
    assert sorted(old["Config"]["Env"]) == sorted(made.attrs["Config"]["Env"])
    assert list((service.root / targets.STATE).rglob("*.rendered")) == []
    # What the operator types afterwards.
    service.compose("up", "-d", "--no-deps", "--pull", "never", "kestra")
    assert made.id == service.container("kestra").id
    described = run_described(service)
    assert f'compose_files = ["{service.compose_file}"]' in described
    assert f'root = "{service.compose_file.parent}"' in described


DEPENDS_ON = "      kestra-postgres:\n        condition: service_healthy\n"


@contextmanager
def beside(stack: Stack) -> Iterator[None]:
    """The service depends on another one that starts only where somebody asks for it, as its profile says."""
    then = stack.compose_file.read_text()
    more = f"{DEPENDS_ON}      extra: {{condition: service_started, required: false}}\n"
    extra = f"  extra: {{image: {stack.image}, profiles: [asked-for]}}\n"
    stack.compose_file.write_text(
        then.replace(DEPENDS_ON, more).replace("\nvolumes:\n", f"{extra}\nvolumes:\n")
    )
    try:
        yield
    finally:
        stack.compose_file.write_text(then)


@FAULT(
    kind="the service may depend on one that is not asked for",
    phase=Phase.START,
    happened="what was checked names none that its own model does not have",
    verdict="ACCEPTED",
)
def test_a_service_beside_it_that_nobody_asks_for(service: Stack) -> None:
    """Compose leaves such a service out of what it renders, and cannot read back what still names it."""
    with beside(service):
        service.compose("up", "-d", "--pull", "never", "kestra")
        service.wait_until_ready()
        done = targets.procedure(service)

    assert done.returncode == 0, done.stdout + done.stderr
    start = next(
        one for one in targets.record(targets.latest(service))["steps"] if one["step"]["name"] == "start"
    )
    assert any(".rendered/" in word for word in start["step"]["command"])


@FAULT(
    kind="Compose cannot read what was kept for the start",
    phase=Phase.READY,
    happened="the very start is rehearsed once more before the stop, and refused",
    verdict="REFUSED",
)
def test_what_was_kept_cannot_be_read_back(service: Stack, tmp_path: Path) -> None:
    """A start that would fail in the outage fails in its rehearsal: nothing is touched, and nothing is left."""
    identity = seen.identity(service)
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\ncase \"$*\" in *.rendered/*) echo 'invalid compose project' >&2; exit 15;; esac\n"
        f'exec {shutil.which("docker")} "$@"\n'
    )
    docker.chmod(0o755)
    done = targets.procedure(service, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})

    assert done.returncode == 10, done.stdout + done.stderr
    assert "invalid compose project" in done.stdout
    assert identity == seen.identity(service)
    assert list((service.root / targets.STATE).rglob("*.rendered")) == []


def run_described(stack: Stack) -> str:
    """The target file that `describe` writes of the container, by its labels alone."""
    words = [sys.executable, "-m", "procedures.describe", str(stack.container("kestra").name)]
    return run(words, cwd=targets.PROJECT, env=targets.environment(stack)).stdout


@FAULT(
    kind="a variable of the docker client's in the caller's shell",
    phase=Phase.PLAN,
    happened="it reaches no command, and is named",
    verdict="ACCEPTED",
)
def test_the_callers_shell(service: Stack) -> None:
    """The plan's start, typed in the root, makes what a run makes from another folder and another shell."""
    with edited(service, "labels: {where: '${PWD}'}"):
        plan = targets.procedure(service, "--plan", name="apply_env")
        typed = next(one for one in plan.stdout.splitlines() if "--force-recreate" in one)
        typed = typed[typed.index("docker compose") : typed.index(" (at most")]
        run(["sh", "-c", f"cd {service.root} && {typed}"], cwd=service.root, env=service.environment())
        service.wait_until_ready()

        done = targets.procedure(service, env={"DOCKER_DEFAULT_PLATFORM": "linux/arm64", "PWD": "/tmp"})

    assert done.returncode == 0, done.stdout + done.stderr
    assert str(service.root) == service.container("kestra").labels["where"]
    assert "not handed on to Compose and the engine's client: DOCKER_DEFAULT_PLATFORM" in done.stdout
    service.compose("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", "kestra")
    service.wait_until_ready()


@FAULT(kind="another platform in the compose file", phase=Phase.PLAN, happened="refused", verdict="REFUSED")
def test_another_platform(service: Stack) -> None:
    """An image of another platform would fail in the outage."""
    found = planned(service, "platform: linux/arm64", name="apply_env")

    assert "linux/arm64" in found["test_the_image_is_of_the_platform_that_is_named"]
