"""What is kept before a change, so that the way back starts exactly what ran: a Compose model of the old container.

The target's own files may say something else by then, and are never edited. The model holds the container's values
in the clear, so it lies beside the journal with mode 0600, outside the evidence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from procedures.drivers import private
from procedures.drivers.docker_run import Said, has_hostname
from procedures.observe.rendering import copied_in, model_of
from procedures.observe.snapshot import Observers
from procedures.problems import CannotObserve
from reports.record.observed import Binding, Container, HealthCheck, Secret

SUFFIX = ".kept.json"
ANY = ".kept."
"""What stands in the name of every file that something is kept in."""
CHOSEN = ".rollback."
"""What stands in the name of the file that says what a rollback starts."""
CHOOSE = "choose"
"""What the journal calls the choice of that image."""
RENDER_LIMIT = 30.0
_FROM_THE_FILES = ("build", "env_file", "depends_on", "pull_policy", "profiles")
"""What a model of one container needs no longer: its values are all there, and its start waits for nobody."""
_OF_THE_CONTAINER = ("command", "entrypoint", "extra_hosts", "hostname", "tmpfs", "user", "working_dir")
"""What it has of its own or not at all: the files may have it only by now."""
ANONYMOUS = re.compile("[0-9a-f]{64}")
"""The name of a volume that an image has asked for, and nobody has named."""


def model(
    rendered: Mapping[str, Any], service: str, container: Container, described: Said, image: str
) -> dict[str, Any]:
    """Return a Compose model of one service, with everything that a container knows of itself.

    That is its image, values, entry point, command, user, working directory, host name, extra hosts, ports, mounts,
    networks, health check, restart policy and grace. The rest (secrets and configs that Compose copies in, limits,
    logging) is what the files say. `described` is the container in the engine's own words.
    """
    without = _FROM_THE_FILES + _OF_THE_CONTAINER
    said = {key: value for key, value in rendered["services"][service].items() if key not in without}
    own: dict[str, Any] = {
        **_process(described),
        "image": image,
        "environment": {name: _escaped(value) for name, value in container.environment.items()},
        "ports": [_port(one) for one in container.bindings],
        "healthcheck": _health(container.health_check),
    }
    if container.restart_policy != str(said.get("restart", "")).partition(":")[0]:
        own["restart"] = container.restart_policy
    if container.stop_grace is not None:
        own["stop_grace_period"] = _duration(container.stop_grace)
    parts = {part: dict(rendered.get(part) or {}) for part in ("secrets", "configs")}
    networks = _networks(container, service, rendered)
    if "network_mode" not in said and networks:
        parts["networks"] = {name: definition for name, (definition, _) in networks.items()}
        own["networks"] = {name: place for name, (_, place) in networks.items()}
    else:
        parts["networks"] = dict(rendered.get("networks") or {})
    mounts = _mounts(container, described, copied_in(said))
    own["volumes"] = mounts
    volumes = [one["source"] for one in mounts if one["type"] == "volume"]
    parts["volumes"] = {name: {"name": name, "external": True} for name in volumes}
    kept = said | own
    used = {part: _used(kept.get(part), known) for part, known in parts.items()}
    return {"name": rendered["name"], "services": {service: kept}, **{k: v for k, v in used.items() if v}}


def _process(described: Said) -> dict[str, Any]:
    """Return what a container's process is, and which hosts it knows."""
    config, host = described["Config"], described["HostConfig"]
    found = {
        # One text that is empty takes the image's own entry point away.
        "entrypoint": config.get("Entrypoint") or [""],
        "command": config.get("Cmd"),
        "user": config.get("User"),
        "working_dir": config.get("WorkingDir"),
        "hostname": config["Hostname"] if has_hostname(described) else "",
        "extra_hosts": host.get("ExtraHosts"),
        "tmpfs": [":".join(filter(None, one)) for one in (host.get("Tmpfs") or {}).items()],
    }
    return {
        key: _escaped(value) if isinstance(value, str) else [_escaped(one) for one in value]
        for key, value in found.items()
        if value
    }


