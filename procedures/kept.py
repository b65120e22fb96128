"""What is kept before a change, so that the way back starts exactly what ran: a Compose model of the old container.

The target's own files may say something else by then, and are never edited. The model holds the container's values
in the clear, so it lies beside the journal with mode 0600, outside the evidence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from procedures.observe.rendering import model_of
from procedures.observe.snapshot import Observers
from reports.observed import Binding, Container, Secret

SUFFIX = ".kept.json"
RENDER_LIMIT = 30.0
_FROM_THE_FILES = ("build", "env_file", "depends_on", "pull_policy", "profiles")
"""What a model of one container needs no longer: its values are all there, and its start waits for nobody."""


def model(rendered: Mapping[str, Any], service: str, container: Container, image: str) -> dict[str, Any]:
    """Return a Compose model of one service, with a container's own image, values, command and ports.

    Everything else (volumes, networks, secrets, health check, restart policy) is what the files say.
    """
    kept = {key: value for key, value in rendered["services"][service].items() if key not in _FROM_THE_FILES}
    kept["image"] = image
    kept["environment"] = {name: _escaped(value) for name, value in container.environment.items()}
    if container.command:
        kept["command"] = [_escaped(one) for one in container.command]
    kept["ports"] = [_port(one) for one in container.bindings]
    used = {
        part: {name: rendered[part][name] for name in _names(kept.get(part)) if name in rendered[part]}
        for part in ("volumes", "networks", "secrets", "configs")
        if rendered.get(part)
    }
    return {"name": rendered["name"], "services": {service: kept}, **used}


def write(file: Path, observers: Observers, container: Container, image: str) -> None:
    """Write the model of a container where only its owner can read it, safe from a crash."""
    rendered, _ = model_of(observers.compose.render(RENDER_LIMIT))
    text = json.dumps(model(rendered, observers.target.service, container, image), indent=1)
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _escaped(value: str | Secret) -> str:
    """Write a value so that Compose takes it as it stands."""
    return (value.value if isinstance(value, Secret) else value).replace("$", "$$")


def _port(one: Binding) -> dict[str, object]:
    port, _, protocol = one.container_port.partition("/")
    return {
        "mode": "ingress",
        "host_ip": one.host_ip,
        "target": int(port),
        "published": str(one.host_port),
        "protocol": protocol or "tcp",
    }


def _names(used: object) -> list[str]:
    """Return the names of the volumes or networks that a service uses, in either of Compose's two forms."""
    if isinstance(used, Mapping):
        return [str(one) for one in used]
    if isinstance(used, list):
        return [str(one.get("source", "")) for one in used if isinstance(one, Mapping)]
    return []
