"""The parts of the server: which are silent, and that a run waits for those that are slow."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from procedures.kestra.heartbeats import parts_of, silent_parts
from procedures.observe.waiting import Waiting
from procedures.steps.stop_and_start import Restart
from procedures.target.steps_by import START
from reports.record.evidence import Wait
from reports.record.observed import Container, Database, Unseen
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


def _of(version: str, *without: str) -> Database:
    """The heartbeats of the recorded run, of another version and without some parts."""
    assert not isinstance(WELL.instances, Unseen)
    found = tuple(replace(one, version=version) for one in WELL.instances if one.type not in without)
    return replace(WELL, instances=found)


def test_a_part_that_the_new_version_does_not_have_is_missed_by_nobody() -> None:
    """2.0 has no indexer, by the word of its own heartbeats; one of 1.3 that is silent is missed, and so is any other part."""
    parts = _parts()
    assert "INDEXER" in parts

    assert silent_parts(parts, _of("2.0.0-SNAPSHOT", "INDEXER"), OURS) == ()
    assert silent_parts(parts, _of("1.3.25", "INDEXER"), OURS) == ("INDEXER",)
    assert silent_parts(parts, _of("2.0.0", "INDEXER", "WORKER"), OURS) == ("WORKER",)


def test_the_parts_that_count_are_those_that_ran() -> None:
    """What an earlier server of another version has left behind is no part; of a server that is down, its last ones are."""
    assert not isinstance(WELL.instances, Unseen)
    left = replace(WELL.instances[0], type="CONTROLLER", state="INACTIVE", age=900.0, server_id="earlier")
    mixed = replace(AFTER, database=replace(WELL, instances=(*WELL.instances, left)))
    down = tuple(replace(one, state="TERMINATED_GRACEFULLY") for one in WELL.instances)

    assert parts_of(mixed) == _parts()
    assert parts_of(replace(AFTER, database=replace(WELL, instances=(*down, left)))) == _parts()
