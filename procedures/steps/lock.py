"""The lock: a container that is created and never started, on the engine, where everybody who could act sees it."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import docker.errors
import requests

from procedures.drivers.labels import OURS
from procedures.observe.engine.engine import EngineObserver
from procedures.problems import CannotObserve
from procedures.steps.process import Process

_LABEL = "io.kestra-restart.lock."
TRIES = 20
"""How often the lock is tried while its holder is gone at every look."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a target: written by the holder, read by everybody else."""

    run: str
    procedure: str
    user: str
    process: Process
    since: str
    why: str
    journal: str

    @staticmethod
    def me(run: str, procedure: str, why: str, journal: Path, user: str) -> Holder:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Holder(run, procedure, user, Process.me(), now, why, str(journal))

    @property
    def labels(self) -> dict[str, str]:
        """The labels on the lock that describe the holder."""
        of_process = {name: getattr(self.process, name) for name in _OF_PROCESS}
        return {
            _LABEL + name: str(value)
            for name, value in ({name: getattr(self, name) for name in _OF_RUN} | of_process).items()
        }

    @property
    def description(self) -> str:
        return (
            f"{self.procedure} run {self.run} of {self.user}@{self.process.host} (process {self.process.pid}), "
            f"since {self.since}" + (f", because: {self.why}" if self.why else "")
            + f"; its journal: {self.journal}"
        )  # fmt: skip

    @property
    def is_gone(self) -> bool:
        """Whether the holder is provably gone."""
        return self.process.is_gone

    @property
    def is_elsewhere(self) -> bool:
        """Whether it cannot be known from here if the holder lives."""
        return bool(self.process.hidden)


_OF_PROCESS = Process.__slots__
_OF_RUN = tuple(name for name in Holder.__slots__ if name != "process")


class Lock:
    """The lock of one target on one engine."""

    def __init__(self, engine: EngineObserver, project: str, service: str) -> None:
        key = hashlib.sha256(f"{project}\n{service}".encode()).hexdigest()[:12]
        self.name = f"kestra-restart-lock-{key}"
        self._engine = engine
        self._container = ""

    def take(self, me: Holder, image: str, tries: int = TRIES) -> Holder | None:
        """Take the lock; return None, or its holder. The engine creates a container by name atomically."""
        labels = {OURS: "lock", **me.labels}
        try:
            api = self._engine.client.api
            memory = api.create_host_config(tmpfs=self._engine.in_memory(image))
            made = api.create_container(
                image, command=["true"], name=self.name, labels=labels, host_config=memory
            )
        except docker.errors.APIError as error:
            if error.status_code == 409:
                return self.holder() or self._again(me, image, tries - 1)
            raise CannotObserve(f"the lock {self.name} cannot be taken: {error.explanation}") from error
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            raise CannotObserve(f"the lock {self.name} cannot be taken: {error}") from error
        self._container = str(made["Id"])
        return None

    def _again(self, me: Holder, image: str, tries: int) -> Holder | None:
        """Try once more: the holder let go between our two looks, or the engine reserves the name without a container."""
        if tries <= 0:
            raise CannotObserve(
                f"the lock {self.name} cannot be taken: the engine calls the name taken and shows no container of it",
                f"`docker rm -f {self.name}`, else restart the engine in a quiet hour",
            )
        time.sleep(0.05)
        if (holder := self.holder()) is not None:
            return holder
        return self.take(me, image, tries)

    def holder(self) -> Holder | None:
        """Return the present holder of the lock."""
        found = self._engine.named(self.name)
        return _holder(found.labels) if found else None

    @property
    def is_ours(self) -> bool:
        """Whether the lock is still the container that we made: a `docker container prune` removes it."""
        found = self._engine.named(self.name)
        return bool(found and self._container and found.id == self._container)

    def take_over(self, from_run: str) -> None:
        """Remove the lock if it belongs to this holder, which is gone."""
        found = self._engine.named(self.name)
        if found and found.labels.get(_LABEL + "run") == from_run:
            self._remove(found.id)

    def let_go(self) -> None:
        if self._container:
            self._remove(self._container)
            self._container = ""

    def _remove(self, container: str) -> None:
        with contextlib.suppress(
            docker.errors.NotFound, docker.errors.APIError, requests.exceptions.RequestException
        ):
            self._engine.client.api.remove_container(container, force=True, v=True)


def _holder(labels: Mapping[str, str]) -> Holder:
    def text(name: str) -> str:
        return labels.get(_LABEL + name, "")

    pid = text("pid")
    process = Process(
        text("host"), int(pid) if pid.isdigit() else 0, text("boot"), text("namespace"), text("began")
    )
    return Holder(
        text("run"), text("procedure"), text("user"), process, text("since"), text("why"), text("journal")
    )
