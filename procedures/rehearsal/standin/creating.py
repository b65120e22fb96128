"""What a rehearsed script would give to a container that it creates by `docker run` or by Compose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from procedures.rehearsal.standin.calls import Call
from procedures.target.durations import seconds

PlainCreation = dict[str, Any]
"""A `Creation` as it goes to the suite; `environment` is null if it is not known."""


def by_run(call: Call, name: str) -> PlainCreation:
    """Return what a call of `docker run` or `docker create` would give."""
    grace = call.value("stop-timeout")
    return {
        "name": name,
        "image": call.names[0],
        "by_compose": False,
        "environment": _environment(call),
        "ports": call.values("p", "publish"),
        "volumes": [one for one in _volumes(call) if one],
        "networks": call.values("network", "net") or ["bridge"],
        "restart": call.value("restart").partition(":")[0],
        "stop_grace": float(grace) if grace.isdigit() else None,
        "has_health_check": call.has("health-cmd"),
    }


def by_compose(name: str, image: str, service: Mapping[str, Any], model: Mapping[str, Any]) -> PlainCreation:
    """Return what Compose would give to a service, as it renders its files for the script."""
    grace = service.get("stop_grace_period")
    health = service.get("healthcheck") or {}
    return {
        "name": name,
        "image": image,
        "by_compose": True,
        "environment": {one: _text(value) for one, value in (service.get("environment") or {}).items()},
        "ports": [_published(one) for one in service.get("ports") or ()],
        "volumes": [_named(model, "volumes", one.get("source")) for one in service.get("volumes") or ()],
        "networks": [service["network_mode"]]
        if service.get("network_mode")
        else [_named(model, "networks", one) for one in service.get("networks") or ("default",)],
        "restart": str(service.get("restart") or ""),
        "stop_grace": seconds(str(grace)) if grace else None,
        "has_health_check": bool(health) and not health.get("disable", False),
    }


def _environment(call: Call) -> dict[str, str] | None:
    """Return the variables that a call gives; None if a file of variables cannot be read."""
    words: list[str] = []
    for one in call.values("env-file"):
        try:
            lines = Path(call.cwd, one).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return None
        words += [line.lstrip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, str] = {}
    for one in (*words, *call.values("e", "env")):
        name, has_value, value = one.partition("=")
        if has_value or name in call.environment:
            found[name] = value if has_value else call.environment[name]
    return found


def _volumes(call: Call) -> list[str]:
    mounts = [dict(part.partition("=")[::2] for part in one.split(",")) for one in call.values("mount")]
    sources = [one.get("source") or one.get("src") or "" for one in mounts if one.get("type") != "tmpfs"]
    return [*(one.partition(":")[0] for one in call.values("v", "volume") if ":" in one), *sources]


def _published(port: Mapping[str, Any]) -> str:
    return f"{port.get('host_ip', '')}:{port.get('published', '')}:{port['target']}/{port.get('protocol', 'tcp')}"


def _named(model: Mapping[str, Any], part: str, name: object) -> str:
    known = model.get(part) or {}
    return str((known.get(name) or {}).get("name") or name or "")


def _text(value: object) -> str:
    """Undo what `compose config` does to a dollar sign."""
    return "" if value is None else str(value).replace("$$", "$")
