"""Kestra's own Python client is content with the understudy.

kestrapy 2.0.3 is made for Kestra 2.0: its paths carry a tenant, which no version below 0.23 knows, so the
tests take it out on the way. What overlaps with 0.20 and 0.21: flows (create, read, search, update, delete),
executions (create with inputs, read, search) and the logs of an execution. What does not: killing (another
path since 2.0), an execution without inputs (sent without the form that these versions insist on).
"""

from __future__ import annotations

import importlib.util
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from requests.adapters import HTTPAdapter

from tests.understudy.server import Server

if importlib.util.find_spec("regex") is None:
    # kestrapy imports it without requiring it; for the patterns of its models the standard library's will do.
    sys.modules["regex"] = re

with warnings.catch_warnings():
    # One of its models has a field named as a method of pydantic's.
    warnings.simplefilter("ignore", UserWarning)
    import kestrapy
    from kestrapy.exceptions import NotFoundException, UnauthorizedException, UnprocessableEntityException

FLOW = (
    "id: client\nnamespace: probe.client\ninputs:\n  - id: who\n    type: STRING\n    defaults: nobody\n"
    "tasks:\n  - id: say\n    type: io.kestra.plugin.core.log.Log\n    message: hello {{ inputs.who }}\n"
    "  - id: give\n    type: io.kestra.plugin.core.debug.Return\n    format: '{{ execution.id }}'\n"
)
WHERE = ("probe.client", "client", "main")


class WithoutTenant(HTTPAdapter):
    """Sends requests to the paths that they had before 0.23."""

    def send(self, request: Any, *arguments: Any, **settings: Any) -> Any:
        request.url = request.url.replace("/api/v1/main/", "/api/v1/", 1)
        return super().send(request, *arguments, **settings)


def _client(server: Server, password: str) -> kestrapy.KestraClient:
    client = kestrapy.KestraClient(  # type: ignore[no-untyped-call] # it has no types
        host=server.http_url, username=server.auth[0], password=password, timeout=20
    )
    client._session.mount("http://", WithoutTenant())
    return client


@pytest.fixture
def client(server: Server) -> Iterator[kestrapy.KestraClient]:
    """The client, and one flow that lives as long as a test."""
    made = _client(server, server.auth[1])
    made.flows.create_flow("main", FLOW)
    yield made
    made.flows.delete_flow(*WHERE)
    made._session.close()


def test_reads_a_flow_with_its_source(client: kestrapy.KestraClient) -> None:
    """The source comes back as it was sent."""
    flow = client.flows.flow(*WHERE, source=True)

    assert (flow.id, flow.namespace, flow.source) == ("client", "probe.client", FLOW)


def test_finds_the_flow(client: kestrapy.KestraClient) -> None:
    """A search lists it."""
    found = client.flows.search_flows("main", size=100)

    assert "client" in [flow.id for flow in found.results]
    assert len(found.results) == found.total


def test_updates_the_flow(client: kestrapy.KestraClient) -> None:
    """A changed source is a new revision."""
    before = client.flows.flow(*WHERE).revision
    flow = client.flows.update_flow(*WHERE, FLOW.replace("hello", "bye"))

    assert flow.revision == before + 1


def test_runs_the_flow_to_its_end(client: kestrapy.KestraClient) -> None:
    """An execution ends in SUCCESS with its input rendered into the log and its output kept."""
    begun = client.executions.create_execution(
        "main", "probe.client", "client", wait=True, inputs={"who": "you"}
    )
    execution = client.executions.execution(begun.id, "main")
    logs = client.logs.list_logs_from_execution(begun.id, "main")

    assert execution.state.current == "SUCCESS"
    assert [(entry.level, entry.message) for entry in logs] == [("INFO", "hello you"), ("DEBUG", begun.id)]
    assert [run.task_id for run in execution.task_run_list] == ["say", "give"]


def test_is_told_what_is_wrong(server: Server, client: kestrapy.KestraClient) -> None:
    """Each refusal arrives as the client's own exception."""
    stranger = _client(server, "wrong")

    with pytest.raises(UnprocessableEntityException):
        client.flows.create_flow("main", FLOW)
    with pytest.raises(NotFoundException):
        client.executions.execution("nonexistent", "main")
    with pytest.raises(UnauthorizedException):
        stranger.flows.search_flows("main")
    stranger._session.close()
