"""Doors: the addresses at which a container itself listens, behind those at which it is published."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from procedures.observe.engine.engine import EngineObserver
from procedures.problems import CannotObserve


@dataclass(frozen=True, slots=True)
class Door:
    """An address of a container's own; `ways` are the numbers of a path's addresses that lead to it."""

    host: str
    port: int
    ways: tuple[int, ...]


def of_container(
    engine: EngineObserver, container: str, paths: Mapping[str, Sequence[str]]
) -> dict[str, Door]:
    """Return the doors of a container for paths and their addresses; none if the engine is on another machine."""
    if not engine.where.url.startswith("unix:"):
        return {}
    try:
        said = engine.described(container) or {}
    except CannotObserve:
        return {}
    return {name: door for name, urls in paths.items() if (door := door_of(said, urls)) is not None}


def door_of(said: Mapping[str, Any], urls: Sequence[str]) -> Door | None:
    """Return the door to which the addresses of a path lead, by the ports that the engine says it publishes."""
    host = address_of(said)
    ports = [_inside(said, urlsplit(url).port or 80) for url in urls]
    port = next((one for one in ports if one), 0)
    if not host or not port:
        return None
    return Door(host, port, tuple(way for way, one in enumerate(ports) if one == port))


def address_of(said: Mapping[str, Any]) -> str:
    """Return an address of a container that is reached from here through the engine's own bridge."""
    networks = (said.get("NetworkSettings") or {}).get("Networks") or {}
    for one in networks.values():
        address, gateway = (one or {}).get("IPAddress"), (one or {}).get("Gateway")
        if address and gateway and source_to(address) == gateway:
            return str(address)
    return ""


def source_to(address: str) -> str:
    """Return this machine's own address for a connection to another one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect((address, 9))
        except OSError:
            return ""
        return str(one.getsockname()[0])


def _inside(said: Mapping[str, Any], published: int) -> int:
    """Return the container's own port behind a published one; 0 if there is none."""
    ports = (said.get("NetworkSettings") or {}).get("Ports") or {}
    for port, bindings in ports.items():
        number, _, protocol = port.partition("/")
        if protocol == "tcp" and any(one.get("HostPort") == str(published) for one in bindings or ()):
            return int(number)
    return 0
