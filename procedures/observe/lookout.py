"""Places to look from on the engine's side: labelled containers that change nothing and end by themselves."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

import docker
import docker.errors
import requests

from procedures.observe.engine import OUR_RUN, OURS, EngineObserver, within
from procedures.problems import CannotObserve
from reports.observed import Listener

_TCP_LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command in a lookout printed."""

    exit_code: int
    text: str


class Lookout:
    """A container that only waits; commands are executed in it. It is gone after `lifetime` seconds at the latest."""

    def __init__(self, engine: EngineObserver, name: str, image: str, network: str, lifetime: float) -> None:
        self._engine = engine
        self.name = name
        self.sentence = f"{name}: a container of {image[:19]} on network {network}, removed when the run ends"
        try:
            self._container = within(
                30, f"the lookout {name}", self._run, engine.client, name, image, network, lifetime
            )
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            raise CannotObserve(f"the lookout {name} cannot be started: {error}") from error

    @staticmethod
    def _run(client: docker.DockerClient, name: str, image: str, network: str, lifetime: float) -> object:
        return client.containers.run(
            image,
            entrypoint=["sleep", str(int(lifetime))],
            command=[],
            name=name,
            detach=True,
            auto_remove=True,
            network=network,
            init=True,
            labels={OURS: "lookout", OUR_RUN: name.rpartition("-")[2]},
            user="nobody",
            log_config=docker.types.LogConfig(type="none"),
        )

    def ask(self, argv: tuple[str, ...], limit: float, environment: Mapping[str, str] | None = None) -> Said:
        """Execute a command in it; secrets go in by the environment, never by an argument list."""
        api = self._engine.client.api

        def execute() -> Said:
            made = api.exec_create(
                self.name, ["timeout", str(limit), *argv], environment=dict(environment or {})
            )
            text = api.exec_start(made["Id"])
            return Said(int(api.exec_inspect(made["Id"])["ExitCode"] or 0), text.decode(errors="replace"))

        try:
            said = within(limit + 5, f"the command in {self.name}", execute)
        except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise CannotObserve(f"nothing can be asked in the lookout {self.name}: {error}") from error
        if not isinstance(said, Said):
            raise CannotObserve(f"the lookout {self.name} did not answer")
        return said

    def close(self) -> None:
        with contextlib.suppress(docker.errors.DockerException, requests.exceptions.RequestException):
            self._engine.client.api.remove_container(self.name, force=True, v=True)


def listeners(lookout: Lookout, limit: float) -> tuple[Listener, ...]:
    """Return what listens on the engine's host.

    The lookout stands in that host's network, so the answer is the same for root and for a member of the socket's
    group.
    """
    said = lookout.ask(("cat", "/proc/net/tcp", "/proc/net/tcp6"), limit)
    if said.exit_code != 0:
        raise CannotObserve(f"the engine host's sockets cannot be read: {said.text.strip()[:200]}")
    return parse_listeners(said.text)


def parse_listeners(text: str) -> tuple[Listener, ...]:
    """Read the listening sockets out of the kernel's tables (proc(5): address words in host byte order, hex)."""
    found = set()
    for line in text.splitlines():
        words = line.split()
        if len(words) < 4 or words[3] != _TCP_LISTEN:
            continue
        address, _, port = words[1].partition(":")
        found.add(Listener(_address(address), int(port, 16)))
    return tuple(sorted(found, key=lambda one: (one.port, one.ip)))


def _address(text: str) -> str:
    raw = b"".join(bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    return str(ipaddress.ip_address(raw))
