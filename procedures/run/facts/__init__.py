"""What checks may ask for: one function for each name; it takes the moments of a run and returns what was observed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

from procedures.decide.facts import FACTS
from procedures.run.facts import acts, changes, looks, operators, to_keep
from procedures.run.facts.moments import Moments

NAMES = frozenset(FACTS)
"""Every name that a check may ask for."""

__all__ = [
    "FACTS",
    "NAMES",
    "Moments",
    "acts",
    "ask",
    "changes",
    "looks",
    "need_besides",
    "operators",
    "to_keep",
]


def ask(body: Callable[..., None], names: Iterable[str], at: Moments) -> None:
    """Ask a check outside pytest's own loop, the way pytest would."""
    need_besides(body, names, at)
    body(**{name: FACTS[name].answer(at) for name in inspect.signature(body).parameters})


def need_besides(body: Callable[..., None], names: Iterable[str], at: Moments) -> None:
    """Ask for the names that a check needs in order to be asked, and does not take as arguments."""
    taken = inspect.signature(body).parameters
    for name in names:
        if name not in taken:
            FACTS[name].answer(at)
