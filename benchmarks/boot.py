"""What our looking costs: how long the service boots in our restart, beside a boot at which nobody looks.

    .venv/bin/python -m benchmarks.boot [--pairs N] [--boot SECONDS] [--image REF] [--report-only]

Both are done in turns, in one run, on one stack of the benchmark's own. Ours is `pytest -m restart --target=FILE` as it
is typed: its probe looks from before the stop until after the soak. Beside it stands a bare `docker compose up -d
--force-recreate kestra` during which nobody asks the service anything but Docker's own health check, which both have.
A boot lasts from the engine's `start` of the new container to the server's own word in its log that it runs, by the
engine's clock: nothing has to look at the server to know it. Which of the two goes first alternates.

Boots of the same image differ by some hundredths from one to the next, on a busy machine by a tenth. So two things are
held against the goal. The processor time that others than the server had in our boot, beyond what they had in the other
one: nobody can take more from it. And the median of the pairs' ratios: the goal is missed where even the lower bound of
what it may be by chance lies above.

Exit status: 0 the goal met, 1 missed (0 with `--report-only`), 2 nothing could be measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import comb
from statistics import median
from typing import Any

from benchmarks import outage
from benchmarks.outage import ACT_LIMIT, STEADY_LIMIT, Unmeasured
from benchmarks.processor import Meter
from procedures.kestra.words import BOOTED
from procedures.target import target
from tests import targets
from tests.stacks import Stack, wait_for

MOST_RATIO = 1.02
HEALTHY = "health_status: healthy"
CADENCE = 0.25
CHANCE = 0.05
"""How often the median lies outside its bounds."""


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot, from the engine's start to the server's word that it runs, in seconds since the epoch."""

    started: float
    ready: float
    others: float
    """Seconds of processor time that we and the engine had in it."""

    @property
    def length(self) -> float:
        return self.ready - self.started


@dataclass(frozen=True, slots=True)
class Pair:
    """Two boots in seconds, one after the other; what our probe did in ours, and how uncertain its outage is."""

    watched: float
    alone: float
    looks: int
    """How often the fast paths were asked between the start and the server's word that it runs."""
    taken: float
    """Seconds of processor time that others than the server had in ours beyond those in the other one."""
    uncertainty: float
    first: str

    @property
    def ratio(self) -> float:
        return self.watched / self.alone

    @property
    def most(self) -> float:
        """What the ratio can be by our doing: all that was taken, taken from the boot alone."""
        return 1.0 + self.taken / self.alone


# Measuring


def measure(stack: Stack, pairs: int, tell: Callable[[str], None]) -> Iterator[Pair]:
    """Measure both in turns on a stack that runs and has its target file."""
    for index in range(pairs):
        if index % 2 == 0:
            watched, record = measure_ours(stack)
            alone = measure_alone(stack)
        else:
            alone = measure_alone(stack)
            watched, record = measure_ours(stack)
        pair = Pair(
            watched.length,
            alone.length,
            looks_in(record, watched.started, watched.ready),
            watched.others - alone.others,
            uncertainty_of(record),
            "alone" if index % 2 else "ours",
        )
        tell(f"pair {index + 1} of {pairs}: ours {pair.watched:.2f} s, alone {pair.alone:.2f} s")
        yield pair


def measure_ours(stack: Stack) -> tuple[Boot, dict[str, Any]]:
    """Measure a boot in `pytest -m restart`; what it wrote down comes with it."""
    boot = measure_one(stack, lambda: outage.restart(stack))
    return boot, targets.record(target.read(stack.root / targets.FILE).archive / "latest")


def measure_alone(stack: Stack) -> Boot:
    """Measure a boot that nobody looks at."""
    return measure_one(
        stack, lambda: stack.compose("up", "-d", "--force-recreate", "kestra", limit=ACT_LIMIT)
    )


def measure_one(stack: Stack, act: Callable[[], object]) -> Boot:
    """Have the service started anew. The engine tells by itself when the container is healthy: nobody has to ask."""
    with outage.events_of(stack) as heard, Meter() as meter:
        act()
        wait_for(lambda: _healthy(heard()), "the new container to be healthy", STEADY_LIMIT, CADENCE)
        new = str(stack.container("kestra").id)
        started = outage.moment_of(heard(), "start", lambda id_, _: id_ == new)
    ready = said_at(stack.container("kestra").logs(timestamps=True).decode(errors="replace"))
    return Boot(started, ready, meter.between(started, ready))


