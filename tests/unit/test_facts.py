"""What checks may ask for: each name one function, with all that a plan and a check need of it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from procedures.decide import check_files
from procedures.decide import facts as registry
from procedures.decide.facts import FACTS, Group, Presupposed, fact
from procedures.listed import PROCEDURES
from procedures.problems import CannotObserve, TypedWrong
from procedures.run import facts
from procedures.run.reached import Reached
from procedures.session.session import Session
from procedures.target.target import SUITE
from reports.record.evidence import Check, Phase
from reports.record.observed import Unseen
from tests.checks.world import World, recorded
from tests.unit.results import check

WORLD = recorded()
CLAIMS = check_files.read(SUITE / "checks", facts.NAMES)
ANEW = {
    "before", "server_before", "server_itself_before", "container_before", "containers_before", "dry_run", "scripts",
    "rehearsals", "stop_rehearsal", "start_rehearsal", "images_to_keep", "settings_to_keep", "mounts_to_keep", "needs",
}  # fmt: skip
"""What is seen anew where a check is asked again."""


class Watched:
    """The recorded moments, and which of them somebody has asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> object:
        self.asked.add(name)
        return getattr(WORLD, name)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, registry.Fact]:
    """The names of a test, apart from those of the suite."""
    names: dict[str, registry.Fact] = {}
    monkeypatch.setattr(registry, "FACTS", names)
    return names


def moon(at: object) -> object:
    """The moon."""
    return at


def test_a_function_is_a_name(known: dict[str, registry.Fact]) -> None:
    """It keeps its own form, and is answered by its name."""
    assert fact(Group.LOOK, Presupposed.SERVER)(moon) is moon
    assert known == {"moon": registry.Fact("moon", Group.LOOK, Presupposed.SERVER, moon)}


def test_a_name_stands_once(known: dict[str, registry.Fact]) -> None:
    """Two functions of a name would answer in each other's place."""
    fact(Group.LOOK)(moon)

    with pytest.raises(TypedWrong, match=r"moon is a name that .*test_facts gives to checks already"):
        fact(Group.ACTS)(moon)
    assert known["moon"].given_by is Group.LOOK


@pytest.mark.parametrize("said", [None, "", " \n "])
def test_a_name_says_what_it_is(said: str | None, known: dict[str, registry.Fact]) -> None:
    """A function without a sentence would be a fixture that nobody can look up."""

    def dark(at: object) -> object:
        return at

    dark.__doc__ = said
    with pytest.raises(TypedWrong, match="dark has no docstring"):
        fact(Group.LOOK)(dark)
    assert known == {}


def test_every_name_is_provided_by_some_procedure() -> None:
    """A name that no procedure gives would leave out every check that asks for it."""
    assert set(facts.NAMES) == {name for one in PROCEDURES.values() for name in one.provides}


@pytest.mark.parametrize("one", FACTS.values(), ids=FACTS)
def test_what_is_asked_again_is_seen_anew(one: registry.Fact) -> None:
    """What a check saw before is, when it is asked again, what was seen last; all else stays what it was."""
    at = Watched()
    one.answer(at)

    assert ("before" in at.asked) is (one.name in ANEW | {"own_servers"})


@pytest.mark.parametrize("one", [one for one in CLAIMS if one.again], ids=lambda one: one.id)
def test_a_check_that_is_asked_again_can_fail_then(one: Check) -> None:
    """What it judges is seen anew; otherwise it would only repeat its first answer."""
    assert not (ANEW | {"own_servers"}).isdisjoint(one.asks)


def test_the_last_look_takes_the_place_of_the_first_one() -> None:
    """A check that is asked again sees the look ready; what was seen first is still there."""
    states: Any = SimpleNamespace(before=lambda: WORLD.before)

    assert Reached(states).before is Reached(states).first is WORLD.before
    assert Reached(states, last=WORLD.ready).before is WORLD.ready
    assert Reached(states, last=WORLD.ready).first is WORLD.before


def _body(target: object) -> None:
    """A check's."""


DARK = replace(WORLD, before=replace(WORLD.before, server=Unseen("nobody answers → ask again")))


@pytest.mark.parametrize("names", [("server_before", "target"), ("target", "server_before")])
def test_what_a_check_is_asked_only_with_must_be_had(names: tuple[str, ...]) -> None:
    """Where it cannot be seen the check is unknown, although it takes nothing of it."""
    facts.ask(_body, names, WORLD)

    with pytest.raises(CannotObserve, match="nobody answers"):
        facts.ask(_body, names, DARK)


def test_pytest_asks_a_check_only_with_it() -> None:
    """An item of pytest's does not come to its body where that cannot be seen."""
    one = check("one", Phase.PRE, asks=("server_before", "target"))
    item: Any = SimpleNamespace(name="test_one", path=Path("checks/pre/test_some.py"))

    def session(world: World) -> Any:
        run = SimpleNamespace(ledger=SimpleNamespace(planned=lambda _: one), stopped_short="")
        return SimpleNamespace(run=run, _bodies={one.id: _body}, moments_of=lambda _: world)

    Session.before_item(session(WORLD), item)
    with pytest.raises(CannotObserve, match="nobody answers"):
        Session.before_item(session(DARK), item)


def test_pytest_lists_every_name() -> None:
    """The command that a message suggests shows each name with where it stands and its whole sentence."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--fixtures", "checks/conftest.py"],
        cwd=SUITE, check=False, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    told = dict(re.findall(r"^(\w+) -- procedures/run/facts/\w+\.py:\d+\n    (.+)\n", listed, re.MULTILINE))

    assert told == {name: one.answer.__doc__ for name, one in FACTS.items()}
