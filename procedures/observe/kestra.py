"""What answers on the service's ports, and what a Kestra's configuration says to its server."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import yaml

from procedures.observe.patience import MUTE, Pace, ask_the_mute_again
from procedures.target.durations import seconds
from reports.record.observed import Answer, Secret, Server, Settings, Unseen
from reports.redaction import excerpt
from reports.redaction.secret_names import is_secret_name, secrets_inside

_JDBC = re.compile(
    r"jdbc:postgresql://(?:\[(?P<ip>[^\]]+)\]|(?P<host>[^/:]*))(?::(?P<port>[^/]*))?/(?P<name>[^?]*)(?:\?.*)?"
)
_PLACEHOLDER = re.compile(r"\$\{([^${}:]+)(?::([^${}]*))?\}")
_PLACEHOLDER_DEPTH = 10
STORAGE = "/app/storage"
"""Where a local storage lies that names no folder."""


def look(
    http_url: str,
    management_url: str,
    settings: Settings | Unseen,
    limit: float,
    superseded: Settings | None = None,
    *,
    pace: Pace | None = None,
) -> Server:
    """Ask every path that the checks judge, side by side; what kept mute meanwhile is asked once more, alone.

    The wrong password is tried once, and again only where no answer came. `superseded` are settings whose credentials
    must have lost their effect; they are tried too.
    """
    pace = pace or Pace()
    right, wrong = _credentials(settings)
    flows = f"{http_url}/api/v1/flows/search"
    asked: dict[str, tuple[str, httpx.BasicAuth | None]] = {
        "health": (f"{management_url}/health", None),
        "version": (f"{management_url}/version", None),
        "ping": (f"{http_url}/ping", None),
        "configs": (f"{http_url}/api/v1/configs", right),
        "wrong": (f"{flows}?size=1", wrong),
        "none": (f"{flows}?size=1", None),
        "flows": (f"{flows}?size=1000", right),
        "executions": (f"{http_url}/api/v1/executions/search?size=20&sort=state.startDate:desc", right),
    }
    if superseded:
        asked["superseded"] = (f"{flows}?size=1", _credentials(superseded)[0])
    # One thread for each path: of a mute server every one of them waits for its limit.
    with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(len(asked)) as pool:
        begun = {
            name: pool.submit(_ask, client, url, auth, pace.limit(name, limit))
            for name, (url, auth) in asked.items()
        }
        said = {name: one.result() for name, one in begun.items()}
        ask_the_mute_again(said, lambda name, more: _ask(client, *asked[name], more), limit)
    for name, (answer, _) in said.items():
        pace.note(name, answer)
    version = _field(said["version"], "version")
    return Server(
        health=said["health"][0],
        ping=said["ping"][0],
        version=version,
        instance_id=_field(said["configs"], "uuid"),
        auth_right=said["flows"][0],
        auth_wrong=said["wrong"][0],
        auth_none=said["none"][0],
        flows=_whole(said["flows"], lambda one: f"{one['namespace']}/{one['id']}@{one['revision']}"),
        executions=_rows(said["executions"], lambda one: str(one["id"])),
        understudy=isinstance(version, str) and "understudy" in version,
        auth_before=said["superseded"][0] if superseded else None,
    )


def settings(configuration: str, environment: Mapping[str, str]) -> Settings:
    """Read a configuration as its server does: YAML, then placeholders.

    Placeholders are filled from the container's environment (Micronaut, "Property Value Resolution").
    """
    problems: list[str] = []
    try:
        table = yaml.safe_load(configuration)
    except yaml.YAMLError as error:
        return Settings("", 0, "", "", None, None, "", None, None, (f"it is no YAML: {_where(error)}",))
    if not isinstance(table, dict):
        return Settings("", 0, "", "", None, None, "", None, None, ("it holds no settings",))

    def text(*path: str) -> str:
        value = _at(table, path)
        try:
            return "" if value is None else _filled(str(value), environment)
        except KeyError as error:
            problems.append(
                f"{'.'.join(path)} refers to {error.args[0]}, which the container's environment lacks"
            )
            return ""

    source = _datasource(table)
    url = text("datasources", source, "url")
    found = _JDBC.fullmatch(url)
    if not found:
        problems.append(f"datasources.{source}.url is no PostgreSQL address")
    port = (found["port"] if found else "") or "5432"
    if not port.isdigit():
        problems.append(f"datasources.{source}.url has no number for its port")
    server = ("kestra", "server")
    auth = next(
        (one for one in ("basic-auth", "basicAuth") if _at(table, (*server, one)) is not None), "basic-auth"
    )
    enabled = text(*server, auth, "enabled") if _at(table, (*server, auth, "enabled")) is not None else None
    grace = text(*server, "termination-grace-period") or text(*server, "terminationGracePeriod")
    return Settings(
        db_host=(found["ip"] or found["host"]) if found else "",
        db_port=int(port) if port.isdigit() else 0,
        db_name=found["name"] if found else "",
        db_user=text("datasources", source, "username"),
        db_password=_secret(text("datasources", source, "password")),
        basic_auth_enabled=None if enabled is None else enabled.lower() == "true",
        basic_auth_user=text(*server, auth, "username"),
        basic_auth_password=_secret(text(*server, auth, "password")),
        termination_grace=seconds(grace) if grace else None,
        problems=tuple(problems),
        storage=_storage(text),
    )


def secrets_in(configuration: str) -> dict[str, Secret]:
    """Return what a configuration says in plain under keys that name secrets, and in the user parts of its URLs."""
    try:
        table = yaml.safe_load(configuration)
    except yaml.YAMLError:
        return {}
    found: dict[str, Secret] = {}
    waiting: list[tuple[str, Any]] = [("", table)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}".lstrip("."), one) for key, one in value.items()]
        elif isinstance(value, list):
            waiting += [(path, one) for one in value]
        elif isinstance(value, str):
            found |= secrets_inside(path, value)
        if (
            isinstance(value, (str, int))
            and not isinstance(value, bool)
            and is_secret_name(path.rpartition(".")[2])
        ):
            text = str(value)
            if text and not _PLACEHOLDER.fullmatch(text):
                found[path] = Secret(text)
    return found


def _storage(text: Callable[..., str]) -> str:
    """Return the folder that a server keeps its files in, where it keeps them in one."""
    storage = ("kestra", "storage")
    if text(*storage, "type") != "local":
        return ""
    return text(*storage, "local", "base-path") or text(*storage, "local", "basePath") or STORAGE


def _datasource(table: dict[str, Any]) -> str:
    sources = _at(table, ("datasources",))
    return (
        "postgres"
        if not isinstance(sources, dict) or "postgres" in sources
        else next(iter(sources), "postgres")
    )


def _at(table: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path; a dotted key (`kestra.server`) is a path of its own, as in Micronaut."""
    if not path:
        return table
    if not isinstance(table, dict):
        return None
    for length in range(len(path), 0, -1):
        key = ".".join(path[:length])
        if key in table and (found := _at(table[key], path[length:])) is not None:
            return found
    return None


