"""Folders that a server must write and cannot, each with the move that permits it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from reports.record.observed import Folder


def barred(folders: Iterable[Folder]) -> tuple[Folder, ...]:
    """Return the folders that the server must write and cannot."""
    return tuple(one for one in folders if not one.writable)


def sentence(folders: tuple[Folder, ...], container: str) -> str:
    """Name these folders, and the move that lets the server write there."""
    places = ", ".join(f"{one.path} ({_what(one)})" for one in folders)
    return f"its user {folders[0].user} cannot write {places} → {'; '.join(_move(one, container) for one in folders)}"


def _what(folder: Folder) -> str:
    what = {"volume": f"volume {folder.source}", "bind": folder.source}.get(folder.kind, folder.kind)
    names = (*(["its storage"] if folder.stores else []), *([what] if what else []))
    return f"{', '.join(names) or 'its own'}{', read-only' if folder.read_only else ''}"


def _move(folder: Folder, container: str) -> str:
    if folder.read_only:
        return f"let {folder.path} be written in the compose file, and make the container anew by hand"
    path, ours = shlex.quote(folder.path), folder.stores or folder.kind == "volume"
    all_of_it = "-R " if ours else ""
    give = (
        f"`docker exec -u 0 {container} sh -c 'chown {all_of_it}{folder.user} {path} && chmod u+rwx {path}'`"
    )
    # Another mount may hold the host's own files, which the server need not write.
    return give if ours else f"if the server has to write there, {give}; if not, waive this"
