"""A container that Compose has not made, kept as a shell script that makes it again, exactly as it is.

The script holds the container's values in the clear, so it lies beside the journal with mode 0600, outside the evidence.
No value of a variable is a word of a command in it: `docker` is given the names, and takes the values from the shell.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from procedures.drivers import docker_run, shell
from procedures.drivers.docker_run import Recipe, Said
from procedures.drivers.labels import OUR_RUN, OURS
from procedures.drivers.private import write
from procedures.drivers.shell import Command
from procedures.observe.snapshot import Observers
from procedures.problems import StepFailed
from procedures.way_back.kept import ANONYMOUS
from reports.record.observed import Container
from reports.redaction import excerpt

SUFFIX = ".kept.sh"
TRIAL_LIMIT = 30.0
_NOT_COMPARED = docker_run.OF_NO_MATTER | {
    "AttachStderr", "AttachStdin", "AttachStdout", "Binds", "Cmd", "Entrypoint", "Env", "ExposedPorts", "Hostname",
    "Image", "Labels", "Mounts", "NetworkMode", "StdinOnce", "Volumes",
}  # fmt: skip
"""What may stand there in other words, and is compared by what it means, or has no meaning for what runs."""


class Script:
    """Keeps one container as a script, and builds the commands that use it."""

    def __init__(self, file: Path, observers: Observers, run: str) -> None:
        self.file = file
        self._observers = observers
        self._run = run

    def lacking(self, container: Container) -> tuple[str, ...]:
        """Return what the container has that no script can make again."""
        return self._recipe(container).lacking

    def write(self, container: Container, image: str) -> None:
        """Write the script of a container, to be made of an image."""
        flags = self._observers.target.engine_flags
        grace = container.stop_grace or 10.0
        write(self.file, text(container.name, image, self._recipe(container), flags, grace))

    def try_it(self, same: Container | None = None) -> None:
        """Make the container once more under another name, and never start it; where it must be the `same`, compare."""
        name = f"kestra-restart-trial-{self._run}"
        engine, command = self._observers.engine, self.start(TRIAL_LIMIT)
        command = dataclasses.replace(command, argv=(*command.argv, "--try", name, self._run))
        try:
            result = shell.run(command)
            made = engine.described(name)
            if not result.ok or made is None:
                raise StepFailed(
                    f"`{' '.join(command.argv)}` ended with {result.exit_code}: {excerpt.last(result.output, 300)}",
                    "see what the engine says; nothing was stopped",
                )
            then = engine.described(same.id) if same is not None else made
            if found := differences(then, made) if then is not None else ("it has gone",):
                raise StepFailed(
                    f"{same.name if same else name} cannot be made again as it is: {', '.join(found)} would be another",
                    "let Compose make the container, whose way back is its own, or keep a way of your own",
                )
        finally:
            engine.remove_trial(name)

    def stop(self, grace: float, limit: float) -> Command:
        observers = self._observers
        return observers.compose.stop_container(observers.container_name, grace, limit)

    def clear(self, limit: float) -> None:
        """Return nothing: the script frees the name by itself."""
        del limit

    def start(self, limit: float) -> Command:
        return self._observers.compose.start_kept(self.file, limit)

    def _recipe(self, container: Container) -> Recipe:
        engine = self._observers.engine
        return docker_run.recipe(
            engine.described(container.id) or {}, engine.described_image(container.image_id)
        )


def text(name: str, image: str, recipe: Recipe, flags: tuple[str, ...], grace: float) -> str:
    """Return the script; typed without a word it puts this container in the place of what has its name."""
    quote = shlex.quote
    exported = "".join(f"        export {key}={quote(value)}\n" for key, value in recipe.environment.items())
    words = [*_lines(recipe.options), *(f"--env {key}" for key in recipe.environment)]
    created = "".join(f"            {one} \\\n" for one in words)
    command = "".join(f" \\\n            {quote(one)}" for one in recipe.command)
    connected = "".join(f'    engine network connect {shlex.join(one)} "$1"\n' for one in recipe.networks)
    reach = shlex.join(("docker", *flags)).removeprefix("docker")
    return f"""#!/bin/sh
# Makes a container that `docker run` had made again, and starts it: what has its name now is stopped and removed.
# It holds the container's values in the clear, so it is its owner's alone. `--try NAME RUN` makes it and no more.
# shellcheck disable=SC1003,SC1112,SC2016 # the values are to stand as they are
set -eu
name={quote(name)}
kestra_restart_client=$(command -v docker)
export DOCKER_CONFIG="${{DOCKER_CONFIG:-${{HOME:-/root}}/.docker}}"

engine() {{ "$kestra_restart_client"{reach} "$@"; }}

make() {{
    (
{exported}        engine create --name "$@" \\
{created}            {quote(image)}{command} >/dev/null
    )
{connected}}}

if [ "${{1:-}}" = --try ]; then
    make "$2" --label {OURS}=lookout --label "{OUR_RUN}=$3"
    exit
fi
engine stop -t {grace:.0f} "$name" >/dev/null 2>&1 || :
# One that was started with --rm goes by itself, a moment later.
tries=0
while engine container inspect "$name" >/dev/null 2>&1 && [ "$tries" -lt 20 ]; do
    engine rm "$name" >/dev/null 2>&1 || sleep 0.5
    tries=$((tries + 1))
done
make "$name"
engine start "$name"
"""


def _lines(options: tuple[str, ...]) -> list[str]:
    """Join each option with its value, so that the script reads an option a line."""
    found: list[str] = []
    for one in options:
        if found and not one.startswith("--") and found[-1].startswith("--") and " " not in found[-1]:
            found[-1] += f" {shlex.quote(one)}"
        else:
            found.append(shlex.quote(one))
    return found


def differences(then: Said, now: Said) -> tuple[str, ...]:
    """Return in what a container that was made again is another one, by the engine's own names for it."""
    found = [
        f"{part}.{key}"
        for part in ("Config", "HostConfig")
        for key in sorted(then[part].keys() | now[part].keys())
        if key not in _NOT_COMPARED and (then[part].get(key) or None) != (now[part].get(key) or None)
    ]
    return (*found, *(name for name, of in _MEANT.items() if of(then) != of(now)))


_MEANT: dict[str, Callable[[Said], Any]] = {
    "the environment": lambda one: set(one["Config"].get("Env") or ()),
    "the labels": lambda one: {
        (name, value)
        for name, value in (one["Config"].get("Labels") or {}).items()
        if name not in {OURS, OUR_RUN}
    },
    "the command": lambda one: [*(one["Config"].get("Entrypoint") or ()), *(one["Config"].get("Cmd") or ())],
    "the host name": lambda one: one["Config"]["Hostname"] if docker_run.has_hostname(one) else "",
    "the mounts": lambda one: {
        (at["Destination"], "" if ANONYMOUS.fullmatch(source) else source, at.get("RW"))
        for at in one.get("Mounts") or ()
        for source in [at.get("Name") or at.get("Source") or ""]
    },
    "the networks": lambda one: {
        name.replace("default", "bridge") for name in (one["NetworkSettings"].get("Networks") or {})
    },
}
