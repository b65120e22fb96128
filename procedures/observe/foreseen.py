"""What the operator's start script would start; where a script starts the service, it counts instead of Compose's files."""

from __future__ import annotations

import dataclasses
import re

from procedures.target.steps_by import START
from reports.record.observed import Binding, Rendering, Unseen
from reports.record.scripted import Creation, Rehearsal, ScriptSeen
from reports.record.values import known

_PORT = re.compile(r"(?:(?P<ip>\[[^]]+\]|[^:]*):)?(?:(?P<host>\d*):)?(?P<port>\d+)(?:/(?P<protocol>\w+))?")


def creation_of(scripts: tuple[ScriptSeen, ...] | Unseen | None, name: str) -> Creation | None:
    """Return the service's container as the start script would make it; None if no rehearsal shows it."""
    made = [
        creation
        for one in known(scripts)
        if one.step == START and isinstance(one.rehearsal, Rehearsal)
        for creation in one.rehearsal.creations
    ]
    return next((one for one in made if one.name == name), None)


def rendering(files: Rendering, creation: Creation) -> Rendering:
    """Return what is started: what this creation says, and for the rest what Compose renders of the files."""
    known = creation.environment
    return dataclasses.replace(
        files,
        image=creation.image,
        bindings=tuple(_binding(one) for one in creation.ports if _PORT.fullmatch(one)),
        stop_grace=creation.stop_grace,
        restart_policy=creation.restart,
        has_health_check=creation.has_health_check,
        # Nothing is claimed about an unknown environment: its settings are unseen.
        environment={} if isinstance(known, Unseen) else known,
        volumes=creation.volumes,
        networks=creation.networks,
        external_networks=files.external_networks if creation.by_compose else (),
        by_compose=creation.by_compose,
        made=None,
        mounts=None,
        hashes=(),
        unread="",
    )


def _binding(port: str) -> Binding:
    found = _PORT.fullmatch(port)
    assert found is not None
    ip, host = found["ip"] or "", found["host"]
    if host is None and ip.isdigit():
        ip, host = "", ip
    return Binding(f"{found['port']}/{found['protocol'] or 'tcp'}", ip.strip("[]"), int(host or 0))
