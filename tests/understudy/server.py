"""One server in a container of its own, on the Postgres of a stack and in a database of its own."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
from docker.models.containers import Container

from tests.stacks import Stack, engine, free_port, image_under_test, is_understudy, wait_for

SHORT = "boot=0.3 api_lag=0 liveness_timeout=1 liveness_interval=0.3 heartbeat=0.3"
BOOT_LIMIT = 120.0
IS_UNDERSTUDY = is_understudy(image_under_test())


def _images() -> dict[str, str]:
    """The images under test, by the version whose recording each is held against."""
    if IS_UNDERSTUDY:
        return {version: f"kestra-understudy:{version}" for version in ("0.20.7", "0.21.0")}
    is_newer = ":0.21" in image_under_test() or ":v0.21" in image_under_test()
    return {"0.21.0" if is_newer else "0.20.7": image_under_test()}


IMAGES = _images()


class Server:
    """A container with the image under test. It can be started, looked at and ended; `run` removes it."""

    def __init__(self, stack: Stack, container: Container, database: str, ports: tuple[int, int]) -> None:
        self.stack = stack
        self.container = container
        self.database = database
        self.http_url = f"http://127.0.0.1:{ports[0]}"
        self.management_url = f"http://127.0.0.1:{ports[1]}"
        self.auth = stack.auth

    def wait_until_ready(self) -> Server:
        try:
            wait_for(self.is_ready, "the server to be ready", BOOT_LIMIT)
        except TimeoutError as late:
            late.add_note(self.log()[-3000:])
            raise
        return self

    def is_ready(self) -> bool:
        try:
            httpx.get(f"{self.management_url}/health", timeout=5).raise_for_status()
            status = httpx.get(f"{self.http_url}/api/v1/configs", auth=self.auth, timeout=5).status_code
        except httpx.HTTPError:
            return False
        return status == 200

    def log(self) -> str:
        return self.container.logs().decode(errors="replace")

    def stdout(self) -> list[str]:
        return self._lines(stdout=True, stderr=False)

    def stderr(self) -> list[str]:
        return self._lines(stdout=False, stderr=True)

    def stop(self, limit: int = 30) -> int:
        """Stop it as Docker does, and return its exit status."""
        self.container.stop(timeout=limit)
        return self.exit_status(1)

    def exit_status(self, limit: float) -> int:
        """The status with which it ended, or ends within the limit."""
        return int(self.container.wait(timeout=limit)["StatusCode"])

    def is_running(self) -> bool:
        self.container.reload()
        return bool(self.container.status == "running")

    def psql(self, statement: str) -> str:
        """Answer of its database."""
        return self.stack.psql(statement, self.database)

    def states(self) -> dict[str, str]:
        """The state of each service, the newest of each type."""
        rows = self.psql("SELECT service_type, state FROM service_instance ORDER BY created_at").splitlines()
        return dict(row.split("|") for row in rows)

    # --- what tests ask of it

    def create(self, source: str) -> None:
        head = {"content-type": "application/x-yaml"}
        answer = httpx.post(f"{self.http_url}/api/v1/flows", content=source, headers=head, auth=self.auth)
        answer.raise_for_status()

    def execute(self, flow: str, *, wait: bool = False) -> str:
        """Begin an execution and return its id."""
        answer = httpx.post(
            f"{self.http_url}/api/v1/executions/probe/{flow}",
            params={"wait": str(wait).lower()},
            files={"unused": (None, "x")},
            auth=self.auth,
            timeout=30,
        )
        return str(answer.raise_for_status().json()["id"])

    def execution(self, key: str) -> Any:
        answer = httpx.get(f"{self.http_url}/api/v1/executions/{key}", auth=self.auth, timeout=10)
        return answer.raise_for_status().json()

    def wait_for_state(self, key: str, state: str, limit: float = 15.0) -> Any:
        wait_for(lambda: self.execution(key)["state"]["current"] == state, f"{key} to be {state}", limit)
        return self.execution(key)

    def nap(self, seconds: int) -> str:
        """Begin an execution that sleeps and then logs; return its id once the sleep has begun."""
        self.create(sleeper(seconds))
        key = self.execute("sleeper")
        worker = f"{self.management_url}/worker"
        wait_for(lambda: httpx.get(worker).json()["runningCount"] == 1, "the sleep to begin", 10)
        return key

    def _lines(self, *, stdout: bool, stderr: bool) -> list[str]:
        text: bytes = self.container.logs(stdout=stdout, stderr=stderr)
        return text.decode(errors="replace").splitlines()


def sleeper(seconds: int) -> str:
    return (
        "id: sleeper\nnamespace: probe\ntasks:\n"
        f"  - id: nap\n    type: io.kestra.plugin.core.flow.Sleep\n    duration: PT{seconds}S\n"
        "  - id: after\n    type: io.kestra.plugin.core.log.Log\n    message: woke up\n"
    )


def new_database(stack: Stack) -> str:
    """Make an empty database beside the stack's own."""
    name = f"d{secrets.token_hex(4)}"
    stack.psql(f"CREATE DATABASE {name}", "postgres")
    return name


def configuration(stack: Stack) -> str:
    """What the stack's Compose file hands to Kestra as its configuration."""
    return _environment(stack)["KESTRA_CONFIGURATION"]


def as_recorded(stack: Stack) -> dict[str, str]:
    """The configuration with the address that the recorded servers had."""
    text = configuration(stack).replace("kestra:\n", "kestra:\n  url: http://localhost:18080/\n", 1)
    return {"KESTRA_CONFIGURATION": text}


def without_auth(stack: Stack) -> dict[str, str]:
    """The configuration with credentials that nobody has enabled."""
    text = re.sub(r"\n *enabled: true", "", configuration(stack), count=1)
    return {"KESTRA_CONFIGURATION": text}


@contextmanager
def run(
    stack: Stack, database: str, environment: Mapping[str, str] | None = None, *, image: str = ""
) -> Iterator[Server]:
    """A container that was started and not waited for; it is removed at the end."""
    ports = (free_port(), free_port())
    settings = {**_environment(stack), "TOOLS_DB_NAME": database, "UNDERSTUDY": SHORT, **(environment or {})}
    with engine() as client:
        container = client.containers.run(
            image or stack.image,
            "server standalone",
            detach=True,
            name=f"{stack.prefix}server-{secrets.token_hex(3)}",
            network=f"{stack.project}_default",
            environment=settings,
            ports={"8080/tcp": ("127.0.0.1", ports[0]), "8081/tcp": ("127.0.0.1", ports[1])},
        )
        try:
            yield Server(stack, container, database, ports)
        finally:
            container.remove(force=True, v=True)


@cache
def _environment(stack: Stack) -> dict[str, str]:
    """What the stack's own Compose file gives the server."""
    rendered = json.loads(stack.compose("config", "--format", "json").stdout)
    given = rendered["services"]["kestra"]["environment"]
    return {key: str(value or "").replace("$$", "$") for key, value in given.items()}
