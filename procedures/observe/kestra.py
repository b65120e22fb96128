"""What answers on the service's ports."""

from __future__ import annotations

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from procedures.kestra import api
from procedures.kestra.api import Paths
from procedures.observe.patience import MUTE, Pace, ask_the_mute_again
from reports.record.observed import Answer, Server, Settings, Unseen
from reports.redaction import excerpt


def look(
    http_url: str,
    management_url: str,
    settings: Settings | Unseen,
    limit: float,
    superseded: Settings | None = None,
    *,
    paths: Paths,
    pace: Pace | None = None,
) -> Server:
    """Ask every path that the checks judge, in parallel; a mute path is asked once more, alone.

    The wrong password is tried once, and again only if no answer came. `superseded` are settings whose credentials
    must no longer work; they are tried too.
    """
    pace = pace or Pace()
    right, wrong = _credentials(settings)
    a_flow = f"{http_url}{paths.one_flow}"
    asked: dict[str, tuple[str, httpx.BasicAuth | None]] = {
        "health": (f"{management_url}{paths.health}", None),
        "version": (f"{management_url}{paths.version}", None),
        "ping": (f"{http_url}{paths.ping}", None),
        "configs": (f"{http_url}{paths.configs}", right),
        "wrong": (a_flow, wrong),
        "none": (a_flow, None),
        "flows": (f"{http_url}{paths.every_flow}", right),
        "executions": (f"{http_url}{paths.last_executions}", right),
    }
    if superseded:
        asked["superseded"] = (a_flow, _credentials(superseded)[0])
    # One thread for each path: at a mute server each of them waits for its limit.
    with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(len(asked)) as pool:
        begun = {
            name: pool.submit(_ask, client, url, auth, pace.limit(name, limit))
            for name, (url, auth) in asked.items()
        }
        said = {name: one.result() for name, one in begun.items()}
        ask_the_mute_again(said, lambda name, more: _ask(client, *asked[name], more), limit)
    for name, (answer, _) in said.items():
        pace.note(name, answer)
    version = api.version_of(said["version"])
    return Server(
        health=said["health"][0],
        ping=said["ping"][0],
        version=version,
        instance_id=api.instance_of(said["configs"]),
        auth_right=said["flows"][0],
        auth_wrong=said["wrong"][0],
        auth_none=said["none"][0],
        flows=api.flows_of(said["flows"]),
        executions=api.executions_of(said["executions"]),
        understudy=api.is_understudy(version),
        auth_before=said["superseded"][0] if superseded else None,
    )


def _credentials(read: Settings | Unseen) -> tuple[httpx.BasicAuth | None, httpx.BasicAuth | None]:
    if isinstance(read, Unseen) or not read.basic_auth_user:
        return None, httpx.BasicAuth("nobody@example.invalid", secrets.token_urlsafe(12))
    known = httpx.BasicAuth(
        read.basic_auth_user, read.basic_auth_password.value if read.basic_auth_password else ""
    )
    return known, httpx.BasicAuth(read.basic_auth_user, secrets.token_urlsafe(12))


def _ask(client: httpx.Client, url: str, auth: httpx.BasicAuth | None, limit: float) -> tuple[Answer, Any]:
    began = time.monotonic()
    try:
        response = client.get(url, auth=auth, timeout=limit)
    except httpx.HTTPError as error:
        return Answer(url, 0, silence(error), time.monotonic() - began), None
    took = time.monotonic() - began
    try:
        body = json.loads(response.content)
    except ValueError:
        body = excerpt.first(response.text, 200)
    word = api.word_of(body)
    return Answer(url, response.status_code, f"{response.status_code} {word}".strip(), took, word), body


def silence(error: httpx.HTTPError) -> str:
    """Return the kind of silence."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection within the limit"
    if isinstance(error, httpx.TimeoutException):
        return MUTE
    if isinstance(error, httpx.ConnectError):
        return "refused"
    if isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
        return "accepted and closed"
    return type(error).__name__
