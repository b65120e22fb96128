"""What a boot is spared: nobody asks the engine about a container that boots and of whose end nothing was told."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests import targets
from tests.stacks import SHORT_TIMES, stack

pytestmark = pytest.mark.understudy

BOOT = 5.0
ENGINE = "/var/run/docker.sock"
ABOUT_CONTAINERS = re.compile(rb"(?:GET|POST) (?:/v[\d.]+)?/(?:containers|exec)/\S*")
STARTING = 1.0
"""Seconds that the start command may need to end after the engine has started the container."""


class Asked(list[tuple[float, str]]):
    """What was asked about containers, each with its moment since the epoch."""

    def between(self, begin: float, end: float) -> list[str]:
        return [line for at, line in self if begin <= at <= end]


class Relay(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A socket that leads to the engine and keeps what is asked about containers."""

    def __init__(self, path: Path) -> None:
        self.asked = Asked()
        super().__init__(str(path), Leading)


class Leading(socketserver.BaseRequestHandler):
    """One connection, both ways, until both have ended."""

    server: Relay

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(ENGINE)
            answers = threading.Thread(target=lead, args=(engine, self.request, lambda _: None))
            answers.start()
            lead(self.request, engine, self._note)
            answers.join()

    def _note(self, said: bytes) -> None:
        now = time.time()
        self.server.asked += [(now, one.decode()) for one in ABOUT_CONTAINERS.findall(said)]


def lead(source: socket.socket, to: socket.socket, note: Callable[[bytes], None]) -> None:
    """Hand on what comes until it ends, and then the end."""
    with suppress(OSError):
        while said := source.recv(65536):
            note(said)
            to.sendall(said)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)


@contextmanager
def relay(path: Path) -> Iterator[Asked]:
    """Lead a socket at a path to the engine; yield what is asked there."""
    with Relay(path) as one:
        running = threading.Thread(target=one.serve_forever)
        running.start()
        try:
            yield one.asked
        finally:
            one.shutdown()
            running.join()


def boot_of(record: dict[str, Any]) -> tuple[float, float]:
    """When the engine started the container, and when the server was back, since the epoch."""
    (started,) = [one["at"] for one in record["events"] if one["action"] == "start"]
    zero = datetime.fromisoformat(record["outage"]["zero_at"]).timestamp()
    headline = next(one for one in record["outage"]["paths"] if one["headline"])
    return datetime.fromisoformat(started).timestamp(), zero + headline["first_good"]


def test_a_boot_is_not_disturbed(images: None, tmp_path: Path) -> None:
    """The engine tells by itself of an end: while it tells of none, it is asked nothing about containers."""
    socket_path = tmp_path / "engine.sock"
    with (
        stack(tmp_path, UNDERSTUDY=re.sub(r"\bboot=\S+", f"boot={BOOT:g}", SHORT_TIMES["UNDERSTUDY"])) as own,
        relay(socket_path) as asked,
    ):
        targets.target_file(own.up())
        done = targets.procedure(own, env={"DOCKER_HOST": f"unix://{socket_path}"})
        record = targets.record(targets.latest(own))

    assert done.returncode == 0, done.stdout
    started, back = boot_of(record)
    assert back - started > BOOT - STARTING
    assert asked.between(started + STARTING, back) == []
    assert asked.between(back, back + 60) != []
