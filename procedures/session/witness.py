"""What a check's own body did, as we observe it ourselves, whatever others report of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

import pytest

from procedures.problems import CannotObserve, TypedWrong
from procedures.target.target import SUITE

OURS = (SUITE / "checks", SUITE / "procedures")
"""Where the assertions of checks are written: an assertion from elsewhere is not the check's own."""
_MOVE = "leave out what is loaded beside this suite (PYTEST_PLUGINS, -p)"


class Witness:
    """Stands between a check and its caller; remembers how the body ended, whatever others make of that."""

    def __init__(self, function: Callable[..., None]) -> None:
        self.barred: BaseException | None = None
        """Why the body must not be entered."""
        self._entered = self._left = False
        self._error: BaseException | None = None
        self.function = self._watched(function)

    def _watched(self, function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def call(**given: object) -> None:
            self._entered = True
            try:
                said: object = function(**given)  # type: ignore[func-returns-value]  # a check that yields would
            except BaseException as error:
                self._error = self._error or error
                raise
            self._left = said is None

        return call

    def ended(self, reported: BaseException | None) -> BaseException | None:
        """Return how the check ended, None if it passed; `reported` is the error that its caller reports.

        A check has passed only if its body was entered and left, and nobody reports otherwise. It has failed only by an
        assertion of its own.
        """
        if self.barred is not None:
            return _no_claim(self.barred)
        if self._error is not None:
            return self._error if _is_of(OURS, self._error) else _no_claim(self._error)
        if reported is not None:
            return _no_claim(reported)
        if self._left:
            return None
        what = "was entered, and did not reach its end" if self._entered else "was never run"
        return CannotObserve(f"its body {what}, whatever answered in its place", _MOVE)


def body_of(item: pytest.Item) -> FunctionType:
    """Return the function in a check's file, whatever pytest's item would call by now."""
    name = getattr(item, "originalname", item.name)
    found = getattr(getattr(item, "module", None), name, None)
    if isinstance(found, FunctionType):
        code = found.__code__
        if code.co_name == name and Path(code.co_filename).resolve() == item.path.resolve():
            return found
    raise TypedWrong(f"{item.nodeid} is not the function of its file: something has replaced it", _MOVE)


def _no_claim(error: BaseException) -> BaseException:
    """Return an error that fails no claim: an assertion that is not the check's own says nothing of the claim."""
    if isinstance(error, AssertionError):
        return CannotObserve(f"an assertion that is not the check's own: {error}", _MOVE)
    return error


def _is_of(folders: tuple[Path, ...], error: BaseException) -> bool:
    """Whether an error was raised in one of these folders: a timer can raise one anywhere."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = Path(trace.tb_frame.f_code.co_filename) if trace else Path()
    return any(where.is_relative_to(one) for one in folders)
