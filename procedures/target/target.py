"""The target: the service operated on, read from one file and validated all at once."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from procedures.problems import TypedWrong
from procedures.target import dashboards, scripting
from procedures.target.dashboards import Dashboard
from procedures.target.durations import seconds
from procedures.target.scripting import Needs, Reader, StepBy, Validation

SUITE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Keys:
    """The names, in the env files, of what the service's configuration is checked against."""

    http_port: str = "KESTRA_HTTP_PORT"
    management_port: str = "KESTRA_MANAGEMENT_PORT"
    db_host: str = "KESTRA_DB_HOST"
    db_port: str = "KESTRA_DB_PORT"
    db_name: str = "KESTRA_DB_NAME"
    db_user: str = "KESTRA_DB_USER"
    db_password: str = "KESTRA_DB_PASSWORD"  # noqa: S105 - the name of a key
    basic_auth_user: str = "KESTRA_BASICAUTH_USERNAME"
    basic_auth_password: str = "KESTRA_BASICAUTH_PASSWORD"  # noqa: S105 - the name of a key
    gateway_port: str = "KESTRA_GATEWAY_PORT"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits in seconds; `soak` and `drain` are None where the server's own figures decide.

    `gateway` is how long a gateway may take to learn of a new container; None where the service is reached directly.
    """

    boot: float = 180.0
    soak: float | None = None
    drain: float | None = None
    gateway: float | None = None
    look: float = 20.0
    save_logs: float = 30.0
    pull: float = 900.0
    run: float = 3600.0


@dataclass(frozen=True, slots=True)
class Target:
    """The service operated on.

    Paths are absolute. `http_url` and `management_url` may hold what `_PLACEHOLDERS` names, which is filled from the
    rendering and from the engine's address. `endpoint` and `context` name the engine; where both are blank, the docker
    client's own rules find it. `pull` is when an update pulls, in Compose's words. `archive_keep` is how many sealed
    runs stay.
    """

    file: Path
    name: str
    root: Path
    compose_files: tuple[Path, ...]
    env_files: tuple[Path, ...]
    service: str
    database_service: str
    keys: Keys = field(default_factory=Keys)
    budgets: Budgets = field(default_factory=Budgets)
    http_container_port: str = "8080/tcp"
    management_container_port: str = "8081/tcp"
    http_url: str = "http://{engine_host}:{http_port}"
    management_url: str = "http://{engine_host}:{management_port}"
    endpoint: str = ""
    context: str = ""
    project: str = ""
    container: str = ""
    steps: tuple[StepBy, ...] = ()
    validate: tuple[Validation, ...] = ()
    needs: Needs = field(default_factory=Needs)
    secret_keys: tuple[str, ...] = ()
    log_bytes: int = 5_000_000
    disk_free: int = 500_000_000
    pull: str = "always"
    archive: Path = SUITE / "reports" / "runs"
    archive_keep: int = 50
    dashboards: tuple[Dashboard, ...] = ()
    anomalies: Path | None = None

    @property
    def engine_flags(self) -> tuple[str, ...]:
        """The words by which a typed `docker` finds this target's engine, where the file names it."""
        if self.context:
            return "--context", self.context
        return ("--host", self.endpoint) if self.endpoint else ()

    @property
    def found_by_name(self) -> bool:
        """Whether the service's container may be one that no label tells: made by a script, or to be taken over."""
        acts = any(scripting.script(self.steps, name) for name in (scripting.STOP, scripting.START))
        return acts or bool(self.container) or scripting.find(self.steps, scripting.START).takes_over


_TEXTS = ("name", "service", "database_service", "project", "context", "container")
_URLS = ("http_url", "management_url")
_PLACEHOLDERS = {"http_port": 1, "management_port": 1, "gateway_port": 1, "engine_host": "here"}
_PORTS = ("http_container_port", "management_container_port")
_CHOICES = {"pull": ("always", "missing", "never")}
_NUMBERS = ("log_bytes", "disk_free", "archive_keep")
_TABLES = {"keys": Keys, "budgets": Budgets}
_REQUIRED = ("name", "compose_files", "service", "database_service")
_KNOWN = (
    *_TEXTS,
    *_URLS,
    "endpoint",
    *_PORTS,
    *_NUMBERS,
    *_CHOICES,
    *_TABLES,
    "steps",
    "validate",
    "needs",
    "root",
    "compose_files",
    "env_files",
    "secret_keys",
    "archive",
    "dashboards",
    "anomalies",
)


def find(given: str | None, environment: Mapping[str, str], suite: Path = SUITE) -> Path:
    """Return the target file: the one given, else the root's, else the bundled stack's (never under CI)."""
    if given:
        path = Path(given).expanduser().resolve()
        if not path.is_file():
            raise TypedWrong(f"--target {given}: there is no such file", "name an existing target file")
        return path
    if environment.get("CI"):
        raise TypedWrong(
            "with CI set the target must be named",
            "add --target=FILE (the bundled stack's is stack/target.toml)",
        )
    own = suite / "target.toml"
    return own if own.is_file() else suite / "stack" / "target.toml"


