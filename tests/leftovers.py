"""What tests call their things on the engine, and what is left there of tests that were killed.

A killed test removes nothing, and what it left is started again with the engine: a machine that tests are killed on
gets slower from day to day. Each name tells the process that gave it, so that the next tests can clear it away.
`python -m tests.leftovers` does so; what a living process has made is left alone.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import docker
import docker.errors

_numbers = itertools.count()
_OURS = re.compile(r"\btest-([0-9a-f]{6})[0-9a-f]{4}\b")


def own_name() -> str:
    """Return a name that no other test has, for a container, a network, a volume, a tag, or a prefix of them."""
    return f"test-{os.getpid():06x}{next(_numbers) % 0x10000:04x}"


def clear(client: docker.DockerClient) -> list[str]:
    """Remove what processes that have ended left on an engine; return what each of these things was called."""
    gone = []
    for container in client.containers.list(all=True, ignore_removed=True):
        if _is_left([str(container.name), *container.labels.values()]):
            with suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)
            gone.append(f"container {container.name}")
    for kind, found in (("network", client.networks.list()), ("volume", client.volumes.list())):
        for one in found:
            if _is_left([str(one.name)]):
                with suppress(docker.errors.NotFound):
                    one.remove()
                gone.append(f"{kind} {one.name}")
    for image in client.images.list():
        for tag in image.tags:
            if _is_left([tag]):
                client.images.remove(tag, force=True)
                gone.append(f"image {tag}")
    return gone


def _is_left(words: Iterable[str]) -> bool:
    owners = {int(found[1], 16) for word in words for found in _OURS.finditer(word)}
    return bool(owners) and not any(Path(f"/proc/{one}").exists() for one in owners)


def main() -> None:
    """Clear this machine's engine, and say what was there."""
    client = docker.from_env(timeout=60)
    try:
        gone = clear(client)
    finally:
        client.close()
    if gone:
        print(f"engine: removed what killed tests had left ({len(gone)}): {', '.join(gone)}")


if __name__ == "__main__":
    main()
