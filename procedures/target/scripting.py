"""Which steps the operator's own scripts carry out, and what else of theirs the target file names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from procedures.target.durations import seconds

COMPOSE, SCRIPTS = "compose", "scripts"
DRIVERS = (COMPOSE, SCRIPTS)
STATUS, SAVE_LOGS, STOP, START = "status", "save_logs", "stop", "start"
STEPS = (STATUS, SAVE_LOGS, STOP, START)
"""The steps that a script can carry out, in the order of a run."""
JSON, TEXT = "json", "text"
_OF_START = ("takes_over", "fallback")


@dataclass(frozen=True, slots=True)
class StepBy:
    """How one step is carried out. `cwd` is absolute; `limit` is in seconds, None where the step's own decides."""

    name: str
    driver: str = COMPOSE
    command: tuple[str, ...] = ()
    cwd: Path = Path()
    limit: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    rehearse: bool = True
    takes_over: bool = False
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Where a validation command says something: a key of its JSON, or a pattern in its text."""

    key: str = ""
    value: str = ""
    pattern: str = ""
    least: int = 1


@dataclass(frozen=True, slots=True)
class Validation:
    """A command of the operator's that says whether the service is well; `checked` tells how much it looked at."""

    name: str
    command: tuple[str, ...]
    reads: str
    healthy: Claimed
    checked: Claimed | None = None
    cwd: Path = Path()
    limit: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Needs:
    """What must exist besides: files below the root, containers that run, networks, ports that are listened on."""

    files: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


def environments(steps: Sequence[StepBy], validations: Sequence[Validation]) -> tuple[Mapping[str, str], ...]:
    """Return every environment that a target file gives to a command: its values may be secrets."""
    return (*(one.environment for one in steps), *(one.environment for one in validations))


