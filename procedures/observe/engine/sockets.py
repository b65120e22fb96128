"""The kernel's tables of sockets (proc(5), `net/tcp`): which sockets listen, and where."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

TABLES = ("net/tcp", "net/tcp6")
LISTENING = "0A"
"""The fourth word of a line whose socket listens."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A listening socket; `inode` is its number among the open files of its process."""

    ip: str
    port: int
    inode: str


def listening(text: str) -> Iterator[Socket]:
    """Read the listening sockets out of one or more tables."""
    for words in map(str.split, text.splitlines()):
        if len(words) > 9 and words[3] == LISTENING:
            address, _, port = words[1].partition(":")
            yield Socket(_address(address), int(port, 16), words[9])


def _address(text: str) -> str:
    """Read an address: hexadecimal words in host byte order."""
    raw = b"".join(bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    address = ipaddress.ip_address(raw)
    # Java listens on IPv4 through an IPv6 socket: the same port is taken.
    return str(getattr(address, "ipv4_mapped", None) or address)
