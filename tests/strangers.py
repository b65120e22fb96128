"""Somebody else on a port of the service: a process that takes it as soon as it is free, and what it answers there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

MUTE = b""
"""It accepts, or not even that, and never says a word."""
NOT_FOUND = b"HTTP/1.0 404 File not found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LIKE_KESTRA = (
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\nConnection: close\r\n\r\n"
    b'{"status":"UP"}'
)


@contextmanager
def taking(answers: Mapping[int, bytes]) -> Iterator[None]:
    """Take these ports of loopback as soon as each is free, and answer there to everything alike."""
    over = threading.Event()
    with ExitStack() as open_ones:
        takers = [
            threading.Thread(target=_take, args=(port, answer, over, open_ones))
            for port, answer in answers.items()
        ]
        for one in takers:
            one.start()
        try:
            yield
        finally:
            over.set()
            for one in takers:
                one.join()


def _take(port: int, answer: bytes, over: threading.Event, open_ones: ExitStack) -> None:
    sock = open_ones.enter_context(socket.socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    while not over.wait(0.002):
        try:
            sock.bind(("127.0.0.1", port))
            sock.listen()
        except OSError:
            continue
        if answer:
            _serve(sock, answer, over)
        over.wait()


def _serve(sock: socket.socket, answer: bytes, over: threading.Event) -> None:
    sock.settimeout(0.02)
    while not over.is_set():
        with suppress(OSError):
            connection, _ = sock.accept()
            with connection:
                connection.settimeout(1)
                connection.recv(65536)
                connection.sendall(answer)
