"""Dashboards on the real engine: a restart is accepted when they show it, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import targets
from tests.dashboards import Board, board, fixed, mirror
from tests.faults import FAULT
from tests.stacks import Stack

CHECK = "post/test_dashboards.py::test_every_dashboard_shows_the_service"
READABLE = "pre/test_dashboards.py::test_every_dashboard_can_be_read"
CACHED = "services[name=kestra].status"


@pytest.fixture(name="served")
def _served() -> Iterator[Board]:
    with board() as made:
        yield made


def _table(served: Board, path: str, **keys: Any) -> dict[str, Any]:
    return {
        "name": path.strip("/"), "url": served.url(path), "json_path": "status", "equals": "healthy",
        "max_age": "60s", "limit": "1s", **keys,
    }  # fmt: skip


def _result(stack: Stack, name: str = CHECK) -> dict[str, Any]:
    (found,) = [one for one in targets.record(targets.latest(stack))["results"] if one["check"]["id"] == name]
    return dict(found)


def _shown(stack: Stack) -> dict[str, Any]:
    """What each dashboard showed, or why it showed nothing, as the record has it."""
    (after,) = [one for one in targets.record(targets.latest(stack))["snapshots"] if one["name"] == "after"]
    return {one["name"]: one for one in after["dashboards"]}


def test_a_restart_waits_for_a_dashboard_that_keeps_its_answers(service: Stack, served: Board) -> None:
    """An answer from before the stop says healthy and proves nothing; the one that is made after it is waited for."""
    served.pages["/launcher"] = mirror(service.management_url, looks=3)
    table = _table(served, "/launcher", json_path=CACHED, limit="60s")
    targets.target_file(service, dashboards=[table])
    before = served.pages["/launcher"]
    assert before is not None
    # Somebody looks at it right before the restart, so that the answer is kept over it.
    assert b'"kestra", "status": "healthy"' in before()[2]
    done = targets.procedure(service)

    assert done.returncode == 0, done.stdout
    shown = _shown(service)["launcher"]
    assert shown["shows"] == '"healthy"'
    assert "was not back yet" in shown["looks"][0]
    assert len(shown["looks"]) > 1
    assert _result(service)["outcome"] == _result(service, READABLE)["outcome"] == "passed"


@FAULT(
    kind="a dashboard is wrong, stale or silent",
    phase="after",
    happened="each tells itself",
    verdict="NOT ACCEPTED",
)
def test_each_dashboard_tells_what_is_amiss_with_it(service: Stack, served: Board) -> None:
    """Another value, none, none that is new, no answer: each tells itself, and nothing is accepted."""
    served.pages |= {
        "/wrong": fixed({"status": "degraded"}, Age="0"),
        "/mute": None,
        "/page": fixed(b"<html>healthy</html>", Age="0"),
        "/old": fixed({"status": "healthy"}, X_Cache_Age="61"),
        "/ageless": fixed({"status": "healthy"}),
        "/moved": fixed({"state": "healthy"}, Age="0"),
        "/broken": fixed({"status": "healthy"}, status=500, Age="0"),
    }
    away = _table(served, "/away") | {"url": "http://127.0.0.1:9/"}
    targets.target_file(service, dashboards=[away, *(_table(served, path) for path in served.pages)])
    done = targets.procedure(service, name="accept")

    assert done.returncode == 11, done.stdout
    result = _result(service)
    assert result["outcome"] == "failed"
    for name, said in {
        "wrong": 'shows "degraded" and not "healthy"',
        "away": "it does not answer: refused",
        "mute": "it does not answer: slow: no answer within",
        "page": "its answer is no JSON",
        "old": "its answer may have been made 62.0 s ago",
        "ageless": "its answer does not tell its age",
        "moved": "its answer has nothing at status",
        "broken": "it answered 500",
    }.items():
        told = next(one for one in result["reason"].split("; ") if one.startswith(name))
        assert said in told
