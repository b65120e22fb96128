"""What is told of a service that answers again after an interruption, and since when a container is what it is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from procedures.decide.course import Course
from procedures.run import back
from tests.reports import samples


def run(*, changed: bool = True, outage: object = None, **course: Any) -> Any:
    return SimpleNamespace(
        changed=changed, outage=outage, course=Course(**{"interrupted": "SIGINT", "answers": True, **course})
    )


def test_since_when_and_how_long() -> None:
    """By the path that tells the run's outage, from outside."""
    measured = samples.outage()
    assert measured.headline_path is not None

    assert back.sentence(run(outage=measured)).startswith("the service answers again since ")
    assert back.sentence(run(outage=measured)).endswith("UTC, away 10.310 s ± 0.018 s")


def test_what_was_not_measured_is_not_made_up() -> None:
    """An answer without an outage's end is told as that."""
    assert back.sentence(run()) == "the service answers; how long it was away was not measured"
    assert "since" not in back.sentence(run(outage=samples.outage(back=False)))


@pytest.mark.parametrize(
    "said",
    [{"answers": None}, {"answers": False}, {"interrupted": ""}, {"held_back": "data"}, {"changed": False}],
    ids=["nobody looked", "it does not", "no interruption", "not to be started", "nothing was touched"],
)
def test_nothing_is_said_of_a_service_that_was_not_seen_back(said: dict[str, Any]) -> None:
    """Then the commands by hand are what is needed, or nothing is."""
    assert back.sentence(run(outage=samples.outage(), **said)) == ""


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("running", "running since 2026-11-20T08:00:01.000000001Z"),
        ("exited", "exited since 2026-11-22T09:00:00Z"),
        ("dead", "dead since 2026-11-22T09:00:00Z"),
        ("restarting", "restarting since 2026-11-22T09:00:00Z"),
        ("created", "created since 2026-11-20T08:00:00.000000001Z"),
        ("paused", "paused, started 2026-11-20T08:00:01.000000001Z"),
    ],
)
def test_a_container_is_what_it_is_since_that_began(state: str, told: str) -> None:
    """One that has ended is so since its end, whenever it was started."""
    assert samples.container(state=state, finished_at="2026-11-22T09:00:00Z").stands == told


def test_an_end_that_the_engine_does_not_know_is_not_told() -> None:
    assert replace(samples.container(), state="dead").stands == "dead, started 2026-11-20T08:00:01.000000001Z"
