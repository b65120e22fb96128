"""The folders that a running server must write, and whether it can: asked in its own container, as the server's user."""

from __future__ import annotations

import re

from procedures.observe.engine import execs
from procedures.observe.engine.engine import EngineObserver
from procedures.problems import CannotObserve
from reports.record.observed import Container, Folder, Mount, Settings
from reports.redaction import excerpt

_ASK = """
ids() {
    while read -r key real effective rest; do
        case $key in Uid:) user=$effective ;; Gid:) group=$effective ;; esac
    done <"/proc/$1/status"
    echo "$user:$group"
}
ids self
ids "$1"
shift
for path; do
    kind=absent
    [ -e "$path" ] && kind=other
    [ -d "$path" ] && kind=folder
    # The server has to make what is not there.
    until [ -e "$path" ]; do
        case $path in /*/* | [!/]*/*) path=${path%/*} ;; /*) path=/ ;; *) path=. ;; esac
    done
    can=no
    [ -w "$path" ] && [ -x "$path" ] && can=yes
    echo "$kind $can"
done
"""
"""Prints the user who asks, the server's user, then a line for each path: what it is, and whether it can be written."""
_SAID = re.compile(r"(\d+:\d+)\n(\d+:\d+)\n((?:(?:folder|other|absent) (?:yes|no)\n)+)")


def look(
    engine: EngineObserver, container: Container, settings: Settings, limit: float
) -> tuple[Folder, ...]:
    """Return the folders that the server of a running container must write: its storage, and what is mounted to be written.

    A mounted file or socket is no folder; the server's storage always counts as one.
    """
    storage = settings.storage.rstrip("/")
    mounted = sorted(one.target.rstrip("/") for one in container.mounts if not one.read_only)
    paths = tuple(dict.fromkeys(one for one in (storage, *mounted) if one))
    if not paths:
        return ()
    user, said = _asked(engine, container, paths, limit)
    found = (
        _folder(path, kind, container, stores=path == storage, can=can == "yes", user=user)
        for path, (kind, can) in zip(paths, said, strict=True)
    )
    return tuple(one for one in found if one is not None)


def _asked(
    engine: EngineObserver, container: Container, paths: tuple[str, ...], limit: float
) -> tuple[str, list[tuple[str, str]]]:
    """Return the server's user, and for each path what it is and whether that user can write it."""
    user = ""
    # In a shared process namespace the first process is not the server.
    server = "self" if (container.made or {}).get("PID namespace") else "1"
    for _ in range(2):
        said = execs.ask(engine, container.id, ("sh", "-c", _ASK, "sh", server, *paths), limit, user=user)
        match = _SAID.fullmatch(said.text)
        found = [one.split() for one in match[3].splitlines()] if match else []
        if match is None or len(found) != len(paths):
            break
        if match[1] == match[2]:
            return match[2], [(kind, can) for kind, can in found]
        # The entry point has changed its user: what the first user can write says nothing.
        user = match[2]
    raise CannotObserve(
        f"whether {container.name} can write {', '.join(paths)} cannot be asked in it: {excerpt.first(said.text, 200)}",
        f"see it by hand: `docker exec {container.name} ls -ldn {' '.join(paths)}`",
    )


def _folder(
    path: str, kind: str, container: Container, *, stores: bool, can: bool, user: str
) -> Folder | None:
    """Return a folder; None if what is mounted is no folder."""
    if kind == "other" and not stores:
        return None
    at = _mount_at(container, path)
    return Folder(
        path=path,
        kind=at.kind if at else "",
        source=at.source if at else "",
        writable=can and kind != "other",
        read_only=at.read_only if at else bool((container.made or {}).get("read-only root")),
        stores=stores,
        user=user,
    )


def _mount_at(container: Container, path: str) -> Mount | None:
    """Return the mount in which a path of a container lies."""
    above = (one for one in container.mounts if f"{path}/".startswith(f"{one.target.rstrip('/')}/"))
    return max(above, key=lambda one: len(one.target), default=None)
