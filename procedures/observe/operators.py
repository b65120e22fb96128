"""The operator's own scripts for steps, read and rehearsed, and what else the target file needs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from procedures.drivers.scripts import Scripts
from procedures.observe.engine.engine import EngineObserver
from procedures.problems import CannotObserve
from procedures.rehearsal.rehearsal import rehearse
from procedures.rehearsal.scripts import read, unread
from procedures.target import env_file
from procedures.target.target import Target
from reports.record.claimed import Need
from reports.record.observed import Listener, Secret, Unseen
from reports.record.scripted import Rehearsal, ScriptSeen
from reports.record.values import known
from reports.redaction.secret_names import secrets_among

REHEARSAL_LIMIT = 30.0
"""Seconds for one rehearsal: nothing in it takes as long as the real thing."""


def look(target: Target, scripts: Scripts, docker_host: str, stand_in: str = "") -> tuple[ScriptSeen, ...]:
    """Read every script, and rehearse those that may be rehearsed, in the order of a run.

    `stand_in` is the image that represents one that this run pulls before the scripts really run.
    """
    scripts_seen: list[ScriptSeen] = []
    done: list[Rehearsal] = []
    for step in target.steps:
        if not step.is_own:
            continue
        seen = read(step.name, step.command, step.cwd)
        if step.rehearse and not seen.problem:
            command = scripts.command(step, REHEARSAL_LIMIT)
            try:
                rehearsal = rehearse(
                    command.argv,
                    command.cwd,
                    command.environment or {},
                    root=target.root,
                    limit=min(command.limit, REHEARSAL_LIMIT),
                    docker_host=docker_host,
                    before=tuple(done),
                    stand_in=stand_in,
                )
            except CannotObserve as error:
                seen = _with(seen, Unseen(error.what, error.next_move))
            else:
                done.append(rehearsal)
                overlooked = unread(command.environment or {}, (seen.file, *rehearsal.sources))
                seen = dataclasses.replace(seen, rehearsal=rehearsal, notes=(*seen.notes, *overlooked))
        scripts_seen.append(seen)
    return tuple(scripts_seen)


def needs(
    target: Target, engine: EngineObserver, listeners: tuple[Listener, ...] | Unseen
) -> tuple[Need, ...]:
    """Look for everything that the target file says must exist."""
    named = target.needs
    files = (Need("file", one, _no_file(target.root / one)) for one in named.files)
    containers = (Need("container", one, _not_running(engine, one)) for one in named.containers)
    networks = (
        Need("network", one, "" if engine.network_exists(one) else "does not exist") for one in named.networks
    )
    return (*files, *containers, *networks, *(_port(one, listeners) for one in named.ports))


def _with(seen: ScriptSeen, rehearsal: Rehearsal | Unseen) -> ScriptSeen:
    return dataclasses.replace(seen, rehearsal=rehearsal)


def _no_file(path: Path) -> str:
    return "" if path.exists() else "a link to nothing" if path.is_symlink() else "does not exist"


def _not_running(engine: EngineObserver, name: str) -> str:
    container = engine.named(name)
    if container is None or container.name != name:
        return "does not exist"
    return "" if container.running else f"is {container.state}"


def _port(port: int, listeners: tuple[Listener, ...] | Unseen) -> Need:
    if isinstance(listeners, Unseen):
        raise CannotObserve(listeners.unseen, listeners.next_move)
    return Need("port", str(port), "" if port in {one.port for one in listeners} else "nothing listens there")


def environments(seen: tuple[ScriptSeen, ...] | Unseen | None) -> list[dict[str, str | Secret]]:
    """Return the variables that rehearsals saw, and the secrets of every env file that a script opened.

    A script may read another file than it should, and print what stands in it.
    """
    rehearsals = [one.rehearsal for one in known(seen) if isinstance(one.rehearsal, Rehearsal)]
    given = [made.environment for one in rehearsals for made in one.creations]
    opened = {file for one in rehearsals for file in one.env_files}
    inside: dict[str, str | Secret] = {
        f"a secret of {file}, {number}": secret
        for file in sorted(opened)
        for number, secret in enumerate(env_file.secrets(Path(file)), start=1)
    }
    for number, call in enumerate((call for one in rehearsals for call in one.calls), start=1):
        inside |= secrets_among(f"call {number} of a script", call.argv)
    return [
        *(dict(one.variables or {}) for one in rehearsals),
        *(dict(one) for one in given if not isinstance(one, Unseen)),
        inside,
    ]
