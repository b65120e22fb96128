"""Which steps the operator's own scripts carry out, and the operator's other commands that the target file names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from procedures.target.reading import Table, keys_of, meant

COMPOSE, SCRIPTS = "compose", "scripts"
STATUS, SAVE_LOGS, STOP, START = "status", "save_logs", "stop", "start"
STEPS = (STATUS, SAVE_LOGS, STOP, START)
"""The steps that a script can carry out, in the order of a run."""
JSON, TEXT = "json", "text"
_OF_START = ("takes_over", "fallback")


def _as_written(_step: str, table: Table) -> tuple[str, ...]:
    return table.some_texts("command")


@dataclass(frozen=True, slots=True)
class StepDriver:
    """A driver in the target file: the keys that a step's table needs and may have, and the command they make.

    A step whose driver does not take `rehearse` is not rehearsed.
    """

    name: str = ""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    command: Callable[[str, Table], tuple[str, ...]] = _as_written

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.needs, *self.takes)


DRIVERS = {
    one.name: one
    for one in (
        StepDriver(COMPOSE, takes=("takes_over",)),
        StepDriver(
            SCRIPTS,
            needs=("command",),
            takes=("cwd", "limit", "environment", "rehearse", "takes_over", "fallback"),
        ),
    )
}
KEYS = ("driver", *dict.fromkeys(key for one in DRIVERS.values() for key in one.keys))
"""The keys that the table of a step may have, whatever its driver."""


@dataclass(frozen=True, slots=True)
class StepBy:
    """How one step is carried out. `cwd` is absolute; `limit` is in seconds; None leaves the step its own limit."""

    name: str
    driver: str = COMPOSE
    command: tuple[str, ...] = ()
    cwd: Path = Path()
    limit: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    rehearse: bool = True
    takes_over: bool = False
    fallback: str = ""

    @property
    def is_own(self) -> bool:
        """Whether the operator's own command carries the step out, and not Compose."""
        return self.driver != COMPOSE


@dataclass(frozen=True, slots=True)
class Claimed:
    """Where the output of a validation command states a claim: a key of its JSON, or a pattern in its text."""

    key: str = ""
    value: str = ""
    pattern: str = ""
    least: int = 1


@dataclass(frozen=True, slots=True)
class Validation:
    """The operator's command that says whether the service is well; `checked` is where it says how much it looked at."""

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
    """What else must exist: files below the root, running containers, networks, listening ports."""

    files: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


def environments(steps: Sequence[StepBy], validations: Sequence[Validation]) -> tuple[Mapping[str, str], ...]:
    """Return every environment that a target file gives to a command: its values may be secrets."""
    return (*(one.environment for one in steps), *(one.environment for one in validations))


def read_steps(file: Table, root: Path) -> tuple[StepBy, ...]:
    """Return the steps that the target file gives to a driver, in the order of a run."""
    steps = file.table("steps")
    steps.refuse_unknown(STEPS)
    return tuple(_step(name, steps.table(name), root) for name in STEPS if name in steps)


def read_validations(file: Table, root: Path) -> tuple[Validation, ...]:
    """Return the operator's validation commands."""
    given = file.given.get("validate", [])
    if not isinstance(given, list) or not all(isinstance(values, dict) for values in given):
        file.wrong("validate", "must be a list of tables: [[validate]]")
        return ()
    tables = [Table(values, f"validate.{number}", file.problems) for number, values in enumerate(given, 1)]
    read = tuple(_validation(table, root) for table in tables)
    names = [validation.name for validation in read]
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    file.problems.extend(f"two tables 'validate' have the name {name!r}" for name in twice)
    return read


def read_needs(file: Table) -> Needs:
    """Return what else must exist."""
    table = file.table("needs")
    table.refuse_unknown(keys_of(Needs))
    return Needs(
        table.texts("files"), table.texts("containers"), table.texts("networks"), table.ports("ports")
    )


