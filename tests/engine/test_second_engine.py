"""A target on another engine: what is looked at, held and changed is there, and nothing here."""

from __future__ import annotations

import os
import socket
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from procedures.observe.engine.endpoint import Endpoint
from procedures.observe.engine.engine import EngineObserver
from procedures.steps.lock import Holder, Lock
from tests import targets
from tests.engine import service as seen
from tests.engine.heard import heard
from tests.faults import FAULT
from tests.second import NAME, RemoteStack, SecondEngine, second_engine
from tests.stacks import POSTGRES_IMAGE, SOURCE, Stack, free_port, run, wait_for

EXAMPLE = tomllib.loads((SOURCE / "examples" / "remote" / "target.toml").read_text())
CONTEXT = EXAMPLE["context"]


@pytest.fixture(scope="module", name="second")
def _second(images: None) -> Iterator[SecondEngine]:
    with second_engine() as made:
        yield made


@pytest.fixture(scope="module", name="remote")
def _remote(second: SecondEngine, tmp_path_factory: pytest.TempPathFactory) -> RemoteStack:
    """A stack on the second engine; it goes with it."""
    made = RemoteStack(tmp_path_factory.mktemp("remote"), second)
    seen.seed(made.up())
    _make_context(made)
    return made


@pytest.fixture(scope="module", name="twin")
def _twin(remote: RemoteStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of the same names and ports, on the first engine."""
    made = Stack(tmp_path_factory.mktemp("twin"), remote.env)
    try:
        yield seen.seed(made.up())
    finally:
        made.down()


def _make_context(remote: RemoteStack) -> None:
    """Make the example's docker context, in a client's configuration of its own."""
    second = remote.second
    files = {name: second.folder / f"{name}.pem" for name in ("ca", "cert", "key")}
    words = ",".join([f"host={second.secure}", *(f"{name}={file}" for name, file in files.items())])
    run(
        ["docker", "context", "create", CONTEXT, "--docker", words],
        cwd=remote.root,
        env=os.environ | _context(remote),
    )


def _context(remote: RemoteStack) -> dict[str, str]:
    return {"DOCKER_CONFIG": str(remote.root / "docker")}


def _named_by(remote: RemoteStack, way: str) -> dict[str, Any]:
    """The example's target file, with the engine named in one of the ways."""
    plain = {"http_url": remote.http_url, "management_url": remote.management_url}
    ways: dict[str, dict[str, Any]] = {
        "socket": {"context": None, "endpoint": remote.second.socket, **plain},
        "TCP": {"context": None, "endpoint": remote.second.plain},
        "context": {},
    }
    table = {key: value for key, value in EXAMPLE.items() if key not in {"name", "root", "budgets"}}
    return {**table, **ways[way]}


def _findings(remote: RemoteStack) -> dict[str, str]:
    return seen.findings(targets.record(targets.latest(remote)))


@pytest.mark.parametrize(("way", "flags"), [("socket", ["--host"]), ("context", ["--context", CONTEXT])])
def test_a_restart_on_the_second_engine_is_accepted(
    remote: RemoteStack, twin: Stack, way: str, flags: list[str]
) -> None:
    """It is done there, told by its address, and a stack of the same names and ports here is not touched."""
    targets.target_file(remote, **_named_by(remote, way))
    then = seen.identity(remote)
    here = {name: seen.identity(twin, name) for name in (seen.SERVICE, seen.DATABASE)}
    with heard() as changes:
        done = targets.procedure(remote, env=_context(remote))
    record = targets.record(targets.latest(remote))
    address = remote.second.secure if way == "context" else _named_by(remote, way)["endpoint"]

    assert done.returncode == 0, done.stdout
    assert seen.identity(remote) != then
    assert here == {name: seen.identity(twin, name) for name in here}
    assert changes.of(f"com.docker.compose.project={twin.project}") == []
    assert (record["target"]["endpoint"], record["snapshots"][0]["engine"]["name"]) == (address, NAME)
    assert f"engine {address}" in done.stdout
    assert all(
        one["command"][1 : 1 + len(flags)] == flags for one in record["plan"]["steps"] if one["command"]
    )
    assert "the engine is not on this machine" in done.stdout


def test_a_port_is_judged_where_the_engine_is(remote: RemoteStack, twin: Stack) -> None:
    """A port taken there is found; that the twin holds the ports here is not held against the start there."""
    targets.target_file(remote, **_named_by(remote, "TCP"))
    port = int(remote.env["KESTRA_HTTP_PORT"])
    remote.compose("stop", "kestra")
    with _taken(remote, port):
        refused = targets.procedure(remote)
    found = _findings(remote)
    started = targets.procedure(remote)

    assert refused.returncode == 10, refused.stdout
    assert list(found) == ["test_the_ports_are_free_or_ours"]
    assert f"port {port} is taken on the engine's host" in found["test_the_ports_are_free_or_ours"]
    assert started.returncode == 0, started.stdout
    assert f"engine {remote.second.plain}" in started.stdout
    assert twin.is_ready()


@FAULT(
    kind="one engine by two addresses",
    phase="plan",
    happened="the second run meets the lock of the first",
    verdict="LOCKED",
)
def test_an_engine_with_two_addresses_has_one_lock(remote: RemoteStack) -> None:
    """A run that holds the target by the socket is met by one that comes by TCP."""
    targets.target_file(remote, **_named_by(remote, "TCP"))
    then = seen.identity(remote)
    by_socket = EngineObserver(Endpoint(remote.second.socket, "default"))
    lock = Lock(by_socket, remote.project, seen.SERVICE)
    try:
        assert (
            lock.take(Holder.me("0123abcd", "restart", "", Path("/nowhere.jsonl"), "me"), remote.image)
            is None
        )
        done = targets.procedure(remote)
    finally:
        lock.let_go()
        by_socket.close()

    assert done.returncode == 15, done.stdout
    assert "run 0123abcd" in done.stdout
    assert seen.identity(remote) == then


@FAULT(
    kind="the address leads to another, healthy server",
    phase="before",
    happened="refused",
    verdict="REFUSED",
)
def test_an_address_that_leads_to_the_twin_is_found(remote: RemoteStack, twin: Stack) -> None:
    """A healthy server that answers at the address and is another one closes the gate."""
    urls = {"http_url": twin.http_url, "management_url": twin.management_url}
    targets.target_file(remote, **{**_named_by(remote, "TCP"), **urls})
    then = seen.identity(remote)
    done = targets.procedure(remote)

    assert done.returncode == 10, done.stdout
    assert "leads to another server" in _findings(remote)["test_the_addresses_lead_to_the_service"]
    assert seen.identity(remote) == then


@FAULT(
    kind="an engine elsewhere publishes on its own loopback",
    phase="before",
    happened="refused: nobody here can reach it",
    verdict="REFUSED",
)
def test_a_port_that_the_engines_host_keeps_to_itself_is_found(remote: RemoteStack) -> None:
    """What that host publishes on its own loopback nobody here can reach: said before anything stops."""
    targets.target_file(remote, **_named_by(remote, "TCP"))
    remote.set_env(KESTRA_BIND_ADDRESS="127.0.0.1")
    try:
        done = targets.procedure(remote)
    finally:
        remote.set_env(KESTRA_BIND_ADDRESS=remote.second.address)

    assert done.returncode == 10, done.stdout
    reason = _findings(remote)["test_no_needed_port_is_the_engines_alone"]
    assert "http_url and management_url lead to ports" in reason
    assert "forward the port to here" in reason


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"endpoint": "tcp://127.0.0.1:{free}"}, 16, "no engine answers at tcp://127.0.0.1:"),
        ({"endpoint": "tcp://127.0.0.1:{mute}"}, 16, "no engine answers at tcp://127.0.0.1:"),
        ({"endpoint": None, "context": "nowhere"}, 16, "correct the key 'context' in "),
        ({"endpoint": "ssh://root@host"}, 4, "key 'endpoint' must be unix:///PATH or tcp://HOST:PORT"),
        ({"endpoint": "tcp://127.0.0.1:1", "context": "x"}, 4, "both name an engine: leave one out"),
    ],
    ids=["refused", "hangs", "no such context", "ssh", "both"],
)
def test_an_engine_that_cannot_be_had_is_told(
    remote: RemoteStack, changes: dict[str, Any], status: int, says: str
) -> None:
    """One message with the key or the address in it, nothing is touched, and a hung endpoint is not waited for."""
    with _mute() as mute:
        ports = {"free": free_port(), "mute": mute}
        filled = {key: value.format(**ports) if value else value for key, value in changes.items()}
        table = _named_by(remote, "TCP") | filled
        targets.target_file(remote, **table, budgets={"look": "1s"})
        then = seen.identity(remote)
        done = targets.procedure(remote, limit=30)

    assert done.returncode == status, done.stdout + done.stderr
    assert says in " ".join((done.stdout + done.stderr).split())
    assert seen.identity(remote) == then


@contextmanager
def _taken(remote: RemoteStack, port: int) -> Iterator[None]:
    """Let a process of the second engine's host listen on a port, in no container that publishes it."""
    listen = f"import socket, time; s = socket.create_server(('', {port})); time.sleep(600)"
    with remote.client() as client:
        made = client.containers.run(
            POSTGRES_IMAGE, entrypoint=["python3", "-c", listen], network_mode="host", detach=True
        )
        try:
            wait_for(lambda: _accepts(remote.second.address, port), "the listener", 20)
            yield
        finally:
            made.remove(force=True, v=True)


def _accepts(address: str, port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex((address, port)) == 0


@contextmanager
def _mute() -> Iterator[int]:
    """Something that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])
