"""A second engine on this machine, whose host is another one for all that a client can tell.

It runs in a container of the first engine, made of this machine's own programs: with its own network, name, images,
and processes. The first engine is never touched but for that container, its network and its volume, all of which go
with it; what ends without going ends by itself after `LIFETIME`. A privileged container is not asked for: a machine
that may not give every capability away runs this all the same.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
from docker.models.containers import Container

from tests.engine import service as seen
from tests.stacks import POSTGRES_IMAGE, Stack, clean_environment, engine, image_under_test, run, wait_for

LIFETIME = 900
UP_LIMIT = 60.0
PLAIN, SECURE = 2375, 2376
NAME = "second-host"
_CAPABILITIES = (
    "AUDIT_CONTROL", "DAC_READ_SEARCH", "IPC_LOCK", "NET_ADMIN", "SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE",
)  # fmt: skip
_OPTIONS = (
    *(f"--cap-add={one}" for one in _CAPABILITIES),
    *(f"--security-opt={one}=unconfined" for one in ("seccomp", "apparmor", "systempaths")),
    "--device-cgroup-rule=a *:* rwm",
    "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--volume=/usr:/usr:ro",
    # The containers' name server is put in place by iptables, which Debian finds through its alternatives.
    "--volume=/etc/alternatives:/etc/alternatives:ro",
    "--volume=/var/lib/docker",
    "--user=root",
    f"--hostname={NAME}",
    "--entrypoint=docker-init",
)
_BEGIN = f"""
dockerd --group {os.getgid()} --iptables=false --ip-masq=false -H unix:///second/docker.sock -H tcp://0.0.0.0:{SECURE} --tlsverify \
  --tlscacert /second/ca.pem --tlscert /second/server.pem --tlskey /second/server-key.pem &
exec python3 /second/forward.py
"""
# One engine does not listen on TCP with and without certificates: the plain port is a forward to its socket.
_FORWARD = f"""
import socket, threading
def pump(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        one.close(), other.close()
listener = socket.create_server(("", {PLAIN}))
while True:
    one, _ = listener.accept()
    other = socket.socket(socket.AF_UNIX)
    try:
        other.connect("/second/docker.sock")
    except OSError:
        one.close()
        continue
    for pair in ((one, other), (other, one)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


@dataclass(frozen=True, slots=True)
class SecondEngine:
    """The second engine, as its clients find it."""

    folder: Path
    address: str
    container: Container

    @property
    def socket(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def plain(self) -> str:
        return f"tcp://{self.address}:{PLAIN}"

    @property
    def secure(self) -> str:
        return f"tcp://{self.address}:{SECURE}"

    @contextmanager
    def client(self) -> Iterator[docker.DockerClient]:
        client = docker.DockerClient(base_url=self.socket, timeout=60)
        try:
            yield client
        finally:
            client.close()


class RemoteStack(Stack):
    """A stack on the second engine, published at that engine's address."""

    compose_files = (*Stack.compose_files, Path("examples/remote/docker-compose.remote.yml"))

    def __init__(self, root: Path, second: SecondEngine) -> None:
        self.second = second
        super().__init__(root, {"KESTRA_BIND_ADDRESS": second.address})

    @property
    def http_url(self) -> str:
        return f"http://{self.second.address}:{self.env['KESTRA_HTTP_PORT']}"

    @property
    def management_url(self) -> str:
        return f"http://{self.second.address}:{self.env['KESTRA_MANAGEMENT_PORT']}"

    def environment(self) -> dict[str, str]:
        return clean_environment(DOCKER_HOST=self.second.socket)

    def client(self) -> AbstractContextManager[docker.DockerClient]:
        return self.second.client()


@contextmanager
def second_engine() -> Iterator[SecondEngine]:
    """A second engine with the stack's images; everything of it goes at the end."""
    # A short path: a socket's must not be long.
    folder = Path(tempfile.mkdtemp(prefix="second-"))
    name = seen.unique("second-engine")
    try:
        with engine() as client:
            # Nobody beyond this machine, and nobody from it to beyond.
            network = client.networks.create(name, driver="bridge", internal=True)
            try:
                yield from _running(client, folder, name)
            finally:
                with suppress(docker.errors.NotFound):
                    client.containers.get(name).remove(force=True, v=True)
                network.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(client: docker.DockerClient, folder: Path, name: str) -> Iterator[SecondEngine]:
    (folder / "forward.py").write_text(_FORWARD)
    (folder / "begin.sh").write_text(f"while [ ! -e /second/server.pem ]; do sleep 0.05; done\n{_BEGIN}")
    # By the client: what hides parts of /proc is its option, not the engine's.
    run(["docker", "run", "--detach", "--name", name, "--network", name, *_OPTIONS, "--volume", f"{folder}:/second",
         POSTGRES_IMAGE, "--", "timeout", str(LIFETIME), "sh", "/second/begin.sh"], cwd=folder)  # fmt: skip
    container = client.containers.get(name)
    address = container.attrs["NetworkSettings"]["Networks"][name]["IPAddress"]
    _certificates(folder, address)
    second = SecondEngine(folder, address, container)
    wait_for(lambda: _answers(second), "the second engine", UP_LIMIT)
    images = [image_under_test(), POSTGRES_IMAGE]
    archive = folder / "images.tar"
    run(["docker", "save", "-o", str(archive), *images], cwd=folder)
    run(["docker", "--host", second.socket, "load", "-i", str(archive)], cwd=folder)
    archive.unlink()
    yield second


def _answers(second: SecondEngine) -> bool:
    second.container.reload()
    if second.container.status != "running":
        raise AssertionError(
            "the second engine ended (it needs this machine's own dockerd):\n"
            + second.container.logs(tail=20).decode(errors="replace")
        )
    asked = run(["docker", "--host", second.socket, "version"], cwd=second.folder, check=False)
    return asked.returncode == 0


def _certificates(folder: Path, address: str) -> None:
    """Make an authority, and by it the engine's certificate and a client's (named as docker clients look for them)."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    own = ["-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority"]
    run([*new, *own], cwd=folder)
    for file, key, subject, use in (
        ("cert.pem", "key.pem", "/CN=client", "extendedKeyUsage=clientAuth"),
        ("server.pem", "server-key.pem", f"/CN={NAME}", f"subjectAltName=IP:{address}"),
    ):
        signed = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-keyout", key, "-out", file, "-days", "2"]
        run([*new, *signed, "-subj", subject, "-addext", use], cwd=folder)
