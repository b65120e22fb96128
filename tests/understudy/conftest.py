"""What the understudy's tests may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.collecting import pytest_collection_modifyitems
from tests.stacks import SOURCE, Stack, clean_environment, stack
from tests.stacks import run as run_command
from tests.understudy import conversation, recordings
from tests.understudy.server import (
    IMAGES,
    IS_UNDERSTUDY,
    Server,
    as_recorded,
    new_database,
    run,
    without_auth,
)

__all__ = ["pytest_collection_modifyitems"]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Postgres that the servers of these tests share, each with a database of its own."""
    if IS_UNDERSTUDY:
        command = [str(SOURCE / "up.sh"), "images", "--built"]
        run_command(command, cwd=SOURCE, env=clean_environment(), limit=600)
    with stack(tmp_path_factory.mktemp("stack")) as made:
        yield made.up("kestra-postgres")


@pytest.fixture(scope="module")
def fragile_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Postgres that tests restart and freeze."""
    with stack(tmp_path_factory.mktemp("fragile")) as made:
        yield made.up("kestra-postgres")


@pytest.fixture
def database(postgres: Stack) -> str:
    return new_database(postgres)


@pytest.fixture(scope="module", params=IMAGES)
def recorded(request: pytest.FixtureRequest) -> str:
    """The version whose recording is compared."""
    return str(request.param)


@pytest.fixture(scope="module")
def server(postgres: Stack, recorded: str) -> Iterator[Server]:
    """A server of that version with one execution behind it."""
    with run(postgres, new_database(postgres), as_recorded(postgres), image=IMAGES[recorded]) as made:
        yield _with_an_execution(made)


@pytest.fixture(scope="module")
def answers(server: Server, recorded: str, postgres: Stack) -> conversation.Answers:
    """What was answered to the calls that were recorded, with basic auth on, and by another server with it off."""
    calls = [call for call in recordings.answers(recorded) if call.startswith("GET ")]
    found = conversation.simple_calls(server, [call for call in calls if "auth=on" in call])
    with httpx.Client(base_url=server.http_url, auth=server.auth, timeout=30) as client:
        found |= conversation.flow_calls(client)
        found |= conversation.execution_calls(client)
        found |= conversation.kill_calls(client, server.management_url)
        found["executions-search"] = conversation.heard(client.get("/api/v1/executions/search"))
    with run(postgres, new_database(postgres), without_auth(postgres), image=IMAGES[recorded]) as opened:
        _with_an_execution(opened)
        with httpx.Client(base_url=opened.http_url, timeout=30) as client:
            conversation.flow_calls(client)
            conversation.execution_calls(client)
        return found | conversation.simple_calls(opened, [call for call in calls if "auth=off" in call])


def _with_an_execution(server: Server) -> Server:
    server.wait_until_ready().create(conversation.HELLO.format(id="hello", say="hello from {{ flow.id }}"))
    server.execute("hello", wait=True)
    return server
