"""Commands that are told to be typed lead to the target's engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures import recover
from procedures.drivers.command_text import on_engine
from procedures.run.procedure import Asked
from procedures.run.run import Run
from procedures.steps.interruption import Interruption
from procedures.target.target import SUITE
from tests.checks.world import recorded

FLAGS = ("--context", "far")


@pytest.mark.parametrize(
    ("told", "typed"),
    [
        ("see `docker logs k`", "see `docker --context far logs k`"),
        (
            "`docker stop k && docker rm k`, then",
            "`docker --context far stop k && docker --context far rm k`, then",
        ),
        ("`cd /srv && docker --context far compose up`", "`cd /srv && docker --context far compose up`"),
        ("`systemctl start docker`", "`systemctl start docker`"),
        (
            "Docker says so; a plain docker word is no command",
            "Docker says so; a plain docker word is no command",
        ),
    ],
)
def test_a_command_finds_the_engine(told: str, typed: str) -> None:
    """What stands between backticks is typed; everything else is prose."""
    assert on_engine(told, FLAGS) == typed
    assert on_engine(told, ()) == told


def test_findings_and_what_checks_say_are_told_so() -> None:
    """Every finding of a run, and every reason and next move of its checks, goes the same way."""
    target = replace(recorded().target, context="far")
    asked = Asked(
        recover.PROCEDURE,
        target,
        plan_only=True,
        waivers=(),
        given={},
        arguments=(),
        checks=SUITE / "checks",
        take_over=False,
    )
    run = Run(asked, {}, Interruption(), print)

    run.finding("it loops", "`docker logs k`")

    assert run.course.findings[0].next_move == "`docker --context far logs k`"
    assert run.shown("see `docker logs k`") == "see `docker --context far logs k`"