def _healthy(events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the container that was started last has become healthy."""
    actions = [one["Action"] for one in events if one["Action"] in {"start", HEALTHY}]
    return actions[-2:] == ["start", HEALTHY]


def said_at(log: str) -> float:
    """Return when the server said that it runs, by the engine's time before each line of its log."""
    for line in log.splitlines():
        if any(one in line for one in BOOTED):
            return datetime.fromisoformat(f"{line.partition(' ')[0].rstrip('Z')[:26]}+00:00").timestamp()
    raise Unmeasured(f"the server's log says none of {', '.join(BOOTED)}")


def looks_in(record: Mapping[str, Any], started: float, ready: float) -> int:
    """Return how many of the intervals' answers fell into a boot; of one that reaches beyond it in proportion."""
    zero = datetime.fromisoformat(record["outage"]["zero_at"]).timestamp()
    asked = 0.0
    for one in (each for path in fast(record) for each in path["intervals"]):
        within = min(zero + one["end"], ready) - max(zero + one["begin"], started)
        if within >= 0:
            lasted = one["end"] - one["begin"]
            asked += one["count"] * (within / lasted if lasted else 1.0)
    return round(asked)


def uncertainty_of(record: Mapping[str, Any]) -> float:
    """Return the uncertainty of the outage as our restart told it."""
    told = next(one["uncertainty"] for one in record["outage"]["paths"] if one["headline"])
    if told is None:
        raise Unmeasured("our restart saw no outage with a begin and an end")
    return float(told)


def fast(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in record["outage"]["paths"] if one["rate"] > 50]


# Telling


def bounds(pairs: Sequence[Pair]) -> tuple[float, float] | None:
    """Return between which ratios the median lies but for chance; nothing where there are too few pairs to say."""
    count, ratios = len(pairs), sorted(one.ratio for one in pairs)
    # As many values lie below the true median as heads fall in `count` throws.
    tail = [sum(comb(count, one) for one in range(rank + 1)) / 2**count for rank in range(count // 2)]
    outside = sum(one <= CHANCE / 2 for one in tail)
    return (ratios[outside - 1], ratios[-outside]) if outside else None


def is_met(pairs: Sequence[Pair]) -> bool:
    """Whether nothing shows that our looking costs more than the goal allows."""
    known = bounds(pairs)
    return median(one.most for one in pairs) <= MOST_RATIO and (known is None or known[0] <= MOST_RATIO)


def report(pairs: Sequence[Pair], where: str, load: tuple[float, float]) -> str:
    """Return the pairs, their medians and the goal as Markdown."""
    middle = Pair(
        median(one.watched for one in pairs),
        median(one.alone for one in pairs),
        round(median(one.looks for one in pairs)),
        median(one.taken for one in pairs),
        median(one.uncertainty for one in pairs),
        "",
    )
    rows = [
        *((str(number), one, one.ratio) for number, one in enumerate(pairs, 1)),
        ("median", middle, median(one.ratio for one in pairs)),
    ]
    return "\n".join(
        [
            f"{len(pairs)} pairs on {where}; load {load[0]:.1f} at the beginning and {load[1]:.1f} at the end.",
            "",
            outage.row(
                "pair", "first", "boot, ours", "boot, nobody looks", "ratio", "looks in it", "outage", "taken"
            ),
            outage.row("---", "---", *["--:"] * 6),
            *(outage.row(name, one.first, *_cells(one, ratio)) for name, one, ratio in rows),
            "",
            f"- {told(pairs)}",
        ]
    )


def told(pairs: Sequence[Pair]) -> str:
    """Return the goal, and whether it is met."""
    met = "met" if is_met(pairs) else "MISSED"
    promise = f"a boot in our restart at most {MOST_RATIO:.2f} times one at which nobody looks"
    most, ratio = median(one.most for one in pairs), median(one.ratio for one in pairs)
    return f"{met}: {promise}: at most {most:.3f} times by the processor time that was taken; measured {ratio:.3f} times{chance(pairs)}"


def _cells(one: Pair, ratio: float) -> tuple[str, ...]:
    return (
        f"{one.watched:.3f} s",
        f"{one.alone:.3f} s",
        f"{ratio:.3f}",
        str(one.looks),
        f"± {1000 * one.uncertainty:.0f} ms",
        f"{1000 * one.taken:.0f} ms",
    )


def chance(pairs: Sequence[Pair]) -> str:
    """Tell how far the measured ratio may be off by chance."""
    known = bounds(pairs)
    return (
        f" (by chance between {known[0]:.3f} and {known[1]:.3f})"
        if known
        else " (too few pairs to tell from chance)"
    )


# Running


def asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = outage.options_of_any_image("boot", __doc__, 10)
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error("--pairs must be 1 or more")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, tell, and hold the figure against the goal."""
    return outage.carry_out(asked(arguments), measure, report, is_met)


if __name__ == "__main__":
    sys.exit(main())
