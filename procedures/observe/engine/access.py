"""Why this user may not use the engine's socket: compares its owner, group and mode with the user and their groups."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket's path, and who may use it; a name is empty if this system has none for the number."""

    path: str
    mode: int
    owner: str
    gid: int
    group: str

    @property
    def group_may(self) -> bool:
        return self.mode & 0o060 == 0o060


@dataclass(frozen=True, slots=True)
class User:
    """Who we are: `session` are the groups that this session has, `listed` those that a new one would have."""

    name: str
    uid: int
    session: frozenset[int]
    listed: frozenset[int]


def refusal(url: str) -> tuple[str, str]:
    """Return why we may not use an engine's socket, and what to type next."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return f"no permission for the engine at {url}", "ask whoever runs it for access"
    path = Path(parts.path)
    try:
        found = path.stat()
    except OSError as error:
        return (
            f"the engine's socket {path} cannot be looked at: {error.strerror}",
            f"`namei -l {path}` shows which folder on the way is closed to this user",
        )
    socket = Socket(
        str(path), stat.S_IMODE(found.st_mode), _user(found.st_uid), found.st_gid, _group(found.st_gid)
    )
    return refusal_of(socket, _me())


def refusal_of(socket: Socket, user: User) -> tuple[str, str]:
    """Distinguish the cases in which the system says only `permission denied`."""
    group = f"group {socket.group}" if socket.group else f"group {socket.gid}, which has no name here"
    head = (
        f"no permission for the engine's socket unix://{socket.path}: it is {socket.owner}'s and "
        f"{group}'s (mode {socket.mode:04o}), and this is user {user.name}"
    )
    if not socket.group_may:
        return (
            f"{head}; its mode does not let the group in",
            f"`sudo chmod g+rw {socket.path}`, or run this as {socket.owner}",
        )
    if socket.gid in user.session:
        return (
            f"{head}, who is in that group: something else refuses (SELinux, AppArmor, a closed folder on the way)",
            f"`namei -l {socket.path}`; `journalctl -k --grep denied`",
        )
    if socket.gid in user.listed:
        return (
            f"{head}, who was put into that group after this session began",
            f"log in anew, or for this shell alone `newgrp {socket.group or socket.gid}`",
        )
    if not socket.group:
        return (
            f"{head}, who is not in it: the socket comes from another system, so its own `docker` group is no help",
            (
                f"`sudo groupadd -g {socket.gid} docker-socket && sudo usermod -aG docker-socket {user.name}`, then log in "
                "anew"
            ),
        )
    return (
        f"{head}, who is not in it",
        (
            f"`sudo usermod -aG {socket.group} {user.name}`, then log in anew (membership of the socket's group is as "
            "good as root on this machine)"
        ),
    )


def _me() -> User:
    uid, gid = os.geteuid(), os.getegid()
    name = _user(uid)
    try:
        listed = os.getgrouplist(name, pwd.getpwuid(uid).pw_gid)
    except KeyError:
        listed = []
    return User(name, uid, frozenset({gid, *os.getgroups()}), frozenset(listed))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
