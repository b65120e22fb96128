"""What state a service was found in, and which of two or four causes it is: each said in its own sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from procedures.diagnosis import conditions
from reports.record.observed import Container, Database, Rendering, Secret, Settings, Snapshot
from tests.checks.world import (
    Change,
    World,
    answer,
    at,
    both,
    container,
    container_of,
    part,
    postgres,
    recorded,
)

WORLD = recorded()
MUTE = both(
    answer("before", "ping", 0, "accepted and mute"), answer("before", "health", 0, "accepted and mute")
)
DOWN: dict[str, Any] = {"running": False, "state": "exited", "finished_at": "2026-11-23T10:00:00Z"}


def _two(world: World) -> World:
    one = container_of(world, "before")
    return at("before", containers=(one, replace(one, id="e" * 64, name="x_tools-kestra", state="created")))(
        world
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda world: world, "running, and it answers"),
        (at("before", containers=()), "had no container"),
        (_two, "2 containers carry the service's labels"),
        (container("before", paused=True), "paused: it neither answers nor hears a signal"),
        (
            container("before", **DOWN, exit_code=1),
            "exit code 1 (Kestra ends like this when it cannot boot, and when its",
        ),
        (container("before", **DOWN, exit_code=143), "exit code 143 (it was asked to end, and did)"),
        (container("before", **DOWN, exit_code=137), "exit code 137 (it was killed)"),
        (container("before", **DOWN, exit_code=137, oom_killed=True), "killed for its memory"),
        (container("before", **DOWN, exit_code=3), "it ended with exit code 3"),
        (
            container("before", running=False, state="created", error="port is already allocated"),
            "created and never started: port is already allocated",
        ),
        (
            container("before", restarting=True, running=False, restart_count=4, exit_code=1),
            "in a restart loop, 4 restarts so far, the last time it ended with exit code 1",
        ),
        (both(MUTE, container("before", restart_count=4)), "in a restart loop, 4 restarts so far"),
        (
            both(MUTE, container("before", restart_count=1)),
            "running (the engine has started it once more) and answering on neither port",
        ),
        (container("before", restart_count=4), "running, and it answers"),
        (MUTE, "answering on neither port (accepted and mute)"),
        (
            both(MUTE, postgres("before", started_at="2036-11-23T10:00:00Z")),
            "tools-kestra-postgres was started after it, at 2036-11-23T10:00:00Z: a running Kestra does not survive",
        ),
    ],
)
def test_the_state_that_it_was_found_in(change: Change, says: str) -> None:
    """Every state that a service was seen in has a sentence of its own, and something to type."""
    found = conditions.of_service(change(WORLD).before)

    assert says in found.text
    assert ("`docker " in found.next_move) is ("it answers" not in says)


@pytest.mark.parametrize(
    ("change", "says", "move"),
    [
        (
            postgres("before", running=False, state="exited"),
            "was found exited",
            "`up it`, then `pytest -m recover`",
        ),
        (postgres("before", paused=True), "was found paused", "`docker unpause tools-kestra-postgres`"),
    ],
    ids=["exited", "paused"],
)
def test_the_state_of_its_database(change: Change, says: str, move: str) -> None:
    """A database that does not run is named with what brings it back; one that runs is not."""
    found = conditions.of_database(change(WORLD).before, "up it")

    assert found is not None
    assert says in found.text
    assert found.next_move == move
    assert conditions.of_database(WORLD.before, "up it") is None


UNWELL = answer("after", "health", 503, "503 DOWN", "DOWN")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda world: world, None),
        (UNWELL, "so what fails is Kestra itself"),
        (
            both(
                UNWELL,
                part("after", "database", login="refused", said="FATAL: password authentication failed"),
            ),
            "Postgres does not let the service's credentials in over the network",
        ),
    ],
    ids=["healthy", "Kestra", "Postgres"],
)
def test_whose_health_it_is(change: Change, says: str | None) -> None:
    """A login over the network tells which of the two it is: Kestra or its Postgres."""
    found = conditions.of_health(change(WORLD).after)

    assert (found is None) is (says is None)
    assert says is None or (found is not None and says in found.text)


def _settings(snapshot: Snapshot) -> Settings:
    assert isinstance(snapshot.running_settings, Settings)
    return snapshot.running_settings


OPEN = answer("after", "auth_none", 200)
CLOSED = answer("after", "auth_right", 401)
WEAK = Secret("weak")


def _given(**fields: Any) -> Change:
    """Let the new container have been given other settings."""

    def changed(world: World) -> World:
        return at("after", running_settings=replace(_settings(world.after), **fields))(world)

    return changed


def _configured(**fields: Any) -> Callable[[Rendering, World], Rendering]:
    return lambda rendering, world: replace(rendering, settings=replace(_settings(world.after), **fields))


@pytest.mark.parametrize(
    ("change", "configured", "says"),
    [
        (lambda world: world, {}, None),
        (
            OPEN,
            {"basic_auth_enabled": None},
            "are ignored: everybody is let in, because basic auth is off (the",
        ),
        (OPEN, {"basic_auth_enabled": True}, "are ignored: everybody is let in"),
        (both(CLOSED, _given(basic_auth_password=Secret("old"))), {}, "are not applied"),
        (
            both(CLOSED, _given(basic_auth_password=WEAK), part("after", "running_image", version="0.24.1")),
            {"basic_auth_password": WEAK},
            "are rejected by Kestra's own rule",
        ),
        (CLOSED, {}, "are simply wrong"),
        (both(CLOSED, answer("after", "auth_none", 0, "refused")), {}, None),
    ],
    ids=["right", "off", "off all the same", "not applied", "rejected", "wrong", "nobody answers"],
)
def test_which_of_the_four_it_is(change: Change, configured: dict[str, Any], says: str | None) -> None:
    """Basic auth that is not as configured: ignored, not applied, rejected by the rule, or wrong."""
    world = change(WORLD)
    assert isinstance(WORLD.before.operator_rendering, Rendering)
    wanted = _configured(**configured)(WORLD.before.operator_rendering, WORLD)
    found = conditions.of_credentials(world.after, wanted, ".env")

    assert (found is None) is (says is None)
    assert says is None or (found is not None and says in found.text)
    assert found is None or found.next_move


def test_a_recorded_state_has_no_signature_words() -> None:
    """The state of a container that runs well holds no word that a signature looks for."""
    one: Container = container_of(WORLD, "before")

    assert conditions.state_line(one) == "running, exit code 0"
    assert isinstance(WORLD.after.database, Database)
