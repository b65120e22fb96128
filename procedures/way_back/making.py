"""Making a container again on the engine, in the place of the container that has its name by then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import docker.errors
import requests.exceptions

from procedures.drivers.labels import OUR_RUN, OURS, PROJECT, SERVICE
from procedures.observe.engine.description import ANONYMOUS, Described
from procedures.observe.engine.engine import EngineObserver
from procedures.problems import StepFailed
from procedures.way_back import copied, creation
from procedures.way_back.creation import Creation
from procedures.way_back.kept import Kept
from reports.record.observed import Container
from reports.redaction import excerpt

COMPOSE = "com.docker.compose."
GONE_LIMIT = 20.0
"""Seconds; a container that was started with --rm goes by itself, a moment after it has ended."""
CADENCE = 0.2


def try_it(engine: EngineObserver, kept: Kept, run: str) -> tuple[str, ...]:
    """Make the container once more under another name, without starting it; return in what it differs."""
    name = f"kestra-restart-trial-{run}"
    labels = kept.container["Config"].get("Labels") or {}
    # With Compose's labels it would count as a container of the service.
    own = {key: value for key, value in labels.items() if not key.startswith(COMPOSE)}
    same = kept.creation
    wanted = replace(same, config={**same.config, "Labels": {**own, OURS: "lookout", OUR_RUN: run}})
    try:
        return _differences(kept, wanted, _made(engine, kept, wanted, name))
    finally:
        engine.remove_trial(name)


def put_in_place(engine: EngineObserver, kept: Kept) -> tuple[str, ...]:
    """Stop and remove the container in its place, make it, and start it; return in what it differs."""
    empty = _volumes_that_are_gone(engine, kept)
    _make_room(engine, kept)
    wanted = kept.creation
    made = _made(engine, kept, wanted, kept.name)
    with _doing(f"{kept.name} cannot be started"):
        engine.client.api.start(kept.name)
    return (*empty, *_differences(kept, wanted, made))


def _differences(kept: Kept, wanted: Creation, made: Described) -> tuple[str, ...]:
    """Return in what a container that was made differs; of another image, the engine adds what nobody asked for."""
    return () if kept.another else creation.differences(wanted, creation.of(made, kept.own_image))


def _made(engine: EngineObserver, kept: Kept, wanted: Creation, name: str) -> Described:
    """Make a container, and return the engine's description of it."""
    api = engine.client.api
    with _doing(f"{kept.name} cannot be made again"):
        for network, definition in kept.networks.items():
            if not engine.network_exists(network):
                _post(engine, "/networks/create", {**definition, "CheckDuplicate": True})
        _post(engine, f"/containers/create?name={name}", wanted.body(_image(engine, kept)))
        for network, place in wanted.others:
            _post(
                engine,
                f"/networks/{quote(network, safe='')}/connect",
                {"Container": name, "EndpointConfig": place},
            )
        copied.into(engine, name, dict(kept.files))
        made: Described = api.inspect_container(name)
    return made


def _image(engine: EngineObserver, kept: Kept) -> str:
    """Return the image's name as it was given, if it still leads to that image; otherwise the name that keeps it."""
    given = str(kept.container["Config"].get("Image", ""))
    here = engine.image(given) if given and not kept.another else None
    return given if here is not None and here.id == kept.container["Image"] else kept.image


def _volumes_that_are_gone(engine: EngineObserver, kept: Kept) -> tuple[str, ...]:
    """Fail if a named volume is gone, because the engine would silently make an empty one; return the unnamed ones.

    Some starts remove unnamed volumes, and give the new container empty ones.
    """
    gone = []
    for mount in kept.container.get("Mounts") or ():
        if mount["Type"] != "volume" or kept.container["HostConfig"].get("AutoRemove"):
            continue
        try:
            engine.client.api.inspect_volume(mount["Name"])
        except docker.errors.NotFound:
            what = f"the volume {mount['Name']} at {mount['Destination']}"
            if not ANONYMOUS.fullmatch(mount["Name"]):
                raise StepFailed(
                    f"{what} is not there, so nothing is made", "restore it, or see who has removed it"
                ) from None
            gone.append(what)
    return tuple(gone)


def _make_room(engine: EngineObserver, kept: Kept) -> None:
    """Stop and remove the containers of the service, and any container with its name, unless another project owns it."""
    for container in _in_its_place(engine, kept).values():
        with _doing(f"{container.name} cannot be removed"), suppress(docker.errors.NotFound):
            if container.paused:
                engine.client.api.unpause(container.id)
            engine.client.api.stop(container.id, timeout=kept.grace)
            _remove(engine, container.id)


def _in_its_place(engine: EngineObserver, kept: Kept) -> dict[str, Container]:
    """Return the containers that are in the way, by their ids."""
    labels = kept.container["Config"].get("Labels") or {}
    project, service = labels.get(PROJECT), labels.get(SERVICE)
    holder = engine.named(kept.name)
    if holder is not None and holder.labels.get(PROJECT) not in {None, project}:
        raise StepFailed(
            f"the name {kept.name} is held by a container of the project {holder.labels[PROJECT]}",
            f"see whose that is; `docker rename {kept.name} {kept.name}-other` frees the name",
        )
    own = engine.by_service(project, service) if project and service else ()
    return {one.id: one for one in (holder, *own) if one is not None}


def _remove(engine: EngineObserver, container: str) -> None:
    """Remove a container that has ended, or wait until the engine has removed it."""
    until = time.monotonic() + GONE_LIMIT
    while True:
        try:
            engine.client.api.remove_container(container)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError:
            # The engine is already removing a container that was started with --rm.
            if time.monotonic() > until:
                raise
            time.sleep(CADENCE)


def _post(engine: EngineObserver, path: str, body: dict[str, Any]) -> None:
    """Send a request that the engine's SDK does not offer, in the form of the engine's own API."""
    api = engine.client.api
    answer = api.post(f"{api.base_url}/v{api.api_version}{path}", json=body, timeout=api.timeout)
    if not answer.ok:
        raise docker.errors.APIError(answer.text, response=answer, explanation=answer.text)


@contextmanager
def _doing(what: str) -> Iterator[None]:
    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        why = getattr(error, "explanation", None) or error
        raise StepFailed(
            f"{what}: {excerpt.one_line(str(why), 300)}", "see what the engine says, and its log"
        ) from error
