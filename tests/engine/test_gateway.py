"""A Kestra without host ports behind a gateway: whose fault it is that nobody reaches it is told apart."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT
from tests.foreign import foreign
from tests.stacks import SHORT_TIMES, SOURCE, Stack, engine, free_port, wait_for

EXAMPLE = tomllib.loads((SOURCE / "examples" / "gateway" / "target.toml").read_text())
POLL = "0.5"
SLOW = "3"
NEVER = "3600"
WAIVED = (
    "--waive=pre/test_configuration.py::test_the_running_container_has_the_same_configuration",
    "--reason=as a test",
)


def _image_with_python() -> str:
    """The image that all others are built on: it declares no volume, which the gateway would leave behind."""
    with engine() as client:
        (base,) = client.images.list("kestra-restart-base")
        return str(base.tags[0])


class GatewayStack(Stack):
    """The example's stack: all that is seen of Kestra is seen through the gateway."""

    compose_files = (*Stack.compose_files, Path("examples/gateway/docker-compose.gateway.yml"))

    def __init__(self, root: Path) -> None:
        super().__init__(
            root,
            {
                "GATEWAY_IMAGE": _image_with_python(),
                "KESTRA_GATEWAY_PORT": str(free_port()),
                "GATEWAY_POLL": SLOW,
            },
        )

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.env['KESTRA_GATEWAY_PORT']}"

    @property
    def management_url(self) -> str:
        return f"{self.http_url}/kestra-management"

    def let_gateway_learn(self, every: str) -> None:
        """Make the gateway anew, with so many seconds between its looks; it has learnt the server at its first."""
        self.set_env(GATEWAY_POLL=every)
        self.compose("up", "-d", "--no-deps", "--pull", "never", "gateway")
        wait_for(self.is_ready, "the gateway to lead to Kestra", 30)


@pytest.fixture(scope="module", name="gateway")
def _gateway(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayStack]:
    made = GatewayStack(tmp_path_factory.mktemp("gateway"))
    try:
        made.up("kestra", "gateway")
        seen.seed(made)
        yield made
    finally:
        made.down()


def _target(stack: GatewayStack, **budgets: str) -> None:
    """Write the example's target file, with a test's names and times."""
    table: dict[str, Any] = {
        key: value for key, value in EXAMPLE.items() if key not in {"name", "root", "budgets"}
    }
    targets.target_file(stack, **table, budgets={"gateway": "20s", **budgets})


def _ran(gateway: GatewayStack, *arguments: str, name: str = "restart") -> tuple[int, str, dict[str, Any]]:
    done = targets.procedure(gateway, *arguments, name=name)
    return done.returncode, done.stdout, targets.record(targets.latest(gateway))


def _waits(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["what"]: one for step in record["steps"] for one in step["waits"]}


def test_it_is_reached_through_the_gateway_alone(gateway: GatewayStack) -> None:
    """The example publishes no port of Kestra's, and the gateway lets nobody end the server."""
    assert not any(gateway.container(seen.SERVICE).ports.values())
    assert httpx.post(f"{gateway.management_url}/stop", timeout=5).status_code == 404
    assert gateway.is_ready()


def test_a_restart_behind_a_slow_gateway_is_accepted(gateway: GatewayStack) -> None:
    """It is waited for within its own deadline, its path's outage is the outage, and a foreign container runs on."""
    _target(gateway)
    then, other = seen.identity(gateway), seen.identity(gateway, "gateway")
    with foreign(gateway):
        status, output, record = _ran(gateway)
    paths = {one["path"]: one for one in record["outage"]["paths"]}
    waits = _waits(record)

    assert status == 0, output
    assert (then != seen.identity(gateway), other) == (True, seen.identity(gateway, "gateway"))
    assert all(one["url"].startswith(gateway.http_url) for one in paths.values())
    assert any("404" in one["answer"] for one in paths["ping"]["intervals"])
    assert waits["ready"]["sentence"].startswith("ready: the server itself: health 200 UP, ping 200 pong")
    assert waits["gateway"]["ended"]
    assert paths["ping"]["length"] > waits["ready"]["took"]


@FAULT(
    kind="the gateway never learns the new container",
    phase="after",
    happened="told from a server that is down",
    verdict="NOT ACCEPTED",
)
def test_a_gateway_that_never_learns_is_told_from_a_server_that_is_down(gateway: GatewayStack) -> None:
    """Not accepted: the server itself is well, and the gateway has not learnt it, in so many words."""
    gateway.let_gateway_learn(NEVER)
    _target(gateway, gateway="2s")
    status, output, record = _ran(gateway)
    found = seen.findings(record)
    waits = _waits(record)

    assert status == 11, output
    assert (waits["ready"]["ended"], waits["gateway"]["ended"]) == (True, False)
    assert "the server is ready, but the gateway has not learnt it" in found["test_it_became_ready"]
    reason = found["test_the_addresses_lead_to_the_server"]
    assert "the server itself is well inside its network" in reason
    assert "ping 200 pong" in reason
    assert f"http_url {gateway.http_url}/ping says 404" in reason
    assert "test_the_server_itself_is_well" not in found
    assert "the server itself is well inside its network" in found["test_health_says_up"]


@FAULT(
    kind="the gateway is gone",
    phase="before",
    happened="refused: a restart of the service does not mend it",
    verdict="REFUSED",
)
def test_a_gateway_that_is_gone_closes_the_gate(gateway: GatewayStack) -> None:
    """Before the stop too: a restart of the service does not mend a gateway."""
    _target(gateway)
    then = seen.identity(gateway)
    gateway.compose("stop", "gateway")
    try:
        status, output, record = _ran(gateway)
    finally:
        gateway.let_gateway_learn(POLL)

    assert status == 10, output
    reason = seen.findings(record)["test_the_addresses_lead_to_the_service"]
    assert "the server itself is well inside its network" in reason
    assert "see the gateway's own log and routes" in reason
    assert seen.identity(gateway) == then


@pytest.mark.understudy
def test_a_server_that_is_down_is_no_fault_of_the_gateways(gateway: GatewayStack) -> None:
    """The gateway answers for a server that does not come up: SERVICE DOWN all the same, and recover mends it."""
    _target(gateway, boot="4s")
    gateway.set_env(UNDERSTUDY=f"{SHORT_TIMES['UNDERSTUDY']} crash-at-boot")
    down, output, record = _ran(gateway, *WAIVED)
    found = seen.findings(record)
    gateway.set_env(UNDERSTUDY=SHORT_TIMES["UNDERSTUDY"])
    _target(gateway)
    with foreign(gateway):
        recovered, told, _ = _ran(gateway, name="recover")

    assert down == 12, output
    assert found["test_it_became_ready"].startswith("ready: ")
    assert "the gateway" not in found["test_it_became_ready"]
    assert "test_the_server_itself_is_well" in found
    assert recovered == 0, told
    assert gateway.is_ready()
