"""The benchmark of the outage: its figures are those of the evidence, and its goals can be missed."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from benchmarks import outage
from benchmarks.outage import Added, Away, Pair
from tests.benchmarks.one_pair import OnePair

LIMIT = 120.0
# What is told has three digits, and the engine's events have as many.
ROUNDED = 0.002


class Measured(OnePair):
    """One pair, and when the engine did what."""

    def event(self, action: str, *, old: bool) -> float:
        """When the engine did something to the old container, or to the new one, by the evidence's own events."""
        events = [one for one in self.record["events"] if one["name"].endswith("-kestra")]
        before = next(one["id"] for one in events if one["action"] == "kill")
        found = next(one for one in events if one["action"] == action and (one["id"] == before) is old)
        return datetime.fromisoformat(found["at"]).timestamp()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """One pair, measured by the command that a person types."""
    return Measured.measured("outage", archive=tmp_path_factory.mktemp("archive"), limit=LIMIT)


def test_the_outage_told_is_the_one_in_the_evidence(measured: Measured) -> None:
    """Two probes that know nothing of each other saw the same outage, each within what it says of itself."""
    own = measured.told
    length, _, uncertainty, _ = measured.cells[2].split()
    assert abs(float(length) - own["length"]) <= float(uncertainty) + own["uncertainty"] + ROUNDED


def test_the_ratio_is_that_of_the_two_outages(measured: Measured) -> None:
    """The ratio is ours divided by the bare one's, and both took at least as long as the boot."""
    ours, bare, ratio = (measured.number(column) for column in (2, 3, 4))
    assert abs(ours / bare - ratio) < 0.01
    assert min(ours, bare) > outage.LEAST_BOOT


def test_term_to_start_is_that_of_the_events_in_the_evidence(measured: Measured) -> None:
    """From TERM to start is as long as the events in our own record say."""
    own = measured.event("start", old=False) - measured.event("kill", old=True)
    assert abs(measured.number(5) - own) <= ROUNDED


def test_what_is_added_covers_the_moments_of_the_evidence(measured: Measured) -> None:
    """The time added is no less than the record's own account of it, and no more than the process took besides."""
    moments = {one["name"]: one["at"] for one in measured.record["moments"]}
    before, after = measured.number(7), measured.number(8)
    soak = next(
        wait["took"] for step in measured.record["steps"] for wait in step["waits"] if wait["what"] == "soak"
    )
    assert before >= moments["gate open"]
    assert after >= measured.record["took"] - moments["ready again"] - soak - 0.01


def test_readiness_is_noticed_at_the_moment_in_the_evidence(measured: Measured) -> None:
    """The distance told is that from the first good answer to the moment `ready again`, give or take a beat."""
    record = measured.record
    ready = next(one["wall"] for one in record["moments"] if one["name"] == "ready again")
    zero = datetime.fromisoformat(record["outage"]["zero_at"]).timestamp()
    first_good = zero + max(one["first_good"] for one in record["outage"]["paths"] if one["rate"] > 50)
    own = datetime.fromisoformat(ready).timestamp() - first_good
    gap = max(one["largest_gap"] for one in record["outage"]["paths"] if one["rate"] > 50)
    assert abs(measured.number(9) / 1000 - own) <= gap + 0.05


def test_nothing_is_left(measured: Measured) -> None:
    measured.assert_nothing_is_left()


AWAY = Away(2.0, 0.01, 102.0, 100.0, 100.1, 100.5)
PAIR = Pair(AWAY, replace(AWAY, length=2.5), Added(2.0, 1.0, 0.01), "ours")


@pytest.mark.parametrize(
    ("pair", "missed"),
    [
        (PAIR, []),
        (replace(PAIR, ours=replace(AWAY, length=2.6)), ["outage at most"]),
        (replace(PAIR, added=Added(3.0, 2.1, 0.01)), ["at most 5 s"]),
        (replace(PAIR, added=Added(2.0, 1.0, 0.06)), ["readiness noticed"]),
    ],
    ids=["all are met", "longer than the bare one", "too much added", "noticed late"],
)
def test_a_goal_can_be_missed(pair: Pair, missed: list[str]) -> None:
    """A goal is missed by the median of the pairs, and the report says so."""
    pairs = [PAIR, pair, pair]
    assert [one.promise for one in outage.goals(pairs) if not one.met] == [
        one.promise for one in outage.goals(pairs) if one.promise.startswith(tuple(missed or ["-"]))
    ]
    assert len(re.findall("MISSED", outage.report(pairs, "a machine", (0.0, 0.0)))) == len(missed)


def test_a_missed_goal_is_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command fails where a goal is missed, unless only a report was asked for."""
    late = replace(PAIR, ours=replace(AWAY, length=3.0))
    monkeypatch.setattr(outage, "running", lambda *_: nullcontext())
    monkeypatch.setattr(outage, "surroundings", lambda *_: "nothing")
    monkeypatch.setattr(outage, "measure", lambda *_: iter([late]))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert outage.main([]) == 1
    assert outage.main(["--report-only"]) == 0


def test_what_was_measured_is_told_although_the_rest_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pairs measured before something broke are told, and the exit status says that it broke."""

    def break_off(*_: object) -> Any:
        yield PAIR
        raise outage.Unmeasured("the restart ended with 12")

    monkeypatch.setattr(outage, "running", lambda *_: nullcontext())
    monkeypatch.setattr(outage, "surroundings", lambda *_: "nothing")
    monkeypatch.setattr(outage, "measure", break_off)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert outage.main([]) == 2
    said = capsys.readouterr()
    assert "| 1 | ours |" in said.out
    assert "ended after 1 pairs: the restart ended with 12" in said.err


@pytest.mark.parametrize("words", [["--pairs", "0"], ["--boot", "0.3"]])
def test_what_cannot_be_measured_is_refused(words: list[str]) -> None:
    """A boot that Docker's proxy would hide, and no pair at all, are refused before anything is started."""
    with pytest.raises(SystemExit) as refused:
        outage.main(words)
    assert refused.value.code == 2
