"""How a container is made, besides its image, its variables, its ports and its mounts: part by part, in plain words.

The same parts are read from the engine's description of a container, from Compose's model of a service, and from an
image, which gives the defaults. A part without a value is an empty text, or is not there.
"""

from __future__ import annotations

import json
import os.path
from collections.abc import Iterable, Mapping
from typing import Any

from procedures.observe.engine.description import Described, has_hostname
from procedures.target.durations import seconds
from reports.record.observed import Mount
from reports.record.values import Secret

Parts = Mapping[str, str | Secret]

PRIVILEGE = frozenset({
    "capabilities added", "capabilities dropped", "cgroup parent", "device requests", "device rules", "devices",
    "groups added", "IPC namespace", "PID namespace", "privileged", "read-only root", "security options", "user",
    "user namespace", "UTS namespace",
})  # fmt: skip
"""The parts that say how far a container's process reaches into the engine's host."""
REACH = frozenset({"networks", "network mode", "replicas"})
"""The parts that say who reaches a container, and whom it reaches."""
GRACE = "stop's grace"
_LABEL, _LOG_OPTION = "label ", "log option "
_COMPOSE = "com.docker.compose."
_OF_THE_ENGINE: Mapping[str, frozenset[str] | None] = {
    "cgroup namespace": None,
    "IPC namespace": frozenset({"shareable"}),
    "log driver": None,
    "memory and swap": None,
    "runtime": None,
    "shared memory": frozenset({"67108864"}),
    "ulimits": None,
}
"""Parts for which an engine has defaults of its own, with their values; None means any value."""
_TEXTS = {
    "cgroup parent": ("CgroupParent", "cgroup_parent"),
    "cgroup namespace": ("CgroupnsMode", "cgroup"),
    "CPU quota": ("CpuQuota", "cpu_quota"),
    "CPU period": ("CpuPeriod", "cpu_period"),
    "CPU shares": ("CpuShares", "cpu_shares"),
    "CPU set": ("CpusetCpus", "cpuset"),
    "memory": ("Memory", "mem_limit"),
    "memory reservation": ("MemoryReservation", "mem_reservation"),
    "memory and swap": ("MemorySwap", "memswap_limit"),
    "OOM score": ("OomScoreAdj", "oom_score_adj"),
    "OOM killer off": ("OomKillDisable", "oom_kill_disable"),
    "processes": ("PidsLimit", "pids_limit"),
    "privileged": ("Privileged", "privileged"),
    "read-only root": ("ReadonlyRootfs", "read_only"),
    "runtime": ("Runtime", "runtime"),
    "shared memory": ("ShmSize", "shm_size"),
    "user namespace": ("UsernsMode", "userns_mode"),
    "UTS namespace": ("UTSMode", "uts"),
    "an init process": ("Init", "init"),
}
_LISTS = {
    "device rules": ("DeviceCgroupRules", "device_cgroup_rules"),
    "DNS servers": ("Dns", "dns"),
    "DNS options": ("DnsOptions", "dns_opt"),
    "DNS search": ("DnsSearch", "dns_search"),
    "groups added": ("GroupAdd", "group_add"),
}
_CAPABILITIES = {"capabilities added": ("CapAdd", "cap_add"), "capabilities dropped": ("CapDrop", "cap_drop")}
_NAMESPACES = {"PID namespace": ("PidMode", "pid"), "IPC namespace": ("IpcMode", "ipc")}
_CONFIG = {
    "user": ("User", "user"),
    "working directory": ("WorkingDir", "working_dir"),
    "stop signal": ("StopSignal", "stop_signal"),
    "domain name": ("Domainname", "domainname"),
    "a terminal": ("Tty", "tty"),
    "an open standard input": ("OpenStdin", "stdin_open"),
}
_WORDS = {"command": ("Cmd", "command"), "entry point": ("Entrypoint", "entrypoint")}
_TEST = "health check"
_HEALTH = {
    "health check's interval": ("Interval", "interval"),
    "health check's timeout": ("Timeout", "timeout"),
    "health check's start": ("StartPeriod", "start_period"),
    "health check's retries": ("Retries", "retries"),
}


def words_of(parts: Parts) -> dict[str, tuple[str, ...]]:
    """Return the words that a container is given to execute, by part."""
    texts = {name: parts.get(name) for name in (*_WORDS, _TEST)}
    return {name: tuple(json.loads(text)) for name, text in texts.items() if isinstance(text, str) and text}


def differences(then: Parts, said: Parts, image: Parts) -> tuple[str, ...]:
    """Return the parts in which a container differs from what is said; what is not said comes from the image."""
    return tuple(
        name
        for name in sorted({*then, *said, *image})
        if (then.get(name) or "") != (said[name] if name in said else image.get(name, "") or "")
        and not (name not in said and _may_be_the_engines(name, then, said))
    )


