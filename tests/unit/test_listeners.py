"""What listens on a host, read out of the kernel's own tables."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
from dataclasses import dataclass, field
from typing import cast

import pytest

from procedures.observe.engine import lookout
from procedures.observe.engine.execs import Said
from procedures.problems import CannotObserve


@dataclass
class Here:
    """A lookout that stands on this machine instead of an engine's."""

    said: list[Said] = field(default_factory=list)

    def ask(self, argv: tuple[str, ...], limit: float) -> Said:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=limit)
        self.said.append(Said(done.returncode, done.stdout))
        return self.said[-1]


def listeners(here: object) -> set[tuple[str, int]]:
    found = lookout.listeners(cast(lookout.Lookout, here), 10)
    return {(str(ipaddress.ip_address(one.ip)), one.port) for one in found}


def test_a_listener_is_seen_with_its_address_until_it_is_gone() -> None:
    """A port that is listened on is found on its very address, and no more once it is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = ("127.0.0.1", listening.getsockname()[1])
        assert address in listeners(Here())
    assert address not in listeners(Here())


def test_a_connection_is_no_listener_and_is_not_even_told() -> None:
    """Connections, open or in their last minute, are left out where they are read, however many there are."""
    here = Here()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        open_ones = [socket.create_connection(address) for _ in range(20)]
        assert address in listeners(here)
        for one in open_ones:
            one.close()
    states = {line.split()[3] for line in here.said[0].text.splitlines()}
    assert states == {"0A"}
    assert address not in listeners(here)


def test_tables_that_cannot_be_read_are_no_empty_list() -> None:
    """A host whose sockets cannot be read has not got free ports: that is unknown."""

    class Blind:
        def ask(self, *_: object) -> Said:
            return Said(2, "awk: cannot open")

    with pytest.raises(CannotObserve, match="cannot be read"):
        listeners(Blind())
