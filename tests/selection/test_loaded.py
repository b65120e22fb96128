"""Plugins that were loaded behind the command line's back change neither the order nor the gate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.evidence import Phase
from tests.faults import FAULT
from tests.selection.conftest import identity, leftovers
from tests.selection.typed import Typed
from tests.stacks import Stack

# A plugin of nobody's: it asks everything backwards, before and after ours.
BACKWARDS = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.reverse()
"""
# One that takes away what could close the gate, without a word to anybody.
SHORTER = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items[:] = [one for one in items if "engine" not in one.nodeid]
"""
TWICE = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items[:] = [*items, items[0]]
"""
# One that lets a check pass without asking it.
SKIPPING = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if item.name == "test_the_engine_answers":
            item.add_marker(pytest.mark.skip(reason="not today"))
"""
NOT_ASKING = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    return True if item.name == "test_the_engine_answers" else None
"""


def _plugin(folder: Path, text: str) -> dict[str, str]:
    (folder / "stray_plugin.py").write_text(text)
    return {"PYTEST_PLUGINS": "stray_plugin", "PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    "loaded",
    [
        pytest.param({"PYTEST_PLUGINS": "xdist.plugin,pytest_rerunfailures"}, id="xdist and rerunfailures"),
        pytest.param({"PYTEST_PLUGINS": "pytest_randomly"}, id="randomly"),
        pytest.param({}, id="backwards"),
    ],
)
def test_it_acts_in_its_own_order_or_not_at_all(
    loaded: dict[str, str], service: Stack, typed: Typed, tmp_path: Path
) -> None:
    """Whatever is loaded, the phases are asked in their order, or nothing is done."""
    before = identity(service)

    done = typed.restart(environment=loaded or _plugin(tmp_path, BACKWARDS))

    if done.returncode == 4:
        assert (before, ()) == (identity(service), typed.runs)
        return
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((typed.runs[0] / "evidence.json").read_text())
    asked = [one for one in record["results"] if one["outcome"] != "not applicable"]
    times = [one["asked_at"] for one in asked]
    order = [list(Phase).index(Phase(one["check"]["phase"])) for one in asked]
    assert sorted(order) == order
    assert sorted(times) == times
    planned = [one["id"] for one in record["plan"]["checks"] if not one["not_applicable"]]
    assert planned == [one["check"]["id"] for one in asked if not one["check"]["id"].endswith(" again")]


@pytest.mark.parametrize("text", [SHORTER, TWICE], ids=["shorter", "twice"])
@FAULT(
    kind="a plugin leaves a check out, or asks one twice",
    phase="plan",
    happened="the run ends before it begins",
    verdict="USAGE ERROR",
)
def test_another_list_of_checks_is_refused(text: str, service: Stack, typed: Typed, tmp_path: Path) -> None:
    """A plugin that leaves a check out, or asks one twice, ends the run before it begins."""
    before = identity(service)

    done = typed.restart(environment=_plugin(tmp_path, text))

    assert done.returncode == 4, done.stdout + done.stderr
    assert "what pytest collected is not what the check files hold" in done.stdout + done.stderr
    assert (before, (), ()) == (identity(service), typed.runs, typed.journals)


@pytest.mark.parametrize("text", [SKIPPING, NOT_ASKING], ids=["skipped", "not asked"])
@FAULT(
    kind="a plugin skips a check, or swallows its turn",
    phase="before",
    happened="it is no passed one: the gate stays closed",
    verdict="REFUSED",
)
def test_a_check_that_was_not_asked_keeps_the_gate_closed(
    text: str, service: Stack, typed: Typed, tmp_path: Path
) -> None:
    """A planned check that was skipped, or whose turn was swallowed, is no passed one."""
    before = identity(service)

    done = typed.restart(environment=_plugin(tmp_path, text))

    assert done.returncode == 10, done.stdout + done.stderr
    assert before == identity(service)
    assert leftovers(service) == []


def test_a_python_without_assertions_does_not_begin(service: Stack, tmp_path: Path) -> None:
    """A Python that leaves assertions out would let every claim hold: nothing is begun with it."""
    before = identity(service)
    typed = Typed(service, tmp_path / "full", disk_free=10**18)

    done = typed.restart(environment={"PYTHONOPTIMIZE": "1", "PYTHONDONTWRITEBYTECODE": "1"})

    assert done.returncode == 1, done.stdout + done.stderr
    assert "assert statements are not executed" in done.stderr
    assert (before, (), ()) == (identity(service), typed.runs, typed.journals)


def test_plan_changes_nothing(service: Stack, typed: Typed) -> None:
    """A plan asks the checks of the first phase, makes no folder and no journal, and touches nothing."""
    before = identity(service)

    done = typed.restart("--plan")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WOULD BE LET THROUGH" in done.stdout
    assert (before, (), ()) == (identity(service), typed.runs, typed.journals)
    assert leftovers(service) == []


def test_a_waived_check_opens_the_gate(service: Stack, tmp_path: Path) -> None:
    """A waived service check that fails lets a plan through, and is said first."""
    typed = Typed(service, tmp_path / "full", disk_free=10**18)

    refused = typed.restart("--plan")
    waived = typed.restart(
        "--plan", "--waive", "pre/test_room.py::test_the_engine_has_room", "--reason", "it is enough"
    )

    assert (refused.returncode, waived.returncode) == (10, 0), waived.stdout + waived.stderr
    assert "WAIVED by" in waived.stdout.splitlines()[0]
    assert "it is enough" in waived.stdout.splitlines()[0]
