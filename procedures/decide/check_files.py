"""Checks as their files declare them: claims, names asked for and traits, read without running anything."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from procedures.problems import CannotObserve, TypedWrong
from reports.record.evidence import Check, Phase, Protects
from reports.record.observed import Unseen

F = TypeVar("F", bound=Callable[..., None])
T = TypeVar("T")

_DECORATOR = "check"


def check(
    *,
    advisory: bool = False,
    protects: str = "service",
    again: bool = False,
    leads_back: bool = True,
    only_with: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Declare the traits of a check, beside its docstring.

    advisory: listed, but keeps no gate closed. protects="data": never waived, never overridden.
    again: asked a second time before the second gate, on the snapshot ready.
    leads_back=False: its failure starts no way back, because going back would not help.
    only_with=("our_stop",): planned only if these names are given too, though they are no arguments; unknown if one is.
    """
    # Read from the file, so that a plan needs no import.
    del advisory, protects, again, leads_back, only_with

    def same(function: F) -> F:
        return function

    return same


def seen(value: T | Unseen | None) -> T:
    """Return what was observed; if it was not observed, end the check as unknown, with the reason."""
    __tracebackhide__ = True
    if isinstance(value, Unseen):
        raise CannotObserve(value.unseen, value.next_move)
    if value is None:
        raise CannotObserve("this was not looked at")
    return value


@dataclass(frozen=True, slots=True)
class _Traits:
    advisory: bool = False
    protects: Protects = Protects.SERVICE
    again: bool = False
    leads_back: bool = True
    only_with: tuple[str, ...] = ()


def read(folder: Path, names: frozenset[str]) -> tuple[Check, ...]:
    """Return every check below a folder, in the order of asking; each may ask for these names only."""
    files = (file for phase in Phase for file in sorted((folder / phase).glob("test_*.py")))
    return tuple(one for file in files for one in _file(file, names))


def _file(file: Path, names: frozenset[str]) -> tuple[Check, ...]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise TypedWrong(f"{file} cannot be read as checks: {error}", "restore the file") from error
    functions = [
        one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
    ]
    return tuple(_check(file, one, names) for one in functions)


def _check(file: Path, function: ast.FunctionDef, names: frozenset[str]) -> Check:
    claim = " ".join((ast.get_docstring(function) or "").split())
    if not claim:
        raise TypedWrong(
            f"{file}: {function.name} has no docstring, so it claims nothing", "give it one sentence"
        )
    traits = _traits(file, function)
    asks = (*traits.only_with, *(one.arg for one in function.args.args))
    if unknown := [one for one in asks if one not in names]:
        raise TypedWrong(
            f"{file}: {function.name} asks for {', '.join(unknown)}, and no function of procedures/run/facts gives that",
            "ask for names that `pytest --fixtures checks/conftest.py` lists",
        )
    phase = Phase(file.parent.name)
    return Check(
        id=f"{phase}/{file.name}::{function.name}",
        phase=phase,
        claim=claim,
        asks=asks,
        advisory=traits.advisory,
        protects=traits.protects,
        again=traits.again,
        leads_back=traits.leads_back,
    )


def _traits(file: Path, function: ast.FunctionDef) -> _Traits:
    traits = _Traits()
    for one in function.decorator_list:
        if not (isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == _DECORATOR):
            raise TypedWrong(
                f"{file}: {function.name} carries a mark that no plan knows", "use @check(…) only"
            )
        try:
            given = {str(word.arg): ast.literal_eval(word.value) for word in one.keywords}
            traits = _Traits(**{**given, "protects": Protects(given.get("protects", "service"))})
            _need_names(traits.only_with)
        except (TypeError, ValueError) as error:
            raise TypedWrong(
                f"{file}: what {function.name} says of itself cannot be read: {error}",
                "use @check with advisory, protects, again, leads_back and only_with, and plain values",
            ) from error
    return traits


def _need_names(only_with: object) -> None:
    # ("name") without a comma is a string, and each of its letters would be a name.
    if not isinstance(only_with, tuple):
        raise TypeError(f"only_with={only_with!r} is no tuple of names")
