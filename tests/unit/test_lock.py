"""Who holds a target, and whether that holder is provably gone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from procedures.lock import Holder

ME = Holder.me("1a2b", "restart", "a window", Path("/state/1a2b.jsonl"), "ada")


def test_a_living_holder_is_not_gone() -> None:
    """This very process holds what it holds."""
    assert (ME.is_gone, ME.is_elsewhere) == (False, False)


def test_a_process_that_has_ended_is_gone() -> None:
    """A holder whose process has ended is gone, whether its number was given away again or not."""
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )

    assert replace(ME, pid=int(child.stdout)).is_gone


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"began": "1"}, id="another process has its number"),
        pytest.param({"boot": "another"}, id="the machine was booted since"),
        pytest.param({"pid": 0}, id="no number"),
    ],
)
def test_another_one_of_the_same_number_is_gone(changed: dict[str, object]) -> None:
    """A number alone is no holder: when it began, and in which boot, must be the same."""
    assert replace(ME, **changed).is_gone  # type: ignore[arg-type]


def test_nobody_is_declared_gone_from_afar() -> None:
    """Of a holder on another host nothing can be proved here."""
    far = replace(ME, host="elsewhere", boot="another", began="1", pid=0)

    assert (far.is_gone, far.is_elsewhere) == (False, True)


def test_a_holder_is_told_in_full() -> None:
    """Who, since when, why, from where, and where the journal is."""
    for part in ("restart", "1a2b", "ada", ME.host, str(ME.pid), ME.since, "a window", "/state/1a2b.jsonl"):
        assert part in ME.told
