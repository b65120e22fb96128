"""How a container that Compose has not made is made again: the words of `docker create`, and what no word can say.

Both are read from the engine's own description of it. What is not known here and is not the engine's default cannot be
said: whoever relies on it must know that before the container goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Said = Mapping[str, Any]
"""What the engine says of a container or an image."""

_TEXTS = {
    "CgroupParent": "--cgroup-parent",
    "CgroupnsMode": "--cgroupns",
    "CpusetCpus": "--cpuset-cpus",
    "CpusetMems": "--cpuset-mems",
    "IpcMode": "--ipc",
    "PidMode": "--pid",
    "Runtime": "--runtime",
    "UTSMode": "--uts",
    "UsernsMode": "--userns",
    "VolumeDriver": "--volume-driver",
    "CpuPeriod": "--cpu-period",
    "CpuQuota": "--cpu-quota",
    "CpuShares": "--cpu-shares",
    "Memory": "--memory",
    "MemoryReservation": "--memory-reservation",
    "MemorySwap": "--memory-swap",
    "OomScoreAdj": "--oom-score-adj",
    "PidsLimit": "--pids-limit",
    "ShmSize": "--shm-size",
}
_LISTS = {
    "Binds": "--volume",
    "CapAdd": "--cap-add",
    "CapDrop": "--cap-drop",
    "Dns": "--dns",
    "DnsOptions": "--dns-option",
    "DnsSearch": "--dns-search",
    "ExtraHosts": "--add-host",
    "GroupAdd": "--group-add",
    "SecurityOpt": "--security-opt",
}
_FLAGS = {
    "AutoRemove": "--rm",
    "Init": "--init",
    "OomKillDisable": "--oom-kill-disable",
    "PublishAllPorts": "--publish-all",
    "ReadonlyRootfs": "--read-only",
}
_PAIRS = {"Sysctls": ("--sysctl", "="), "Tmpfs": ("--tmpfs", ":")}
_OTHERWISE = frozenset(
    {"LogConfig", "Mounts", "NanoCpus", "NetworkMode", "PortBindings", "RestartPolicy", "Ulimits"}
)
OF_NO_MATTER = frozenset({"ConsoleSize", "ContainerIDFile", "Isolation", "MaskedPaths", "ReadonlyPaths"})
"""What follows from the rest, or from where it was typed."""
_CONFIG = frozenset({
    "ArgsEscaped", "AttachStderr", "AttachStdin", "AttachStdout", "Cmd", "Entrypoint", "Env", "ExposedPorts",
    "Healthcheck", "Hostname", "Image", "Labels", "OnBuild", "OpenStdin", "StdinOnce", "StopSignal", "StopTimeout",
    "Tty", "User", "Volumes", "WorkingDir",
})  # fmt: skip
_UNSAYABLE = frozenset({"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"})
"""Variables that some shells let nobody set."""
_LONGEST = 120_000
"""Bytes of one value; the kernel takes no longer one from a shell."""
_HEALTH = {
    "Interval": "--health-interval",
    "Timeout": "--health-timeout",
    "StartPeriod": "--health-start-period",
    "StartInterval": "--health-start-interval",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a container is made again.

    `options` stand before the image and `command` behind it; `environment` is given by name alone. `networks` are the
    words of `docker network connect` for each network but the first. `lacking` is what cannot be said.
    """

    options: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    networks: tuple[tuple[str, ...], ...]
    lacking: tuple[str, ...]


def recipe(container: Said, image: Said) -> Recipe:
    """Return how a container of an image is made again, with everything that it has of its own."""
    config, of_image = container["Config"], image.get("Config") or {}
    first, *others = _networks(container)
    command = [*(config.get("Entrypoint") or ())[1:]] if _is_own(config, of_image, "Entrypoint") else []
    return Recipe(
        options=(
            *_of_config(container, of_image),
            *_of_host(container["HostConfig"]),
            *_mounts(container),
            *first,
        ),
        command=(*command, *(config.get("Cmd") or ())),
        environment=_environment(config, of_image),
        networks=tuple(others),
        lacking=tuple(_lacking(container, of_image)),
    )


