"""A stand-in for a reverse proxy that finds its servers by asking Docker, as Traefik's docker provider does.

Every GATEWAY_POLL seconds it lists the containers of GATEWAY_PROJECT that Docker calls healthy and that carry the label
`gateway.routes`: pairs of a path and a port, such as `/=8080 /kestra-management=8081`. Until it has learnt a container
it answers 404. A server that refuses a connection is forgotten, and learnt again at a later poll. Below `/` alone are
other methods than GET and HEAD passed on: the management port ends the server for anybody who asks.

It has no TLS, no limits and no log, and wants nothing but Python's standard library: made for an example and for tests.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

PORT = 9080
SOCKET = "/var/run/docker.sock"
PATIENCE = 10.0
GONE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection"}


class Engine(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(SOCKET)


class Routes:
    """Which path leads to which address; longer paths first."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._known: dict[str, tuple[str, int]] = {}

    def learn(self) -> None:
        """Ask Docker anew."""
        wanted = {
            "label": [f"com.docker.compose.project={self._project}", "gateway.routes"],
            "health": ["healthy"],
        }
        connection = Engine("docker")
        try:
            connection.request("GET", f"/containers/json?filters={quote(json.dumps(wanted))}")
            containers = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        found: dict[str, tuple[str, int]] = {}
        for one in containers:
            address = next(iter(one["NetworkSettings"]["Networks"].values()))["IPAddress"]
            pairs = (word.partition("=") for word in one["Labels"]["gateway.routes"].split())
            found |= {path: (address, int(port)) for path, _, port in pairs}
        self._known = dict(sorted(found.items(), key=lambda pair: -len(pair[0])))

    def of(self, path: str) -> tuple[str, tuple[str, int]] | None:
        """Return the prefix and the address for a path."""
        for prefix, address in self._known.items():
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                return prefix, address
        return None

    def forget(self, host: str) -> None:
        """Forget a server that is gone; the word of it may come when another one has long been learnt."""
        self._known = {path: address for path, address in self._known.items() if address[0] != host}


class Gateway(BaseHTTPRequestHandler):
    """Passes one request on."""

    routes: Routes
    timeout = PATIENCE

    def _pass_on(self) -> None:
        found = self.routes.of(self.path.partition("?")[0])
        if found is None or (found[0] != "/" and self.command not in {"GET", "HEAD"}):
            self._say(404, b"404 page not found\n")
            return
        prefix, address = found
        path = self.path if prefix == "/" else self.path[len(prefix) :] or "/"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        server = http.client.HTTPConnection(*address, timeout=PATIENCE)
        try:
            server.request(self.command, path, body or None, {**headers, "Connection": "close"})
            answer = server.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in GONE:
                self.routes.forget(address[0])
            self._say(502, b"Bad Gateway\n")
            return
        finally:
            server.close()
        kept = [
            pair for pair in answer.getheaders() if pair[0].lower() not in {*HOP_BY_HOP, "content-length"}
        ]
        self._say(answer.status, content, kept)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _pass_on  # noqa: N815 - the library's

    def _say(self, status: int, content: bytes, headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128


def keep_learning(routes: Routes, pause: float) -> None:
    """Ask Docker again and again; an engine that does not answer leaves what is known."""
    while True:
        try:
            routes.learn()
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            print(f"docker could not be asked: {error}", flush=True)
        time.sleep(pause)


def main() -> None:
    Gateway.routes = Routes(os.environ["GATEWAY_PROJECT"])
    pause = float(os.environ.get("GATEWAY_POLL") or "2")
    threading.Thread(target=keep_learning, args=(Gateway.routes, pause), daemon=True).start()
    Server(("", PORT), Gateway).serve_forever()


if __name__ == "__main__":
    main()
