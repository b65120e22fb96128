"""Calls of the Linux kernel for which Python 3.11 has no function."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct

from procedures.drivers.processes import CHILD_SUBREAPER

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2

_MOUNT_SETATTR = 442  # the same number on every architecture
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS = 38
# What root may still do in the sandbox: read, write, own and signal what is its own there.
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 10})
_SIGKILL = 9

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    _call("unshare", _libc.unshare(flags))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    answer = _libc.mount(
        source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), data.encode() or None
    )
    _call(f"mount {kind or 'bind'} on {target}", answer)


def detach(target: str) -> None:
    """Take a mount out of sight; what is open in it stays open."""
    _call(f"umount {target}", _libc.umount2(target.encode(), MNT_DETACH))


def set_mount(target: str, add: int = 0, clear: int = 0, *, deep: bool = False) -> None:
    """Change a mount's flags, which have the numbers of MS_RDONLY and its like here too."""
    attributes = struct.pack("QQQQ", add, clear, 0, 0)
    how = _AT_RECURSIVE if deep else 0
    answer = _syscall(_MOUNT_SETATTR, _AT_FDCWD, target.encode(), how, attributes, len(attributes))
    _call(f"mount_setattr of {target}", answer)


def die_with_parent() -> None:
    """Let this process end when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def take_orphans() -> None:
    """Become the parent of what our children leave behind, so that its end can be waited for."""
    _prctl(CHILD_SUBREAPER, 1)


def be_readable() -> None:
    """Let our own parent look at this process again, which a new user namespace forbids."""
    _prctl(_PR_SET_DUMPABLE, 1)


def give_up_privileges() -> None:
    """Keep only the harmless capabilities, and never get another."""
    last = int(_read("/proc/sys/kernel/cap_last_cap"))
    for capability in range(last + 1):
        if capability not in _KEPT_CAPABILITIES:
            _prctl(_PR_CAPBSET_DROP, capability)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def raise_loopback() -> None:
    """Bring up `lo` in this network namespace: a closed port there refuses at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        name = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16xh14x", fcntl.ioctl(asker, 0x8913, name))[0]
        fcntl.ioctl(asker, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


# --- seccomp: which calls of a script are refused, and which are reported to us

NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "arch": 0xC000003E,
        "seccomp": 317,
        "socket": 41,
        "open": 2,
        "stat": 4,
        "lstat": 6,
        "access": 21,
        "openat": 257,
        "newfstatat": 262,
        "faccessat": 269,
        "ptrace": 101,
        "setns": 308,
        "open_by_handle_at": 304,
        "add_key": 248,
        "request_key": 249,
        "keyctl": 250,
        "clone": 56,
        "fork": 57,
        "vfork": 58,
    },
    "aarch64": {
        "arch": 0xC00000B7,
        "seccomp": 277,
        "socket": 198,
        "openat": 56,
        "newfstatat": 79,
        "faccessat": 48,
        "ptrace": 117,
        "setns": 268,
        "open_by_handle_at": 265,
        "add_key": 217,
        "request_key": 218,
        "keyctl": 219,
        "clone": 220,
    },
}
_SHARED = {"io_uring_setup": 425, "statx": 332, "openat2": 437, "faccessat2": 439, "clone3": 435}
_REFUSED = ("ptrace", "setns", "open_by_handle_at", "add_key", "request_key", "keyctl", "io_uring_setup")
PATH_FIRST = ("open", "stat", "lstat", "access")
PATH_SECOND = ("openat", "newfstatat", "faccessat", "statx", "openat2", "faccessat2")
FORKS = ("clone", "clone3", "fork", "vfork")
_ALLOWED_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)

_ALLOW, _NOTIFY, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32 = 0x40000000


def numbers() -> dict[str, int]:
    """Return the numbers of the system calls that matter here; empty if this machine's are not known."""
    own = NUMBERS.get(platform.machine(), {})
    return {**_SHARED, **({"statx": 291} if platform.machine() == "aarch64" else {}), **own} if own else {}


def listen_to_self() -> int:
    """Filter this process' own system calls from now on, and return the handle on which some are reported.

    No sockets can be made but those of the network, so no socket file can be reached, whatever its path.
    """
    known = numbers()
    program = b"".join(struct.pack("HBBI", *one) for one in _program(known))
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    listener = _syscall(known["seccomp"], 1, 8, filter_)
    _call("seccomp", listener)
    return listener


def _program(known: dict[str, int]) -> list[tuple[int, int, int, int]]:
    refused = _ERRNO | errno.EPERM
    lines = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, known["arch"]),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for name in _REFUSED:
        lines += [(_EQUAL, 0, 1, known[name]), (_RETURN, 0, 0, refused)]
    for name in (*PATH_FIRST, *PATH_SECOND, *FORKS):
        if name in known:
            lines += [(_EQUAL, 0, 1, known[name]), (_RETURN, 0, 0, _NOTIFY)]
    families = [(_EQUAL, len(_ALLOWED_FAMILIES) - n, 0, int(one)) for n, one in enumerate(_ALLOWED_FAMILIES)]
    return [
        *lines,
        (_EQUAL, 1, 0, known["socket"]),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, 16),
        *families,
        (_RETURN, 0, 0, _NOTIFY),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _syscall(number: int, *arguments: int | bytes) -> int:
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return int(_libc.syscall(ctypes.c_long(number), *words))


def _prctl(option: int, value: int) -> None:
    _call(f"prctl {option}", _libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))


def _read(file: str) -> str:
    with open(file, encoding="utf-8") as stream:  # noqa: PTH123 - no more than the kernel is needed here
        return stream.read()


def _call(what: str, answer: int) -> None:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
