"""The engine as a rehearsed script would leave it: the real engine, with the changes that the script's calls would make."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from procedures.drivers.shell import Result

ENDED = frozenset({"exited", "killed", "removed"})
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"


@dataclass(slots=True)
class Made:
    """A container that only the rehearsal knows."""

    id: str
    name: str
    image: str
    labels: dict[str, str] = field(default_factory=dict)
    state: str = "running"
    ports: tuple[str, ...] = ()


class World:
    """What the rehearsal takes to be there; `ask` asks the real engine, and only looks."""

    def __init__(self, ask: Callable[..., Result]) -> None:
        self.ask = ask
        self.fates: dict[str, str] = {}
        """Real containers whose state the script would have changed: exited, killed, paused, running, removed."""
        self.renewed: dict[str, str] = {}
        """Real containers that would have been made anew, with the id that represents the new one."""
        self.made: dict[str, Made] = {}
        self.networks: set[str] = set()
        self.networks_gone: set[str] = set()
        self.volumes: set[str] = set()
        self.volumes_gone: dict[str, None] = {}
        self.serving: set[int] = set()
        """The host's ports on which the script's own containers would answer."""
        self.images: set[str] = set()
        self.stand_in = ""
        """The image that represents one that is not here but will be by then; blank if none will."""
        self.creations: dict[str, dict[str, Any]] = {}
        """What each container that would be created would be given, by its name."""
        self.hits: dict[tuple[str, str], dict[str, str]] = {}
        self.pulls: dict[str, None] = {}
        self.builds: dict[str, None] = {}
        self.creates: dict[str, None] = {}
        self.created_from: dict[str, None] = {}
        self.ports: dict[str, None] = {}
        self.notes: dict[str, None] = {}

    # --- what is there

    def find(self, name: str) -> dict[str, Any] | Made | None:
        """Return a container as it would be there now, by name or by (the begin of) its id."""
        for one in self.made.values():
            if name in {one.name, one.id} or (len(name) >= 4 and one.id.startswith(name)):
                return one
        said = self.ask("inspect", "--type", "container", self.real_name(name))
        if not said.ok:
            return None
        found: dict[str, Any] = json.loads(said.stdout)[0]
        return None if self.fates.get(found["Id"]) == "removed" else found

    def real_name(self, name: str) -> str:
        """Return the id of the real container whose place a container of the rehearsal has taken."""
        for real, new in self.renewed.items():
            if len(name) >= 4 and new.startswith(name):
                return real
        return name

    def of_service(self, project: str, service: str = "", *, stopped: bool = True) -> list[str]:
        """Return the ids of Compose's containers of a project, or of one of its services."""
        labels = [f"label={PROJECT}={project}", *([f"label={SERVICE}={service}"] if service else [])]
        filters = [word for label in labels for word in ("--filter", label)]
        said = self.ask("ps", "-q", "--no-trunc", *(["-a"] if stopped else []), *filters)
        wanted = {PROJECT: project} | ({SERVICE: service} if service else {})
        made = [one.id for one in self.made.values() if wanted.items() <= one.labels.items()]
        return [one for one in said.stdout.split() if self.fates.get(one) != "removed"] + made

    def is_running(self, container: dict[str, Any] | Made) -> bool:
        if isinstance(container, Made):
            return container.state == "running"
        fate = self.fates.get(container["Id"])
        return fate in {"running", "paused"} if fate else bool(container["State"]["Running"])

    def has_image(self, reference: str) -> bool:
        if reference in self.images or self.ask("image", "inspect", "--format", "{{.Id}}", reference).ok:
            return True
        if self.stand_in:
            self.notes[f"{reference} is not here: it was taken as pulled before the stop"] = None
            self.images.add(reference)
        return bool(self.stand_in)

    def has_network(self, name: str) -> bool:
        return name not in self.networks_gone and (
            name in self.networks or self.ask("network", "inspect", "--format", "{{.Id}}", name).ok
        )

    def freed_ports(self) -> set[str]:
        """Return the host's ports of the containers that would have ended by now."""
        found: set[str] = set()
        for id_ in [one for one, fate in self.fates.items() if fate in ENDED]:
            said = self.ask("inspect", "--format", "{{json .HostConfig.PortBindings}}", id_)
            bindings = json.loads(said.stdout or "null") if said.ok else None
            found |= {one["HostPort"] for hosts in (bindings or {}).values() for one in hosts or ()}
        return found

    # --- what would become of it

    def hit(self, container: dict[str, Any] | Made, effect: str, fate: str) -> None:
        """Note a change of a real container; make it to one of the rehearsal's own."""
        if isinstance(container, Made):
            self._serve(container.ports, fate)
            if fate == "removed":
                del self.made[container.id]
            else:
                container.state = "running" if fate == "running" else "exited"
            return
        bindings = (container["HostConfig"].get("PortBindings") or {}).values()
        self._serve([f"{one['HostPort']}:0" for hosts in bindings for one in hosts or ()], fate)
        labels = container["Config"].get("Labels") or {}
        self.hits[container["Id"], effect] = {
            "id": container["Id"],
            "name": container["Name"].lstrip("/"),
            "effect": effect,
            "service": labels.get(SERVICE, ""),
            "project": labels.get(PROJECT, ""),
            "image": container["Config"].get("Image", ""),
        }
        if container["HostConfig"].get("AutoRemove") and fate in {"exited", "killed"}:
            name = container["Name"].lstrip("/")
            self.notes[
                f"{name} was started with --rm: its log and its exit code go with it when it stops"
            ] = None
            fate = "removed"
        self.fates[container["Id"]] = fate

    def renew(self, container: dict[str, Any]) -> str:
        """Note that a real container would be made anew; return the id that represents the new one."""
        self.hit(container, "recreates", "running")
        self.creates[container["Name"].lstrip("/")] = None
        self.created_from[container["Config"]["Image"]] = None
        return self.renewed.setdefault(container["Id"], new_id())

    def make(self, container: Made) -> str:
        self.made[container.id] = container
        self.creates[container.name] = None
        self.created_from[container.image] = None
        if container.state == "running":
            self.publish(container.ports)
        else:
            self.ports |= dict.fromkeys(container.ports)
        return container.id

    def publish(self, ports: Iterable[str]) -> None:
        """Note that a container of the script's own would publish these ports from now on."""
        self.ports |= dict.fromkeys(ports)
        self._serve(ports, "running")

    def _serve(self, published: Iterable[str], fate: str) -> None:
        ports = {port for one in published if (port := host_port(one))}
        self.serving = self.serving | ports if fate == "running" else self.serving - ports

    def pull(self, reference: str) -> None:
        self.pulls[reference] = None
        self.images.add(reference)

    # --- what of it shows in a text of the real engine

    def as_renewed(self, text: str) -> str:
        for real, new in self.renewed.items():
            text = text.replace(real, new).replace(real[:12], new[:12])
        return text


def host_port(published: str) -> int | None:
    """Return the host's port of a publication, as `docker run` or Compose writes it; None if it names none."""
    found = re.search(r"(?:^|:)(\d+)(?::|->)\d+(?:/tcp)?$", published)
    return int(found[1]) if found else None


def new_id() -> str:
    return secrets.token_hex(32)


STATE = re.compile(r"\$?\.State\.(Status|Running|Paused|Restarting|OOMKilled|Dead|ExitCode)\b")
_CODES = {"exited": 143, "killed": 137}


def state_of(fate: str) -> dict[str, str | bool | int]:
    """Return a container's state as the engine would report it."""
    return {
        "Status": {"killed": "exited"}.get(fate, fate),
        "Running": fate in {"running", "paused"},
        "Paused": fate == "paused",
        "Restarting": False,
        "OOMKilled": False,
        "Dead": False,
        "ExitCode": _CODES.get(fate, 0),
    }


def in_template(template: str, fate: str) -> str:
    """Return a template of `docker inspect` that prints this state, whatever the engine's is."""
    state = state_of(fate)
    return STATE.sub(lambda found: json.dumps(state[found[1]]), template)
