"""Who holds a target, and whether that holder is provably gone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from procedures.steps.lock import Holder

ME = Holder.me("1a2b", "restart", "a window", Path("/state/1a2b.jsonl"), "ada")


def of(**changed: object) -> Holder:
    """The same holder, of which its process has noted something else."""
    return replace(ME, process=replace(ME.process, **changed))  # type: ignore[arg-type]  # by their names


def test_a_living_holder_is_not_gone() -> None:
    """This very process holds what it holds."""
    assert (ME.is_gone, ME.is_elsewhere) == (False, False)


def test_a_process_that_has_ended_is_gone() -> None:
    """A holder whose process has ended is gone, whether its number was given away again or not."""
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )

    assert of(pid=int(child.stdout)).is_gone


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"began": "1"}, id="another process has its number"),
        pytest.param({"pid": 0}, id="no number"),
    ],
)
def test_another_one_of_the_same_number_is_gone(changed: dict[str, object]) -> None:
    """A number alone is no holder: when it began must be the same."""
    assert of(**changed).is_gone


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"host": "elsewhere"}, "on another host", id="another host"),
        pytest.param({"boot": "another"}, "in another boot", id="another boot, or another host of this name"),
        pytest.param({"namespace": "pid:[1]"}, "in another PID namespace", id="another container"),
        pytest.param(
            {"namespace": ""}, "its PID namespace is not known", id="a lock from before it was noted"
        ),
        pytest.param({"boot": ""}, "its PID namespace is not known", id="no boot was noted"),
    ],
)
def test_nobody_is_declared_gone_who_cannot_be_seen(changed: dict[str, object], says: str) -> None:
    """Where its process cannot be looked for, a holder is elsewhere: neither gone nor alive."""
    far = of(began="1", pid=0, **changed)

    assert (far.is_gone, far.is_elsewhere, far.process.is_alive) == (False, True, False)
    assert says in far.process.hidden


def test_what_cannot_be_read_of_a_process_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another user's process `/proc` may show nothing (`hidepid`): that it is there is known by its number."""
    monkeypatch.setattr("procedures.steps.process._began", lambda _: "")

    assert not of(began="1").is_gone


def test_a_proc_of_another_namespace_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a namespace of its own under the old `/proc`, whose numbers are others, nothing is concluded from it."""
    monkeypatch.setattr("procedures.steps.process.os.getpid", lambda: 1)

    assert Holder.me("1a2b", "restart", "", Path("/state/1a2b.jsonl"), "ada").process.namespace == ""
    assert ME.is_elsewhere


def test_a_holder_is_told_in_full() -> None:
    """Who, since when, why, from where, and where the journal is."""
    for part in (
        "restart",
        "1a2b",
        "ada",
        ME.process.host,
        str(ME.process.pid),
        ME.since,
        "a window",
        "/state/1a2b.jsonl",
    ):
        assert part in ME.description
