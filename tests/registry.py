"""A real registry on loopback, behind a front that can refuse, hang and lie."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import MSG_PEEK, SHUT_RDWR

import httpx
from docker.errors import ImageNotFound
from docker.models.images import Image

from procedures.way_back.way_back import REPOSITORY
from tests.stacks import clean_environment, engine, free_port, wait_for

LOOPBACK = "127.0.0.1"
START_LIMIT = 20.0
# What is a layer to the fault that stops in the middle of one; manifests and configurations are smaller.
LAYER = 100_000
_PIECE = 1 << 16
_KEPT = ("Content-Type", "Content-Length", "Docker-Content-Digest", "Docker-Distribution-Api-Version", "Etag")
_TLS_HANDSHAKE = b"\x16"

Answer = Callable[["_Front"], None]


class Registry:
    """What images are pushed to and pulled from. The engine needs no setting for a registry on loopback."""

    def __init__(self, store: str, front: _Server) -> None:
        self._store = store
        self._front = front

    @property
    def address(self) -> str:
        """What stands before the first slash of a reference."""
        return f"{LOOPBACK}:{self._front.server_port}"

    @property
    def requests(self) -> list[str]:
        """What has been asked for so far, as `GET /v2/kestra/manifests/0.20.7`."""
        return list(self._front.requests)

    def reference(self, name: str) -> str:
        """The reference of a name like `kestra:0.20.7`."""
        return f"{self.address}/{name}"

    def push(self, image: str, name: str) -> str:
        """Push a local image under this name and return its digest; the engine keeps no name for it."""
        repository, tag = name.split(":")
        pushed = f"{self._store}/{repository}"
        with engine() as client:
            client.images.get(image).tag(pushed, tag)
            try:
                told = list(client.images.push(pushed, tag, stream=True, decode=True))
            finally:
                client.images.remove(f"{pushed}:{tag}")
        for line in told:
            if "aux" in line:
                return str(line["aux"]["Digest"])
        raise AssertionError(f"the push of {image} failed: {json.dumps(told[-1:])}")

    def pull(self, name: str) -> Image:
        """Have the engine pull it, so that the reference is known locally."""
        repository, tag = name.split(":")
        with engine() as client:
            return client.images.pull(self.reference(repository), tag)

    def forget(self) -> None:
        """Remove every local name of its images from the engine, and what a procedure has kept of them beside."""
        with engine() as client:
            for image in client.images.list():
                names = [*image.tags, *(image.attrs.get("RepoDigests") or ())]
                ours = [name for name in names if name.startswith(f"{self.address}/")]
                kept = [name for name in image.tags if name.startswith(f"{REPOSITORY}:")]
                others = set(image.tags) - set(ours) - set(kept)
                for name in ours + (kept if ours and not others else []):
                    # The last tag of a repository takes its digests with it.
                    with suppress(ImageNotFound):
                        client.images.remove(name, force=True)

    # --- faults, each as long as its context lasts

    def refusing(self, status: int = 403) -> AbstractContextManager[None]:
        """Answer everything with this status: 401, 403, 500."""
        return self._front.answering(lambda front: front.refuse(status))

    def hanging(self) -> AbstractContextManager[None]:
        """Accept connections and never answer."""
        return self._front.answering(lambda front: front.hang())

    def hanging_in_layer(self) -> AbstractContextManager[None]:
        """Answer, but stop for ever in the middle of a layer."""
        return self._front.answering(lambda front: front.pass_on(whole=False))

    def lying(self, name: str, announced: str) -> AbstractContextManager[None]:
        """Announce this digest for a name, and give the name's manifest whoever asks for that digest.

        The engine keeps manifests by their digest: one that it has met before, it does not ask for.
        """
        repository, tag = name.split(":")
        return self._front.answering(lambda front: front.lie(repository, tag, announced))


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """A registry with its storage in this folder; it and every local name for its images end with it."""
    with _store(folder) as store, _front(store) as front:
        made = Registry(store, front)
        try:
            yield made
        finally:
            made.forget()


@contextmanager
def _store(folder: Path) -> Iterator[str]:
    """The registry itself, without its front; its address."""
    address = f"{LOOPBACK}:{free_port()}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
        "http": {"addr": address, "relativeurls": True},
    }
    # JSON is YAML as well.
    (folder / "config.yml").write_text(json.dumps(settings))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            [_program(), "serve", str(folder / "config.yml")],
            env={key: value for key, value in clean_environment().items() if not key.startswith("REGISTRY_")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: _answers(process, address), f"the registry (log in {folder})", START_LIMIT)
        yield address
    finally:
        process.kill()
        process.wait()


def _program() -> str:
    """`docker-registry` as stack/up.sh fetched it, or as it is installed."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    found = shutil.which("docker-registry", path=f"{state / 'kestra-restart/bin'}{os.pathsep}{os.defpath}")
    found = found or shutil.which("docker-registry")
    assert found, "docker-registry is missing: run stack/up.sh test-tools"
    return found


