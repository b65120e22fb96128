"""What the Docker engine says: which one it is, its containers, images and events."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import docker
import docker.errors
import requests

from procedures.drivers.labels import ONEOFF, OUR_RUN, OURS, PROJECT, SERVICE
from procedures.kestra.sessions import Addresses
from procedures.observe.engine import access
from procedures.observe.engine.client import client_of
from procedures.observe.engine.containers import container_of, image_of, neighbour_of
from procedures.observe.engine.endpoint import Endpoint
from procedures.problems import CannotObserve
from reports.record.observed import (
    Container,
    Engine,
    Image,
    Neighbour,
)
from reports.record.values import moment
from reports.redaction import excerpt

_CALL_LIMIT = 20


class EngineObserver:
    """Reads one engine; every call has a limit, and raises `CannotObserve` for what it cannot read."""

    def __init__(self, where: Endpoint, first_answer: float = _CALL_LIMIT) -> None:
        self.where = where
        try:
            limit = math.ceil(min(first_answer, _CALL_LIMIT))
            self.client = client_of(where, limit)
            self.client.ping()
            self.client.api.timeout = _CALL_LIMIT
        except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise _unreachable(where, error) from error

    def close(self) -> None:
        self.client.close()

    def engine(self) -> Engine:
        """Return which engine answers; its clock is compared with ours."""
        with self.reading("the engine's description"):
            before = time.time()
            said = self.client.info()
            middle = (before + time.time()) / 2
            version = self.client.version()
        return Engine(
            id=str(said.get("ID", "")),
            name=str(said.get("Name", "")),
            version=str(said.get("ServerVersion", "")),
            api=str(version.get("ApiVersion", "")),
            endpoint=self.where.url,
            context=self.where.context,
            os=str(said.get("OperatingSystem", "")),
            skew=round(moment(str(said.get("SystemTime", ""))).timestamp() - middle, 3),
            elsewhere=str(said.get("Name", "")) != socket.gethostname(),
        )

    def by_service(self, project: str, service: str) -> tuple[Container, ...]:
        """Return the containers that Compose made for a service, found by their labels only."""
        with self.reading(f"the containers of service {service!r}"):
            listed = self.client.api.containers(
                all=True, filters={"label": [f"{PROJECT}={project}", f"{SERVICE}={service}"]}
            )
            described = [self._describe(one["Id"]) for one in listed]
        return tuple(one for one in described if one and one.labels.get(ONEOFF, "False") != "True")

    def unowned(self, name: str) -> Container | None:
        """Return the container of exactly this name that neither Compose nor this suite has made."""
        container = self.named(name)
        ours = (
            container is not None and container.name == name and not {PROJECT, OURS} & container.labels.keys()
        )
        return container if ours else None

    def network_exists(self, name: str) -> bool:
        with self.reading(f"the network {name!r}"):
            networks = self.client.api.networks(names=[name])
        return any(one["Name"] == name for one in networks)

    def by_project(self, project: str) -> tuple[Container, ...]:
        """Return every container that carries a project's label."""
        with self.reading(f"the containers of project {project!r}"):
            listed = self.client.api.containers(all=True, filters={"label": f"{PROJECT}={project}"})
            described = [self._describe(one["Id"]) for one in listed]
        return tuple(one for one in described if one)

    def named(self, name: str) -> Container | None:
        """Return the container that holds a name, whoever made it."""
        with self.reading(f"the container {name!r}"):
            return self._describe(name)

    def described(self, container: str) -> Mapping[str, Any] | None:
        """Return the engine's own description of a container; None if there is no such container."""
        with self.reading(f"the container {container!r}"):
            try:
                said: Mapping[str, Any] = self.client.api.inspect_container(container)
            except docker.errors.NotFound:
                return None
        return said

    def described_image(self, image: str) -> Mapping[str, Any]:
        """Return the engine's own description of an image."""
        with self.reading(f"the image {image!r}"):
            said: Mapping[str, Any] = self.client.api.inspect_image(image)  # type: ignore[no-untyped-call]  # a gap in the stubs
        return said

    def described_network(self, name: str) -> Mapping[str, Any]:
        """Return the engine's own description of a network."""
        with self.reading(f"the network {name!r}"):
            said: Mapping[str, Any] = self.client.api.inspect_network(name)
        return said

    def remove_trial(self, name: str) -> None:
        """Remove a container of ours that was created and never started."""
        with self.reading(f"the trial {name}"), suppress(docker.errors.NotFound):
            self.client.api.remove_container(name, v=True)

    def neighbours(
        self, project: str, service: str, but: frozenset[str] = frozenset()
    ) -> tuple[Neighbour, ...]:
        """Return every container that is neither this service's (by its labels, or `but` by its id) nor ours."""
        with self.reading("the other containers"):
            listed = self.client.api.containers(all=True)
            others = [
                one
                for one in listed
                if (one["Labels"] or {}).get(OURS) is None
                and (one["Labels"].get(PROJECT), one["Labels"].get(SERVICE)) != (project, service)
                and one["Id"] not in but
            ]
            described = [self._describe(one["Id"]) for one in others]
        return tuple(neighbour_of(one) for one in described if one)

    def networks(self) -> tuple[str, ...]:
        """Return the names of the engine's networks."""
        with self.reading("the networks"):
            return tuple(sorted(str(one["Name"]) for one in self.client.api.networks()))

    def addresses(self) -> Addresses:
        """Return the subnets of the engine's networks, and the addresses in them that are held."""
        with self.reading("the addresses in the networks"):
            networks = self.client.api.networks()
            running = self.client.api.containers()
        ipam = [part for one in networks for part in (one.get("IPAM") or {}).get("Config") or ()]
        places = [
            place
            for one in running
            for place in ((one.get("NetworkSettings") or {}).get("Networks") or {}).values()
        ]
        held = [place.get(key) for place in places for key in ("IPAddress", "GlobalIPv6Address")]
        return Addresses(
            tuple(str(part["Subnet"]) for part in ipam if part.get("Subnet")),
            frozenset(
                str(one).partition("/")[0] for one in (*held, *(part.get("Gateway") for part in ipam)) if one
            ),
        )

    def remove_lookouts(self, run: str) -> None:
        """Remove the lookouts that a run left behind, and nothing else."""
        with self.reading(f"the lookouts of run {run}"):
            labels = [f"{OURS}=lookout", f"{OUR_RUN}={run}"]
            for one in self.client.api.containers(all=True, filters={"label": labels}):
                # It ends by itself too, perhaps just now.
                with suppress(docker.errors.NotFound, docker.errors.APIError):
                    self.client.api.remove_container(one["Id"], force=True, v=True)

    def in_memory(self, image: str) -> dict[str, str]:
        """Return the `tmpfs` option for each volume that an image declares: an anonymous volume would be left behind."""
        declared = self.client.images.get(image).attrs["Config"].get("Volumes") or {}
        return dict.fromkeys(declared, "")

    def image(self, reference: str) -> Image | None:
        """Return an image that is here, or None."""
        with self.reading(f"the image {reference!r}"):
            try:
                said: Mapping[str, Any] = self.client.api.inspect_image(reference)  # type: ignore[no-untyped-call]  # a gap in the stubs
            except docker.errors.ImageNotFound:
                return None
        return image_of(reference, said)

    def announced(self, reference: str, limit: float) -> str:
        """Return the digest that the image's registry announces for a reference, asked by the engine itself."""
        try:
            data = within(
                limit, f"the registry of {reference}", self.client.images.get_registry_data, reference
            )
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            raise CannotObserve(
                f"the registry does not announce {reference}: {_brief(error)}",
                'see the registry and its login, or name an image that is here and set pull = "missing"',
            ) from error
        return str(data.id)

    def _describe(self, container: str) -> Container | None:
        said = self.described(container)
        return None if said is None else container_of(said)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise CannotObserve(f"{what} cannot be read from {self.where.url}: {_brief(error)}") from error


def within(limit: float, what: str, call: Any, *arguments: Any) -> Any:
    """Return what a call returns, or raise `CannotObserve` when its limit passes: some calls have no limit of their own."""
    answer: list[Any] = []
    failure: list[BaseException] = []

    def ask() -> None:
        try:
            answer.append(call(*arguments))
        except BaseException as error:  # noqa: BLE001 - handed to the caller below
            failure.append(error)

    asker = threading.Thread(target=ask, daemon=True, name=what)
    asker.start()
    asker.join(limit)
    if failure:
        raise failure[0]
    if not answer:
        raise CannotObserve(f"{what} did not answer within {limit:g} s")
    return answer[0]


def _unreachable(where: Endpoint, error: Exception) -> CannotObserve:
    text = _brief(error)
    if "Permission denied" in text or "PermissionError" in text:
        return CannotObserve(*access.refusal(where.url))
    return CannotObserve(
        f"no engine answers at {where.url}: {text}",
        "start it there (`systemctl start docker`, or `stack/up.sh engine`), or choose another by the target file's "
        "`endpoint` or `context`, or by DOCKER_HOST",
    )


def _brief(error: Exception) -> str:
    return excerpt.one_line(str(error), 300) or type(error).__name__
