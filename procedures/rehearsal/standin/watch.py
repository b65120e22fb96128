"""Notes which files the rehearsed processes look for; refuses them sockets that are no network's, and too many processes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import struct
from pathlib import Path

from procedures.rehearsal.standin import kernel

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_GO_ON = 1
_COUNTED_EVERY = 32
PROCESSES = 512
THREADS = 50_000
"""How many processes may live at once, and how many processes and threads may be made in all."""
_AT_FDCWD = 0xFFFFFF9C
_PATH_BYTES = 4096

ENV_FILE = re.compile(r"\.env(?:[._-].*)?|.*\.env")
SHELL_FILE = re.compile(r".+\.(?:ba)?sh")
SOCKET_SPEAKER = re.compile(r"\.sock\b|unix:|\bnsenter\b")


class Watch:
    """What was noted; for the safety of the sandbox only the refusals are needed."""

    def __init__(self, listener: int) -> None:
        self.listener = listener
        self.env_files: dict[str, bool] = {}
        """Each file that was looked for, and whether it was there at the last look."""
        self.sources: dict[str, None] = {}
        """The shell files that were there."""
        self.sockets: dict[str, None] = {}
        """The command lines that wanted a socket file."""
        self.is_full = False
        """Whether the script has made more processes than it may; it can make no more then."""
        self._forks = 0
        self._numbers = kernel.numbers()
        self._fork_numbers = {self._numbers[name] for name in kernel.FORKS if name in self._numbers}
        self._pointer = {self._numbers[name]: 0 for name in kernel.PATH_FIRST if name in self._numbers}
        self._pointer |= {self._numbers[name]: 1 for name in kernel.PATH_SECOND}

    def hear(self) -> None:
        """Take one call, note what it is, and let it go on or refuse it."""
        notice = bytearray(80)
        try:
            fcntl.ioctl(self.listener, _RECEIVE, notice)
        except OSError:
            return  # its process has ended
        number, pid, _flags, call, _arch, _address, *arguments = struct.unpack("QIIiIQ6Q", notice)
        if call == self._numbers["socket"]:
            error, flags = -errno.EAFNOSUPPORT, 0
            self._note_socket(pid)
        elif call in self._fork_numbers:
            self._count(pid)
            error, flags = (-errno.EAGAIN, 0) if self.is_full else (0, _GO_ON)
        else:
            error, flags = 0, _GO_ON
            with contextlib.suppress(OSError):
                self._note_file(pid, arguments, self._pointer[call])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.listener, _SEND, struct.pack("QqiI", number, 0, error, flags))

    def _count(self, pid: int) -> None:
        """Count new processes, which the kernel does not limit for root; each waits for us, so none is missed."""
        self._forks += 1
        if self._forks % _COUNTED_EVERY == 0:
            with contextlib.suppress(OSError):
                alive = sum(one.name.isdigit() for one in Path(f"/proc/{pid}/root/proc").iterdir())
                self.is_full = self.is_full or alive > PROCESSES or self._forks > THREADS

    def _note_file(self, pid: int, arguments: list[int], pointer: int) -> None:
        path = _text_at(pid, arguments[pointer])
        name = path.rpartition("/")[2]
        if not ENV_FILE.fullmatch(name) and not SHELL_FILE.fullmatch(name):
            return
        folder = "cwd"
        if pointer and arguments[0] & 0xFFFFFFFF != _AT_FDCWD:
            folder = f"fd/{arguments[0] & 0xFFFFFFFF}"
        base = Path(f"/proc/{pid}/{folder}").readlink()
        whole = os.path.normpath(os.path.join(base, path))  # noqa: PTH118 - a link must not be followed here
        is_there = Path(f"/proc/{pid}/root{whole}").exists()
        if ENV_FILE.fullmatch(name):
            self.env_files[whole] = is_there
        elif is_there:
            self.sources[whole] = None

    def _note_socket(self, pid: int) -> None:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            # Every look-up of a user's name tries a socket too.
            if SOCKET_SPEAKER.search(words):
                self.sockets[words.strip("\0").replace("\0", " ")] = None


def _text_at(pid: int, address: int) -> str:
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        # A text may end right before a page that is not there.
        first = _PATH_BYTES - address % _PATH_BYTES
        text = os.pread(memory, first, address)
        if b"\0" not in text:
            text += os.pread(memory, _PATH_BYTES, address + first)
    finally:
        os.close(memory)
    return text.partition(b"\0")[0].decode(errors="surrogateescape")
