"""What makes a container again: the engine accepts for a new container what it describes of an old one.

The rest of a description belongs to the running container: id, times and assigned addresses. Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from procedures.observe.engine.description import (
    ANONYMOUS,
    Described,
    has_hostname,
    network_mode,
    shares_a_network,
)

_NAMED_BY_THE_ENGINE = frozenset({"host", "none"})
_OF_A_PLACE = ("Aliases", "DriverOpts", "GwPriority", "IPAMConfig", "Links")
"""The container's own settings for a network; the engine assigns the rest."""
_OF_A_NETWORK = ("Attachable", "Driver", "EnableIPv6", "IPAM", "Internal", "Labels", "Name", "Options")
_FROM_AN_IMAGE = ("Entrypoint", "Healthcheck", "StopSignal", "User", "WorkingDir")


@dataclass(frozen=True, slots=True)
class Creation:
    """A container to be made: its configuration, its host configuration, and its settings for each network, by name.

    It is made in the network `first`, if that has settings; the others are connected before its start.
    """

    config: Mapping[str, Any]
    host: Mapping[str, Any]
    first: str
    places: Mapping[str, Mapping[str, Any]]

    def body(self, image: str) -> dict[str, Any]:
        """Return what `POST /containers/create` takes, for an image by name or id."""
        place = {self.first: self.places[self.first]} if self.places.get(self.first) else {}
        return {
            **self.config,
            "Image": image,
            "HostConfig": self.host,
            "NetworkingConfig": {"EndpointsConfig": place},
        }

    @property
    def others(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """The settings for further networks: an engine before 25 takes only one network at creation."""
        return tuple((name, place) for name, place in self.places.items() if name != self.first)


def of(container: Described, image: Described) -> Creation:
    """Return what makes a container again from the image that it was made of."""
    mode = _network_by_name(container)
    first = "bridge" if mode == "default" else mode
    return Creation(_config(container, image), _host(container), first, _places(container))


def of_another_image(container: Described, image: Described) -> Creation:
    """Return what makes a container again from another image: without what `image`, its own image, brought."""
    same, old = of(container, image), image.get("Config") or {}
    config = dict(same.config)
    for name in _FROM_AN_IMAGE:
        if (config.get(name) or None) == (old.get(name) or None):
            config.pop(name, None)
    if "Entrypoint" not in config and (config.get("Cmd") or None) == (old.get("Cmd") or None):
        # Beside an entry point of the container's own, an image's command counts for nothing.
        config.pop("Cmd", None)
    config["Env"] = [one for one in config.get("Env") or () if one not in (old.get("Env") or ())]
    for name in ("ExposedPorts", "Volumes"):
        config[name] = {
            key: value for key, value in (config.get(name) or {}).items() if key not in (old.get(name) or {})
        }
    labels = old.get("Labels") or {}
    config["Labels"] = {
        name: value for name, value in (config.get("Labels") or {}).items() if labels.get(name) != value
    }
    return Creation(config, same.host, same.first, same.places)


def definition_of(network: Described) -> dict[str, Any]:
    """Return what `POST /networks/create` takes to make a network again."""
    return {name: network[name] for name in _OF_A_NETWORK if network.get(name)}


def differences(wanted: Creation, made: Creation) -> tuple[str, ...]:
    """Return in what a container that was made differs, by the engine's own names."""
    parts = (("Config", wanted.config, made.config), ("HostConfig", wanted.host, made.host))
    found = [
        f"{part}.{name}"
        for part, then, now in parts
        for name in sorted(then.keys() | now.keys())
        if name != "Image" and _plain(name, then.get(name)) != _plain(name, now.get(name))
    ]
    places = [
        f"its place in {name}"
        for name in sorted(wanted.places.keys() | made.places.keys())
        if _plain(name, wanted.places.get(name)) != _plain(name, made.places.get(name))
    ]
    return (*found, *places)


def _plain(name: str, value: Any) -> Any:
    """Return a value in a form that compares: nothing is nothing in whatever form, and some lists are sets."""
    if isinstance(value, Mapping):
        there = {key: _plain(key, one) for key, one in value.items()}
        return {key: one for key, one in there.items() if one is not None} or None
    if isinstance(value, list):
        found = [_plain("", one) for one in value]
        return (sorted(found, key=str) if name in {"Env", "Aliases"} else found) or None
    return value or None


def _config(container: Described, image: Described) -> dict[str, Any]:
    config = dict(container["Config"])
    if not has_hostname(container):
        config.pop("Hostname", None)
    if shares_a_network(container):
        # The engine refuses these beside another container's network; it adds the image's own by itself.
        config.pop("ExposedPorts", None)
    if not config.get("Entrypoint") and (image.get("Config") or {}).get("Entrypoint"):
        # A list of one empty text removes the image's own entry point.
        config["Entrypoint"] = [""]
    return config


def _host(container: Described) -> dict[str, Any]:
    host = {key: value for key, value in container["HostConfig"].items() if key != "ContainerIDFile"}
    host["NetworkMode"] = _network_by_name(container)
    if host.get("Links"):
        host["Links"] = [_link(one) for one in host["Links"]]
    if not host.get("AutoRemove"):
        _name_volumes(host, container)
    return host


def _network_by_name(container: Described) -> str:
    """Return the network mode with the network's name instead of its id: a new network has another id."""
    mode = network_mode(container)
    known = container["NetworkSettings"].get("Networks") or {}
    return next((name for name, place in known.items() if place.get("NetworkID") == mode), mode)


def _link(link: str) -> str:
    """Return a link as a request gives it; the engine describes `db:alias` as `/db:/kestra/alias`."""
    other, _, alias = link.partition(":")
    return f"{other.lstrip('/')}:{alias.rpartition('/')[2]}"


def _name_volumes(host: dict[str, Any], container: Described) -> None:
    """Name unnamed volumes by the names that the engine gave them, so that their content stays."""
    volumes = {
        one["Destination"]: one["Name"]
        for one in container.get("Mounts") or ()
        if one["Type"] == "volume" and ANONYMOUS.fullmatch(one.get("Name") or "")
    }
    mounts = [
        {**one, "Source": volumes.pop(one["Target"])}
        if one["Target"] in volumes and not one.get("Source")
        else one
        for one in host.get("Mounts") or ()
    ]
    if mounts:
        host["Mounts"] = mounts
    named = {one.split(":")[1] for one in host.get("Binds") or () if ":" in one} | {
        one["Target"] for one in mounts
    }
    more = [f"{name}:{at}" for at, name in sorted(volumes.items()) if at not in named]
    if more:
        host["Binds"] = [*(host.get("Binds") or ()), *more]


def _places(container: Described) -> dict[str, dict[str, Any]]:
    """Return a container's network settings, without what the engine assigned."""
    if shares_a_network(container):
        return {}
    own = container["Id"][:12]
    found = {}
    for name, place in (container["NetworkSettings"].get("Networks") or {}).items():
        if name in _NAMED_BY_THE_ENGINE:
            continue
        aliases = [one for one in place.get("Aliases") or () if one != own]
        given = {**place, "Aliases": aliases}
        found[name] = {key: given[key] for key in _OF_A_PLACE if given.get(key)}
    return found