def _of_config(container: Said, image: Said) -> Iterator[str]:
    config = container["Config"]
    for key, word in (("User", "--user"), ("WorkingDir", "--workdir"), ("StopSignal", "--stop-signal")):
        if _is_own(config, image, key):
            yield from (word, str(config[key]))
    if has_hostname(container):
        yield from ("--hostname", config["Hostname"])
    if config.get("StopTimeout") is not None:
        yield from ("--stop-timeout", str(config["StopTimeout"]))
    if _is_own(config, image, "Entrypoint"):
        yield from ("--entrypoint", (config.get("Entrypoint") or [""])[0])
    yield from (word for key, word in (("Tty", "--tty"), ("OpenStdin", "--interactive")) if config.get(key))
    if _is_own(config, image, "Healthcheck"):
        yield from _health(config["Healthcheck"] or {})
    yield from _labels(config, image)
    yield from _exposed(container, image)


def _labels(config: Said, image: Said) -> Iterator[str]:
    for name, value in (config.get("Labels") or {}).items():
        if (image.get("Labels") or {}).get(name) != value:
            yield from ("--label", f"{name}={value}")


def _exposed(container: Said, image: Said) -> Iterator[str]:
    """Name the ports that are neither the image's nor published: they tell others what listens there."""
    published = container["HostConfig"].get("PortBindings") or {}
    for port in container["Config"].get("ExposedPorts") or {}:
        if port not in published and port not in (image.get("ExposedPorts") or {}):
            yield from ("--expose", port)


def _health(check: Said) -> Iterator[str]:
    kind, *words = check.get("Test") or [""]
    if kind == "NONE":
        yield "--no-healthcheck"
        return
    if kind == "CMD-SHELL":
        yield from ("--health-cmd", words[0])
    yield from (
        word for key, option in _HEALTH.items() if check.get(key) for word in (option, f"{check[key]}ns")
    )
    if check.get("Retries"):
        yield from ("--health-retries", str(check["Retries"]))


def _of_host(host: Said) -> Iterator[str]:
    yield from (word for key, option in _TEXTS.items() if host.get(key) for word in (option, str(host[key])))
    yield from (
        word for key, option in _LISTS.items() for one in host.get(key) or () for word in (option, one)
    )
    yield from (option for key, option in _FLAGS.items() if host.get(key))
    for key, (option, sign) in _PAIRS.items():
        for name, value in (host.get(key) or {}).items():
            yield from (option, f"{name}{sign}{value}" if value else name)
    for one in host.get("Ulimits") or ():
        yield from ("--ulimit", f"{one['Name']}={one['Soft']}:{one['Hard']}")
    if host.get("NanoCpus"):
        yield from ("--cpus", f"{host['NanoCpus'] / 1e9:.9f}".rstrip("0").rstrip("."))
    policy = host.get("RestartPolicy") or {}
    if policy.get("Name") not in {None, "", "no"}:
        most = f":{policy['MaximumRetryCount']}" if policy.get("MaximumRetryCount") else ""
        yield from ("--restart", f"{policy['Name']}{most}")
    log = host.get("LogConfig") or {}
    if log.get("Type"):
        yield from ("--log-driver", log["Type"])
    for name, value in (log.get("Config") or {}).items():
        yield from ("--log-opt", f"{name}={value}")
    for port, bindings in (host.get("PortBindings") or {}).items():
        for one in bindings or ():
            yield from ("--publish", _published(port, one))


def _published(port: str, binding: Said) -> str:
    address, number = binding.get("HostIp") or "", binding.get("HostPort") or ""
    if ":" in address:
        address = f"[{address}]"
    if not address and not number:
        return port
    return f"{address}:{number}:{port}" if address else f"{number}:{port}"


def _mounts(container: Said) -> Iterator[str]:
    host = container["HostConfig"]
    named = {one.split(":")[1] for one in host.get("Binds") or () if ":" in one} | set(
        host.get("Tmpfs") or {}
    )
    for one in host.get("Mounts") or ():
        named.add(one["Target"])
        words = [f"type={one['Type']}", f"target={one['Target']}"]
        words += [f"source={one['Source']}"] if one.get("Source") else []
        yield from ("--mount", ",".join([*words, *(["readonly"] if one.get("ReadOnly") else [])]))
    for one in container.get("Mounts") or ():
        # A volume that nobody has named is had again by its name, unless it goes with its container.
        if one["Type"] == "volume" and one["Destination"] not in named:
            name = "" if host.get("AutoRemove") else f"{one['Name']}:"
            yield from ("--volume", f"{name}{one['Destination']}")


