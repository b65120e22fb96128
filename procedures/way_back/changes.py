"""What would change in a container that is made anew from the target's files, by name."""

from __future__ import annotations

from procedures.observe.engine import made
from procedures.way_back import recreation
from reports.record.observed import Binding, Container, Image, Rendering, Unseen

UNNAMED = "what only Compose knows"
"""The name of a change that only Compose's own mark shows."""


def changes(container: Container, rendering: Rendering, image: Image | Unseen | None) -> tuple[str, ...]:
    """Return the names of what a recreation would change in a container of an image; values are never shown."""
    # Compose and other tools name the same settings differently.
    alike = recreation.alike(container, rendering)
    found = recreation.variables(container, rendering, image) if alike else ["who makes it"]
    if published_elsewhere(container.bindings, rendering.bindings):
        found.append("the published ports")
    if rendering.made is None:
        policy = rendering.restart_policy.partition(":")[0]
        found += ["restart policy"] if policy and policy != container.restart_policy else []
        grace = rendering.stop_grace
        found += [made.GRACE] if grace is not None and grace != (container.stop_grace or 10.0) else []
    found += recreation.parts(container, rendering, image)
    if recreation.mounts(container, rendering):
        found.append("the mounts")
    if not found and recreation.compose_alone_knows(container, rendering):
        found.append(UNNAMED)
    return tuple(sorted(found))


def published_elsewhere(now: tuple[Binding, ...], then: tuple[Binding, ...]) -> bool:
    """Whether other ports or addresses are published; if the files name no address, that is every address."""
    anywhere = {(one.container_port, one.host_port) for one in then if not one.host_ip}

    def plain(bindings: tuple[Binding, ...]) -> set[tuple[str, str, int]]:
        return {
            (
                one.container_port,
                "" if (one.container_port, one.host_port) in anywhere else one.host_ip,
                one.host_port,
            )
            for one in bindings
        }

    return plain(now) != plain(then)