def _may_be_the_engines(name: str, then: Parts, said: Parts) -> bool:
    if name.startswith(_LOG_OPTION):
        return "log driver" not in said
    if name not in _OF_THE_ENGINE:
        return False
    known = _OF_THE_ENGINE[name]
    return known is None or then.get(name) in known


def of_image(config: Described) -> dict[str, str]:
    """Return what an image gives to each of its containers."""
    labels = {f"{_LABEL}{name}": value for name, value in (config.get("Labels") or {}).items()}
    plain = {name: _text(config.get(key)) for name, (key, _) in _CONFIG.items()}
    return _there(plain | _config_words(config) | _health(config) | labels)


def of_container(said: Described) -> dict[str, str]:
    """Return how a container was made, as the engine describes it."""
    config, host = said["Config"], said["HostConfig"]
    shares_host = host.get("Privileged") or "host" in {host.get("PidMode"), host.get("IpcMode")}
    policy, log = host.get("RestartPolicy") or {}, host.get("LogConfig") or {}
    found = {
        **{name: _text(host.get(key)) for name, (key, _) in _TEXTS.items()},
        **{name: _sorted(host.get(key)) for name, (key, _) in _LISTS.items()},
        **{name: _capabilities(host.get(key)) for name, (key, _) in _CAPABILITIES.items()},
        **{name: _namespace(host.get(key)) for name, (key, _) in _NAMESPACES.items()},
        **{name: _text(config.get(key)) for name, (key, _) in _CONFIG.items()},
        **_config_words(config),
        **_health(config),
        "CPUs": _text(host.get("NanoCpus")),
        GRACE: _grace(config.get("StopTimeout")),
        "devices": _sorted(
            ":".join((one["PathOnHost"], one["PathInContainer"], one.get("CgroupPermissions") or "rwm"))
            for one in host.get("Devices") or ()
        ),
        "device requests": _text(len(host.get("DeviceRequests") or ())),
        "extra hosts": _sorted(host.get("ExtraHosts")),
        "host name": str(config["Hostname"]) if has_hostname(said) else "",
        "log driver": str(log.get("Type") or ""),
        "network mode": _network_mode(str(host.get("NetworkMode") or "")),
        **_networks(_attached(said)),
        "restart policy": _policy(policy.get("Name"), policy.get("MaximumRetryCount")),
        "security options": _security(host.get("SecurityOpt"), shares_host=bool(shares_host)),
        "sysctls": _pairs(host.get("Sysctls")),
        "tmpfs": _pairs(host.get("Tmpfs")),
        "ulimits": _sorted(f"{one['Name']}={one['Soft']}:{one['Hard']}" for one in host.get("Ulimits") or ()),
        **{f"{_LOG_OPTION}{name}": str(value) for name, value in (log.get("Config") or {}).items()},
        **{
            f"{_LABEL}{name}": str(value)
            for name, value in (config.get("Labels") or {}).items()
            if not name.startswith(_COMPOSE)
        },
    }
    return _there(found)


def of_model(name: str, model: Mapping[str, Any]) -> dict[str, str]:
    """Return how Compose would make the container of a service, as far as its model says it."""
    service = model["services"][name]
    resources = (service.get("deploy") or {}).get("resources") or {}
    most, least = resources.get("limits") or {}, resources.get("reservations") or {}
    shares_host = service.get("privileged") or "host" in {service.get("pid"), service.get("ipc")}
    logging = service.get("logging") or {}
    requests = [*(service.get("gpus") or ()), *(least.get("devices") or ())]
    found = {
        **{part: _text(service.get(key)) for part, (_, key) in _TEXTS.items()},
        **{part: _sorted(_list(service.get(key))) for part, (_, key) in _LISTS.items()},
        **{part: _capabilities(service.get(key)) for part, (_, key) in _CAPABILITIES.items()},
        **{part: _namespace(service.get(key)) for part, (_, key) in _NAMESPACES.items()},
        **{part: _text(service.get(key)) for part, (_, key) in _CONFIG.items()},
        "CPUs": _nano(service.get("cpus") or most.get("cpus")),
        GRACE: _grace(seconds(str(service.get("stop_grace_period") or "10s"))),
        "devices": _sorted(_device(one) for one in service.get("devices") or ()),
        "device requests": _text(len(requests)),
        "extra hosts": _sorted(
            one.replace("=", ":", 1) for one in _list(service.get("extra_hosts"), sign=":")
        ),
        "host name": _text(service.get("hostname")),
        "log driver": _text(logging.get("driver")),
        "network mode": _network_mode(_text(service.get("network_mode"))),
        **_networks(_places(name, service, model)),
        "replicas": _replicas(service),
        "restart policy": _restart(service),
        "security options": _security(service.get("security_opt"), shares_host=bool(shares_host)),
        "sysctls": _pairs(_mapping(service.get("sysctls"), "=")),
        "tmpfs": _pairs(_mapping(service.get("tmpfs"), ":")),
        "ulimits": _sorted(_ulimit(*one) for one in (service.get("ulimits") or {}).items()),
        **{f"{_LOG_OPTION}{key}": _text(value) for key, value in (logging.get("options") or {}).items()},
        **{
            f"{_LABEL}{key}": _text(value)
            for key, value in _mapping(service.get("labels"), "=").items()
            if not key.startswith(_COMPOSE)
        },
    }
    found["memory"] = found["memory"] or _text(most.get("memory"))
    found["memory reservation"] = found["memory reservation"] or _text(least.get("memory"))
    found["processes"] = found["processes"] or _text(most.get("pids"))
    return _there(found) | _model_words(service) | _model_health(service.get("healthcheck") or {})


