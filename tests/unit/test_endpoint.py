"""Where the engine is: resolved as the docker client does it, with its certificates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from procedures.drivers.compose import Compose
from procedures.observe.engine import endpoint
from procedures.observe.engine.endpoint import Endpoint, Tls
from procedures.problems import CannotObserve
from procedures.target.target import Target

NAMES = {"DOCKER_CONTEXT": "far-away", "DOCKER_TLS_VERIFY": "1", "PATH": "/usr/bin:/bin"}


def _target(root: Path, endpoint: str = "", context: str = "") -> Target:
    whole = Target(root / "t.toml", "tools", root, (root / "compose.yml",), (), "kestra", "postgres")
    return replace(whole, endpoint=endpoint, context=context)


def _client(folder: Path, said: str, status: int = 0) -> dict[str, str]:
    """An environment whose `docker` says this, and notes how it was asked."""
    (folder / "said").write_text(said)
    client = folder / "docker"
    client.write_text(
        f'#!/bin/sh\necho "$DOCKER_HOST $*" >{folder}/asked\ncat {folder}/said\nexit {status}\n'
    )
    client.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}


def _inspected(name: str, url: str, folder: str = "", *, unverified: bool = False) -> str:
    return json.dumps(
        {
            "Name": name,
            "Endpoints": {"docker": {"Host": url, "SkipTLSVerify": unverified}},
            "TLSMaterial": {"docker": ["ca.pem"]} if folder else {},
            "Storage": {"TLSPath": folder},
        }
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1"),
        ("tcp://10.1.2.3:2376", "10.1.2.3"),
        ("tcp://build.example:2375", "build.example"),
        ("tcp://[fd00::2]:2375", "[fd00::2]"),
    ],
)
def test_published_ports_are_met_at_the_engines_host(url: str, host: str) -> None:
    """A TCP address names the host; a socket says nothing about where it leads."""
    assert Endpoint(url, "default").host == host


def test_a_context_of_the_target_is_asked_for_by_name(tmp_path: Path) -> None:
    """The context's own certificates are taken, and whether the engine's are looked at."""
    environment = _client(
        tmp_path, _inspected("far", "tcp://far:2376", str(tmp_path / "tls"), unverified=True)
    )
    found = endpoint.of_target(_target(tmp_path, context="far"), environment)
    assert (tmp_path / "asked").read_text().split()[-1] == "far"
    assert found == Endpoint("tcp://far:2376", "far", Tls(tmp_path / "tls" / "docker", verify=False))


def test_an_endpoint_of_the_target_wins_over_the_environment(tmp_path: Path) -> None:
    """The docker client is asked as if the operator had typed that address."""
    environment = _client(tmp_path, _inspected("default", "unix:///run/other.sock"))
    target = _target(tmp_path, endpoint="unix:///run/other.sock")
    found = endpoint.of_target(target, environment | {"DOCKER_HOST": "tcp://here:1"})
    assert (tmp_path / "asked").read_text().startswith("unix:///run/other.sock ")
    assert found == Endpoint("unix:///run/other.sock", "default")


def test_certificates_of_the_environment_are_used_without_a_context(tmp_path: Path) -> None:
    """As the client: DOCKER_CERT_PATH says where, DOCKER_TLS_VERIFY whether the engine's own is looked at."""
    environment = _client(tmp_path, _inspected("default", "tcp://far:2376", "<IN MEMORY>"))
    found = endpoint.of_target(
        _target(tmp_path), environment | {"DOCKER_CERT_PATH": "/certs", "DOCKER_TLS_VERIFY": "1"}
    )
    assert found.tls == Tls(Path("/certs"), verify=True)
    assert endpoint.of_target(_target(tmp_path), environment).tls == Tls(tmp_path / ".docker", verify=False)


@pytest.mark.parametrize(
    ("tls", "more"),
    [
        (None, {}),
        (Tls(Path("/c"), verify=True), {"DOCKER_CERT_PATH": "/c", "DOCKER_TLS_VERIFY": "1"}),
        (Tls(Path("/c"), verify=False), {"DOCKER_CERT_PATH": "/c", "DOCKER_TLS": "1"}),
    ],
)
def test_every_client_gets_the_same_engine(tls: Tls | None, more: dict[str, str]) -> None:
    """What the caller's environment says of another engine, or of another trust, is not handed on."""
    given = Endpoint("tcp://far:2376", "far", tls).environment(NAMES)
    assert given == {"PATH": "/usr/bin:/bin", "DOCKER_HOST": "tcp://far:2376", **more}


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({}, ["docker", "compose"]),
        ({"context": "far"}, ["docker", "--context", "far", "compose"]),
        ({"endpoint": "tcp://far:2375"}, ["docker", "--host", "tcp://far:2375", "compose"]),
    ],
)
def test_a_typed_command_finds_the_targets_engine(
    tmp_path: Path, named: dict[str, str], words: list[str]
) -> None:
    """A command of the plan can be typed as it stands: it names the engine where the target file does."""
    compose = Compose(_target(tmp_path, **named), {}, "tcp://far:2375")
    for command in (compose.start(1), compose.stop(1, 1), compose.rehearse_start(1)):
        assert list(command.argv[: len(words)]) == words
        assert (command.environment or {})["DOCKER_HOST"] == "tcp://far:2375"
    assert list(compose.pull("image:1", 1).argv[: len(words)]) == [*words[:-1], "pull"]


@pytest.mark.parametrize(
    ("said", "status", "what", "move"),
    [
        ('context "far" not found', 1, "cannot be resolved", "'context' in"),
        ("no JSON", 0, "cannot be resolved", "'context' in"),
        (_inspected("far", "ssh://root@far"), 0, "does not speak ssh", "ssh -nNT -L"),
    ],
)
def test_a_context_that_leads_nowhere_is_told_with_its_key(
    tmp_path: Path, said: str, status: int, what: str, move: str
) -> None:
    """One sentence, with what to do next."""
    with pytest.raises(CannotObserve) as raised:
        endpoint.of_target(_target(tmp_path, context="far"), _client(tmp_path, said, status))
    assert what in raised.value.what
    assert move in raised.value.next_move
