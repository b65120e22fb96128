"""The settings that a server reads from its environment, passed through the image's own `echo` if that may change them."""

from __future__ import annotations

import time
from collections.abc import Mapping

import docker.errors
import requests

from procedures.drivers.labels import OURS
from procedures.kestra.configuration import VARIABLE, settings
from procedures.observe.engine.engine import EngineObserver, within
from procedures.problems import CannotObserve
from reports.record.observed import Image, Secret, Settings, Unseen
from reports.redaction import excerpt


class Configuration:
    """Reads settings as the server will; `limit` is in seconds for one look, `run` names our helper containers."""

    def __init__(self, engine: EngineObserver, limit: float, run: str) -> None:
        self._engine = engine
        self._limit = limit
        self._run = run

    def read(self, environment: Mapping[str, str | Secret], image: Image | Unseen) -> Settings:
        """Return the settings that an image's server reads from an environment."""
        if isinstance(image, Unseen):
            raise CannotObserve(image.unseen, image.next_move)
        plain = {
            name: value.value if isinstance(value, Secret) else value for name, value in environment.items()
        }
        text = plain.get(VARIABLE, "")
        if not text:
            raise CannotObserve(f"the container gets no {VARIABLE}; where its settings come from is unknown")
        return settings(self._echoed(text, image.id), plain)

    def _echoed(self, text: str, image: str) -> str:
        """Return the configuration as the image's own `echo` writes it: some shells interpret backslashes."""

        def echo() -> bytes:
            said: bytes = self._engine.client.containers.run(
                image, entrypoint=["sh", "-c", f'echo "${{{VARIABLE}}}"'], command=[], remove=True,
                environment={VARIABLE: text}, network_mode="none", labels={OURS: "echo"},
                name=f"kestra-restart-echo-{self._run}-{time.monotonic_ns() % 10**9}",
            )  # fmt: skip
            return said

        if "\\" not in text:
            # Every shell's echo writes a text without backslashes alike.
            return text
        try:
            return bytes(within(self._limit, "the image's echo", echo)).decode(errors="replace")
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            raise CannotObserve(
                f"the image's echo could not be asked: {excerpt.one_line(str(error), 200)}"
            ) from error