def _filled(text: str, environment: Mapping[str, str]) -> str:
    """Fill placeholders as Micronaut does: what a value itself holds is resolved again, so `${` never survives."""
    for _ in range(_PLACEHOLDER_DEPTH):
        found = _PLACEHOLDER.search(text)
        if not found:
            break
        name, default = found[1], found[2]
        as_variable = re.sub(r"[.-]", "_", name).upper()
        value = environment.get(name, environment.get(as_variable, default))
        if value is None:
            raise KeyError(name)
        text = text[: found.start()] + value + text[found.end() :]
    if "${" in text:
        raise KeyError("a placeholder that has no end, or none of its own")
    return text


def _secret(value: str) -> Secret | None:
    return Secret(value) if value else None


def _where(error: yaml.YAMLError) -> str:
    """Say where, never what: the text beside a YAML error may hold a password."""
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}" if mark else "unreadable"


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
    word = str(body.get("status", "")) if isinstance(body, dict) else ""
    return Answer(url, response.status_code, f"{response.status_code} {word}".strip(), took, word), body


def silence(error: httpx.HTTPError) -> str:
    """Say which silence it was."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection within the limit"
    if isinstance(error, httpx.TimeoutException):
        return MUTE
    if isinstance(error, httpx.ConnectError):
        return "refused"
    if isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
        return "accepted and closed"
    return type(error).__name__


def _field(said: tuple[Answer, Any], name: str) -> str | Unseen:
    answer, body = said
    if answer.status == 200 and isinstance(body, dict) and isinstance(body.get(name), str):
        return str(body[name])
    return Unseen(f"{answer.url} answered {answer.said or answer.status}, without a {name}")


def _whole(said: tuple[Answer, Any], told: Any) -> tuple[str, ...] | Unseen:
    """Read a list that must be whole to say anything of what is not in it."""
    rows, (answer, body) = _rows(said, told), said
    total = body.get("total") if isinstance(body, dict) else None
    if not isinstance(rows, Unseen) and isinstance(total, int) and total > len(rows):
        return Unseen(f"{answer.url} shows {len(rows)} of {total}: the list is cut")
    return rows


def _rows(said: tuple[Answer, Any], told: Any) -> tuple[str, ...] | Unseen:
    answer, body = said
    if answer.status != 200 or not isinstance(body, dict) or not isinstance(body.get("results"), list):
        return Unseen(f"{answer.url} answered {answer.said or answer.status}, without results")
    try:
        return tuple(told(one) for one in body["results"])
    except (KeyError, TypeError) as error:
        return Unseen(f"{answer.url} answered rows of another form: {error}")
