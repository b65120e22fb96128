"""What checks may ask for, as the plan knows it: each name with what gives it and what it presupposes.

The functions stand in `procedures/run/facts/`; `@fact` notes them here, once each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Flag, auto
from typing import TypeVar

from procedures.problems import TypedWrong

F = TypeVar("F", bound=Callable[..., object])


class Group(Flag):
    """What gives names to checks; a procedure says which of these it has, and so chooses its checks."""

    LOOK = auto()
    """A look at the service as it runs in the end."""
    EXPECTATION = auto()
    """What should run, and what that is compared with."""
    BEFORE = auto()
    """Looks before anything is changed."""
    ACTS = auto()
    """A stop and a start of ours, in so short a time that nobody else changes anything."""
    OWN = auto()
    """The operator's own scripts, validation commands and names."""
    SAME_IMAGE = auto()
    """The image stays as it is."""
    SAME_SETTINGS = auto()
    """The settings stay as they are."""
    SAME_SCHEMA = auto()
    """The database's schema stays as it is."""
    NEW_IMAGE = auto()
    """An image is brought."""
    NEW_SETTINGS = auto()
    """Other settings than those of the container may be applied."""
    NEW_SCHEMA = auto()
    """A new version may add to the database's schema."""
    KEEPING = auto()
    """What runs is kept, to be had again."""
    GOAL = auto()
    """An earlier run is gone back to."""
    CUT_OFF = auto()
    """What a run that was cut off has left."""
    PAST = auto()
    """The last accepted run, however long ago that was."""
    WAY_BACK = auto()
    """A way back was taken; what a look and an expectation give stands for it too."""

    ACTING = LOOK | EXPECTATION | BEFORE | ACTS | OWN
    SAME = SAME_IMAGE | SAME_SETTINGS | SAME_SCHEMA
    RETURNING = LOOK | EXPECTATION | WAY_BACK


class Presupposed(Flag):
    """What must be there for a name to mean anything; where it is not, the plan leaves out the checks that ask."""

    NOTHING = 0
    CONTAINER = auto()
    """A container of the service before."""
    SERVER = auto()
    """A server that ran before."""
    WHOLE_OUTAGE = auto()
    """An outage that began while we looked."""
    ACT = auto()
    """Something that this run does to the service."""
    BASELINE = auto()
    """Something to compare with."""
    ENGINE_HERE = auto()
    """An engine on this machine."""
    HEALTH_CHECK = auto()
    """A health check in Docker."""
    DASHBOARDS = auto()
    """Dashboards that the target names."""
    NEEDS = auto()
    """Something that the target says must exist besides."""
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
    """A start script that may be rehearsed, and that starts the service in this run."""
    START_BY_SCRIPT = auto()
    """A start by a script."""
    START_BY_COMPOSE = auto()
    """A start by Compose, of what the target's files say."""
    START_ANEW = auto()
    """A start of something else than what an earlier run has kept."""
    START_OF_KEPT = auto()
    """A start of what an earlier run has kept."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name that checks may ask for: a value that was observed or noted, never a way to act."""

    name: str
    given_by: Group
    presupposes: Presupposed
    answer: Callable[..., object]
    """Its value, from the moments of a run."""


FACTS: dict[str, Fact] = {}
"""Every name that checks may ask for, once `procedures.run.facts` is imported."""


def fact(given_by: Group, presupposes: Presupposed = Presupposed.NOTHING) -> Callable[[F], F]:
    """Let checks ask for what a function returns, by the function's name."""

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
    """Return all that names presuppose."""
    found = Presupposed.NOTHING
    for name in names:
        found |= FACTS[name].presupposes
    return found
