"""The target: the service operated on, read from one file and validated all at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from procedures.problems import TypedWrong
from procedures.target import dashboards, steps_by
from procedures.target.dashboards import Dashboard
from procedures.target.reading import NO_NUL, NUL, Table, keys_of, with_nul
from procedures.target.steps_by import Needs, StepBy, Validation

SUITE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the env files whose values the service's configuration is checked against."""

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
    """Limits in seconds; `soak` and `drain` are None if the server's own figures decide.

    `gateway` is how long a gateway may take to notice a new container; None if the service is reached directly.
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

    Paths are absolute. `http_url` and `management_url` may hold the placeholders in `_PLACEHOLDERS`, which are filled from
    the rendering and from the engine's address. `endpoint` and `context` name the engine; if both are blank, the docker
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
        """The flags by which a typed `docker` finds this target's engine, if the file names the engine."""
        if self.context:
            return "--context", self.context
        return ("--host", self.endpoint) if self.endpoint else ()

    @property
    def found_by_name(self) -> bool:
        """Whether the service's container may be one without Compose's labels: made by a script, or to be taken over."""
        acts = any(steps_by.script(self.steps, name) for name in (steps_by.STOP, steps_by.START))
        return acts or bool(self.container) or steps_by.find(self.steps, steps_by.START).takes_over


_REQUIRED = ("name", "compose_files", "service", "database_service")
_PLACEHOLDERS = {"http_port": "1", "management_port": "1", "gateway_port": "1", "engine_host": "here"}
_PULLS = ("always", "missing", "never")


def find(given: str | None, environment: Mapping[str, str], suite: Path = SUITE) -> Path:
    """Return the target file: the one given, else the root's, else the bundled stack's (never under CI)."""
    if given:
        if NUL in given:
            raise TypedWrong(f"--target {given!r} {NO_NUL}", "name an existing target file")
        try:
            path = Path(given).expanduser().resolve()
        except RuntimeError as error:
            raise TypedWrong(
                f"--target {given}: begins with a home folder that nobody here has",
                "name an existing target file",
            ) from error
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
    """Return the target that a file describes; one message reports every problem of the file."""
    try:
        parsed = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TypedWrong(f"{file}: cannot be read as a target file: {error}", "correct the file") from error
    # With such a text no path can be made, so nothing more is read.
    _refuse(file, [f"key {name!r} {NO_NUL}" for name in dict.fromkeys(with_nul(parsed))])
    problems: list[str] = []
    target = _target(file, Table(parsed, "", problems))
    _refuse(file, problems)
    return target


def _refuse(file: Path, problems: list[str]) -> None:
    if problems:
        raise TypedWrong(
            f"{file}: " + "; ".join(problems), "correct these keys (docs/target.md describes each)"
        )


def shown(path: Path) -> str:
    """Return a path as it can be typed in the current folder."""
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)


def _target(file: Path, table: Table) -> Target:
    """Read the target from a parsed file; problems are noted in the table."""
    table.refuse_unknown(keys_of(Target, but="file"))
    table.require(_REQUIRED)
    folder = file.parent
    root = (folder / table.path("root", ".")).resolve()
    given: dict[str, Any] = dict.fromkeys(_REQUIRED, "")
    given |= {key: read(table, key) for key, read in _FORMS.items() if key in table}
    given["compose_files"] = tuple(root / path for path in table.some_texts("compose_files"))
    if "anomalies" in table:
        given["anomalies"] = root / table.path("anomalies")
    if "archive" in table:
        given["archive"] = (folder / table.path("archive")).resolve()
    return Target(
        file=file,
        root=root,
        env_files=tuple(root / path for path in table.texts("env_files")),
        keys=_keys(table.table("keys")),
        budgets=_budgets(table.table("budgets")),
        steps=steps_by.read_steps(table, root),
        validate=steps_by.read_validations(table, root),
        needs=steps_by.read_needs(table),
        dashboards=dashboards.read(table.given.get("dashboards", []), table.problems),
        **given,
    )


def _keys(table: Table) -> Keys:
    known = keys_of(Keys)
    table.refuse_unknown(known)
    for key, value in table.given.items():
        if not isinstance(value, str) or not value.isidentifier():
            table.wrong(key, "must be the name of a variable")
    return Keys(**{key: str(value) for key, value in table.given.items() if key in known})


def _budgets(table: Table) -> Budgets:
    known = keys_of(Budgets)
    table.refuse_unknown(known)
    read = {key: table.duration(key, zero=key == "soak") for key in table.given}
    return Budgets(**{key: length for key, length in read.items() if length is not None and key in known})


def _url(table: Table, key: str) -> str:
    """Read a URL that the probe can ask, with no placeholders but ours."""
    value = table.text(key)
    filled = value
    for name, example in _PLACEHOLDERS.items():
        filled = filled.replace(f"{{{name}}}", example)
    try:
        parts = urlsplit(filled)
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if value and (not usable or "{" in filled or "}" in filled):
        braces = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
        table.wrong(key, f"must be an http:// address, with nothing in braces but {braces}")
    return value


def _endpoint(table: Table, key: str) -> str:
    """Read the engine's address: a socket's path, or a host and its port."""
    value = table.text(key)
    if value and "context" in table:
        table.problems.append("keys 'endpoint' and 'context' both name an engine: leave one out")
    try:
        parts = urlsplit(value)
        usable = (parts.scheme == "unix" and not parts.netloc and len(parts.path) > 1) or (
            parts.scheme == "tcp" and bool(parts.hostname) and bool(parts.port)
        )
    except ValueError:
        usable = False
    if value and not usable:
        table.wrong(
            key,
            f"must be unix:///PATH or tcp://HOST:PORT, not {value!r}; for an engine behind ssh let "
            "ssh forward its socket (`ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST`) and name that",
        )
    return value


def _project(table: Table, key: str) -> str:
    """Read the project; a blank one leaves it to Compose."""
    value = table.given[key]
    return value if isinstance(value, str) else table.text(key)


def _port(table: Table, key: str) -> str:
    return f"{table.port(key)}/tcp"


def _pull(table: Table, key: str) -> str:
    value = table.given[key]
    if value not in _PULLS:
        table.wrong(key, f"must be one of {', '.join(_PULLS)}, not {value!r}")
    return str(value)


_FORMS: dict[str, Callable[[Table, str], Any]] = {
    **dict.fromkeys(("name", "service", "database_service", "context", "container"), Table.text),
    **dict.fromkeys(("log_bytes", "disk_free", "archive_keep"), Table.number),
    **dict.fromkeys(("http_container_port", "management_container_port"), _port),
    **dict.fromkeys(("http_url", "management_url"), _url),
    "endpoint": _endpoint,
    "project": _project,
    "pull": _pull,
    "secret_keys": Table.texts,
}
"""The keys that are read independently, each with its reader."""