class Reader:
    """Takes these tables out of a parsed target file and notes every problem on the way."""

    def __init__(self, root: Path, table: Mapping[str, Any], problems: list[str]) -> None:
        self._root = root
        self._table = table
        self._problems = problems

    def steps(self) -> tuple[StepBy, ...]:
        given = self._mapping(self._table.get("steps", {}), "steps")
        self._unknown(given, STEPS, "steps.")
        read = [
            self._step(name, self._mapping(given[name], f"steps.{name}")) for name in STEPS if name in given
        ]
        return tuple(read)

    def validations(self) -> tuple[Validation, ...]:
        given = self._table.get("validate", [])
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            self._problems.append("key 'validate' must be a list of tables: [[validate]]")
            return ()
        read = tuple(self._validation(at, one) for at, one in enumerate(given, start=1))
        names = [one.name for one in read]
        for name in sorted({one for one in names if names.count(one) > 1 and one}):
            self._problems.append(f"two tables 'validate' have the name {name!r}")
        return read

    def needs(self) -> Needs:
        given = self._mapping(self._table.get("needs", {}), "needs")
        self._unknown(given, tuple(one.name for one in fields(Needs)), "needs.")
        texts = {
            key: self._texts(given.get(key, []), f"needs.{key}")
            for key in ("files", "containers", "networks")
        }
        ports = given.get("ports", [])
        if not isinstance(ports, list) or not all(type(one) is int and 0 < one < 65536 for one in ports):
            self._problems.append("key 'needs.ports' must be a list of port numbers")
            ports = []
        return Needs(**texts, ports=tuple(ports))

    def _step(self, name: str, table: Mapping[str, Any]) -> StepBy:
        at = f"steps.{name}"
        self._unknown(table, tuple(one.name for one in fields(StepBy) if one.name != "name"), f"{at}.")
        driver = table.get("driver", COMPOSE)
        if driver not in DRIVERS:
            close = difflib.get_close_matches(str(driver), DRIVERS, 1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            self._problems.append(f"key '{at}.driver' is {driver!r}; drivers are compose and scripts{hint}")
        elif driver == SCRIPTS and "command" not in table:
            self._problems.append(f"key '{at}.command' is missing: the driver scripts runs it")
        elif driver == COMPOSE:
            unused = sorted(set(table) - {"driver", "takes_over"})
            self._problems += [f"key '{at}.{one}' goes with driver = \"scripts\"" for one in unused]
        for key in _OF_START:
            if key in table and name != START:
                self._problems.append(f"key '{at}.{key}' goes with steps.start only")
        if table.get("fallback", COMPOSE) != COMPOSE:
            self._problems.append(f"key '{at}.fallback' must be \"compose\"")
        return StepBy(
            name=name,
            driver=str(driver),
            command=self._command(table, at),
            cwd=self._folder(table, at),
            limit=self._limit(table, at),
            environment=self._environment(table, at),
            rehearse=self._flag(table, "rehearse", at, default=True),
            takes_over=self._flag(table, "takes_over", at, default=False),
            fallback=str(table.get("fallback", "")),
        )

    def _validation(self, number: int, table: Mapping[str, Any]) -> Validation:
        at = f"validate.{number}"
        self._unknown(table, tuple(one.name for one in fields(Validation)), f"{at}.")
        for key in ("name", "command", "reads", "healthy"):
            if key not in table:
                self._problems.append(f"key '{at}.{key}' is missing")
        reads = table.get("reads", TEXT)
        if reads not in {JSON, TEXT}:
            self._problems.append(f'key \'{at}.reads\' must be "json" or "text", not {reads!r}')
        name = table.get("name", "")
        if not isinstance(name, str) or ("name" in table and not name.strip()):
            self._problems.append(f"key '{at}.name' must be a text, and not a blank one")
        return Validation(
            name=str(name),
            command=self._command(table, at),
            reads=str(reads),
            healthy=self._claimed(table.get("healthy", {}), f"{at}.healthy", str(reads), counts=False),
            checked=self._claimed(table["checked"], f"{at}.checked", str(reads), counts=True)
            if "checked" in table
            else None,
            cwd=self._folder(table, at),
            limit=self._limit(table, at),
            environment=self._environment(table, at),
        )

    def _claimed(self, value: object, at: str, reads: str, *, counts: bool) -> Claimed:
        """Read where a claim stands: what is asked for depends on how the output is read, and whether it is a count."""
        table = self._mapping(value, at)
        where = "key" if reads == JSON else "pattern"
        wanted = (where, "least") if counts else ("key", "value") if reads == JSON else ("pattern",)
        self._unknown(table, wanted, f"{at}.")
        for key in wanted[:1] if counts else wanted:
            text = table.get(key)
            if table and (not isinstance(text, str) or not text):
                self._problems.append(f"key '{at}.{key}' must be a text, and not a blank one")
        pattern, least = str(table.get("pattern", "")), table.get("least", 1)
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            self._problems.append(f"key '{at}.pattern' is no regular expression: {error}")
            groups = 1
        if counts and pattern and groups != 1:
            self._problems.append(f"key '{at}.pattern' must hold one group: the number of what was checked")
        if type(least) is not int or least < 1:
            self._problems.append(f"key '{at}.least' must be a whole number above zero")
            least = 1
        return Claimed(str(table.get("key", "")), str(table.get("value", "")), pattern, least)

    def _command(self, table: Mapping[str, Any], at: str) -> tuple[str, ...]:
        words = self._texts(table.get("command", []), f"{at}.command")
        if table.get("command") == []:
            self._problems.append(f"key '{at}.command' is empty")
        return words

    def _texts(self, value: object, at: str) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
            return tuple(value)
        self._problems.append(f"key '{at}' must be a list of texts")
        return ()

    def _folder(self, table: Mapping[str, Any], at: str) -> Path:
        value = table.get("cwd", ".")
        if isinstance(value, str) and value.strip():
            return (self._root / value).resolve()
        self._problems.append(f"key '{at}.cwd' must be a path, relative to the root")
        return self._root

    def _limit(self, table: Mapping[str, Any], at: str) -> float | None:
        value = table.get("limit")
        if value is None:
            return None
        length = seconds(value) if isinstance(value, str) else None
        if not length or length < 0:
            self._problems.append(f"key '{at}.limit' must be a duration such as '90s' or '5m', not {value!r}")
            return None
        return length

    def _environment(self, table: Mapping[str, Any], at: str) -> dict[str, str]:
        given = self._mapping(table.get("environment", {}), f"{at}.environment")
        for name, value in given.items():
            if not name.isidentifier() or not isinstance(value, str):
                self._problems.append(f"key '{at}.environment.{name}' must be a variable's name with a text")
        return {name: str(value) for name, value in given.items()}

    def _flag(self, table: Mapping[str, Any], key: str, at: str, *, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            self._problems.append(f"key '{at}.{key}' must be true or false")
            return default
        return value

    def _mapping(self, value: object, at: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._problems.append(f"key {at!r} must be a table")
        return {}

    def _unknown(self, table: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> None:
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = f" (did you mean {prefix}{close[0]}?)" if close else ""
                self._problems.append(f"key {prefix + key!r} is unknown{hint}")


def replaces(steps: Sequence[StepBy]) -> bool:
    """Whether a script may put a container of its own in the place of Compose's, which then finds the name taken."""
    start = find(steps, START)
    return start.takes_over and start.driver == SCRIPTS


def find(steps: Sequence[StepBy], name: str) -> StepBy:
    """Return how a step is carried out: as the target file says, else by Compose."""
    return next((one for one in steps if one.name == name), StepBy(name))


def script(steps: Sequence[StepBy], name: str) -> StepBy | None:
    """Return the script that carries out a step, where one does."""
    found = find(steps, name)
    return found if found.driver == SCRIPTS else None
