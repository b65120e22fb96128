"""What this machine itself shows: its disk, its files, its own view of the ports."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import testinfra

from procedures.observe.engine import owners
from procedures.observe.engine.engine import within
from procedures.observe.engine.lookout import Lookout
from procedures.problems import CannotObserve
from procedures.target import env_file
from procedures.target.target import Target
from reports.record.observed import Ephemeral, FileSeen, Host, Listener, Unseen
from reports.redaction import excerpt


def look(target: Target, lookout: Lookout | None, limit: float, ports: frozenset[int]) -> Host:
    """Look at this machine and at who holds these ports; the engine's disk is seen from inside the engine."""
    archive = _existing(target.archive)
    return Host(
        name=socket.gethostname(),
        listeners=_listeners(limit, ports),
        archive=str(target.archive),
        archive_problem=_archive_problem(archive),
        archive_free=shutil.disk_usage(archive).free,
        engine_free=_engine_free(lookout, limit),
        ephemeral=ephemeral(),
    )


def files(target: Target, scripts: tuple[Path, ...] = ()) -> tuple[FileSeen, ...]:
    """Look at the files that the procedure will use, and judge the text of env files."""
    seen = [_file(one, "compose file") for one in target.compose_files]
    for one in target.env_files:
        plain = _file(one, "env file")
        problems = () if plain.problem else _read(target, one).problems
        seen.append(FileSeen(plain.path, plain.role, plain.problem or "; ".join(problems), plain.sha256))
    return (*seen, *(_file(one, "script") for one in scripts))


def wrongly_said(target: Target) -> tuple[str, ...]:
    """Return the problems in the text of the env files that can be read."""
    readable = [one for one in target.env_files if not _file(one, "env file").problem]
    return tuple(problem for one in readable for problem in _read(target, one).problems)


def _read(target: Target, path: Path) -> env_file.EnvFile:
    return env_file.read(path, target.keys.names, (target.keys.http_port, target.keys.management_port))


def need_files(target: Target) -> None:
    """Raise `CannotObserve` unless the files that a plan is made from are there and can be read."""
    for key, role, paths in (
        ("compose_files", "compose file", target.compose_files),
        ("env_files", "env file", target.env_files),
    ):
        for path in paths:
            if problem := _file(path, role).problem:
                raise CannotObserve(problem, f"put it there, or correct the key {key!r} in {target.file}")


def _file(path: Path, role: str) -> FileSeen:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return FileSeen(str(path), role, f"the {role} {path} does not exist")
    except OSError as error:
        return FileSeen(str(path), role, f"the {role} {path} cannot be read: {error.strerror}")
    return FileSeen(str(path), role, "", hashlib.sha256(content).hexdigest())


def ephemeral(kernel: Path = Path("/proc/sys/net/ipv4")) -> Ephemeral | Unseen:
    """Read the range of this machine's ephemeral ports."""
    try:
        first, last = (int(one) for one in (kernel / "ip_local_port_range").read_text().split())
        reserved = kernel / "ip_local_reserved_ports"
        return Ephemeral(first, last, reserved.read_text().strip())
    except (OSError, ValueError) as error:
        return Unseen(f"the range of this machine's ephemeral ports cannot be read: {error}")


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _archive_problem(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} is no folder"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} cannot be written by this user"


def _listeners(limit: float, ports: frozenset[int]) -> tuple[Listener, ...] | Unseen:
    """Ask testinfra, under a limit of ours: it has none."""
    try:
        found = within(limit, "this machine's list of sockets", _ask_for_listeners)
        known = within(limit, "this machine's processes", owners.owners, ports)
    except CannotObserve as error:
        return Unseen(error.what)
    except Exception as error:  # noqa: BLE001 - testinfra raises what its tools printed; unknown, never green
        return Unseen(f"this machine's sockets cannot be listed: {excerpt.one_line(str(error), 200)}")
    return tuple(replace(one, owner=known.get(one.port, "")) for one in found)


def _ask_for_listeners() -> list[Listener]:
    here = testinfra.get_host("local://")
    found = []
    for one in here.socket.get_listening_sockets():
        if one.startswith("tcp://"):
            ip, _, port = one.removeprefix("tcp://").rpartition(":")
            found.append(Listener(ip.strip("[]") if ip else "0.0.0.0", int(port)))  # noqa: S104 - read, not bound
    return found


def _engine_free(lookout: Lookout | None, limit: float) -> int | Unseen:
    if lookout is None:
        return Unseen("there is no place on the engine to look from")
    try:
        said = lookout.ask(("df", "-PB1", "/"), limit)
        return int(said.text.splitlines()[-1].split()[3])
    except (CannotObserve, IndexError, ValueError) as error:
        return Unseen(f"the engine's disk cannot be read: {error}")
