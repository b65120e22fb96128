"""The table of faults in docs/faults.md, made by the tests that carry `@pytest.mark.fault(…)`.

Mark a test on the engine with kind=, phase= (of `Phase`), happened= and verdict= (of `endings.ENDINGS`, or several
with ", " between, in the order in which the runs ended); cases carry theirs by `pytest.param(…, marks=FAULT(…))`.
A marked test fails where the runs that it typed did not end so. Make the table: `python -m tests.faults > docs/faults.md`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from tests import endings
from tests.stacks import clean_environment

PROJECT = Path(__file__).resolve().parent.parent
FOLDERS = ("tests/engine", "tests/selection", "tests/scripts")
FAULT = pytest.mark.fault

_HEAD = """\
# Faults, and what became of them

Made by `python -m tests.faults > docs/faults.md` from the marks of the tests that make each fault happen, on a real
engine, a real Postgres and the understudy in Kestra's place.
A marked test fails if its runs did not end with the verdict that stands here.
Where several verdicts stand in a row, several procedures were typed one after another.
A run that SIGKILL ended has no verdict of its own: the one that follows it is told.

A fault's phase is the moment at which it begins to matter:

{phases}

{kinds} kinds of fault; {rows} rows.

| kind of fault | phase | what happened | verdict | shown by |
|---|---|---|---|---|
{table}
"""


class Phase(StrEnum):
    """When a fault strikes; in the order of a run."""

    PLAN = "plan"
    BEFORE = "before"
    PREPARE = "prepare"
    READY = "ready"
    STOP = "stop"
    OUTAGE = "outage"
    START = "start"
    SOAK = "soak"
    AFTER = "after"
    WAY_BACK = "way back"
    LANDING = "landing"
    SEALING = "sealing"
    NEXT_RUN = "next run"


_MEANS = {
    Phase.PLAN: "before there is a plan: what was typed, written or loaded, and whether anything can be seen",
    Phase.BEFORE: "the first look, and the gate behind it",
    Phase.PREPARE: "between the two gates: pulling, trying, copying, saving",
    Phase.READY: "the second look, and the second gate",
    Phase.STOP: "the stop",
    Phase.OUTAGE: "while the service is stopped",
    Phase.START: "the start and the boot",
    Phase.SOAK: "while the new server is watched",
    Phase.AFTER: "the last look, by which the run is judged",
    Phase.WAY_BACK: "while a run goes back by itself",
    Phase.LANDING: "while a run that was cut off brings the service up again",
    Phase.SEALING: "while the record is written",
    Phase.NEXT_RUN: "what an earlier run or somebody's hand has left behind",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a fault, and what a test has seen become of it."""

    kind: str
    phase: Phase
    happened: str
    verdict: str
    test: str

    @property
    def place(self) -> tuple[int, str, str, str]:
        return list(Phase).index(self.phase), self.kind, self.verdict, self.test


def row(mark: pytest.Mark, test: str) -> Row:
    """The row that a mark stands for; a mark that cannot be one is an error."""
    told = dict(mark.kwargs)
    if mark.args or set(told) != {"kind", "phase", "happened", "verdict"}:
        raise ValueError(f"{test}: a fault has kind, phase, happened and verdict, each by its name")
    if strange := [one for one in told["verdict"].split(", ") if one not in endings.ENDINGS]:
        raise ValueError(f"{test}: {strange} is no ending of a run; they are {list(endings.ENDINGS)}")
    if "|" in "".join(told.values()) or "\n" in "".join(told.values()):
        raise ValueError(f"{test}: a cell of a table holds no | and no line break")
    return Row(told["kind"], Phase(told["phase"]), told["happened"], told["verdict"], test)


def table(rows: Iterable[Row]) -> str:
    """The document, from every row that the tests tell."""
    told = sorted(set(rows), key=lambda one: one.place)
    return _HEAD.format(
        phases="\n".join(f"- **{phase}**: {_MEANS[phase]}" for phase in Phase),
        kinds=len({one.kind for one in told}),
        rows=len(told),
        table="\n".join(
            f"| {one.kind} | {one.phase} | {one.happened} | {one.verdict.replace(', ', ', then ')} | `{one.test}` |"
            for one in told
        ),
    ).removesuffix("\n")


def holds(told: str, seen: list[str]) -> bool:
    """Whether these verdicts are among those that were seen, in that order."""
    left = iter(seen)
    return all(any(one == ending for ending in left) for one in told.split(", "))


# --- what a folder's conftest.py takes over, so that no mark can lie

_made_by: dict[int, tuple[int, int]] = {}
"""Which runs were typed while a shared fixture was set up, by the fixture's definition."""


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
    """Note which runs belong to a fixture: a test that asks for it later has them too."""
    first = endings.count()
    made = yield
    _made_by[id(fixturedef)] = (first, endings.count())
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Hold a test's marks against the runs that it and its fixtures have typed."""
    first = endings.count()
    done = yield
    marks = [row(one, item.nodeid) for one in item.iter_markers("fault")]
    if marks:
        seen = [*_of_fixtures(item), *endings.between(first, endings.count())]
        lies = [one.verdict for one in marks if not holds(one.verdict, seen)]
        assert not lies, f"the mark says {lies}, and the runs of this test ended with {seen}"
    return done


def _of_fixtures(item: pytest.Item) -> list[str]:
    info: Any = getattr(item, "_fixtureinfo", None)
    asked = [defs[-1] for defs in info.name2fixturedefs.values() if defs] if info else []
    spans = {_made_by[id(one)] for one in asked if id(one) in _made_by}
    numbers = sorted({number for first, last in spans for number in range(first, last)})
    return [ending for one in numbers for ending in endings.between(one, one + 1)]


# --- the command


class _Collected:
    """Notes the marks of every test that pytest collects."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            test = item.nodeid.partition("[")[0]
            self.rows += [row(one, test) for one in item.iter_markers("fault")]


def main() -> int:
    """Print the table to what this process calls its output; pytest's own words go to the other one."""
    collected = _Collected()
    words = ["--collect-only", "-p", "no:terminal", "-p", "no:cacheprovider", *FOLDERS]
    if status := pytest.main(words, plugins=[collected]):
        return int(status)
    print(table(collected.rows))
    return 0


def printed() -> str:
    """What the command prints, typed from the project's root."""
    inherited = {key: value for key, value in clean_environment().items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults"],
        cwd=PROJECT,
        env=inherited,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
