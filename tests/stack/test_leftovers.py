"""What killed tests leave on the engine is gone before the next ones begin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import docker.errors
import pytest
from docker.models.containers import Container

from tests.leftovers import own_name
from tests.stacks import POSTGRES_IMAGE, clean_environment, engine, run

ROOT = Path(__file__).resolve().parents[2]


def _name_of_an_ended_process() -> str:
    code = "from tests.leftovers import own_name; print(own_name())"
    return run([sys.executable, "-c", code], cwd=ROOT, env=clean_environment()).stdout.strip()


def _things(client: docker.DockerClient, name: str) -> list[object]:
    """One of each kind: a container of the name, one that a label ties to it, a network, a volume, an image's name."""

    def container(called: str, label: str) -> Container:
        return client.containers.run(
            POSTGRES_IMAGE,
            name=called,
            entrypoint=["sleep", "300"],
            labels={"of": label},
            restart_policy={"Name": "always"},
            detach=True,
        )

    image = client.images.get(POSTGRES_IMAGE)
    image.tag(f"{name}-image", "1")
    network = client.networks.create(f"{name}-net")
    tied = container(f"tied-{name.removeprefix('test-')}", f"/somewhere/{name}-tools")
    network.connect(tied)
    return [container(f"{name}-server", ""), tied, network, client.volumes.create(f"{name}-data")]


@pytest.fixture(params=[_name_of_an_ended_process, own_name], ids=["ended", "living"])
def left(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[object]]]:
    """What an ended process, or a living one, has made; whether it was, and the things."""
    name: str = request.param()
    with engine() as client:
        things = _things(client, name)
        try:
            yield request.node.callspec.id, things
        finally:
            for one in things:
                with suppress(docker.errors.APIError):
                    # The image declares a volume: without `v` it would stay.
                    one.remove(**({"force": True, "v": True} if isinstance(one, Container) else {}))  # type: ignore[attr-defined]
            with suppress(docker.errors.ImageNotFound):
                client.images.remove(f"{name}-image:1")


def test_what_an_ended_process_made_goes_and_nothing_else(left: tuple[str, list[object]]) -> None:
    """A container that is started again with the engine, one tied to it by a label, its network, volume and tag."""
    whose, things = left
    done = subprocess.run(
        [sys.executable, "-m", "tests.leftovers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    gone = [_is_gone(one) for one in things]
    assert gone == [whose == "ended"] * 4, done.stdout
    assert ("what killed tests had left" in done.stdout) == (whose == "ended")


def _is_gone(one: object) -> bool:
    try:
        one.reload()  # type: ignore[attr-defined]
    except docker.errors.NotFound:
        return True
    return False
