"""Applying changed settings: what differs between the running container and what the target's files say by now."""

from __future__ import annotations

from procedures import remaking
from procedures.observe import made
from procedures.target import Keys
from reports.observed import Binding, Container, Image, Rendering, Settings, Snapshot, Unseen

UNNAMED = "what only Compose knows"
"""What changes where Compose's own mark differs, and nothing that has a name does."""


def changes(container: Container, rendering: Rendering, image: Image | Unseen | None) -> tuple[str, ...]:
    """Return what a recreation would change in a container of an image, by name; values are never told."""
    # Each way of making a container has names of its own for the same settings.
    alike = remaking.alike(container, rendering)
    found = remaking.variables(container, rendering, image) if alike else ["who makes it"]
    if published_elsewhere(container.bindings, rendering.bindings):
        found.append("the published ports")
    if rendering.made is None:
        policy = rendering.restart_policy.partition(":")[0]
        found += ["restart policy"] if policy and policy != container.restart_policy else []
        grace = rendering.stop_grace
        found += [made.GRACE] if grace is not None and grace != (container.stop_grace or 10.0) else []
    found += remaking.parts(container, rendering, image)
    if remaking.mounts(container, rendering):
        found.append("the mounts")
    if not found and remaking.compose_alone_knows(container, rendering):
        found.append(UNNAMED)
    return tuple(sorted(found))


def published_elsewhere(now: tuple[Binding, ...], then: tuple[Binding, ...]) -> bool:
    """Whether other ports are published, or at other addresses; an address that the files do not name is every address, however it is told."""
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


def told(before: Snapshot, keys: Keys) -> str:
    """Tell what is applied: the container's variables, and the env file's keys as far as the settings show them."""
    rendering, container = before.operator_rendering, before.container
    if not isinstance(rendering, Rendering) or container is None:
        return ""
    changed = changes(container, rendering, before.running_image)
    said = f"changed since the container was made: {', '.join(changed) or 'nothing'}"
    named = _keys(before, rendering, container, keys)
    return said + (f"; keys of the env file: {', '.join(named)}" if named else "")


def _keys(before: Snapshot, rendering: Rendering, container: Container, keys: Keys) -> list[str]:
    ports = {one.container_port: one.host_port for one in container.bindings}
    new_ports = {one.container_port: one.host_port for one in rendering.bindings}
    wanted = {
        key: str(rendering.interpolation.get(key) or "") for key in (keys.http_port, keys.management_port)
    }
    found = [
        key
        for key, port in wanted.items()
        if port.isdigit() and int(port) in new_ports.values() and int(port) not in ports.values()
    ]
    then, now = before.running_settings, rendering.settings
    if isinstance(then, Settings) and isinstance(now, Settings):
        pairs = (
            (keys.db_host, then.db_host, now.db_host),
            (keys.db_port, then.db_port, now.db_port),
            (keys.db_name, then.db_name, now.db_name),
            (keys.db_user, then.db_user, now.db_user),
            (keys.db_password, then.db_password, now.db_password),
            (keys.basic_auth_user, then.basic_auth_user, now.basic_auth_user),
            (keys.basic_auth_password, then.basic_auth_password, now.basic_auth_password),
        )
        found += [key for key, old, new in pairs if old != new]
    return found
