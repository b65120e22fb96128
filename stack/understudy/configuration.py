"""Kestra's configuration file, read as Micronaut reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import yaml

from . import placeholder
from .moment import DurationInvalid, parse_duration
from .problem import Problem
from .release import Release

_URL = re.compile(r"jdbc:postgresql://(?P<host>[^:/?]+)(?::(?P<port>\d+))?/(?P<name>[^?]+)(?:\?.*)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class ConfigurationInvalid(Problem):
    """A configuration with which Kestra does not start; the message is the exception that it prints."""


@dataclass(frozen=True, slots=True)
class Datasource:
    """Where Postgres is and who we are to it."""

    url: str
    host: str
    port: int
    name: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """The user that is asked for; `None` in the configuration where basic auth is off."""

    username: str
    password: str = field(repr=False)
    realm: str = "Kestra"


@dataclass(frozen=True, slots=True)
class Liveness:
    enabled: bool = True
    interval: timedelta = timedelta(seconds=5)
    timeout: timedelta = timedelta(seconds=45)
    initial_delay: timedelta = timedelta(seconds=45)
    heartbeat_interval: timedelta = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the server does with its file; everything else in it is accepted and ignored."""

    datasource: Datasource
    basic_auth: BasicAuth | None
    liveness: Liveness
    termination_grace: timedelta
    restart_strategy: str
    http_port: int
    management_port: int
    reports_usage: bool
    url: str
    """What the links in answers begin with."""


def load(path: Path, environment: Mapping[str, str], release: Release) -> Configuration:
    """Read the file; placeholders come from the environment or from the file itself."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        tree = None
    except (yaml.YAMLError, UnicodeDecodeError) as invalid:
        raise ConfigurationInvalid(f"Exception occurred parsing file [{path}]: {invalid}") from invalid
    properties = _Properties(_flatten(tree), environment)
    try:
        return _configuration(properties, release)
    except (placeholder.PlaceholderUnresolved, DurationInvalid) as invalid:
        raise ConfigurationInvalid(str(invalid)) from invalid


def _configuration(properties: _Properties, release: Release) -> Configuration:
    for kind in ("queue", "repository"):
        if properties.text(f"kestra.{kind}.type") != "postgres":
            raise ConfigurationInvalid(
                f"No bean of type [{kind}] exists: kestra.{kind}.type must be postgres"
            )
    liveness = "kestra.server.liveness"
    return Configuration(
        datasource=_datasource(properties),
        basic_auth=_basic_auth(properties, release),
        liveness=Liveness(
            enabled=properties.flag(f"{liveness}.enabled", default=True),
            interval=properties.span(f"{liveness}.interval", "5s"),
            timeout=properties.span(f"{liveness}.timeout", "45s"),
            initial_delay=properties.span(f"{liveness}.initial-delay", "45s"),
            heartbeat_interval=properties.span(f"{liveness}.heartbeat-interval", "3s"),
        ),
        termination_grace=properties.span("kestra.server.termination-grace-period", "5m"),
        restart_strategy=properties.text("kestra.server.worker-task-restart-strategy")
        or "AFTER_TERMINATION_GRACE_PERIOD",
        http_port=int(properties.text("micronaut.server.port") or 8080),
        management_port=int(properties.text("endpoints.all.port") or 8081),
        reports_usage=properties.flag("kestra.anonymous-usage-report.enabled", default=True),
        url=properties.text("kestra.url"),
    )


def _datasource(properties: _Properties) -> Datasource:
    values = {key: properties.text(f"datasources.postgres.{key}") for key in ("url", "username", "password")}
    for key, value in values.items():
        if not value:
            raise ConfigurationInvalid(
                f"Failed to inject value for parameter [{key}] of class: "
                "io.micronaut.configuration.jdbc.hikari.DatasourceConfiguration: no value is configured",
            )
    match = _URL.fullmatch(values["url"])
    if not match:
        raise ConfigurationInvalid(
            f"Driver org.postgresql.Driver claims to not accept jdbcUrl, {values['url']}"
        )
    return Datasource(
        url=values["url"],
        host=match["host"],
        port=int(match["port"] or 5432),
        name=match["name"],
        username=values["username"],
        password=values["password"],
    )


def _basic_auth(properties: _Properties, release: Release) -> BasicAuth | None:
    key = "kestra.server.basic-auth"
    if not properties.flag(f"{key}.enabled", default=False) and release.can_switch_auth_off:
        return None
    username, password = properties.text(f"{key}.username"), properties.text(f"{key}.password")
    if not _EMAIL.fullmatch(username):
        raise ConfigurationInvalid(
            "Invalid username for Basic Authentication. Please provide a valid email address."
        )
    if not password:
        raise ConfigurationInvalid("No password set for Basic Authentication. Please provide a password.")
    if max(len(username), len(password)) > 256:
        raise ConfigurationInvalid("The length of email or password should not exceed 256 characters.")
    return BasicAuth(username, password, properties.text(f"{key}.realm") or "Kestra")


class _Properties:
    """Flat properties; a name is looked up in the environment first, as Micronaut ranks its sources."""

    def __init__(self, values: Mapping[str, object], environment: Mapping[str, str]) -> None:
        self._values = values
        self._environment = environment

    def text(self, key: str) -> str:
        value = self._values.get(key)
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return placeholder.resolve(str(value), self._lookup)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.text(key).lower()
        return value in ("true", "yes", "on", "1") if value else default

    def span(self, key: str, default: str) -> timedelta:
        return parse_duration(self.text(key) or default)

    def _lookup(self, name: str) -> str | None:
        if name in self._environment:
            return self._environment[name]
        upper = re.sub(r"[.\-]", "_", name).upper()
        if upper in self._environment:
            return self._environment[upper]
        value = self._values.get(_relaxed(name))
        return None if value is None else str(value)


def _flatten(tree: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(tree, dict):
        return {prefix: tree} if prefix else {}
    flat: dict[str, object] = {}
    for key, value in tree.items():
        flat |= _flatten(value, f"{prefix}.{_relaxed(str(key))}" if prefix else _relaxed(str(key)))
    return flat


def _relaxed(key: str) -> str:
    """Write basicAuth, basic_auth and basic-auth alike."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", key).replace("_", "-").lower()
