"""Makes containers and images from the engine's descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from procedures.drivers.labels import PROJECT, SERVICE
from procedures.kestra.version import numbers
from procedures.observe.engine import made
from reports.record.observed import (
    Binding,
    Container,
    HealthCheck,
    Image,
    Mount,
    Neighbour,
    Secret,
)
from reports.redaction.secret_names import environment_of

DISTRIBUTIONS = {"ubuntu", "debian", "alpine", "fedora", "rhel", "ubi", "amazonlinux", "wolfi"}
"""Names of distributions' images; every image that is built on one inherits its name."""


def container_of(said: Mapping[str, Any]) -> Container:
    """Return a container as the engine describes it."""
    state, config, host = said["State"], said["Config"], said["HostConfig"]
    grace = config.get("StopTimeout")
    networks = (said.get("NetworkSettings") or {}).get("Networks") or {}
    return Container(
        id=said["Id"],
        name=said["Name"].lstrip("/"),
        image=config.get("Image", ""),
        image_id=said["Image"],
        state=state["Status"],
        running=bool(state["Running"]),
        paused=bool(state.get("Paused")),
        restarting=bool(state.get("Restarting")),
        oom_killed=bool(state.get("OOMKilled")),
        exit_code=int(state.get("ExitCode", 0)),
        error=str(state.get("Error", "")),
        created_at=str(said.get("Created", "")),
        started_at=str(state.get("StartedAt", "")),
        finished_at=str(state.get("FinishedAt", "")),
        restart_count=int(said.get("RestartCount", 0)),
        restart_policy=str((host.get("RestartPolicy") or {}).get("Name") or "no"),
        auto_remove=bool(host.get("AutoRemove")),
        health=str((state.get("Health") or {}).get("Status", "")),
        stop_grace=None if grace is None else float(grace),
        bindings=_bindings(said),
        networks=tuple(sorted(networks)),
        volumes=tuple(sorted(one.get("Name") or one.get("Source", "") for one in said.get("Mounts") or ())),
        labels=dict(config.get("Labels") or {}),
        environment=_environment(config),
        command=tuple(config.get("Cmd") or ()),
        health_check=_health_check(config.get("Healthcheck") or {}),
        mounts=tuple(_mount(one) for one in said.get("Mounts") or ()),
        made=environment_of(made.of_container(said)),
    )


def _health_check(said: Mapping[str, Any]) -> HealthCheck | None:
    test = tuple(str(one) for one in said.get("Test") or ())
    if test in {(), ("NONE",)}:
        return None
    interval, timeout = (float(said.get(name) or 0) / 1e9 for name in ("Interval", "Timeout"))
    return HealthCheck(test, interval, timeout)


def _mount(said: Mapping[str, Any]) -> Mount:
    return Mount(
        kind=str(said.get("Type", "")),
        source=str(said.get("Name") or said.get("Source", "")),
        target=str(said.get("Destination", "")),
        read_only=not said.get("RW", True),
    )


def _bindings(said: Mapping[str, Any]) -> tuple[Binding, ...]:
    published = (said.get("NetworkSettings") or {}).get("Ports") or {}
    # Between two starts of a restart loop the engine says that the container runs, and that it publishes nothing.
    runs = said["State"]["Running"] and not said["State"].get("Restarting")
    source = published if runs else said["HostConfig"].get("PortBindings") or {}
    return tuple(
        Binding(port, one.get("HostIp") or "0.0.0.0", int(one["HostPort"]))  # noqa: S104 - read, not bound
        for port, hosts in sorted(source.items())
        for one in hosts or ()
        if one.get("HostPort")
    )


def asked_bindings(said: Mapping[str, Any]) -> tuple[Binding, ...]:
    """Return the ports that a container was asked to publish, whatever the engine has made of that."""
    asked = said["HostConfig"].get("PortBindings") or {}
    return tuple(
        Binding(port, one.get("HostIp") or "", int(one.get("HostPort") or 0))
        for port, hosts in sorted(asked.items())
        for one in hosts or ()
    )


def neighbour_of(container: Container) -> Neighbour:
    """Return what is recorded of a container other than the service's."""
    return Neighbour(
        id=container.id,
        name=container.name,
        image_id=container.image_id,
        state=container.state,
        started_at=container.started_at,
        restart_count=container.restart_count,
        bindings=container.bindings,
        service=container.labels.get(SERVICE, ""),
        project=container.labels.get(PROJECT, ""),
    )


def image_of(reference: str, said: Mapping[str, Any]) -> Image:
    """Return an image as the engine describes it."""
    config = said.get("Config") or {}
    labels = config.get("Labels") or {}
    return Image(
        reference=reference,
        id=said["Id"],
        digests=tuple(said.get("RepoDigests") or ()),
        version=version_of(labels, (reference, *(said.get("RepoTags") or ()))),
        architecture=str(said.get("Architecture", "")),
        created=str(said.get("Created", "")),
        labels=dict(labels),
        size=int(said.get("Size", 0)),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment=_environment(config),
        made=environment_of(made.of_image(config)),
    )


def version_of(labels: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the version that an image names: in its own label, or in a tag that begins with one; empty if it names none.

    A label inherited from a distribution's image gives that distribution's version, so it does not count.
    """
    label = labels.get("org.opencontainers.image.version", "")
    if label and labels.get("org.opencontainers.image.ref.name", "") not in DISTRIBUTIONS:
        return label
    tags = (one.rpartition(":")[2] for one in names if ":" in one.rpartition("/")[2])
    return next((tag for tag in tags if numbers(tag) and "." in tag), "")


def _environment(config: Mapping[str, Any]) -> dict[str, str | Secret]:
    return environment_of(dict(one.partition("=")[::2] for one in config.get("Env") or ()))