def mounts_of(name: str, model: Mapping[str, Any]) -> tuple[Mount, ...]:
    """Return what Compose would mount in the container of a service, without anonymous volumes."""
    service = model["services"][name]
    volumes = model.get("volumes") or {}
    found = []
    for one in service.get("volumes") or ():
        kind, source = str(one.get("type", "volume")), _text(one.get("source"))
        if kind == "volume":
            source = _text((volumes.get(source) or {}).get("name")) or source
        if source or kind == "tmpfs":
            found.append(Mount(kind, source, _text(one["target"]), bool(one.get("read_only"))))
    for part, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        for one in service.get(part) or ():
            source = _text(((model.get(part) or {}).get(one.get("source")) or {}).get("file"))
            target = _text(one.get("target") or one.get("source"))
            if source:
                found.append(Mount("bind", source, os.path.join(folder, target), read_only=True))  # noqa: PTH118 - a path in the container
    return tuple(found)


def _there(found: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if value}


def _text(value: object) -> str:
    """Write a value in the same form for both sides: empty for what is off, dollar signs single."""
    if value in {None, False, -1, "", "0", "-1"}:
        return ""
    return "true" if value is True else str(value).replace("$$", "$")


def _sorted(found: Iterable[object] | None) -> str:
    return ", ".join(sorted(_text(one) for one in found or ()))


def _pairs(found: Mapping[str, object] | None) -> str:
    return _sorted(f"{key}={_text(value)}" if value != "" else key for key, value in (found or {}).items())


def _list(found: object, sign: str = "=") -> list[str]:
    if isinstance(found, Mapping):
        values = found.items()
        return [
            f"{key}{sign}{one}"
            for key, value in values
            for one in (value if isinstance(value, list) else [value])
        ]
    if isinstance(found, str):
        return [found]
    return [str(one) for one in found] if isinstance(found, list) else []


def _mapping(found: object, sign: str) -> dict[str, object]:
    if isinstance(found, Mapping):
        return dict(found)
    return {key: value for one in _list(found) for key, _, value in [one.partition(sign)]}


def _capabilities(found: Iterable[object] | None) -> str:
    return _sorted(str(one).upper().removeprefix("CAP_") for one in found or ())


def _namespace(value: object) -> str:
    """Name a namespace, but not the container that it is shared with: one side has its id, the other its name."""
    kind = _text(value).partition(":")[0]
    return {"private": "", "service": "a container's", "container": "a container's"}.get(kind, kind)


def _network_mode(value: str) -> str:
    kind = value.partition(":")[0]
    if kind in {"service", "container"}:
        return "a container's"
    return kind if kind in {"host", "none"} else ""


def _attached(said: Described) -> Iterable[tuple[str, str]]:
    config = said["Config"]
    given = {
        said["Id"][:12], said["Name"].lstrip("/"), config.get("Hostname"),
        (config.get("Labels") or {}).get(f"{_COMPOSE}service"),
    }  # fmt: skip
    for name, one in ((said.get("NetworkSettings") or {}).get("Networks") or {}).items():
        if name not in {"host", "none"}:
            own = [alias for alias in one.get("Aliases") or () if alias not in given]
            yield _place(name, own, (one.get("IPAMConfig") or {}).get("IPv4Address"))