def _networks(container: Said) -> list[tuple[str, ...]]:
    """Return the words for the network that a container is made in, then those for each other one."""
    mode = container["HostConfig"].get("NetworkMode") or "default"
    known: dict[str, Said] = (container.get("NetworkSettings") or {}).get("Networks") or {}
    if mode in {"default", "bridge", "host", "none"} or mode.startswith("container:"):
        own = "bridge"
        first: tuple[str, ...] = () if mode == "default" else ("--network", mode)
    else:
        # Whoever typed an id has a network of a name all the same.
        own = next((name for name, one in known.items() if mode in {name, one.get("NetworkID")}), mode)
        words = _attached(container, known.get(own) or {}, "--network-alias")
        first = ("--network", own, *words)
    others = [
        (*_attached(container, one, "--alias"), name)
        for name, one in known.items()
        if name not in {own, "host", "none"}
    ]
    return [first, *others]


def _attached(container: Said, network: Said, alias: str) -> tuple[str, ...]:
    own = {container["Id"][:12], container["Name"].lstrip("/"), container["Config"].get("Hostname")}
    words = [word for one in network.get("Aliases") or () if one not in own for word in (alias, one)]
    fixed = network.get("IPAMConfig") or {}
    for key, option in (("IPv4Address", "--ip"), ("IPv6Address", "--ip6")):
        words += [option, fixed[key]] if fixed.get(key) else []
    return tuple(words)


def _environment(config: Said, image: Said) -> dict[str, str]:
    """Return a container's own variables; those of the image come with the image."""
    own = set(config.get("Env") or ()) - set(image.get("Env") or ())
    return dict(one.partition("=")[::2] for one in sorted(own))


def _lacking(container: Said, image: Said) -> Iterator[str]:
    config, host = container["Config"], container["HostConfig"]
    sayable = {*_TEXTS, *_LISTS, *_FLAGS, *_PAIRS, *_OTHERWISE, *OF_NO_MATTER}
    yield from (f"{key} is {host[key]}" for key in host if host[key] and key not in sayable)
    yield from (
        f"{key} is {config[key]}"
        for key in config
        if config[key] and key not in _CONFIG and _is_own(config, image, key)
    )
    for name, value in _environment(config, image).items():
        if (
            not name.isidentifier()
            or not name.isascii()
            or name in _UNSAYABLE
            or name.startswith(("DOCKER_", "LD_"))
        ):
            yield f"the variable {name} cannot be handed over by a shell"
        elif len(value.encode()) > _LONGEST:
            yield f"the value of {name} is too long to be handed over by a shell"
    check = config.get("Healthcheck") or {}
    if _is_own(config, image, "Healthcheck") and (check.get("Test") or [""])[0] == "CMD":
        yield "its health check is no shell command"
    for one in host.get("Mounts") or ():
        if (
            any(one.get(key) for key in one if key.endswith("Options"))
            or "," in f"{one.get('Source')}{one['Target']}"
        ):
            yield f"the mount at {one['Target']} has options"
    for name, one in ((container.get("NetworkSettings") or {}).get("Networks") or {}).items():
        if one.get("Links") or one.get("DriverOpts"):
            yield f"its place in the network {name} has links or options"


def has_hostname(container: Said) -> bool:
    """Whether a host name was set: else it is the container's own id, or the host's."""
    name, mode = container["Config"].get("Hostname") or "", container["HostConfig"].get("NetworkMode") or ""
    is_shared = mode == "host" or mode.startswith("container:")
    return bool(name) and not is_shared and not container["Id"].startswith(name)


def _is_own(config: Said, image: Said, key: str) -> bool:
    """Whether a container has something that its image does not bring."""
    return (config.get(key) or None) != (image.get(key) or None)
