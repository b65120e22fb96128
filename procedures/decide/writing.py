"""Folders that a server must write and cannot, each with the move that permits it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from reports.record.observed import Folder


def barred(folders: Iterable[Folder]) -> tuple[Folder, ...]:
    """Return the folders that the server must write and cannot."""
    return tuple(one for one in folders if not one.writable)


def told(found: tuple[Folder, ...], container: str) -> str:
    """Name these folders, and the move that lets the server write there."""
    places = ", ".join(f"{one.path} ({_what(one)})" for one in found)
    return f"its user {found[0].user} cannot write {places} → {'; '.join(_move(one, container) for one in found)}"


def _what(one: Folder) -> str:
    what = {"volume": f"volume {one.source}", "bind": one.source}.get(one.kind, one.kind)
    names = (*(["its storage"] if one.stores else []), *([what] if what else []))
    return f"{', '.join(names) or 'its own'}{', read-only' if one.read_only else ''}"


def _move(one: Folder, container: str) -> str:
    if one.read_only:
        return f"let {one.path} be written in the compose file, and make the container anew by hand"
    path, ours = shlex.quote(one.path), one.stores or one.kind == "volume"
    all_of_it = "-R " if ours else ""
    give = f"`docker exec -u 0 {container} sh -c 'chown {all_of_it}{one.user} {path} && chmod u+rwx {path}'`"
    # Another mount may hold the host's own files, which the server need not write.
    return give if ours else f"if the server has to write there, {give}; if not, waive this"
