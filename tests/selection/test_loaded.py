"""Plugins that were loaded behind the command line's back change neither the order nor the gate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.record.evidence import Phase
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
# Ones in whose presence no check is what it seems to be.
ANSWERING = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    return True
"""
NOT_RUNNING = """
def pytest_runtest_setup(item):
    item.runtest = lambda: None
"""
REPLACING = """
def pytest_runtest_setup(item):
    item.obj = lambda **given: None
"""
SWALLOWING = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except BaseException:
        return True
"""
FORGETTING = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    call.excinfo = None
    report = yield
    report.outcome = "passed"
    return report
"""
SETTING_UP = """
import pytest

@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item):
    try:
        return (yield)
    except BaseException:
        return None
"""
REWRITING = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        setattr(item.module, item.originalname, lambda **given: None)
        item.obj = getattr(item.module, item.originalname)
"""
# What a plugin for time limits does: it ends a check from without, in its own words or by an assertion.
ENDING = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if pyfuncitem.name == "test_no_other_kestra_has_a_session":
        {ends}
"""
# And in the middle of the stop, which the first check of that phase asks for.
TIMER = """
import os, pathlib, signal, pytest

def over(number, frame):
    files = pathlib.Path(os.environ["XDG_STATE_HOME"]).rglob("*.jsonl")
    lines = [line for file in files for line in file.read_text().splitlines()]
    if any('"begin"' in line and '"stop"' in line for line in lines):
        signal.setitimer(signal.ITIMER_REAL, 0)
        pytest.fail("Timeout (>1s)")

def pytest_runtest_logstart(nodeid):
    if "/mid/" in nodeid and not signal.getsignal(signal.SIGALRM):
        signal.signal(signal.SIGALRM, over)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
"""
FULL = 10**18
"""More room than any disk has: the check that asks for it fails."""


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


@FAULT(
    kind="a plugin answers for the checks",
    phase="before",
    happened="nothing that was not seen to run has passed, and the gate stays closed",
    verdict="REFUSED",
)
@pytest.mark.parametrize(
    ("text", "room", "word"),
    [
        pytest.param(ANSWERING, 1, "its body was never run", id="answering"),
        pytest.param(NOT_RUNNING, 1, "its body was never run", id="not running"),
        pytest.param(REPLACING, 1, "its body was never run", id="replacing"),
        pytest.param(
            SWALLOWING, FULL, "failed          The disk that the engine writes to has room", id="swallowing"
        ),
        pytest.param(
            FORGETTING, FULL, "failed          The disk that the engine writes to has room", id="forgetting"
        ),
        pytest.param(
            SETTING_UP, FULL, "failed          The disk that the engine writes to has room", id="setting up"
        ),
    ],
)
def test_a_check_whose_body_was_not_seen_to_end_well_has_not_passed(
    text: str, room: int, word: str, service: Stack, tmp_path: Path
) -> None:
    """Whatever a plugin makes of a check, its body decides; and what is blocked stays blocked."""
    before = identity(service)
    typed = Typed(service, tmp_path / "typed", disk_free=room)

    done = typed.restart(environment=_plugin(tmp_path, text))

    assert done.returncode == 10, done.stdout + done.stderr
    assert word in done.stdout
    assert before == identity(service)
    record = json.loads((typed.runs[0] / "evidence.json").read_text())
    outcomes = {one["outcome"] for one in record["results"] if one["check"]["phase"] != Phase.PRE}
    assert outcomes <= {"blocked", "not applicable"}
    assert leftovers(service) == []


def test_a_check_that_was_rewritten_is_a_usage_error(service: Stack, typed: Typed, tmp_path: Path) -> None:
    """A plugin that puts another function in a check's place, in the file's own module, ends the run before it begins."""
    before = identity(service)

    done = typed.restart(environment=_plugin(tmp_path, REWRITING))

    assert done.returncode == 4, done.stdout + done.stderr
    assert "is not the function of its file" in done.stdout + done.stderr
    assert (before, (), ()) == (identity(service), typed.runs, typed.journals)


@FAULT(
    kind="a time-out plugin ends a data check",
    phase="outage",
    happened="the check is unknown, which holds nothing back: the service is started",
    verdict="NOT ACCEPTED",
)
@pytest.mark.parametrize(
    "ends", ['pytest.fail("Timeout (>1s)")', 'raise AssertionError("over")'], ids=["fail", "assertion"]
)
def test_a_check_that_is_timed_out_holds_nothing_back(
    ends: str, service: Stack, typed: Typed, tmp_path: Path
) -> None:
    """Only what a data check asserts itself keeps the service down: the end that another gives it does not."""
    before = identity(service)

    done = typed.restart(environment=_plugin(tmp_path, ENDING.format(ends=ends)))
    record = json.loads((typed.runs[0] / "evidence.json").read_text())

    assert done.returncode == 11, done.stdout + done.stderr
    assert service.is_ready()
    assert before != identity(service)
    assert [one["outcome"] for one in record["results"] if "has_a_session" in one["check"]["id"]] == [
        "unknown"
    ]


@FAULT(
    kind="a time-out plugin strikes in the stop",
    phase="stop",
    happened="the state is not reached, never reached for again, and the service is started",
    verdict="NOT ACCEPTED",
)
def test_a_stop_that_is_timed_out_is_not_stopped_twice(service: Stack, typed: Typed, tmp_path: Path) -> None:
    """An exception that another raises into the stop leaves the stop not reached: the service is started, once."""
    before = identity(service)

    done = typed.restart(environment=_plugin(tmp_path, TIMER))
    record = json.loads((typed.runs[0] / "evidence.json").read_text())

    assert done.returncode == 11, done.stdout + done.stderr
    assert service.is_ready()
    assert before != identity(service)
    entries = [json.loads(one) for one in typed.journals[0].read_text().splitlines()]
    begun = [one["step"] for one in entries if one["kind"] == "begin"]
    assert (begun.count("stop"), begun.count("start")) == (1, 1)
    assert "failed" not in {one["outcome"] for one in record["results"] if one["check"]["protects"] == "data"}


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
