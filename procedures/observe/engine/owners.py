"""Which process of this machine listens on a port, from the kernel's own tables, so that no tool need be installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from procedures.observe.engine import sockets


def owners(ports: Iterable[int], proc: Path = Path("/proc")) -> dict[int, str]:
    """Return for each port the process that listens on it: id and name, never arguments, which may hold a secret.

    An ordinary user cannot see the processes of others; their ports are left out.
    """
    asked = _sockets(frozenset(ports), proc)
    found: dict[int, str] = {}
    if not asked:
        return found
    for folder in proc.iterdir():
        if folder.name.isdigit():
            for inode in _inodes(folder) & asked.keys():
                found[asked[inode]] = f"process {folder.name} ({_name(folder)})"
    return found


def _sockets(ports: frozenset[int], proc: Path) -> dict[str, int]:
    """Return the inodes of the sockets that listen on these ports."""
    found: dict[str, int] = {}
    for table in sockets.TABLES:
        with contextlib.suppress(OSError):
            text = (proc / table).read_text(encoding="ascii")
            found |= {one.inode: one.port for one in sockets.listening(text) if one.port in ports}
    return found


def _inodes(folder: Path) -> set[str]:
    found = set()
    try:
        for one in (folder / "fd").iterdir():
            link = str(one.readlink())
            if link.startswith("socket:["):
                found.add(link[len("socket:[") : -1])
    except OSError:
        # It has ended meanwhile, or is somebody else's.
        return found
    return found


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "ended meanwhile"
