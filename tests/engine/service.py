"""The service of a test's stack as somebody sees it who is not the suite: by the engine and by its own answers."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker.errors
import httpx
from docker.models.containers import Container

from tests import targets
from tests.leftovers import own_name
from tests.stacks import POSTGRES_IMAGE, Stack, engine, pause, wait_for

FLOW = "id: hello\nnamespace: probe\ntasks:\n  - id: log\n    type: io.kestra.plugin.core.log.Log\n    message: hello\n"
SERVICE, DATABASE = "kestra", "kestra-postgres"
RESTARTING = "restart of"


def seed(stack: Stack) -> Stack:
    """Store a flow, where it is not there, and run it once, so that there is something to be lost."""
    with httpx.Client(base_url=stack.http_url, auth=stack.auth, timeout=30) as client:
        head = {"content-type": "application/x-yaml"}
        if "hello" not in flows(stack):
            client.post("/api/v1/flows", content=FLOW, headers=head).raise_for_status()
        form = {"unused": (None, "x")}
        client.post("/api/v1/executions/probe/hello?wait=true", files=form).raise_for_status()
    return stack


def identity(stack: Stack, service: str = SERVICE) -> tuple[str, str]:
    """A container's id and its start time: the same before and after means that nobody touched it."""
    found = stack.container(service)
    return str(found.id), str(found.attrs["State"]["StartedAt"])


def flows(stack: Stack) -> list[str]:
    """The ids of the flows that the service serves."""
    answer = httpx.get(f"{stack.http_url}/api/v1/flows/search?size=100", auth=stack.auth, timeout=10)
    return [one["id"] for one in answer.raise_for_status().json()["results"]]


def executions(stack: Stack) -> list[str]:
    """The ids of the executions that the service serves."""
    answer = httpx.get(f"{stack.http_url}/api/v1/executions/search?size=100", auth=stack.auth, timeout=10)
    return [one["id"] for one in answer.raise_for_status().json()["results"]]


def instance(stack: Stack) -> str:
    answer = httpx.get(f"{stack.http_url}/api/v1/configs", auth=stack.auth, timeout=10)
    return str(answer.raise_for_status().json()["uuid"])


def run_id(output: str) -> str:
    """The id of a run, as its first lines say it."""
    line = next(one for one in output.splitlines() if one.startswith("  run "))
    return line.split()[1].rstrip(",")


def ours(run: str) -> list[str]:
    """The names of the containers that a run left on the engine: its lock and its lookouts."""
    return [str(one.name) for one in _containers_of(run)]


def volumes_of(run: str) -> dict[str, list[str]]:
    """The volumes of a run's own containers, by the name of each container."""
    return {
        str(one.name): [mount["Name"] for mount in one.attrs["Mounts"] if mount["Type"] == "volume"]
        for one in _containers_of(run)
    }


def _containers_of(run: str) -> list[Container]:
    with engine() as client:
        found = client.containers.list(
            all=True, filters={"label": "io.kestra-restart.role"}, ignore_removed=True
        )
    owners = ("io.kestra-restart.run", "io.kestra-restart.lock.run")
    return [one for one in found if any(one.labels.get(owner) == run for owner in owners)]


def lock_of(stack: Stack) -> Container:
    """The lock that is held on a stack's service now."""
    with engine() as client:
        for one in client.containers.list(
            all=True, filters={"label": "io.kestra-restart.role=lock"}, ignore_removed=True
        ):
            if str(stack.root) in one.labels.get("io.kestra-restart.lock.journal", ""):
                return one
    raise LookupError("nobody holds the lock")


def processes(stack: Stack) -> list[str]:
    """The command lines of the processes that a run of this stack has left: they carry its place for journals."""
    mark = f"XDG_STATE_HOME={stack.root / targets.STATE}\0".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if mark in (folder / "environ").read_bytes() + b"\0":
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return [one for one in found if one]


def files(root: Path, *without: str) -> dict[str, tuple[int, int]]:
    """Every file below a folder with its size and its time of change."""
    return {
        str(one.relative_to(root)): (one.lstat().st_size, one.lstat().st_mtime_ns)
        for one in sorted(root.rglob("*"))
        if not one.is_dir() and one.relative_to(root).parts[0] not in without
    }


def checksums(folder: Path) -> subprocess.CompletedProcess[str]:
    """What `sha256sum` itself says of a run's folder."""
    return subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


def findings(record: dict[str, Any]) -> dict[str, str]:
    """Reason and next move of every required check that closed a gate, by the name of its test."""
    return {
        one["check"]["id"].rpartition("::")[2]: f"{one['reason']} → {one['next_move']}"
        for one in record["results"]
        if one["outcome"] in {"failed", "unknown"} and not one["check"]["advisory"]
    }


@contextmanager
def container(name: str, *command: str, image: str = POSTGRES_IMAGE, **options: Any) -> Iterator[Container]:
    """A container of the test's own beside the stack's, removed at the end; without a command it only waits."""
    waiting: dict[str, Any] = {} if command else {"entrypoint": ["sleep", "600"]}
    with engine() as client:
        made = client.containers.run(image, list(command), name=name, detach=True, **waiting, **options)
        try:
            yield made
        finally:
            with suppress(docker.errors.NotFound):
                made.remove(force=True, v=True)


def freeze(stack: Stack, second: Container) -> None:
    """Freeze another server on the stack's database, and wait until its heartbeat is old: its session stays."""
    pause(second)
    fresh = (
        f"SELECT count(*) FROM service_instance WHERE value::text LIKE '%{str(second.id)[:12]}%' "
        "AND updated_at > now() - interval '4 seconds'"
    )
    wait_for(lambda: stack.psql(fresh) == "0", "the frozen server's heartbeat to be old", 20, 0.3)


def unique(word: str) -> str:
    return f"{own_name()}-{word}"


@contextmanager
def listener(port: int, family: socket.AddressFamily, address: str) -> Iterator[None]:
    """A process of this host that listens on a port."""
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((address, port))
        sock.listen()
        yield


def wait_until_gone(stack: Stack, limit: float = 15.0) -> None:
    """Wait until no process of a run is left: what a killed run had begun goes on for a while."""
    wait_for(lambda: not processes(stack), "the killed run's children to end", limit)


def health(stack: Stack) -> str:
    """What the management port answers: status and body's word, or which silence it was."""
    try:
        answer = httpx.get(f"{stack.management_url}/health", timeout=1)
    except httpx.TimeoutException:
        return "mute"
    except httpx.TransportError:
        return "refused"
    return f"{answer.status_code} {answer.json().get('status')}"


@contextmanager
def second_server(stack: Stack) -> Iterator[Container]:
    """Another server with the service's own configuration on its database; its heartbeats have begun."""
    ours = stack.container(SERVICE)
    options: dict[str, Any] = {
        "environment": ours.attrs["Config"]["Env"],
        "network": next(iter(ours.attrs["NetworkSettings"]["Networks"])),
    }
    with container(unique("second"), "server", "standalone", image=stack.image, **options) as made:
        statement = f"SELECT count(*) FROM service_instance WHERE value::text LIKE '%{str(made.id)[:12]}%'"
        wait_for(lambda: stack.psql(statement) != "0", "the second server's heartbeat", 20, 0.3)
        try:
            yield made
        finally:
            # Asked, not killed: it takes its heartbeats back.
            made.stop(timeout=15)
