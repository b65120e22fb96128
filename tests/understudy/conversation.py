"""The calls that were made of the recorded servers, made of another one."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.stacks import wait_for
from tests.understudy.recordings import Heard
from tests.understudy.server import Server

HELLO = "id: {id}\nnamespace: probe\ntasks:\n  - id: log\n    type: io.kestra.plugin.core.log.Log\n    message: {say}\n"
HELLO_1 = HELLO.format(id="hello2", say="hello from {{ flow.id }}")
HELLO_2 = HELLO.format(id="hello2", say="hi from {{ flow.id }}")
NAP = "id: nap3\nnamespace: probe\ntasks:\n  - id: nap\n    type: io.kestra.plugin.core.flow.Sleep\n    duration: PT3S\n"
YAML = {"content-type": "application/x-yaml"}
FORM = {"unused": (None, "x")}

Answers = dict[str, Heard]


def heard(answer: httpx.Response) -> Heard:
    body: Any = answer.text
    if answer.text.startswith(("{", "[")):
        body = answer.json()
    return Heard(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, body)


def simple_calls(server: Server, calls: list[str]) -> Answers:
    """Answers to calls like `GET 8081/health auth=on credentials=none`."""
    credentials = {"right": server.auth, "wrong": (server.auth[0], "wrong"), "none": None}
    found = {}
    for call in calls:
        match = re.fullmatch(r"GET (\d+)(\S+) auth=\w+ credentials=(\w+)", call)
        assert match, call
        url = {"8080": server.http_url, "8081": server.management_url}[match[1]]
        answer = httpx.get(url + match[2], auth=credentials[match[3]], follow_redirects=True, timeout=30)
        found[call] = heard(answer)
    return found


def flow_calls(client: httpx.Client) -> Answers:
    """What is answered about flows, good and bad."""
    post = "/api/v1/flows"
    bad_type = HELLO.format(id="bad", say="x").replace("log.Log", "log.Nope")
    return {
        "post-flow-create": heard(client.post(post, content=HELLO_1, headers=YAML)),
        "post-flow-duplicate": heard(client.post(post, content=HELLO_1, headers=YAML)),
        "put-flow": heard(client.put(f"{post}/probe/hello2", content=HELLO_2, headers=YAML)),
        "get-flow": heard(client.get(f"{post}/probe/hello2")),
        "get-flow-source": heard(client.get(f"{post}/probe/hello2", params={"source": "true"})),
        "get-flow-missing": heard(client.get(f"{post}/probe/none")),
        "post-flow-bad-yaml": heard(client.post(post, content="id: [a]\n", headers=YAML)),
        "post-flow-unknown-type": heard(client.post(post, content=bad_type, headers=YAML)),
        "post-flow-noauth": heard(httpx.post(f"{client.base_url}{post}", content=HELLO_1, headers=YAML)),
    }


def execution_calls(client: httpx.Client) -> Answers:
    """What is answered about executions, and about how not to begin one."""
    at = "/api/v1/executions"
    found = {
        "post-execution": heard(client.post(f"{at}/probe/hello2", files=FORM)),
        "post-execution-json": heard(client.post(f"{at}/probe/hello2", json={})),
        "post-execution-missing-flow": heard(client.post(f"{at}/probe/none", files=FORM)),
        "get-execution-missing": heard(client.get(f"{at}/nonexistent")),
    }
    form = {"content-type": "application/x-www-form-urlencoded"}
    found["post-execution-nobody"] = heard(client.post(f"{at}/probe/hello2", headers=form))
    key = found["post-execution"].body["id"]
    _await_state(client, key, "SUCCESS")
    found["get-execution-success"] = heard(client.get(f"{at}/{key}"))
    found["get-execution-logs"] = heard(client.get(f"/api/v1/logs/{key}"))
    found["post-execution-wait"] = heard(
        client.post(f"{at}/probe/hello2", params={"wait": "true"}, files=FORM)
    )
    found["post-execution-labels"] = heard(
        client.post(f"{at}/probe/hello2", params={"labels": "a:b"}, files=FORM)
    )
    return found


def kill_calls(client: httpx.Client, management_url: str) -> Answers:
    """What is answered while a task sleeps, and after it was killed."""
    client.post("/api/v1/flows", content=NAP, headers=YAML).raise_for_status()
    key = client.post("/api/v1/executions/probe/nap3", files=FORM).json()["id"]
    at = f"/api/v1/executions/{key}"
    wait_for(lambda: _first_attempt_runs(client.get(at).json()), "the nap to begin", 10)
    found = {
        "get-execution-running": heard(client.get(at)),
        "get-8081_worker-busy": heard(httpx.get(f"{management_url}/worker")),
        "delete-execution-running-kill": heard(client.delete(f"{at}/kill")),
    }
    _await_state(client, key, "KILLED")
    return found | {
        "get-execution-killed": heard(client.get(at)),
        "delete-flow": heard(client.delete("/api/v1/flows/probe/nap3")),
    }


def _first_attempt_runs(execution: Any) -> bool:
    runs = execution.get("taskRunList") or [{}]
    return bool(runs[0].get("attempts"))


def _await_state(client: httpx.Client, key: str, state: str) -> None:
    at = f"/api/v1/executions/{key}"
    wait_for(lambda: client.get(at).json()["state"]["current"] == state, f"{key} to be {state}", 15)