def _used(by: object, known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: known[name] for name in _names(by) if name in known}


def _health(check: HealthCheck | None) -> dict[str, Any]:
    if check is None:
        return {"disable": True}
    found: dict[str, Any] = {"test": [_escaped(one) for one in check.test]}
    lengths = {"interval": check.interval, "timeout": check.timeout, "start_period": check.start_period}
    found |= {name: _duration(length) for name, length in lengths.items() if length}
    return found | ({"retries": check.retries} if check.retries else {})


def _networks(container: Container, service: str, rendered: Mapping[str, Any]) -> dict[str, Any]:
    """Return each network of a container under a key, as it is defined and how the container stands in it.

    One that the files define is made where it has gone; any other must be there. Compose itself gives the service's
    name and the container's, the engine the id.
    """
    known = {str(one.get("name")): (key, one) for key, one in (rendered.get("networks") or {}).items()}
    given = {service, container.name, container.id[:12]}
    found = {}
    for one in container.attachments:
        key, definition = known.get(one.network, (one.network, {"name": one.network, "external": True}))
        place: dict[str, Any] = {"aliases": [alias for alias in one.aliases if alias not in given]}
        found[key] = (definition, place | ({"ipv4_address": one.address} if one.address else {}))
    return found


def _mounts(container: Container, described: Said, without: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a container's mounts; volumes that nobody has named go along with Compose's own recreation."""
    asked = {one["Target"]: one for one in described["HostConfig"].get("Mounts") or ()}
    stands = {one["Destination"]: one for one in described.get("Mounts") or ()}
    in_memory = [
        {"type": "tmpfs", "target": _escaped(at), "read_only": bool(one.get("ReadOnly"))} | _options(one, {})
        for at, one in asked.items()
        if one["Type"] == "tmpfs" and at not in without
    ]
    return in_memory + [
        {
            "type": one.kind,
            "source": _escaped(one.source),
            "target": _escaped(one.target),
            "read_only": one.read_only,
        }
        | _options(asked.get(one.target, {}), stands.get(one.target, {}))
        for one in container.mounts
        if one.kind in {"volume", "bind"}
        and one.target not in without
        and not ANONYMOUS.fullmatch(one.source)
    ]


def _options(asked: Said, stands: Said) -> dict[str, Any]:
    """Return what a mount has besides its place: as it was asked for, and as it stands."""
    volume, memory = asked.get("VolumeOptions") or {}, asked.get("TmpfsOptions") or {}
    modes = set(str(stands.get("Mode", "")).split(","))
    found: dict[str, dict[str, Any]] = {
        "volume": {
            "subpath": _escaped(volume.get("Subpath") or ""),
            "nocopy": volume.get("NoCopy") or "nocopy" in modes,
        },
        "tmpfs": {"size": memory.get("SizeBytes"), "mode": memory.get("Mode")},
        "bind": {
            "propagation": str(stands.get("Propagation") or "").replace(
                "rprivate", ""
            ),  # the engine's own default
            "selinux": next(iter(sorted(modes & {"z", "Z"})), ""),
        },
    }
    given = {kind: {key: value for key, value in one.items() if value} for kind, one in found.items()}
    return {kind: one for kind, one in given.items() if one}


def _duration(length: float) -> str:
    return f"{round(length * 1000)}ms"


def write(file: Path, observers: Observers, container: Container, image: str) -> None:
    """Write the model of a container where only its owner can read it, safe from a crash."""
    rendered, _ = model_of(observers.compose.render(RENDER_LIMIT))
    described = observers.engine.described(container.id)
    if described is None:
        raise CannotObserve(f"the container {container.name} has gone, so nothing of it can be kept")
    text = json.dumps(model(rendered, observers.target.service, container, described, image), indent=1)
    private.write(file, text)


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
