"""A threaded HTTP/1.1 server on one port, that can be taken away in the middle of everything."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from . import log
from .document import to_json
from .moment import now, to_iso


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def parameter(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    afterwards: Callable[[], None] | None = None
    """What is done once the answer is on its way."""


def json_answer(status: int, body: object) -> Answer:
    return Answer(status, to_json(body).encode(), {"content-type": "application/json"})


class Application(Protocol):
    """What answers, and what may hold answers back."""

    def answer(self, request: Request) -> Answer:
        """Answer a request."""

    def held(self, path: str) -> bool:
        """Say whether this path gets no answer at the moment."""


class HttpServer:
    """Listens on one port, with a thread for each connection."""

    def __init__(self, port: int, application: Application) -> None:
        self.application = application
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        dual = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if dual else socket.AF_INET
        self._listener = socket.create_server(("", port), family=family, backlog=128, dualstack_ipv6=dual)
        self.open = True

    def start(self) -> None:
        threading.Thread(target=self._accept, name="http-accept", daemon=True).start()

    def close(self) -> None:
        """Take the port away and cut every connection."""
        with self._lock:
            self.open = False
            connections = list(self._connections)
        _shut(self._listener)
        self._listener.close()
        for connection in connections:
            _shut(connection)

    def _accept(self) -> None:
        while self.open:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection: socket.socket, address: Any) -> None:
        with self._lock:
            if not self.open:
                connection.close()
                return
            self._connections.add(connection)
        try:
            with suppress(OSError, ValueError):  # the client left, or we did
                _Conversation(connection, address, self)  # type: ignore[arg-type] # it only passes its server on
        finally:
            with self._lock:
                self._connections.discard(connection)
            _shut(connection)
            connection.close()


class _Conversation(BaseHTTPRequestHandler):
    """One connection; the class of the standard library reads the requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    timeout = 120
    server: Any

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 -- the library's name
        pass

    def _converse(self) -> None:
        began = now()
        url = urlsplit(self.path)
        path = unquote(url.path)
        if not self._awaited(path):
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(url.query, keep_blank_values=True)
        answer = self.server.application.answer(Request(self.command, path, query, headers, self._body()))
        self._send(answer)
        if not path.startswith(("/health", "/ui/", "/prometheus")):
            took = int((now() - began).total_seconds() * 1000)
            told = f"{to_iso(began)} | {self.command} {self.path} {self.request_version} | status: {answer.status}"
            told += f" | ip: {self.client_address[0].removeprefix('::ffff:')} | length: {len(answer.body)}"
            log.info(
                "io.kestra.webserver.access",
                f"{told} | duration: {took}",
                thread="default-nioEventLoopGroup-1-1",
            )
        if answer.afterwards:
            answer.afterwards()

    def __getattr__(self, name: str) -> Any:
        """Give the library one method for all of HTTP's: it looks for `do_GET` and its like."""
        if name.startswith("do_"):
            return self._converse
        raise AttributeError(name)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("date", self.date_time_string())
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _awaited(self, path: str) -> bool:
        """Hold the request for as long as nothing is answered; say whether its client still waits then."""
        pause = 0.01
        while self.server.application.held(path):
            pause = min(pause * 1.5, 0.25)
            readable, _, _ = select.select([self.connection], [], [], pause)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return False
            if readable:
                time.sleep(pause)  # there is more to read: a body, which is not ours to read yet
        return bool(self.server.open)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        connection.shutdown(socket.SHUT_RDWR)
