"""The engine's own description of a container, as it answers `GET /containers/ID/json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Described = Mapping[str, Any]
"""The engine's own description of a container or an image."""

ANONYMOUS = re.compile("[0-9a-f]{64}")
"""The name of an anonymous volume, which an image has asked for."""


def network_mode(container: Described) -> str:
    """Return a container's network mode: a network's name or id, or `host`, `none`, `container:ID`."""
    return container["HostConfig"].get("NetworkMode") or "default"


def shares_a_network(container: Described) -> bool:
    """Whether a container uses the network of its host or of another container, and so has no host name of its own."""
    mode = network_mode(container)
    return mode == "host" or mode.startswith("container:")


def has_hostname(container: Described) -> bool:
    """Whether a host name was set; otherwise it is the container's own id, or the host's name."""
    name = container["Config"].get("Hostname") or ""
    return bool(name) and not shares_a_network(container) and not container["Id"].startswith(name)
