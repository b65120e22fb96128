"""A container that Compose has made, kept as a model: what it has of its own stands there, and not what files say now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from procedures.run.facts.looks import only
from procedures.way_back import kept
from reports.record.observed import Mount
from tests.checks.world import recorded

VOLUME = Mount("volume", "tools-storage", "/app/storage", read_only=False)
BIND = Mount("bind", "/srv/flows", "/flows", read_only=True)
MEMORY = Mount("tmpfs", "", "/scratch", read_only=False)
ONE = replace(only(recorded().before), mounts=(VOLUME, BIND, MEMORY))
DESCRIBED: dict[str, Any] = {
    "Id": ONE.id,
    "Config": {
        "Hostname": "orders", "Entrypoint": ["/bin/tini", "$HOME"], "Cmd": ["server"], "User": "1000:1000",
        "WorkingDir": "/app",
    },
    "HostConfig": {
        "NetworkMode": "tools_default",
        "ExtraHosts": ["ldap:10.0.0.9"],
        "Tmpfs": {"/run": "size=1m", "/var/tmp": ""},
        "Mounts": [
            {"Type": "volume", "Source": "tools-storage", "Target": "/app/storage", "VolumeOptions": {"Subpath": "a"}},
            {"Type": "tmpfs", "Target": "/scratch", "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 448}},
        ],
    },
    "Mounts": [
        {"Type": "volume", "Destination": "/app/storage", "Mode": "z", "Propagation": ""},
        {"Type": "bind", "Destination": "/flows", "Mode": "ro", "Propagation": "rslave"},
        {"Type": "tmpfs", "Destination": "/scratch"},
    ],
}  # fmt: skip
FILES: dict[str, Any] = {
    "name": "tools",
    "services": {
        "kestra": {
            "image": "kestra:2", "entrypoint": ["later"], "command": ["later"], "user": "later", "tmpfs": ["/later"],
            "working_dir": "/later", "hostname": "later", "extra_hosts": ["later=1.1.1.1"], "mem_limit": "512m",
            "volumes": [{"type": "tmpfs", "target": "/later"}],
        }
    },
}  # fmt: skip
OWN = {"entrypoint", "command", "user", "working_dir", "hostname", "extra_hosts", "tmpfs"}


def service(**config: Any) -> dict[str, Any]:
    """The service of a model that is kept of a container."""
    described = {**DESCRIBED, "Config": {**DESCRIBED["Config"], **config}}
    found: dict[str, Any] = kept.model(FILES, "kestra", ONE, described, "kept:1")["services"]["kestra"]
    return found


def test_the_process_is_the_containers_own() -> None:
    """Entry point, user, directory, names and hosts are what ran; limits are what the files say."""
    found = service()

    assert {key: found[key] for key in OWN | {"mem_limit"}} == {
        "entrypoint": ["/bin/tini", "$$HOME"],
        "command": ["server"],
        "user": "1000:1000",
        "working_dir": "/app",
        "hostname": "orders",
        "extra_hosts": ["ldap:10.0.0.9"],
        "tmpfs": ["/run:size=1m", "/var/tmp"],
        "mem_limit": "512m",
    }


def test_what_it_has_not_is_not_taken_from_the_files() -> None:
    """What the files have got only since stays away; one empty text takes the image's own entry point away."""
    found = service(Entrypoint=None, Cmd=None, User="", WorkingDir="", Hostname=ONE.id[:12])

    assert {key: found[key] for key in OWN & found.keys()} == {
        "entrypoint": [""],
        "extra_hosts": ["ldap:10.0.0.9"],
        "tmpfs": ["/run:size=1m", "/var/tmp"],
    }


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("/app/storage", {"volume": {"subpath": "a"}, "bind": {"selinux": "z"}}),
        ("/flows", {"bind": {"propagation": "rslave"}}),
        ("/scratch", {"tmpfs": {"size": 1048576, "mode": 448}}),
    ],
)
def test_a_mount_keeps_its_options(target: str, options: dict[str, Any]) -> None:
    """Also one in memory is there again, with its size; nothing is mounted that the files name only by now."""
    mounts = {one["target"]: one for one in service()["volumes"]}

    assert sorted(mounts) == ["/app/storage", "/flows", "/scratch"]
    assert {
        key: mounts[target][key] for key in ("volume", "bind", "tmpfs") if key in mounts[target]
    } == options