def _places(name: str, service: Mapping[str, Any], model: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if mode := _text(service.get("network_mode")):
        return [(mode, "")] if not _network_mode(mode) else []
    known = model.get("networks") or {}
    given = {name, _text(service.get("container_name")), _text(service.get("hostname"))}
    return [
        _place(
            _text((known.get(key) or {}).get("name")) or key,
            [alias for alias in (one or {}).get("aliases") or () if alias not in given],
            (one or {}).get("ipv4_address"),
        )
        for key, one in (service.get("networks") or {"default": None}).items()
    ]


def _place(network: str, aliases: list[str], address: object) -> tuple[str, str]:
    """Return a network, and what the container is called there besides its own names."""
    more = [*sorted(set(aliases)), *([str(address)] if address else [])]
    return network, f"{network} as {' and '.join(more)}" if more else ""


def _networks(places: Iterable[tuple[str, str]]) -> dict[str, str]:
    found = list(places)
    return {
        "networks": _sorted(name for name, _ in found),
        "names in its networks": _sorted(named for _, named in found if named),
    }


def _policy(name: object, most: object) -> str:
    kept = "" if name in {None, "", "no"} else str(name)
    return f"{kept}:{most}" if kept == "on-failure" and most else kept


def _restart(service: Mapping[str, Any]) -> str:
    if said := _text(service.get("restart")):
        name, _, most = said.partition(":")
        return _policy(name, _text(most))
    asked = (service.get("deploy") or {}).get("restart_policy") or {}
    condition = {"none": "no", "any": "always"}.get(asked.get("condition", ""), asked.get("condition", ""))
    return _policy(condition, asked.get("max_attempts"))


def _replicas(service: Mapping[str, Any]) -> str:
    """Return how many containers there would be; empty if it is one."""
    asked = (service.get("scale"), (service.get("deploy") or {}).get("replicas"))
    return next((str(one) for one in asked if one not in {None, 1}), "")


def _security(found: Iterable[object] | None, *, shares_host: bool) -> str:
    """Return the security options; the engine adds one itself if the host is shared, and replaces a profile by its text."""
    words = [str(one).replace(":", "=", 1) for one in found or ()]
    words = [one.removesuffix("=true") for one in words if not (shares_host and one == "label=disable")]
    return _sorted(
        "seccomp=a profile" if one.startswith("seccomp=") and one != "seccomp=unconfined" else one
        for one in words
    )


def _device(device: object) -> str:
    if isinstance(device, Mapping):
        there = device.get("target") or device["source"]
        return f"{device['source']}:{there}:{device.get('permissions') or 'rwm'}"
    source, _, rest = str(device).partition(":")
    target, _, permissions = rest.partition(":")
    return f"{source}:{target or source}:{permissions or 'rwm'}"


def _ulimit(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return f"{name}={value.get('soft', 0)}:{value.get('hard', 0)}"
    return f"{name}={value}:{value}"


def _grace(length: float | None) -> str:
    return "" if length in {None, 10} else f"{length:g} s"


def _nano(cpus: object) -> str:
    return _text(round(float(str(cpus)) * 1e9)) if cpus else ""


def _words(value: object) -> str:
    found = [str(one) for one in value] if isinstance(value, list) else []
    return json.dumps(found, ensure_ascii=False) if any(found) else ""


def _config_words(config: Described) -> dict[str, str]:
    return {name: _words(config.get(key)) for name, (key, _) in _WORDS.items()}


def _model_words(service: Mapping[str, Any]) -> dict[str, str]:
    """Return command and entry point; an entry point without a command means that there is no command."""
    found = {part: service.get(key) for part, (_, key) in _WORDS.items() if service.get(key) is not None}
    if "entry point" in found:
        found.setdefault("command", [])
    return {part: _words([_text(one) for one in _list(value)]) for part, value in found.items()}


def _health(config: Described) -> dict[str, str]:
    check = config.get("Healthcheck") or {}
    test = [str(one) for one in check.get("Test") or ()]
    if test in ([], ["NONE"]):
        return {}
    lengths = {name: _text(check.get(key)) for name, (key, _) in _HEALTH.items()}
    return {_TEST: json.dumps(test, ensure_ascii=False), **lengths}


def _model_health(check: Mapping[str, Any]) -> dict[str, str]:
    test = check.get("test")
    if check.get("disable") or test == ["NONE"]:
        return dict.fromkeys((_TEST, *_HEALTH), "")
    found = {}
    if test:
        words = [_text(one) for one in test] if isinstance(test, list) else ["CMD-SHELL", _text(test)]
        found[_TEST] = json.dumps(words, ensure_ascii=False)
    for name, (_, key) in _HEALTH.items():
        if value := check.get(key):
            length = None if key == "retries" else seconds(str(value))
            found[name] = _text(value) if length is None else str(round(length * 1e9))
    return found