def _step(name: str, table: Table, root: Path) -> StepBy:
    table.refuse_unknown(KEYS)
    given, names = table.given.get("driver", COMPOSE), tuple(DRIVERS)
    driver = DRIVERS.get(str(given), StepDriver())
    if driver.name:
        _refuse_unfit(table, driver)
    else:
        known = f"{', '.join(names[:-1])} and {names[-1]}"
        table.wrong("driver", f"is {given!r}; drivers are {known}{meant(str(given), names)}")
    for key in _OF_START:
        if key in table and name != START:
            table.wrong(key, "goes with steps.start only")
    if table.given.get("fallback", COMPOSE) != COMPOSE:
        table.wrong("fallback", 'must be "compose"')
    return StepBy(
        name=name,
        driver=driver.name,
        command=driver.command(name, table),
        cwd=_folder(table, root),
        limit=table.duration("limit"),
        environment=_environment(table),
        rehearse=table.flag("rehearse", default="rehearse" in driver.keys),
        takes_over=table.flag("takes_over", default=False),
        fallback=str(table.given.get("fallback", "")),
    )


def _refuse_unfit(table: Table, driver: StepDriver) -> None:
    """Note what a driver needs and the table does not have, and what the table has for other drivers."""
    for key in driver.needs:
        if key not in table:
            table.wrong(key, f"is missing: the driver {driver.name} runs it")
    for key in sorted(table.given.keys() & set(KEYS) - {"driver", *driver.keys}):
        others = " or ".join(f'"{one.name}"' for one in DRIVERS.values() if key in one.keys)
        table.wrong(key, f"goes with driver = {others}")


def _validation(table: Table, root: Path) -> Validation:
    table.refuse_unknown(keys_of(Validation))
    table.require(("name", "command", "reads", "healthy"))
    for key in ("healthy", "checked"):
        if table.given.get(key) == {}:
            table.wrong(key, "is empty")
    reads = table.given.get("reads", TEXT)
    if reads not in (JSON, TEXT):
        table.wrong("reads", f'must be "json" or "text", not {reads!r}')
    return Validation(
        name=table.text("name"),
        command=table.some_texts("command"),
        reads=str(reads),
        healthy=_healthy(table.table("healthy"), reads),
        checked=_checked(table.table("checked"), reads) if "checked" in table else None,
        cwd=_folder(table, root),
        limit=table.duration("limit"),
        environment=_environment(table),
    )


def _healthy(table: Table, reads: object) -> Claimed:
    """Read where the output says that all is well."""
    wanted = ("key", "value") if reads == JSON else ("pattern",)
    table.refuse_unknown(wanted)
    return _claimed(table, wanted)


def _checked(table: Table, reads: object) -> Claimed:
    """Read where the output says how much was looked at, and the least that this must be."""
    where = "key" if reads == JSON else "pattern"
    table.refuse_unknown((where, "least"))
    claimed = _claimed(table, (where,))
    if claimed.pattern and re.compile(claimed.pattern).groups != 1:
        table.wrong("pattern", "must hold one group: the number of what was checked")
    return claimed


def _claimed(table: Table, wanted: tuple[str, ...]) -> Claimed:
    for key in wanted:
        if table.given and (not isinstance(table.given.get(key), str) or not table.given[key]):
            table.wrong(key, "must be a text, and not a blank one")
    pattern = str(table.given.get("pattern", ""))
    try:
        re.compile(pattern)
    except re.error as error:
        table.wrong("pattern", f"is no regular expression: {error}")
        pattern = ""
    key, value = (str(table.given.get(one, "")) for one in ("key", "value"))
    return Claimed(key, value, pattern, table.number("least"))


def _folder(table: Table, root: Path) -> Path:
    return (root / table.text("cwd", ".", "must be a path, relative to the root")).resolve()


def _environment(table: Table) -> dict[str, str]:
    environment = table.table("environment")
    for name, value in environment.given.items():
        if not name.isidentifier() or not isinstance(value, str):
            environment.wrong(name, "must be a variable's name with a text")
    return {name: str(value) for name, value in environment.given.items()}


def replaces(steps: Sequence[StepBy]) -> bool:
    """Whether a script may make a container of its own instead of Compose's, which then finds the name taken."""
    start = find(steps, START)
    return start.takes_over and start.is_own


def find(steps: Sequence[StepBy], name: str) -> StepBy:
    """Return how a step is carried out: as the target file says, or by Compose."""
    return next((one for one in steps if one.name == name), StepBy(name))


def script(steps: Sequence[StepBy], name: str) -> StepBy | None:
    """Return the script that carries out a step; None if no script does."""
    found = find(steps, name)
    return found if found.is_own else None
