"""An isolated copy of the bundled stack on the real engine, for tests."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Self

import docker
import httpx
from docker.models.containers import Container

from tests.leftovers import own_name

SOURCE = Path(__file__).resolve().parent.parent / "stack"
COMPOSE_FILE = Path("tools/compose/docker-compose.tools.yml")
UNDERSTUDY_IMAGE = "kestra-understudy:0.20.7"
POSTGRES_IMAGE = "kestra-restart-postgres:15"
COMMAND_LIMIT = 120.0
# A real Kestra boots in ten seconds on an idle machine, in a minute on a busy one.
READY_LIMIT = 120.0

SHORT_TIMES = {
    "KESTRA_TERMINATION_GRACE": "5s",
    "KESTRA_STOP_GRACE": "15s",
    "KESTRA_HEALTH_INTERVAL": "2s",
    "UNDERSTUDY": "boot=0.3 api_lag=0.1 liveness_timeout=3 liveness_interval=0.5 heartbeat=0.5 frozen_limit=3",
}


class Stack:
    """A stack of its own: folder, names, ports, passwords. Nothing of it is left after `down`."""

    compose_files: tuple[Path, ...] = (COMPOSE_FILE,)

    def __init__(self, root: Path, settings: dict[str, str] | None = None) -> None:
        self.root = root
        self.env = _first_settings() | (settings or {})
        _copy_files(root)
        self._write_env()

    # --- what it is

    @property
    def image(self) -> str:
        return self.env["KESTRA_IMAGE"]

    @property
    def is_understudy(self) -> bool:
        return is_understudy(self.image)

    @property
    def prefix(self) -> str:
        return self.env["STACK_PREFIX"]

    @property
    def project(self) -> str:
        return f"{self.prefix}tools"

    @property
    def compose_file(self) -> Path:
        return self.root / COMPOSE_FILE

    @property
    def env_file(self) -> Path:
        return self.root / ".env"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.env['KESTRA_HTTP_PORT']}"

    @property
    def management_url(self) -> str:
        return f"http://127.0.0.1:{self.env['KESTRA_MANAGEMENT_PORT']}"

    @property
    def auth(self) -> tuple[str, str]:
        """User and password, as httpx takes them."""
        return self.env["KESTRA_BASICAUTH_USERNAME"], self.env["KESTRA_BASICAUTH_PASSWORD"]

    # --- what can be done with it

    def set_env(self, **settings: str) -> None:
        """Rewrite keys of the `.env`; containers see it when they are made the next time."""
        self.env |= settings
        self._write_env()

    def write_env_text(self, text: str) -> None:
        """Replace the whole `.env` by this text, malformed or not."""
        # Not `write_text`: line ends are part of what is tested.
        self.env_file.write_bytes(text.encode())

    def compose(
        self, *arguments: str, check: bool = True, limit: float = COMMAND_LIMIT
    ) -> subprocess.CompletedProcess[str]:
        """Run Compose as the runbook types it, in the stack's root."""
        return run(
            ["docker", "compose", *_named(self.compose_files), "--ansi", "never", *arguments],
            cwd=self.root,
            check=check,
            limit=limit,
            env=self.environment(),
        )

    def environment(self) -> dict[str, str]:
        """The environment of somebody who works on this stack's engine."""
        return clean_environment()

    def client(self) -> AbstractContextManager[docker.DockerClient]:
        """A client of this stack's engine."""
        return engine()

    def up(self, *services: str) -> Self:
        """Start all services, or these, and wait until Kestra is ready if it is among them."""
        self.compose("up", "-d", "--pull", "never", *(services or ("kestra",)))
        if not services or "kestra" in services:
            self.give_storage()
            self.wait_until_ready()
        elif "kestra-postgres" in services:
            wait_for(
                lambda: self.health("kestra-postgres") == "healthy", "Postgres to be healthy", READY_LIMIT
            )
        return self

    def give_storage(self) -> None:
        """Let the server's user have its storage, as the bundled stack does: the engine makes its volume as root's."""
        owner = 'chown "$(stat -c %u:%g /proc/1)" /app/storage'
        words = ["docker", "exec", "--user", "0", str(self.container("kestra").name), "sh", "-c", owner]
        run(words, cwd=self.root, env=self.environment())

    def wait_until_ready(self, limit: float = READY_LIMIT) -> None:
        """Wait until readiness says UP and the API answers with the right credentials."""
        try:
            wait_for(self.is_ready, f"{self.project}-kestra to be ready", limit)
        except TimeoutError as error:
            error.add_note(self.logs("kestra")[-3000:])
            raise

    def is_ready(self) -> bool:
        try:
            readiness = httpx.get(f"{self.management_url}/health/readiness", timeout=5)
            if readiness.json()["status"] != "UP":
                return False
            return httpx.get(f"{self.http_url}/api/v1/configs", auth=self.auth, timeout=5).status_code == 200
        except (httpx.TransportError, ValueError, KeyError):
            return False

    def down(self) -> None:
        """Remove containers, volumes and networks, whatever state they are in."""
        with self.client() as client:
            label: dict[str, str | list[str] | bool] = {"label": f"com.docker.compose.project={self.project}"}
            for container in client.containers.list(all=True, filters=label, ignore_removed=True):
                _remove(container)
            for network in client.networks.list(filters=label, greedy=True):
                # A run that was killed leaves its lookout there, which would end by itself much later.
                for container in network.containers:
                    if "io.kestra-restart.role" in container.labels:
                        _remove(container)
                network.remove()
            for volume in client.volumes.list(filters=label):
                volume.remove(force=True)
            for image in client.images.list("kestra-restart-kept"):
                for name in image.tags:
                    if name.startswith(f"kestra-restart-kept:{self.project}-"):
                        client.images.remove(name)

    def container(self, service: str) -> Container:
        """The container of a service, running or not; read again each time."""
        found = self.containers(service)
        if len(found) != 1:
            raise LookupError(f"{len(found)} containers of {service} in {self.project}, one was expected")
        return found[0]

    def containers(self, service: str) -> list[Container]:
        """Every container of a service, running or not."""
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        with self.client() as client:
            return client.containers.list(all=True, filters={"label": labels})

    def health(self, service: str) -> str:
        """What the engine says of a service's health check."""
        return str(self.container(service).attrs["State"].get("Health", {}).get("Status", "none"))

    def logs(self, service: str) -> str:
        """Everything that a service's container has written."""
        return self.container(service).logs().decode(errors="replace")

    def psql(self, statement: str, database: str = "") -> str:
        """Answer of the stack's own database, or another, unaligned, as its administrator inside the container."""
        user, name = self.env["KESTRA_DB_USER"], database or self.env["KESTRA_DB_NAME"]
        command = ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", name, "-c", statement]
        return self.exec("kestra-postgres", *command).strip()

    def exec(self, service: str, *command: str) -> str:
        """Output of a command inside a service's container; it must succeed.

        By the engine's own client: Compose takes ten times as long, and docker-py loses what comes early.
        """
        name = str(self.container(service).name)
        return run(["docker", "exec", name, *command], cwd=self.root, env=self.environment()).stdout

    def _write_env(self) -> None:
        self.env_file.write_text("".join(f"{key}={value}\n" for key, value in self.env.items()))
        self.env_file.chmod(0o600)


