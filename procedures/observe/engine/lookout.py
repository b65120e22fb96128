"""Lookouts on the engine's side: labelled helper containers that change nothing and end by themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import docker
import docker.errors
import requests

from procedures.drivers.labels import OUR_RUN, OURS
from procedures.observe.engine import execs, sockets
from procedures.observe.engine.engine import EngineObserver, within
from procedures.observe.engine.execs import Said
from procedures.problems import CannotObserve
from reports.record.observed import Container, Listener, Unseen
from reports.record.values import known
from reports.redaction import excerpt


class Lookout:
    """A container that only waits; commands are executed in it.

    It reads a stdin that this process holds: when the process ends, however it ends, the engine closes that stdin, the
    container ends and the engine removes it. After `lifetime` seconds it ends in any case.
    """

    def __init__(self, engine: EngineObserver, name: str, image: str, network: str, lifetime: float) -> None:
        self._engine = engine
        self.name = name
        try:
            self._stdin = within(30, f"the lookout {name}", self._begin, image, network, lifetime)
        except Exception as error:
            # Created and never started, it would not end by itself.
            self.close()
            raise CannotObserve(f"the lookout {name} cannot be started: {error}") from error

    def _begin(self, image: str, network: str, lifetime: float) -> object:
        api = self._engine.client.api
        api.create_container(
            image,
            entrypoint=["timeout", str(int(lifetime)), "cat"],
            command=[],
            name=self.name,
            stdin_open=True,
            user="nobody",
            labels={OURS: "lookout", OUR_RUN: self.name.rpartition("-")[2]},
            host_config=api.create_host_config(
                auto_remove=True,
                network_mode=network,
                tmpfs=self._engine.in_memory(image),
                init=True,
                log_config=docker.types.LogConfig(type="none"),
            ),
        )
        held = api.attach_socket(self.name, params={"stdin": 1, "stream": 1})
        api.start(self.name)
        return held

    def ask(self, argv: tuple[str, ...], limit: float, environment: Mapping[str, str] | None = None) -> Said:
        """Execute a command in the container; secrets are passed in the environment, never in an argument list."""
        return execs.ask(self._engine, self.name, argv, limit, environment)

    def close(self) -> None:
        """Remove the container; the SDK has opened three objects for its stdin, and we must close each."""
        held = getattr(self, "_stdin", None)
        for part in (getattr(held, "_response", None), getattr(held, "_sock", None), held):
            if part is not None:
                with contextlib.suppress(OSError, ValueError):
                    part.close()
        with contextlib.suppress(docker.errors.DockerException, requests.exceptions.RequestException):
            self._engine.client.api.remove_container(self.name, force=True, v=True)


def place(networks: tuple[str, ...], databases: tuple[Container, ...] | Unseen) -> str:
    """Return the network that the new container shares with its database; other networks may be gone."""
    shared = [one for one in networks if any(one in database.networks for database in known(databases))]
    return next(iter((*shared, *networks)), "bridge")


def listeners(lookout: Lookout, limit: float) -> tuple[Listener, ...]:
    """Return what listens on the engine's host.

    The lookout stands in that host's network, so the answer is the same for root and for a member of the socket's
    group.
    """
    # Filtered over there: a busy port has tens of thousands of closed connections (the probe alone leaves a few
    # hundred a second), and this is read while the service is down.
    said = lookout.ask(
        ("awk", f'$4 == "{sockets.LISTENING}"', *(f"/proc/{one}" for one in sockets.TABLES)), limit
    )
    if said.exit_code != 0:
        raise CannotObserve(f"the engine host's sockets cannot be read: {excerpt.first(said.text, 200)}")
    return parse_listeners(said.text)


def parse_listeners(text: str) -> tuple[Listener, ...]:
    """Return the listeners in the kernel's tables; several sockets may listen on the same port."""
    found = {Listener(one.ip, one.port) for one in sockets.listening(text)}
    return tuple(sorted(found, key=lambda one: (one.port, one.ip)))
