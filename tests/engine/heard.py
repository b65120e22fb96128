"""What the engine does to containers in a time, by whoever: heard as it comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker

from tests.leftovers import own_name
from tests.stacks import engine

# What changes a container; a health check's own execs are no change.
CHANGES = [
    "create",
    "start",
    "stop",
    "kill",
    "die",
    "destroy",
    "restart",
    "pause",
    "unpause",
    "rename",
    "update",
]
# An engine that tests share says a hundred events a second at times.
LIMIT = 60.0


class Heard:
    """The changes that were heard while a block ran; whole when it has ended."""

    def __init__(self) -> None:
        self._said: list[dict[str, Any]] = []

    def of(self, label: str) -> list[tuple[str, str]]:
        """Return what was done to the containers with a label, `key=value`: each action and the container's name."""
        key, _, value = label.partition("=")
        return [
            (str(one["Action"]), str(one["Actor"]["Attributes"].get("name")))
            for one in self._said
            if one["Actor"]["Attributes"].get(key) == value
        ]

    def listen(self, stream: Any, end: str) -> None:
        """Keep what comes up to the making of a volume by this name."""
        for one in stream:
            if one["Type"] == "volume" and one["Actor"]["ID"] == end:
                return
            if one["Type"] == "container":
                self._said.append(one)


@contextmanager
def heard() -> Iterator[Heard]:
    """Hear what the engine does to containers while the block runs.

    Asked afterwards, the engine remembers its last 256 events only: on an engine that other tests use, nothing of a
    run may be among them. The end of what is heard is a volume that is made and removed when the block has ended.
    """
    told, end = Heard(), f"{own_name()}-heard"
    with engine() as client:
        filters = {"type": ["container", "volume"], "event": CHANGES}
        stream = client.events(decode=True, filters=filters)
        listener = threading.Thread(target=told.listen, args=(stream, end), daemon=True)
        listener.start()
        try:
            yield told
        finally:
            _say(client, end)
            listener.join(LIMIT)
            stream.close()
        assert not listener.is_alive(), f"the engine's events did not come to their end within {LIMIT:g} s"


def _say(client: docker.DockerClient, name: str) -> None:
    client.volumes.create(name).remove()
