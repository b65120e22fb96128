"""Landing at the worst moments: a stop that was broken off, observers that fail, a journal that cannot be written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from checks.mid.test_stopped import test_no_other_kestra_has_a_session as no_other_session
from procedures.decide.check_files import seen
from procedures.decide.plan import State
from procedures.drivers.shell import Command
from procedures.problems import CannotObserve
from procedures.run.facts.looks import only
from procedures.steps import stop_and_start
from procedures.steps.carry_out import Acting
from reports.record.evidence import Step, StepResult, StepStatus
from tests.checks.world import recorded


def test_a_server_that_still_drains_has_sessions_of_its_own() -> None:
    """A stop that was broken off: the sessions of the server itself hold no start back."""
    world = recorded()
    session = replace(
        seen(seen(world.before.database).sessions)[0], application="PostgreSQL JDBC Driver", client="10.0.0.9"
    )
    database = replace(seen(world.stopped.database), sessions=(session,))
    stopped = replace(world.stopped, database=database)
    running = replace(stopped, containers=(replace(only(world.before), running=True),))

    with pytest.raises(AssertionError, match="two Kestras"):
        no_other_session(stopped, only(world.before))
    with pytest.raises(CannotObserve, match="still runs"):
        no_other_session(running, only(world.before))


class Told:
    """Builds nothing and remembers the limits that were asked for."""

    def __init__(self) -> None:
        self.limit = 0.0

    def start(self, limit: float) -> Command:
        self.limit = limit
        return Command(("true",), world_root, limit)

    def stop(self, _grace: float, limit: float) -> Command:
        return Command(("true",), world_root, limit)

    def own(self, _name: str, _limit: float) -> None:
        return None

    def command(self, step: Step, _command: Command, _tell: object = None) -> StepResult:
        return StepResult(step, StepStatus.DONE)


world_root = recorded().target.root


def test_a_start_outlasts_the_drain_that_was_left_to_it() -> None:
    """Compose that is ended while it waits for the old container to stop starts nothing."""
    told = Told()
    steps = stop_and_start.steps(cast("Any", told), State.RUNNING, 360.0, 180.0, 30.0)
    procedure = stop_and_start.Restart(
        steps, cast("Any", told), cast("Acting", told), cast("Any", None), cast("Any", None)
    )

    procedure.land()

    assert told.limit > 360.0 + stop_and_start.START_LIMIT
