"""Answers to calls of Compose: Compose renders the files in the sandbox; what it would then do is worked out here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from procedures.rehearsal.standin.acts import port_holder
from procedures.rehearsal.standin.calls import Call
from procedures.rehearsal.standin.creating import by_compose
from procedures.rehearsal.standin.looks import LOG_LINES, Reply, reply_of
from procedures.rehearsal.standin.world import PROJECT, SERVICE, Made, World, new_id

HASH = "com.docker.compose.config-hash"
Render = Callable[..., tuple[int, str]]
"""Runs the real Compose in the sandbox, where there is no engine; returns its exit status and its output."""

_FATES = {
    "compose stop": ("stops", "exited"),
    "compose kill": ("kills", "killed"),
    "compose restart": ("restarts", "running"),
    "compose pause": ("pauses", "paused"),
    "compose unpause": ("unpauses", "running"),
    "compose start": ("starts", "running"),
    "compose down": ("removes", "removed"),
    "compose rm": ("removes", "removed"),
}


class Composition:
    """The files as Compose itself renders them for this call."""

    def __init__(self, call: Call, render: Render) -> None:
        self.call, self.render = call, render
        self.code, text = render(*call.compose_options, "config", "--format", "json")
        try:
            self.said: dict[str, Any] = json.loads(text) if self.code == 0 else {}
        except ValueError:
            self.code, self.said = 1, {}
        self.project = str(self.said.get("name", ""))
        self.services: dict[str, dict[str, Any]] = self.said.get("services") or {}

    def chosen(self) -> list[str]:
        """Return the services that the call names, or all if it names none, with the services that they need."""
        names = [name for name in self.call.names if name in self.services] or list(self.services)
        if not self.call.has("no-deps"):
            for name in names:
                names += [one for one in self.services[name].get("depends_on") or {} if one not in names]
        return names

    def image(self, service: str) -> str:
        return str(self.services[service].get("image") or f"{self.project}-{service}")

    def container(self, service: str) -> str:
        return str(self.services[service].get("container_name") or f"{self.project}-{service}-1")

    def ports(self, service: str) -> tuple[str, ...]:
        return tuple(
            f"{one.get('host_ip', '0.0.0.0')}:{one['published']}->{one.get('target')}/{one.get('protocol', 'tcp')}"  # noqa: S104 - said, not bound
            for one in self.services[service].get("ports") or ()
            if one.get("published")
        )

    def creation(self, service: str, name: str) -> dict[str, Any]:
        return by_compose(name, self.image(service), self.services[service], self.said)

    def hashes(self) -> dict[str, str]:
        _, text = self.render(*self.call.compose_options, "config", "--hash", "*")
        return dict(line.split(maxsplit=1) for line in text.splitlines() if len(line.split()) == 2)


def compose(world: World, call: Call, render: Render) -> Reply:
    """Answer a call of Compose, except those that Compose answers by itself."""
    made = Composition(call, render)
    if made.code:
        # Compose itself tells the script what is wrong with the files.
        render(*call.compose_options, "config", "--quiet", aloud=True)
        return Reply(code=made.code, how="Compose itself, about its files")
    if call.effect == "looks":
        return _look(world, made)
    if call.command in _FATES:
        return _on_services(world, made)
    if call.command in {"compose up", "compose create"}:
        return _up(world, made)
    images = [made.image(name) for name in made.chosen()]
    if call.command == "compose pull":
        for image in images:
            world.pull(image)
    elif call.command == "compose build":
        world.builds |= dict.fromkeys(images)
    elif call.command == "compose run":
        world.creates[f"{made.project}-{next(iter(call.names), '')}-run"] = None
    else:
        world.notes[f"what `{' '.join(call.argv)}` does is not known: it was not run"] = None
    return Reply()


def _look(world: World, made: Composition) -> Reply:
    call = made.call
    if call.command in {"compose events", "compose wait"}:
        world.notes[f"`docker {call.command}` would wait until something happens"] = None
        return Reply()
    if call.command == "compose ps" and call.has("q", "quiet"):
        names = call.names or ("",)
        ids = [
            one
            for name in names
            for one in world.of_service(made.project, name, stopped=call.has("a", "all"))
        ]
        gone = {"exited", "killed"} if not call.has("a", "all") else set()
        return Reply(
            "".join(f"{world.renewed.get(one, one)}\n" for one in ids if world.fates.get(one) not in gone)
        )
    rest = [one for one in call.rest if one not in {"-f", "--follow"}]
    if len(rest) < len(call.rest) and call.command == "compose logs":
        world.notes["a log is followed without an end: " + " ".join(call.argv)] = None
    command = call.command.removeprefix("compose ")
    bound = {"logs": ["--tail", str(LOG_LINES)], "stats": ["--no-stream"]}.get(command, [])
    if call.has("n", "tail"):
        bound = []
    return reply_of(world.ask("compose", "-p", made.project, command, *bound, *rest))


def _on_services(world: World, made: Composition) -> Reply:
    effect, fate = _FATES[made.call.command]
    names = made.call.names or ("",)
    for id_ in dict.fromkeys(one for name in names for one in world.of_service(made.project, name)):
        found = world.find(id_)
        if found is None or (fate in {"exited", "killed"} and not world.is_running(found)):
            continue
        if made.call.command == "compose rm" and world.is_running(found) and not made.call.has("s", "stop"):
            continue
        world.hit(found, effect, fate)
    if made.call.command == "compose down":
        own = (made.said.get("networks") or {}).values()
        world.networks_gone |= {one["name"] for one in own if not one.get("external")}
        if made.call.has("v", "volumes"):
            volumes = (made.said.get("volumes") or {}).values()
            world.volumes_gone |= {one["name"]: None for one in volumes if not one.get("external")}
    return Reply()


def _up(world: World, made: Composition) -> Reply:
    is_dry = "--dry-run" in made.call.compose_options or made.call.has("dry-run")
    names, hashes = made.chosen(), made.hashes()
    steps = [(name, *_step(world, made, name, hashes)) for name in names]
    lines = "".join(f" Container {made.container(name)}  {what}\n" for name, _, what in steps if what)
    if is_dry:
        return Reply(err=lines.replace(" Container", " DRY-RUN MODE -   Container"), how="made up: a dry run")
    problem = next(_refusals(world, made, names, steps), "")
    if problem:
        return Reply("", f"Error response from daemon: {problem}\n", 1)
    for name, found, what in steps:
        _prepare_image(world, made, name)
        if what in {"Recreate", "Create"}:
            world.creations[_name_of(made, name, found)] = made.creation(name, _name_of(made, name, found))
        if what == "Recreate" and isinstance(found, dict):
            world.renew(found)
            world.publish(made.ports(name))
        elif what == "Start" and found is not None:
            world.hit(found, "starts", "running")
        elif what == "Create":
            labels = {PROJECT: made.project, SERVICE: name, "com.docker.compose.oneoff": "False"}
            container = Made(new_id(), made.container(name), made.image(name), labels, ports=made.ports(name))
            world.make(container)
    return Reply(err=lines)


def _name_of(made: Composition, service: str, found: Any) -> str:
    return str(found["Name"]).lstrip("/") if isinstance(found, dict) else made.container(service)


def _step(world: World, made: Composition, name: str, hashes: dict[str, str]) -> tuple[Any, str]:
    """Return the container of a service, and what `up` would do to it."""
    call = made.call
    ids = world.of_service(made.project, name)
    found = world.find(ids[0]) if ids else None
    if found is None:
        return None, "Create"
    if isinstance(found, Made):
        return found, "" if found.state == "running" else "Start"
    is_named = not call.names or name in call.names
    is_other = found["Config"]["Labels"].get(HASH) != hashes.get(name) or _has_new_image(
        world, made, name, found
    )
    is_forced = call.has("force-recreate") and is_named
    if is_forced or (is_other and found["Id"] not in world.renewed and not call.has("no-recreate")):
        return found, "Recreate"
    return found, "" if world.is_running(found) else "Start"


def _has_new_image(world: World, made: Composition, name: str, found: dict[str, Any]) -> bool:
    said = world.ask("image", "inspect", "--format", "{{.Id}}", made.image(name))
    return said.ok and said.stdout.strip() != found["Image"]


def _refusals(
    world: World, made: Composition, names: list[str], steps: list[tuple[str, Any, str]]
) -> Iterator[str]:
    for network in (made.said.get("networks") or {}).values():
        if network.get("external") and not world.has_network(network["name"]):
            yield f"network {network['name']} declared as external, but could not be found"
    for name, _, what in steps:
        holder = world.find(made.container(name)) if what == "Create" else None
        if holder is not None:
            id_ = holder.id if isinstance(holder, Made) else holder["Id"]
            yield f'Conflict. The container name "/{made.container(name)}" is already in use by container "{id_}".'
    for name, _, what in steps:
        for port in made.ports(name) if what == "Create" else ():
            holder_name = port_holder(world, port)
            if holder_name:
                yield f"Bind for {port.partition('->')[0]} failed: port is already allocated (by {holder_name})"
    for name in names:
        policy = made.call.value("pull") or made.services[name].get("pull_policy")
        is_built = made.services[name].get("build") and not made.call.has("no-build")
        if policy == "never" and not is_built and not world.has_image(made.image(name)):
            yield f"No such image: {made.image(name)}"


def _prepare_image(world: World, made: Composition, name: str) -> None:
    image, has_build = made.image(name), bool(made.services[name].get("build"))
    policy = made.call.value("pull") or str(made.services[name].get("pull_policy") or "missing")
    is_missing = not world.has_image(image)
    if has_build and not made.call.has("no-build") and (made.call.has("build") or is_missing):
        world.builds[image] = None
        world.images.add(image)
    elif policy == "always" or (is_missing and policy != "never"):
        world.pull(image)
