"""A container that is nobody's business: built from the Kestra image, similarly named, and running on throughout."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import docker.errors
from docker.models.containers import Container

from tests.stacks import Stack


@contextmanager
def foreign(stack: Stack, name: str = "kestra-dev") -> Iterator[Container]:
    """Run a developer's container made from the stack's image; at the end it must still be the same, undisturbed.

    Whoever stops by the image (`ancestor=`), by a piece of the name or by a command's words would hit it.
    """
    tag = f"{stack.prefix}{name}:latest"
    text = f"FROM {stack.image}\nLABEL dev=true\n"
    with stack.client() as client:
        client.images.build(fileobj=io.BytesIO(text.encode()), tag=tag, rm=True)
        try:
            made = client.containers.run(
                tag, name=f"{stack.prefix}{name}", detach=True, entrypoint=["sleep", "900"], command=[]
            )
            try:
                then = _told(made)
                yield made
                assert _told(made) == then, "the foreign container was touched"
            finally:
                with suppress(docker.errors.NotFound):
                    made.remove(force=True, v=True)
        finally:
            client.images.remove(tag, force=True)


def _told(container: Container) -> tuple[str, str, int, str]:
    """What changes of a container when somebody touches it."""
    container.reload()
    return (
        str(container.status),
        str(container.attrs["State"]["StartedAt"]),
        int(container.attrs["RestartCount"]),
        str(container.name),
    )