def _answers(process: subprocess.Popen[bytes], address: str) -> bool:
    assert process.poll() is None, "the registry ended at its start"
    try:
        return httpx.get(f"http://{address}/v2/", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


class _Server(ThreadingHTTPServer):
    """The front: every request is answered as the fault of the moment says, else passed on."""

    daemon_threads = True

    def __init__(self, store: str) -> None:
        super().__init__((LOOPBACK, 0), _Front)
        self.store = store
        self.requests: list[str] = []
        self.answer: Answer = lambda front: front.pass_on()
        self.ended = threading.Event()

    @contextmanager
    def answering(self, answer: Answer) -> Iterator[None]:
        before, self.answer = self.answer, answer
        self.ended = threading.Event()
        try:
            yield
        finally:
            self.answer = before
            self.ended.set()


@contextmanager
def _front(store: str) -> Iterator[_Server]:
    server = _Server(store)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Front(BaseHTTPRequestHandler):
    """One connection of the engine."""

    server: _Server
    protocol_version = "HTTP/1.1"
    # The engine keeps connections open; a thread must not wait on an idle one for ever.
    timeout = 60

    def handle(self) -> None:
        # The engine tries TLS first, and tries without when it is hung up on.
        if self.connection.recv(1, MSG_PEEK) == _TLS_HANDSHAKE:
            return
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            return

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        self.server.answer(self)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server asks for

    def refuse(self, status: int) -> None:
        """Answer with an error as a registry words it."""
        body = json.dumps({"errors": [{"code": "DENIED", "message": "refused by the test"}]}).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self._send(body)

    def hang(self) -> None:
        """Say nothing until the fault is over, then hang up."""
        self.server.ended.wait()
        self._hang_up()

    def lie(self, repository: str, tag: str, announced: str) -> None:
        """Pass on, with another digest announced for a tag, and the tag's manifest in that digest's place."""
        manifests = f"/v2/{repository}/manifests"
        if self.path not in (f"{manifests}/{tag}", f"{manifests}/{announced}"):
            self.pass_on()
            return
        self.path = f"{manifests}/{tag}"
        self.pass_on(announced=announced)

    def pass_on(self, *, whole: bool = True, announced: str = "") -> None:
        """Answer as the registry itself answers, but for what the fault changes."""
        upstream = HTTPConnection(self.server.store, timeout=30)
        try:
            accepted = ", ".join(self.headers.get_all("Accept", ()))
            headers = {"Accept": accepted, "Range": self.headers["Range"]}
            upstream.request(
                self.command, self.path, headers={key: value for key, value in headers.items() if value}
            )
            self._copy(upstream.getresponse(), whole=whole, announced=announced)
        finally:
            upstream.close()

    def _copy(self, answer: HTTPResponse, *, whole: bool, announced: str) -> None:
        self.send_response(answer.status)
        for key in _KEPT:
            if answer.headers[key]:
                self.send_header(
                    key, announced if announced and key == "Docker-Content-Digest" else answer.headers[key]
                )
        length = int(answer.headers["Content-Length"] or 0)
        if not answer.headers["Content-Length"]:
            self._send(answer.read())
            return
        self.end_headers()
        stops = not whole and length > LAYER
        left = 0 if self.command == "HEAD" else length // 2 if stops else length
        while left > 0:
            piece = answer.read(min(left, _PIECE))
            if not piece:
                break
            self.wfile.write(piece)
            left -= len(piece)
        if stops:
            self.wfile.flush()
            self.hang()

    def _send(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        """Keep quiet: what was asked is in `requests`."""
