"""Dashboards for tests: a small server on loopback whose pages answer as they are told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

LOOPBACK = "127.0.0.1"

Page = Callable[[], tuple[int, dict[str, str], bytes]]


class Board(ThreadingHTTPServer):
    """The server; `pages` are answered by their paths, and one that is None is accepted and left mute."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Asked)
        self.pages: dict[str, Page | None] = {}
        self.asked: list[str] = []
        self.ended = threading.Event()

    def url(self, path: str) -> str:
        return f"http://{LOOPBACK}:{self.server_port}{path}"


class _Asked(BaseHTTPRequestHandler):
    server: Board
    timeout = 60

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        page = self.server.pages.get(self.path, _nowhere)
        if page is None:
            self.server.ended.wait()
            return
        status, headers, body = page()
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        """Keep quiet: what was asked is in `asked`."""


@contextmanager
def board() -> Iterator[Board]:
    """A server of dashboards that ends with its context."""
    server = Board()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def fixed(document: Any, status: int = 200, **headers: Any) -> Page:
    """A page that always says the same; a name like X_Cache_Age is the header X-Cache-Age."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: (status, named, body)


def mirror(management_url: str, looks: int) -> Page:
    """A page that shows a Kestra's health and gives each answer out so many times, telling its age as a cache does."""
    kept: dict[str, Any] = {"left": 0, "made": 0.0, "status": ""}
    guard = threading.Lock()

    def page() -> tuple[int, dict[str, str], bytes]:
        with guard:
            if not kept["left"]:
                kept.update(left=looks, made=time.monotonic(), status=_health(management_url))
            kept["left"] -= 1
            body = {
                "services": [{"name": "web", "status": "up"}, {"name": "kestra", "status": kept["status"]}]
            }
            return 200, {"X-Cache-Age": str(int(time.monotonic() - kept["made"]))}, json.dumps(body).encode()

    return page


def _health(management_url: str) -> str:
    try:
        said = httpx.get(f"{management_url}/health", timeout=5, trust_env=False).json()["status"]
    except (httpx.HTTPError, ValueError, KeyError):
        return "down"
    return "healthy" if said == "UP" else "unhealthy"


def _nowhere() -> tuple[int, dict[str, str], bytes]:
    return 404, {}, b"there is nothing here"
