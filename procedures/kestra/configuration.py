"""Kestra's configuration, as its server reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from procedures.target.durations import seconds
from reports.record.observed import Secret, Settings
from reports.redaction.secret_names import is_secret_name, secrets_inside

VARIABLE = "KESTRA_CONFIGURATION"
"""The variable that holds the configuration; the image's `echo` writes it to a file, which the server reads."""
STORAGE = "/app/storage"
"""The folder of a local storage that names none."""
_JDBC = re.compile(
    r"jdbc:postgresql://(?:\[(?P<ip>[^\]]+)\]|(?P<host>[^/:]*))(?::(?P<port>[^/]*))?/(?P<name>[^?]*)(?:\?.*)?"
)
_PLACEHOLDER = re.compile(r"\$\{([^${}:]+)(?::([^${}]*))?\}")
_PLACEHOLDER_DEPTH = 10


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
    address = _JDBC.fullmatch(url)
    if not address:
        problems.append(f"datasources.{source}.url is no PostgreSQL address")
    port = (address["port"] if address else "") or "5432"
    if not port.isdigit():
        problems.append(f"datasources.{source}.url has no number for its port")
    server = ("kestra", "server")
    auth = next(
        (one for one in ("basic-auth", "basicAuth") if _at(table, (*server, one)) is not None), "basic-auth"
    )
    enabled = text(*server, auth, "enabled") if _at(table, (*server, auth, "enabled")) is not None else None
    grace = text(*server, "termination-grace-period") or text(*server, "terminationGracePeriod")
    return Settings(
        db_host=(address["ip"] or address["host"]) if address else "",
        db_port=int(port) if port.isdigit() else 0,
        db_name=address["name"] if address else "",
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
    """Return the secrets that a configuration holds in plain text: values of keys that name secrets, and in URLs."""
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
    """Return the folder of the server's local storage; empty if it stores elsewhere."""
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
    """Fill placeholders as Micronaut does: a value that holds placeholders is resolved again, so no `${` is left."""
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
    """Return the line of a YAML error, and never its text: that may hold a password."""
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}" if mark else "unreadable"
