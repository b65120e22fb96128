"""The process of a run, noted so that another run can say whether it still lives, or that this is unknown from here."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it noted itself; an empty value was not noted, and nothing is concluded from it.

    `boot` and `began` distinguish it from a later process with the same number, `namespace` from one of another container.
    """

    host: str
    pid: int
    boot: str
    namespace: str
    began: str

    @staticmethod
    def me() -> Process:
        return Process(socket.gethostname(), os.getpid(), _boot(), _namespace(), _began("self"))

    @property
    def hidden(self) -> str:
        """Why it is unknown from here whether it lives; empty if it can be looked for."""
        here = Process.me()
        if self.host != here.host:
            return "which is on another host"
        if not all((self.boot, self.namespace, here.boot, here.namespace)):
            return "and whether it lives is unknown from here: its PID namespace is not known"
        if self.boot != here.boot:
            return "which began in another boot of this host, or on another one of its name"
        if self.namespace != here.namespace:
            return "which is in another PID namespace of this host, such as a container's"
        return ""

    @property
    def is_gone(self) -> bool:
        """Whether it is provably gone: it could be observed from here, and no longer lives."""
        return not self.hidden and not self._lives

    @property
    def is_alive(self) -> bool:
        """Whether it is provably alive."""
        return not self.hidden and self._lives

    @property
    def _lives(self) -> bool:
        if self.pid <= 0:
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass  # another user's process
        # Values that cannot be read (`hidepid`) do not make it another process.
        began = _began(str(self.pid))
        return not began or not self.began or began == self.began


def _boot() -> str:
    return _read("/proc/sys/kernel/random/boot_id").strip()


def _namespace() -> str:
    """Return this process's PID namespace; empty if `/proc` shows the numbers of another namespace, and so misleads."""
    try:
        if Path("/proc/self").readlink().name != str(os.getpid()):
            return ""
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _began(pid: str) -> str:
    """Return when a process began, in the kernel's ticks since boot; empty if that cannot be read (proc(5), stat)."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields else ""


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