@contextmanager
def stack(root: Path, **settings: str) -> Iterator[Stack]:
    """A stack whose parts are removed at the end, however it ends. It is not started."""
    made = Stack(root, settings)
    try:
        yield made
    finally:
        made.down()


@contextmanager
def engine() -> Iterator[docker.DockerClient]:
    """A client of the real engine, closed at the end."""
    client = docker.from_env(timeout=60)
    try:
        yield client
    finally:
        client.close()


def run(
    command: list[str],
    *,
    cwd: Path,
    check: bool = True,
    limit: float = COMMAND_LIMIT,
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with its output kept; the settings of whoever runs the tests stay outside."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env if env is not None else clean_environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=limit,
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def clean_environment(**additions: str) -> dict[str, str]:
    """This process' environment without what would override a stack's `.env`, or compile every module each time."""
    ours = re.compile(
        r"^(KESTRA_|POSTGRES_|STACK_PREFIX$|COMPOSE_|JAVA_OPTS$|UNDERSTUDY$|PYTHONDONTWRITEBYTECODE$)"
    )
    return {key: value for key, value in os.environ.items() if not ours.match(key)} | additions


def pause(container: Container, limit: float = 20.0) -> None:
    """Freeze a container. A busy kernel may say once or twice that it could not; nothing is frozen then."""
    deadline = time.monotonic() + limit
    while True:
        try:
            container.pause()
        except docker.errors.APIError as error:
            if "unable to freeze" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def wait_for(condition: Callable[[], bool], what: str, limit: float, cadence: float = 0.05) -> None:
    """Wait until a condition holds; after the limit say what was waited for."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit:g} s for {what}")
        time.sleep(cadence)


_FIRST_PORT, _PORTS = 20000, 100
_handed_out: set[int] = set()
_slices: list[tuple[int, socket.socket]] = []
"""Where this process' own ports begin, and what holds them against other processes for as long as this one lives."""


def free_port() -> int:
    """A port of loopback that nobody listens on, never the same twice in this process, nor in another one's tests.

    It lies below those that the kernel gives to any connection: a service there would have a finding of its own.
    """
    while True:
        for port in [one for one in _own_ports() if one not in _handed_out]:
            _handed_out.add(port)
            with socket.socket() as listener, suppress(OSError):
                listener.bind(("127.0.0.1", port))
                return port
        _take_slice()


def _own_ports() -> list[int]:
    return [port for begin, _ in _slices for port in range(begin + 1, begin + _PORTS)]


def _take_slice() -> None:
    """Hold the first port of a slice that no other process holds."""
    kernels = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    below = kernels if kernels > _FIRST_PORT + 10 * _PORTS else 2 * _FIRST_PORT
    begins = list(range(_FIRST_PORT, below - _PORTS + 1, _PORTS))
    secrets.SystemRandom().shuffle(begins)
    for begin in begins:
        guard = socket.socket()
        try:
            guard.bind(("127.0.0.1", begin))
        except OSError:
            guard.close()
            continue
        _slices.append((begin, guard))
        return
    raise OSError(f"no ports are left between {_FIRST_PORT} and {below}")


def image_under_test() -> str:
    """The image that the tests run as Kestra: KESTRA_IMAGE from the environment, else the understudy."""
    return os.environ.get("KESTRA_IMAGE") or UNDERSTUDY_IMAGE


def is_understudy(image: str) -> bool:
    """Whether this image is the understudy's: it can be told to fail, and a real Kestra cannot."""
    return image.startswith("kestra-understudy:")


def password() -> str:
    """A random password that satisfies Kestra's rule."""
    return f"Aa1{secrets.token_hex(10)}"


def _first_settings() -> dict[str, str]:
    image = image_under_test()
    kind = "understudy" if is_understudy(image) else "kestra"
    return _example_settings() | {
        "STACK_PREFIX": f"{own_name()}-",
        "KESTRA_IMAGE": image,
        "POSTGRES_IMAGE": os.environ.get("POSTGRES_IMAGE") or POSTGRES_IMAGE,
        "KESTRA_HTTP_PORT": str(free_port()),
        "KESTRA_MANAGEMENT_PORT": str(free_port()),
        "KESTRA_DB_PASSWORD": password(),
        "KESTRA_DB_VOLUME": f"{kind}-postgres-data",
        "KESTRA_BASICAUTH_PASSWORD": password(),
        **SHORT_TIMES,
    }


def _example_settings() -> dict[str, str]:
    lines = (SOURCE / ".env.example").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def _copy_files(root: Path) -> None:
    folder = root / COMPOSE_FILE.parent
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SOURCE / COMPOSE_FILE, root / COMPOSE_FILE)
    shutil.copy(SOURCE / ".env.example", root / ".env.example")
    shutil.copy(SOURCE / COMPOSE_FILE.parent / ".env", folder / ".env", follow_symlinks=False)
    for part in ("setup", "scripts", "tools/kestra", "examples"):
        shutil.copytree(SOURCE / part, root / part, dirs_exist_ok=True)


def _named(files: tuple[Path, ...]) -> list[str]:
    return [word for one in files for word in ("-f", str(one))]


def _remove(container: Container) -> None:
    try:
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        return
