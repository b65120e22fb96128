"""The table of faults is what the marks of the tests say, and no mark may say what no run can end as."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import endings, faults
from tests.faults import FAULT, Phase, holds, row
from tests.stacks import clean_environment, run

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "faults.md"
KINDS = 60
"""How many kinds of fault there are at least."""


@pytest.fixture(scope="module")
def printed() -> str:
    return faults.printed()


def cells() -> list[list[str]]:
    """The rows of the table, its head left out."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def test_the_table_is_what_the_tests_say(printed: str) -> None:
    """docs/faults.md is what `python -m tests.faults` prints; make it anew when this fails."""
    assert DOCUMENT.read_text(encoding="utf-8") == printed


def test_there_are_enough_kinds_over_all_phases() -> None:
    """The table holds many kinds of fault."""
    assert len({one[0] for one in cells()}) >= KINDS


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "FINE"},
        {"verdict": "ACCEPTED, FINE"},
        {"phase": "lunch"},
        {"kind": "a | b"},
        {"test": "another"},
    ],
    ids=str,
)
def test_a_mark_that_says_what_cannot_be_is_an_error(wrong: dict[str, str]) -> None:
    """Phases and verdicts are closed lists, and a row holds nothing else."""
    told = {"kind": "a", "phase": "stop", "happened": "b", "verdict": "ACCEPTED"}

    row(FAULT(**told).mark, "test")
    with pytest.raises(ValueError, match=r"test: |is not a valid Phase"):
        row(FAULT(**(told | wrong)).mark, "test")


def test_every_phase_says_what_it_means() -> None:
    """The head of the table explains each phase."""
    assert [one for one in Phase if f"- **{one}**: " not in faults.table([])] == []


def test_a_verdict_holds_only_in_its_order() -> None:
    """A run may be told that ended so; several only in the order in which they ended."""
    seen = ["REFUSED", "LOCKED", "ACCEPTED"]

    assert [holds("LOCKED", seen), holds("LOCKED, ACCEPTED", seen)] == [True, True]
    assert [holds("ACCEPTED, LOCKED", seen), holds("SERVICE DOWN", seen), holds("LOCKED", [])] == [False] * 3


@pytest.mark.parametrize(
    ("words", "status", "ending"),
    [
        (["-m", "restart"], 0, "ACCEPTED"),
        (["-m", "restart", "--plan"], 0, endings.PLANNED),
        (["-m", "status"], 0, endings.HEALTHY),
        (["-m", "restart", "--plan"], 10, "REFUSED"),
        (["-m", "restart"], 4, endings.USAGE),
    ],
)
def test_an_ending_is_the_exit_statuss(words: list[str], status: int, ending: str) -> None:
    """How a run ended is told by its exit status; where nothing was restarted, nothing was accepted."""
    first = endings.count()
    endings.note(words, status)

    assert endings.between(first, endings.count()) == [ending]


LIAR = """
import pytest
from tests import endings

@pytest.fixture(scope="module")
def shared():
    endings.note(["-m", "restart"], 12)

def fault(verdict):
    return pytest.mark.fault(kind="a", phase="stop", happened="b", verdict=verdict)

@fault("SERVICE DOWN, ACCEPTED")
def test_true(shared):
    endings.note(["-m", "restart"], 0)

@fault("SERVICE DOWN")
def test_shared(shared):
    pass

@fault("ACCEPTED")
def test_of_another_test(shared):
    pass

@fault("REFUSED")
def test_without_a_run():
    pass
"""


def test_a_mark_that_lies_fails_its_test(tmp_path: Path) -> None:
    """A test whose runs did not end as its mark says fails, whatever else it has found."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = fault\n")
    (tmp_path / "conftest.py").write_text(
        "from tests.faults import pytest_fixture_setup, pytest_runtest_call\n"
    )
    (tmp_path / "test_liar.py").write_text(LIAR)
    command = [sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload", "-p", "no:cacheprovider"]
    environment = clean_environment(PYTHONPATH=str(faults.PROJECT))
    done = run(command, cwd=tmp_path, check=False, env=environment)

    assert "2 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "FAILED test_liar.py::test_of_another_test" in done.stdout
    assert "FAILED test_liar.py::test_without_a_run" in done.stdout
