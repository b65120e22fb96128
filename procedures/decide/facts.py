"""What checks may ask for, as the plan knows it: each name, the group that gives it, and what it presupposes.

The functions stand in `procedures/run/facts/`; `@fact` registers each here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Flag, auto
from typing import TypeVar

from procedures.problems import TypedWrong

F = TypeVar("F", bound=Callable[..., object])


class Group(Flag):
    """A group of names that checks may ask for. A procedure lists its groups, and so chooses its checks."""

    LOOK = auto()
    """The service as it runs at the end."""
    EXPECTATION = auto()
    """What should run, and what it is compared with."""
    BEFORE = auto()
    """The service before anything is changed."""
    ACTS = auto()
    """A stop and a start by this run, so close together that nobody else changes anything meanwhile."""
    OWN = auto()
    """The operator's own scripts, validation commands and names."""
    SAME_IMAGE = auto()
    """The image stays as it is."""
    SAME_SETTINGS = auto()
    """The settings stay as they are."""
    SAME_SCHEMA = auto()
    """The database's schema stays as it is."""
    NEW_IMAGE = auto()
    """A new image."""
    NEW_SETTINGS = auto()
    """Settings that may differ from the container's."""
    NEW_SCHEMA = auto()
    """A new version may add to the database's schema."""
    KEEPING = auto()
    """What runs is kept, so that it can be started again."""
    GOAL = auto()
    """An earlier run to go back to."""
    CUT_OFF = auto()
    """What an interrupted run left behind."""
    PAST = auto()
    """The last accepted run, whatever its age."""
    WAY_BACK = auto()
    """A way back that was taken; the names of `LOOK` and `EXPECTATION` describe it too."""

    ACTING = LOOK | EXPECTATION | BEFORE | ACTS | OWN
    SAME = SAME_IMAGE | SAME_SETTINGS | SAME_SCHEMA
    RETURNING = LOOK | EXPECTATION | WAY_BACK


class Presupposed(Flag):
    """What must exist for a name to mean anything; without it, the plan leaves out the checks that ask for the name."""

    NOTHING = 0
    CONTAINER = auto()
    """A container of the service before the change."""
    SERVER = auto()
    """A server that ran before the change."""
    WHOLE_OUTAGE = auto()
    """An outage of which this run saw the beginning."""
    ACT = auto()
    """A change that this run makes to the service."""
    BASELINE = auto()
    """Something to compare with."""
    ENGINE_HERE = auto()
    """An engine on this machine."""
    HEALTH_CHECK = auto()
    """A health check in Docker."""
    DASHBOARDS = auto()
    """Dashboards that the target names."""
    NEEDS = auto()
    """Things that must exist besides, named by the target."""
    VALIDATION = auto()
    """A validation command of the operator's."""
    SCRIPT = auto()
    """A step that is a script."""
    UNREHEARSED = auto()
    """A script that may not be rehearsed."""
    REHEARSAL = auto()
    """A script that may be rehearsed."""
    STOP_REHEARSAL = auto()
    """A stop script that may be rehearsed."""
    START_REHEARSAL = auto()
    """A start script that may be rehearsed and that starts the service in this run."""
    START_BY_SCRIPT = auto()
    """A start by a script."""
    START_BY_COMPOSE = auto()
    """A start by Compose, from the target's files."""
    START_ANEW = auto()
    """A start of something other than what an earlier run kept."""
    START_OF_KEPT = auto()
    """A start of what an earlier run kept."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name that checks may ask for: a value that was observed or noted, never an action."""

    name: str
    given_by: Group
    presupposes: Presupposed
    answer: Callable[..., object]
    """Returns its value, from the moments of a run."""


FACTS: dict[str, Fact] = {}
"""Every name that checks may ask for, once `procedures.run.facts` is imported."""


def fact(given_by: Group, presupposes: Presupposed = Presupposed.NOTHING) -> Callable[[F], F]:
    """Let checks ask for a function's result, by the function's name."""

    def noted(function: F) -> F:
        name = function.__name__
        if not (function.__doc__ or "").strip():
            raise TypedWrong(
                f"{function.__module__}: {name} has no docstring, so nobody knows what it gives to checks",
                "give it one sentence",
            )
        if name in FACTS:
            raise TypedWrong(
                f"{function.__module__}: {name} is a name that {FACTS[name].answer.__module__} gives to checks already",
                "give it another name",
            )
        FACTS[name] = Fact(name, given_by, presupposes, function)
        return function

    return noted


def provided_by(groups: Group) -> frozenset[str]:
    """Return the names that these groups give."""
    return frozenset(one.name for one in FACTS.values() if one.given_by & groups)


def presupposed_by(names: Iterable[str]) -> Presupposed:
    """Return everything that these names presuppose."""
    found = Presupposed.NOTHING
    for name in names:
        found |= FACTS[name].presupposes
    return found
