"""What is kept of a container: what makes it again of another image, and what is told of its start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from procedures.way_back import creation, kept
from reports.record.observed import Binding, Mount, Rendering
from tests.checks.world import recorded

ID, VOLUME = "a" * 64, "f" * 64
IMAGE: dict[str, Any] = {
    "Config": {
        "Env": ["PATH=/bin"], "Cmd": ["--help"], "Entrypoint": ["docker-entrypoint.sh"], "User": "1000",
        "Labels": {"version": "1"}, "ExposedPorts": {"8080/tcp": {}}, "Volumes": {"/data": {}},
    }
}  # fmt: skip


def container(
    config: dict[str, Any] | None = None, host: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """What an engine says of a container of that image."""
    return {
        "Id": ID,
        "Name": "/tools-kestra",
        "Image": "sha256:1",
        "Created": "2026-01-01T00:00:00Z",
        "State": {"Status": "running", "Running": True, "StartedAt": "2026-01-01T00:00:00Z"},
        "Config": {**IMAGE["Config"], "Hostname": ID[:12], "Image": "kestra:1", **(config or {})},
        "HostConfig": {"NetworkMode": "tools_default", **(host or {})},
        "NetworkSettings": {
            "Networks": {"tools_default": {"NetworkID": "n1", "Aliases": [ID[:12], "kestra"]}}
        },
        "Mounts": [],
        **more,
    }


def test_what_came_with_the_image_stays_with_it() -> None:
    """Another image brings its own variables, words, labels, ports and volumes; what the container had of its own stays."""
    made = creation.of_another_image(
        container({"Env": ["PATH=/bin", "DB=x"], "Labels": {"version": "1", "team": "flows"}}), IMAGE
    )

    own = {
        key: value
        for key, value in made.body("kestra:0").items()
        if value and key not in {"HostConfig", "NetworkingConfig"}
    }
    assert own == {"Env": ["DB=x"], "Labels": {"team": "flows"}, "Image": "kestra:0"}


@pytest.mark.parametrize(
    ("config", "entry", "command"),
    [
        ({"Cmd": ["server"]}, None, ["server"]),
        ({"Entrypoint": ["sh"], "Cmd": ["--help"]}, ["sh"], ["--help"]),
        ({"Entrypoint": None, "Cmd": ["sleep"]}, [""], ["sleep"]),
        ({}, None, None),
    ],
    ids=["a command", "an entry point with the image's command", "no entry point", "neither"],
)
def test_its_words_are_its_own(config: dict[str, Any], entry: Any, command: Any) -> None:
    """An image's entry point goes by one empty text alone, and its command counts for nothing beside another one."""
    made = creation.of_another_image(container(config), IMAGE)

    assert (made.config.get("Entrypoint"), made.config.get("Cmd")) == (entry, command)


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (container(host={"Links": ["/db:/tools-kestra/base"]}), {"Links": ["db:base"]}),
        (container(host={"NetworkMode": "n1"}), {"NetworkMode": "tools_default"}),
        (
            container(Mounts=[{"Type": "volume", "Name": VOLUME, "Destination": "/data"}]),
            {"Binds": [f"{VOLUME}:/data"]},
        ),
        (
            container(
                host={"AutoRemove": True}, Mounts=[{"Type": "volume", "Name": VOLUME, "Destination": "/data"}]
            ),
            {"Binds": None},
        ),
        (
            container(
                host={"Binds": ["own:/data"]},
                Mounts=[{"Type": "volume", "Name": "own", "Destination": "/data"}],
            ),
            {"Binds": ["own:/data"]},
        ),
        (container(host={"ContainerIDFile": "/tmp/id"}), {"ContainerIDFile": None}),
    ],
    ids=[
        "a link",
        "a network by its id",
        "a volume of no name",
        "one that goes by itself",
        "a named one",
        "a file of the client's",
    ],
)
def test_what_the_engine_tells_otherwise_than_it_is_asked(said: dict[str, Any], body: dict[str, Any]) -> None:
    """Links, networks and volumes are asked for in other words than they are described."""
    host = creation.of(said, IMAGE).body("kestra:1")["HostConfig"]

    assert {key: host.get(key) for key in body} == body


def test_its_place_is_its_own() -> None:
    """The id that the engine adds to the names, and the addresses that it gives, are another container's next time."""
    made = creation.of(container(), IMAGE).body("kestra:1")

    assert made["NetworkingConfig"] == {"EndpointsConfig": {"tools_default": {"Aliases": ["kestra"]}}}
    assert "Hostname" not in made


def test_what_is_told_of_its_start() -> None:
    """The image by the name that it is kept by, the ports as they were asked for, and the named mounts."""
    files = recorded().before.operator_rendering
    assert isinstance(files, Rendering)
    mounts = [
        {"Type": "volume", "Name": VOLUME, "Destination": "/data", "RW": True},
        {"Type": "volume", "Name": "own", "Destination": "/own", "RW": False},
    ]
    ports = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8180"}]}
    said = container(
        {"Labels": {"com.docker.compose.project": "tools"}, "StopTimeout": 7},
        {"PortBindings": ports},
        Mounts=mounts,
    )
    had = kept.Kept(
        said, "kept:1", IMAGE, another=False, networks={}, files={"/run/secrets/token": ""}, reach=()
    )

    found = kept.rendering(had, recorded().target, files)

    assert (found.image, found.container_name, found.stop_grace) == ("kept:1", "tools-kestra", 7.0)
    assert found.bindings == (Binding("8080/tcp", "127.0.0.1", 8180),)
    assert found.mounts == (Mount("volume", "own", "/own", read_only=True),)
    assert (found.by_compose, found.copied_in, found.database_image) == (
        True,
        ("/run/secrets/token",),
        files.database_image,
    )
    assert (had.grace, had.name) == (7, "tools-kestra")


def test_a_file_that_an_earlier_version_kept_is_told_as_it_was_started() -> None:
    """It is not read, and whoever has it starts it by hand."""
    assert kept.typed(Path("/srv/1a2b.kept.sh")).endswith("&& sh /srv/1a2b.kept.sh")
