"""One stack that nothing of this folder may touch unasked, and what every case said."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import pytest_fixture_setup, pytest_runtest_call
from tests.selection.cases import ALL, SERVICE_CHECK, Case
from tests.selection.typed import Typed
from tests.stacks import Stack, engine, stack

__all__ = ["pytest_fixture_setup", "pytest_runtest_call"]

LIMIT = 120.0
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a case, and of the service and the archive meanwhile."""

    done: subprocess.CompletedProcess[str]
    target: Typed

    @property
    def said(self) -> str:
        return self.done.stdout + self.done.stderr


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of all cases, and which containers there were before and after them."""

    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]
    tried: dict[str, Tried]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs and is well."""
    with stack(tmp_path_factory.mktemp("selection")) as made:
        yield made.up()


@pytest.fixture(scope="module")
def trial(service: Stack, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Every case, tried on the same service: one after another they would take minutes."""
    folder = tmp_path_factory.mktemp("cases")

    def attempt(numbered: tuple[int, Case]) -> Tried:
        number, case = numbered
        own = folder / str(number)
        target = Typed(service, own)
        (own / "other.ini").write_text("[pytest]\naddopts = -k engine\n")
        (own / "arguments").write_text("-k\nengine\n")
        (own / "waived").write_text(f"--waive\n{SERVICE_CHECK}\n--reason\nx\n")
        (own / "procedure").write_text("-m\nrestart\n")
        (own / "empty.toml").write_text('name = "nothing"\n')
        typed = [one.replace("{folder}", str(own)) for one in case.arguments]
        typed += [target.option] if case.targeted else []
        environment = {key: value.replace("{folder}", str(own)) for key, value in case.environment.items()}
        return Tried(target.pytest(*typed, limit=LIMIT, environment=environment), target)

    before = identity(service)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = dict(zip((one.name for one in ALL), pool.map(attempt, enumerate(ALL)), strict=True))
    return Trial(before, identity(service), tried)


def identity(service: Stack) -> tuple[tuple[str, str], ...]:
    """Which containers the stack has, and since when each one runs."""
    found = [one for name in ("kestra", "kestra-postgres") for one in service.containers(name)]
    return tuple((str(one.id), str(one.attrs["State"]["StartedAt"])) for one in found)


def leftovers(run_of: Stack) -> list[str]:
    """Names of what a run has left in the stack's network or beside it: lookouts and locks."""
    with engine() as client:
        listed = client.containers.list(all=True, filters={"network": f"{run_of.project}_default"})
    return [str(one.name) for one in listed if "io.kestra-restart.role" in one.labels]


@pytest.fixture
def typed(service: Stack, tmp_path: Path) -> Typed:
    """What is typed at the shared stack, with an archive of its own."""
    return Typed(service, tmp_path / "typed")
