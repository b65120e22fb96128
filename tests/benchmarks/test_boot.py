"""The benchmark of boots: its figures are those of the evidence and of the server's own log, and its goal can be missed."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime

import pytest

from benchmarks import boot, outage
from benchmarks.boot import Pair
from benchmarks.processor import Meter
from tests.benchmarks.one_pair import OnePair

LIMIT = 300.0
BOOT = 3.0
"""Seconds of the understudy's: Docker's proxy is mute for the first one, and what is asked in the others counts."""

BUSY = 0.5
"""Seconds of work."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> OnePair:
    """One pair, measured by the command that a person types."""
    archive = tmp_path_factory.mktemp("archive")
    return OnePair.measured("boot", "--boot", f"{BOOT:g}", archive=archive, limit=LIMIT)


def test_the_boot_told_is_the_one_in_the_evidence(measured: OnePair) -> None:
    """From the engine's start to the server's word: a moment before the probe outside has its first good answer."""
    kill = next(one for one in measured.record["events"] if one["action"] == "kill")
    started = next(
        one for one in measured.record["events"] if one["action"] == "start" and one["name"] == kill["name"]
    )
    zero = datetime.fromisoformat(measured.record["outage"]["zero_at"]).timestamp()
    first_good = zero + measured.told["first_good"] - datetime.fromisoformat(started["at"]).timestamp()
    assert 0 < measured.number(2) <= first_good + measured.told["uncertainty"] + 0.5


def test_the_ratio_is_that_of_the_two_boots(measured: OnePair) -> None:
    ours, alone, ratio = (measured.number(column) for column in (2, 3, 4))
    assert abs(ours / alone - ratio) < 0.002
    assert min(ours, alone) > BOOT / 2


def test_a_boot_is_looked_at_a_few_times_a_second(measured: OnePair) -> None:
    """Two paths, and each but a few times a second until somebody listens; how uncertain the outage is is told."""
    assert 1 <= measured.number(5) <= 2 * 5 * measured.number(2)
    assert measured.number(6) == pytest.approx(1000 * measured.told["uncertainty"], abs=1)
    assert any("nobody listens" in one["answer"] for one in measured.told["intervals"])
    assert measured.number(7) != 0


def test_nothing_is_left(measured: OnePair) -> None:
    measured.assert_nothing_is_left()


PAIR = Pair(5.05, 5.0, 20, 0.05, 0.015, "ours")
LATE = replace(PAIR, watched=5.2)
DEAR = replace(PAIR, taken=0.11)


@pytest.mark.parametrize(
    ("pairs", "met"),
    [
        ([PAIR, PAIR, DEAR], True),
        ([PAIR, DEAR, DEAR], False),
        ([LATE] * 5, True),
        ([LATE] * 6, False),
        ([PAIR] * 3 + [LATE] * 9, True),
        ([PAIR] * 2 + [LATE] * 10, False),
    ],
    ids=[
        "little is taken",
        "much is taken",
        "late by chance",
        "late",
        "perhaps by chance",
        "hardly by chance",
    ],
)
def test_the_goal_can_be_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pairs: list[Pair], met: bool
) -> None:
    """What was taken, and a ratio that chance does not explain, are held against it; report and exit status say so."""
    monkeypatch.setattr(outage, "running", lambda *_: nullcontext())
    monkeypatch.setattr(outage, "surroundings", lambda *_: "nothing")
    monkeypatch.setattr(boot, "measure", lambda *_: iter(pairs))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert boot.main([]) == (0 if met else 1)
    assert boot.main(["--report-only"]) == 0
    assert ("MISSED" in capsys.readouterr().out) is not met


def test_the_bounds_of_the_median_are_told_where_there_are_pairs_enough() -> None:
    """A median that lies within what chance does is seen for what it is."""
    assert boot.chance([PAIR] * 5) == " (too few pairs to tell from chance)"
    assert "1.010 and 1.040" in boot.chance([PAIR, PAIR, PAIR, LATE, LATE, LATE])
    assert "1.010 and 1.010" in boot.chance([LATE, *[PAIR] * 8])


def test_the_work_of_what_was_started_is_counted() -> None:
    """A process of a process that was started counts from its birth, and no more than it has worked."""
    busy = f"import time\nwhile time.process_time() < {BUSY}: pass\ntime.sleep(1)"
    with Meter() as meter:
        began = time.time()
        subprocess.run(["sh", "-c", f"{sys.executable} -c '{busy}'; true"], check=True, timeout=60)
        ended = time.time()
    assert BUSY <= meter.between(began, ended) < 1.5 * BUSY


def test_our_own_work_is_not_counted() -> None:
    with Meter() as meter:
        began = time.time()
        while time.time() < began + BUSY:
            time.sleep(0.001)
            sum(range(10_000))
        ended = time.time()
    assert meter.between(began, ended) < BUSY / 5


def test_looks_are_counted_by_the_part_of_an_interval_in_the_boot() -> None:
    """What reaches beyond the boot counts in proportion, and what lies outside not at all."""
    intervals = [
        {"begin": 0.0, "end": 1.0, "count": 100},
        {"begin": 1.0, "end": 3.0, "count": 10},
        {"begin": 3.0, "end": 3.0, "count": 1},
        {"begin": 4.5, "end": 9.0, "count": 450},
    ]
    record = {
        "outage": {"zero_at": "2026-01-01T00:00:00+00:00", "paths": [{"rate": 100.0, "intervals": intervals}]}
    }
    zero = datetime.fromisoformat("2026-01-01T00:00:00+00:00").timestamp()
    assert boot.looks_in(record, zero + 2.0, zero + 4.0) == 6


@pytest.mark.parametrize(
    "word", ["Server Running: http://x:8080", "Health endpoint is available at http://x:8081/health"]
)
def test_a_log_without_the_servers_word_is_no_boot(word: str) -> None:
    line = f"2026-01-01T00:00:05.123456789Z INFO {word}"
    assert boot.said_at(f"2026-01-01T00:00:01.0Z INFO other\n{line}\n") % 60 == pytest.approx(5.123456)
    with pytest.raises(outage.Unmeasured, match="says none of"):
        boot.said_at("2026-01-01T00:00:01.0Z INFO other\n")


def test_no_pair_at_all_is_refused() -> None:
    with pytest.raises(SystemExit) as refused:
        boot.main(["--pairs", "0"])
    assert refused.value.code == 2
