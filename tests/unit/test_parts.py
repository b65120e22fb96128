"""The parts of the server: which are silent, and that a run waits for those that are slow."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from procedures.expected import parts_of, silent_parts
from procedures.restart import START, Restart
from procedures.waiting import Waiting
from reports.evidence import Wait
from reports.observed import Container, Database, Unseen
from tests.checks import recording
from tests.checks.world import recorded

AFTER = recorded().after
assert isinstance(AFTER.database, Database)
assert not isinstance(AFTER.containers, Unseen)
WELL, OURS = AFTER.database, AFTER.containers[0]


def _without(part: str) -> Database:
    assert not isinstance(WELL.instances, Unseen)
    return replace(WELL, instances=tuple(one for one in WELL.instances if one.type != part))


def _parts() -> frozenset[str]:
    found = parts_of(AFTER)
    assert not isinstance(found, Unseen)
    return found


def _waited(looks: list[Database | Unseen], parts: frozenset[str] | Unseen, *found: Container) -> Wait:
    """Wait for the parts while the database shows these looks, the last one for ever; a sleep is what takes time."""
    waits: list[Wait] = []
    clock = [0.0]

    def sleep(length: float) -> None:
        clock[0] += max(length, 0.01)

    observers: Any = SimpleNamespace(
        containers=lambda: found, database=lambda: looks.pop(0) if len(looks) > 1 else looks[0]
    )
    acting: Any = SimpleNamespace(add_wait_to_last=waits.append)
    driver: Any = None
    waiting = Waiting(lambda: None, lambda _: None, lambda: clock[0], sleep)
    Restart((recording.step(START).step,), driver, acting, observers, waiting).wait_for_parts(parts)
    return waits[0]


def test_a_part_without_a_heartbeat_from_this_container_is_silent() -> None:
    """What another container sends, what is old and what is not sent at all is silence; what nobody saw is unknown."""
    stranger = replace(OURS, id="f" * 64)

    assert silent_parts(_parts(), WELL, OURS) == ()
    assert silent_parts(_parts(), _without("WORKER"), OURS) == ("WORKER",)
    assert silent_parts(_parts(), WELL, stranger) == tuple(sorted(_parts()))
    assert silent_parts(_parts(), Unseen("no login"), OURS) == Unseen("no login")


def test_a_slow_part_is_waited_for() -> None:
    """A worker whose heartbeat comes late is no dead one: the run looks again until it is there."""
    wait = _waited([_without("WORKER"), _without("WORKER"), WELL], _parts(), OURS)

    assert (wait.ended, [one.saw for one in wait.attempts]) == (
        True,
        ["no heartbeat of WORKER", "every part sends them"],
    )


def test_a_part_that_stays_silent_is_not_waited_for_for_ever() -> None:
    """After its deadline the wait ends, and the post check says which part it is."""
    wait = _waited([_without("WORKER")], _parts(), OURS)

    assert not wait.ended
    assert "no heartbeat of WORKER" in wait.sentence


def test_nobody_is_waited_for_where_nobody_can_come() -> None:
    """A container that has ended, parts that nobody knew before, and a database that nobody sees end the wait at once."""
    for wait in (
        _waited([_without("WORKER")], _parts(), replace(OURS, running=False)),
        _waited([_without("WORKER")], Unseen("not looked at"), OURS),
        _waited([Unseen("no login")], _parts(), OURS),
    ):
        assert (wait.ended, wait.took) == (True, 0.0)
