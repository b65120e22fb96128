"""Answers to the calls that change something: they change only what the rehearsal takes to be there."""

from __future__ import annotations

from collections.abc import Iterator

from procedures.rehearsal.standin.calls import Call
from procedures.rehearsal.standin.creating import by_run
from procedures.rehearsal.standin.looks import Reply
from procedures.rehearsal.standin.world import Made, World, host_port, new_id

# What the engine would do to a container, and the state that this leaves.
_FATES = {
    "stop": ("stops", "exited"),
    "kill": ("kills", "killed"),
    "restart": ("restarts", "running"),
    "pause": ("pauses", "paused"),
    "unpause": ("unpauses", "running"),
    "start": ("starts", "running"),
    "rm": ("removes", "removed"),
    "rename": ("renames", "running"),
    "update": ("updates", "running"),
}


def act(world: World, call: Call) -> Reply:
    """Answer a call that would change something."""
    if call.command in _FATES:
        return _on_containers(world, call)
    if call.command in {"run", "create"}:
        return _run(world, call)
    if call.command == "pull":
        for name in call.names:
            world.pull(name)
        return Reply("".join(f"Status: Downloaded newer image for {name}\n" for name in call.names))
    if call.command in {"build", "buildx bake"}:
        for name in call.values("t", "tag") or ["an image without a name"]:
            world.builds[name] = None
            world.images.add(name)
        return Reply(f"sha256:{new_id()}\n" if call.has("q", "quiet") else "")
    if call.command in {"container prune", "system prune"}:
        _prune(world)
    return _on_other_things(world, call)


def _on_containers(world: World, call: Call) -> Reply:
    effect, fate = _FATES[call.command]
    out, err = "", ""
    names = call.names[:1] if call.command == "rename" else call.names
    for name in names:
        container = world.find(name)
        if container is None:
            err += f"Error response from daemon: No such container: {name}\n"
        elif call.command == "rm" and world.is_running(container) and not call.has("f", "force"):
            err += f"Error response from daemon: You cannot remove a running container {name}. Stop the container before attempting removal or force remove\n"
        else:
            world.hit(container, effect, fate)
            out += f"{name}\n"
    return Reply("" if call.command == "rename" else out, err, 1 if err else 0)


def _run(world: World, call: Call) -> Reply:
    if not call.names:
        return Reply("", '"docker run" requires at least 1 argument.\n', 1)
    image, policy = call.names[0], call.value("pull") or "missing"
    name = call.value("name") or f"unnamed-{new_id()[:6]}"
    problem = next(_refusals(world, call, image, policy), "")
    if policy == "always" or (policy == "missing" and not world.has_image(image)):
        world.pull(image)
    if problem:
        return Reply("", f"docker: Error response from daemon: {problem}\nSee 'docker run --help'.\n", 125)
    detached = call.has("d", "detach") or call.command == "create"
    made = Made(
        new_id(),
        name,
        image,
        dict(one.partition("=")[::2] for one in call.values("l", "label")),
        "created" if call.command == "create" else "running",
        tuple(call.values("p", "publish")),
    )
    if not detached:
        world.notes[
            f"what a container of {image} would have written and how it would have ended is not known"
        ] = None
    if not detached and call.has("rm") and not call.value("name"):
        return Reply(how="made up: it came, ended well, wrote nothing and went")
    world.make(made)
    world.creations[name] = by_run(call, name)
    if call.has("rm"):
        world.notes[
            f"{name} would be started with --rm: its log and its exit code go with it when it stops"
        ] = None
    return Reply(f"{made.id}\n" if detached else "")


def _refusals(world: World, call: Call, image: str, policy: str) -> Iterator[str]:
    if policy == "never" and not world.has_image(image):
        yield f"No such image: {image}"
    name = call.value("name")
    container = world.find(name) if name else None
    if container is not None:
        id_ = container.id if isinstance(container, Made) else container["Id"]
        yield f'Conflict. The container name "/{name}" is already in use by container "{id_}".'
    for network in call.values("network", "net"):
        is_plain = network not in {"host", "none", "bridge", "default"} and not network.startswith(
            "container:"
        )
        if is_plain and not world.has_network(network):
            yield f"network {network} not found"
    for published in call.values("p", "publish"):
        holder = port_holder(world, published)
        if holder:
            yield f"Bind for {published} failed: port is already allocated (by {holder})"


def port_holder(world: World, published: str) -> str:
    """Return the running container that has the host's port of a publication; empty if none has."""
    port = host_port(published)
    if port is None:
        return ""
    said = world.ask("ps", "--no-trunc", "--filter", f"publish={port}", "--format", "{{.ID}} {{.Names}}")
    for line in said.stdout.splitlines():
        id_, _, name = line.partition(" ")
        if world.fates.get(id_) not in {"exited", "killed", "removed"}:
            return name
    return ""


def _prune(world: World) -> None:
    said = world.ask("ps", "-aq", "--no-trunc", "--filter", "status=exited", "--filter", "status=created")
    for id_ in {
        *said.stdout.split(),
        *(one for one, fate in world.fates.items() if fate in {"exited", "killed"}),
    }:
        container = world.find(id_)
        if container is not None:
            world.hit(container, "removes", "removed")


def _on_other_things(world: World, call: Call) -> Reply:
    name = call.names[0] if call.names else ""
    if call.command == "network create":
        if world.has_network(name):
            return Reply("", f"Error response from daemon: network with name {name} already exists\n", 1)
        world.networks.add(name)
        return Reply(f"{new_id()}\n")
    if call.command == "network rm":
        world.networks_gone |= set(call.names)
    if call.command == "volume create":
        world.volumes.add(name)
    if call.effect == "unknown":
        world.notes[f"what `{' '.join(call.argv[:3])}` does is not known: it was not run"] = None
    if call.command == "volume rm":
        world.volumes_gone |= dict.fromkeys(call.names)
    if call.command == "volume prune" or (call.command == "system prune" and call.has("volumes")):
        unused = world.ask("volume", "ls", "-q", "--filter", "dangling=true").stdout.split()
        world.volumes_gone |= dict.fromkeys(unused)
    if "prune" in call.command:
        world.notes[f"`docker {call.command}` takes away what nothing uses just then"] = None
    if call.command in {"volume rm", "volume create", "network rm"}:
        return Reply("".join(f"{one}\n" for one in call.names))
    return Reply()