def read(file: Path) -> Target:
    """Return the target that a file describes; every problem of the file is told in one message."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TypedWrong(f"{file}: cannot be read as a target file: {error}", "correct the file") from error
    reader = _Reader(file, table)
    target = reader.target()
    if reader.problems:
        raise TypedWrong(
            f"{file}: " + "; ".join(reader.problems), "correct these keys (docs/target.md describes each)"
        )
    return target


class _Reader:
    """Takes a target out of a parsed table and notes every problem on the way."""

    def __init__(self, file: Path, table: dict[str, Any]) -> None:
        self.file = file
        self.table = table
        self.problems: list[str] = []

    def target(self) -> Target:
        self._unknown(self.table, _KNOWN, "")
        for key in _REQUIRED:
            if key not in self.table:
                self.problems.append(f"key {key!r} is missing")
        root = (self.file.parent / Path(self._text("root", ".")).expanduser()).resolve()
        given: dict[str, Any] = {
            **{key: self._text(key) for key in _TEXTS if key in self.table},
            **{key: self._url(key) for key in _URLS if key in self.table},
            "endpoint": self._endpoint(),
            **{key: self._port(key) for key in _PORTS if key in self.table},
            **{key: self._number(key) for key in _NUMBERS if key in self.table},
            **{key: self._choice(key) for key in _CHOICES if key in self.table},
        }
        for key in _REQUIRED:
            given.setdefault(key, "")
        given["compose_files"] = tuple(root / one for one in self._texts("compose_files"))
        given["env_files"] = tuple(root / one for one in self._texts("env_files"))
        given["secret_keys"] = self._texts("secret_keys")
        given["keys"] = self._keys()
        given["budgets"] = self._budgets()
        scripts = Reader(root, self.table, self.problems)
        given["steps"], given["validate"], given["needs"] = (
            scripts.steps(),
            scripts.validations(),
            scripts.needs(),
        )
        given["dashboards"] = dashboards.read(self.table.get("dashboards", []), self.problems)
        if "anomalies" in self.table:
            given["anomalies"] = root / Path(self._text("anomalies")).expanduser()
        if "archive" in self.table:
            given["archive"] = (self.file.parent / Path(self._text("archive")).expanduser()).resolve()
        return Target(file=self.file, root=root, **given)

    def _unknown(self, table: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> None:
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = f" (did you mean {prefix}{close[0]}?)" if close else ""
                self.problems.append(f"key {prefix + key!r} is unknown{hint}")

    def _text(self, key: str, default: str = "") -> str:
        value = self.table.get(key, default)
        if isinstance(value, str) and (value.strip() or key == "project"):
            return value
        self.problems.append(f"key {key!r} must be a text, and not a blank one")
        return default

    def _url(self, key: str) -> str:
        """Read a URL that the probe can look at, with nothing to fill but the ports."""
        value = self._text(key)
        try:
            parts = urlsplit(value.format(**_PLACEHOLDERS))
            usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
        except (KeyError, IndexError, ValueError, AttributeError):
            usable = False
        if value and not usable:
            self.problems.append(
                f"key {key!r} must be an http:// address, with nothing in braces but "
                + ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            )
        return value

    def _endpoint(self) -> str:
        """Read the engine's address: a socket's path, or a host and its port."""
        value = self._text("endpoint") if "endpoint" in self.table else ""
        if value and "context" in self.table:
            self.problems.append("keys 'endpoint' and 'context' both name an engine: leave one out")
        try:
            parts = urlsplit(value)
            usable = (parts.scheme == "unix" and not parts.netloc and len(parts.path) > 1) or (
                parts.scheme == "tcp" and bool(parts.hostname) and bool(parts.port)
            )
        except ValueError:
            usable = False
        if value and not usable:
            self.problems.append(
                f"key 'endpoint' must be unix:///PATH or tcp://HOST:PORT, not {value!r}; for an engine behind ssh let "
                "ssh forward its socket (`ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST`) and name that"
            )
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
            if not value and key in _REQUIRED and key in self.table:
                self.problems.append(f"key {key!r} is empty")
            return tuple(value)
        self.problems.append(f"key {key!r} must be a list of texts")
        return ()

    def _number(self, key: str) -> int:
        value = self.table[key]
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        self.problems.append(f"key {key!r} must be a whole number above zero")
        return 1

    def _choice(self, key: str) -> str:
        value = self.table[key]
        if value in _CHOICES[key]:
            return str(value)
        self.problems.append(f"key {key!r} must be one of {', '.join(_CHOICES[key])}, not {value!r}")
        return _CHOICES[key][0]

    def _port(self, key: str) -> str:
        value = self.table[key]
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536:
            return f"{value}/tcp"
        self.problems.append(f"key {key!r} must be a port number")
        return "0/tcp"

    def _keys(self) -> Keys:
        known = tuple(one.name for one in fields(Keys))
        table = self._table("keys")
        self._unknown(table, known, "keys.")
        for key, value in table.items():
            if not isinstance(value, str) or not value.isidentifier():
                self.problems.append(f"key 'keys.{key}' must be the name of a variable")
        return Keys(**{key: str(value) for key, value in table.items() if key in known})

    def _budgets(self) -> Budgets:
        known = tuple(one.name for one in fields(Budgets))
        table = self._table("budgets")
        self._unknown(table, known, "budgets.")
        read: dict[str, float] = {}
        for key, value in table.items():
            length = seconds(value) if isinstance(value, str) else None
            if length is None or length < 0 or (length == 0 and key != "soak"):
                self.problems.append(
                    f"key 'budgets.{key}' must be a duration such as '90s' or '5m', not {value!r}"
                )
            elif key in known:
                read[key] = length
        return Budgets(**read)

    def _table(self, key: str) -> dict[str, Any]:
        value = self.table.get(key, {})
        if isinstance(value, dict):
            return value
        self.problems.append(f"key {key!r} must be a table")
        return {}


def shown(path: Path) -> str:
    """Return a path as short as it can be typed from here."""
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)
