"""What cannot be seen at all: 16, one sentence that says what to do, and nothing claimed or touched."""

from __future__ import annotations

import grp
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import endings, targets
from tests.engine import service as seen
from tests.faults import FAULT
from tests.stacks import COMPOSE_FILE, Stack


@pytest.fixture(autouse=True)
def _as_before(service: Stack) -> Iterator[None]:
    compose = service.compose_file.read_text()
    targets.target_file(service)
    yield
    service.compose_file.write_text(compose)
    service.set_env()


def unobservable(service: Stack, env: dict[str, str] | None = None, before: tuple[str, ...] = ()) -> str:
    """Run a restart that can see nothing, by itself or behind other words; return what it told."""
    then = seen.identity(service)
    done = subprocess.run(
        [*before, *targets.argv(service)],
        cwd=targets.PROJECT,
        env=targets.environment(service, **(env or {})),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    endings.note(done.args, done.returncode)

    assert done.returncode == 16, done.stdout + done.stderr
    assert "CANNOT OBSERVE" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert then == seen.identity(service)
    assert targets.record(targets.latest(service))["executed"] is False
    assert "-cannot-observe-" in targets.latest(service).name
    return done.stdout


@FAULT(
    kind="the compose file is missing",
    phase="plan",
    happened="nothing is claimed, and the path is named",
    verdict="CANNOT OBSERVE",
)
def test_the_compose_file_is_missing(service: Stack) -> None:
    """Without its compose file there is no plan: the missing path is named."""
    service.compose_file.rename(service.root / "aside.yml")
    try:
        told = unobservable(service)
    finally:
        (service.root / "aside.yml").rename(service.compose_file)

    assert f"{service.compose_file} does not exist" in told


@FAULT(
    kind="the compose file is no YAML",
    phase="plan",
    happened="nothing is claimed; Compose's own words are told",
    verdict="CANNOT OBSERVE",
)
def test_the_compose_file_cannot_be_parsed(service: Stack) -> None:
    """A compose file that is no YAML is named, in Compose's own words."""
    service.compose_file.write_text("services:\n  kestra: [unclosed\n")

    assert "Compose cannot render the files: " in unobservable(service)


@FAULT(
    kind="the compose file lacks the service",
    phase="plan",
    happened="nothing is claimed; those that it knows are named",
    verdict="CANNOT OBSERVE",
)
def test_the_compose_file_lacks_the_service(service: Stack) -> None:
    """A service that the compose file does not know is named beside those that it knows."""
    targets.target_file(service, service="kestra-server")
    told = unobservable(service)

    assert "no service 'kestra-server'" in told
    assert "kestra, kestra-postgres" in told


@FAULT(
    kind="the env file is missing",
    phase="plan",
    happened="nothing is claimed, and the path is named",
    verdict="CANNOT OBSERVE",
)
def test_the_env_file_is_missing(service: Stack) -> None:
    """Without its env file there is no plan: the missing path is named."""
    service.env_file.unlink()

    assert f"{service.env_file} does not exist" in unobservable(service)


@FAULT(
    kind="no engine answers",
    phase="plan",
    happened="nothing is claimed, and how to start one is told",
    verdict="CANNOT OBSERVE",
)
def test_no_engine_answers(service: Stack) -> None:
    """An address where no engine answers is named, and how to start one."""
    told = unobservable(service, {"DOCKER_HOST": f"unix://{service.root}/nobody.sock"})

    assert f"no engine answers at unix://{service.root}/nobody.sock" in told
    assert "systemctl start docker" in told


@FAULT(
    kind="no permission for the engine's socket",
    phase="plan",
    happened="nothing is claimed, and the mode is told",
    verdict="CANNOT OBSERVE",
)
def test_there_is_no_permission_for_the_socket(service: Stack, tmp_path: Path) -> None:
    """A socket that this user may not open is not taken for an absent engine: the group is the next move."""
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0)
        # Root may open every socket, as long as it keeps the capability for it.
        plain = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-all") if os.geteuid() == 0 else ()
        told = unobservable(service, {"DOCKER_HOST": f"unix://{path}"}, plain)

    assert f"no permission for the engine's socket unix://{path}" in told
    assert "mode 0000" in told
    assert f"sudo chmod g+rw {path}" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_is_told_which_group_he_lacks(service: Stack) -> None:
    """To a user outside the group of the real engine's socket: the group, the user, what to type, and to log in anew."""
    path = Path("/var/run/docker.sock")
    group = grp.getgrgid(path.stat().st_gid).gr_name
    archive = service.root / "nobodys"
    archive.mkdir()
    shutil.chown(archive, "nobody")
    targets.target_file(service, archive=str(archive))
    # He reads what root reads, since the tests' own interpreter may lie in root's home; a socket asks for writing.
    nobody = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    reads = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    done = subprocess.run(
        [*nobody, *reads, *targets.argv(service)],
        cwd=targets.PROJECT,
        env=targets.environment(service, DOCKER_HOST=f"unix://{path}"),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    endings.note(done.args, done.returncode)

    assert done.returncode == 16, done.stdout + done.stderr
    assert f"it is root's and group {group}'s" in done.stdout
    assert "this is user nobody, who is not in it" in done.stdout
    assert f"`sudo usermod -aG {group} nobody`, then log in anew" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@FAULT(
    kind="the docker client has no Compose",
    phase="plan",
    happened="nothing is claimed, and the package is named",
    verdict="CANNOT OBSERVE",
)
def test_there_is_no_compose(service: Stack, tmp_path: Path) -> None:
    """A docker client without its Compose plugin is told from a compose file that is wrong."""
    told = unobservable(
        service, path_with(tmp_path, 'if [ "$1" = compose ]; then shift; set -- nothing "$@"; fi')
    )

    assert "no Compose plugin" in told
    assert "docker-compose-plugin" in told


@FAULT(
    kind="there is no docker client",
    phase="plan",
    happened="nothing is claimed",
    verdict="CANNOT OBSERVE",
)
def test_there_is_no_docker_client(service: Stack, tmp_path: Path) -> None:
    """A machine without docker is told to install it."""
    told = unobservable(service, {"PATH": str(tmp_path)})

    assert "there is no docker client here" in told


def path_with(folder: Path, words: str) -> dict[str, str]:
    """A search path in which docker does something else with its words first."""
    real = shutil.which("docker")
    wrapper = folder / "docker"
    wrapper.write_text(f'#!/bin/sh\n{words}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    return {"PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"}


@FAULT(
    kind="the engine accepts and never answers",
    phase="plan",
    happened="given up after a limit",
    verdict="CANNOT OBSERVE",
)
def test_the_engine_falls_silent(service: Stack) -> None:
    """An engine that accepts and never answers is given up after a limit, and named."""
    path = service.root / "mute.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        told = unobservable(service, {"DOCKER_HOST": f"unix://{path}"})

    assert f"no engine answers at unix://{path}" in told


def test_the_compose_file_is_as_named(service: Stack) -> None:
    """The fixtures of this module put everything back: the same service is let through."""
    done = targets.procedure(service, "--plan")

    assert done.returncode == 0, done.stdout
    assert str(COMPOSE_FILE) in done.stdout
