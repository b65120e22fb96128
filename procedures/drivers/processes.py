"""Finds the processes that a command has left running, wherever they went, and ends them; never those in a container."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from reports.redaction import excerpt

MARK = "KESTRA_RESTART_STEP"
CHILD_SUBREAPER = 36
"""Linux's PR_SET_CHILD_SUBREAPER: orphans below us become our children, wherever their session is."""
_PATIENCE = 1.0
_LIMIT = 5.0


OWN: set[int] = set()
"""The processes that this suite itself started and waits for: never orphans, though they are our children too."""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    ended: bool
    marked: bool
    words: str

    @property
    def is_ours(self) -> bool:
        return self.parent == os.getpid()


class Brood:
    """Finds the processes that a command leaves behind, and ends them when it closes.

    They carry its mark in their environment, or have become our children as orphans. Neither is true of a container's
    processes: they are the engine's children, in a process namespace of their own.
    """

    def __init__(self) -> None:
        self._token = secrets.token_hex(8)
        self._known: frozenset[int] = frozenset()
        self.ended: tuple[str, ...] = ()

    @property
    def mark(self) -> dict[str, str]:
        return {MARK: self._token}

    def __enter__(self) -> Self:
        _adopt(orphans=True)
        self._known = frozenset(one.pid for one in _processes(self._token) if one.is_ours)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.ended = self._end()
        finally:
            _adopt(orphans=False)

    def _end(self) -> tuple[str, ...]:
        """End what is left, by SIGTERM and then by SIGKILL; return the command lines."""
        began, ended = time.monotonic(), dict[int, str]()
        while left := self._left():
            passed = time.monotonic() - began
            if passed > _LIMIT:
                break
            for process in left:
                if process.pid not in ended or passed > _PATIENCE:
                    _send(process.pid, signal.SIGKILL if passed > _PATIENCE else signal.SIGTERM)
                ended.setdefault(process.pid, process.words)
            time.sleep(0.02)
        return tuple(ended.values())

    def _left(self) -> list[_Process]:
        """Return the live processes of this brood: those with the mark, orphans that came to us, and all below them."""
        found = list(_processes(self._token))
        adopted = {one.pid for one in found if one.is_ours} - self._known - OWN
        for one in found:
            if one.ended and one.pid in adopted:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(one.pid, os.WNOHANG)
        alive = [one for one in found if not one.ended]
        ours = adopted | {one.pid for one in alive if one.marked and one.pid not in OWN}
        while below := {one.pid for one in alive if one.parent in ours} - ours:
            ours |= below
        return [one for one in alive if one.pid in ours]


def _processes(token: str) -> Iterator[_Process]:
    """Yield every process of our own namespace that we may look at."""
    mark, here = f"{MARK}={token}".encode(), _namespace("self")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_bytes().rpartition(b")")[2].split()[:2]
            pid, ended = int(folder.name), state == b"Z"
            if pid == os.getpid() or (not ended and _namespace(folder.name) != here):
                continue
            marked = not ended and mark in (folder / "environ").read_bytes().split(b"\0")
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            yield _Process(pid, int(parent), ended, marked, excerpt.one_line(words, 200) or f"process {pid}")
        except (OSError, ValueError):
            continue  # it has ended meanwhile, or is another user's


def _namespace(process: str) -> str:
    return str(Path(f"/proc/{process}/ns/pid").readlink())


def _adopt(*, orphans: bool) -> None:
    """Let orphans below us become our children; on a system that cannot do so, only the mark finds them."""
    try:
        ctypes.CDLL(None).prctl(CHILD_SUBREAPER, int(orphans), 0, 0, 0)
    except (OSError, AttributeError):
        return


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
