"""What our looking costs: how long the service boots in our restart, beside a boot at which nobody looks.

    .venv/bin/python -m benchmarks.boot [--pairs N] [--boot SECONDS] [--image REF] [--report-only]

Both are done in turns, in one run, on one stack of the benchmark's own. Ours is `pytest -m restart --target=FILE` as it
is typed: its probe looks from before the stop until after the soak. Beside it stands a bare `docker compose up -d
--force-recreate kestra` during which nobody asks the service anything but Docker's own health check, which both have.
A boot lasts from the engine's `start` of the new container to the server's own word in its log that it runs, by the
engine's clock: nothing has to look at the server to know it. Which of the two goes first alternates.

Boots of the same image differ by some hundredths from one to the next: the median of the pairs is what is held against
the goal, and how far the middle half of them lie apart is told beside it.

Exit status: 0 the goal met, 1 missed (0 with `--report-only`), 2 nothing could be measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median, quantiles
from typing import Any

from benchmarks import outage
from benchmarks.outage import ACT_LIMIT, STEADY_LIMIT, Unmeasured
from procedures import target
from procedures.diagnosis import BOOTED
from tests import targets
from tests.stacks import Stack, wait_for

MOST_RATIO = 1.02
HEALTHY = "health_status: healthy"
CADENCE = 0.25


@dataclass(frozen=True, slots=True)
class Pair:
    """Two boots in seconds, one after the other; what our probe did in ours, and how uncertain its outage is."""

    watched: float
    alone: float
    looks: int
    """How often the fast paths were asked between the start and the server's word that it runs."""
    uncertainty: float
    first: str

    @property
    def ratio(self) -> float:
        return self.watched / self.alone


# Measuring


def measure(stack: Stack, pairs: int, tell: Callable[[str], None]) -> Iterator[Pair]:
    """Measure both in turns on a stack that runs and has its target file."""
    for index in range(pairs):
        if index % 2 == 0:
            watched, record = measure_ours(stack)
            alone = length(measure_alone(stack))
        else:
            alone = length(measure_alone(stack))
            watched, record = measure_ours(stack)
        pair = Pair(
            length(watched),
            alone,
            looks_in(record, *watched),
            uncertainty_of(record),
            "alone" if index % 2 else "ours",
        )
        tell(f"pair {index + 1} of {pairs}: ours {pair.watched:.2f} s, alone {pair.alone:.2f} s")
        yield pair


def measure_ours(stack: Stack) -> tuple[tuple[float, float], dict[str, Any]]:
    """Measure a boot in `pytest -m restart`; what it wrote down comes with it."""
    boot = measure_one(stack, lambda: outage.restart(stack))
    return boot, targets.record(target.read(stack.root / targets.FILE).archive / "latest")


def measure_alone(stack: Stack) -> tuple[float, float]:
    """Measure a boot that nobody looks at."""
    return measure_one(
        stack, lambda: stack.compose("up", "-d", "--force-recreate", "kestra", limit=ACT_LIMIT)
    )


def measure_one(stack: Stack, act: Callable[[], object]) -> tuple[float, float]:
    """Have the service started anew; return when, and when it said that it runs, since the epoch.

    The engine tells by itself when the container is healthy: nobody has to ask.
    """
    with outage.events_of(stack) as heard:
        act()
        wait_for(lambda: _healthy(heard()), "the new container to be healthy", STEADY_LIMIT, CADENCE)
        new = str(stack.container("kestra").id)
        started = outage.moment_of(heard(), "start", lambda id_, _: id_ == new)
    return started, said_at(stack.container("kestra").logs(timestamps=True).decode(errors="replace"))


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


def length(boot: tuple[float, float]) -> float:
    return boot[1] - boot[0]


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


def goal(pairs: Sequence[Pair]) -> float:
    """Return the median of the pairs' ratios."""
    return median(one.ratio for one in pairs)


def report(pairs: Sequence[Pair], where: str, load: tuple[float, float]) -> str:
    """Return the pairs, their medians and the goal as Markdown."""
    middle = Pair(
        median(one.watched for one in pairs),
        median(one.alone for one in pairs),
        round(median(one.looks for one in pairs)),
        median(one.uncertainty for one in pairs),
        "",
    )
    rows = [
        *((str(number), one, one.ratio) for number, one in enumerate(pairs, 1)),
        ("median", middle, goal(pairs)),
    ]
    return "\n".join(
        [
            f"{len(pairs)} pairs on {where}; load {load[0]:.1f} at the beginning and {load[1]:.1f} at the end.",
            "",
            outage.row("pair", "first", "boot, ours", "boot, nobody looks", "ratio", "looks in it", "outage"),
            outage.row("---", "---", *["--:"] * 5),
            *(outage.row(name, one.first, *_cells(one, ratio)) for name, one, ratio in rows),
            "",
            f"- {told(pairs)}",
        ]
    )


def told(pairs: Sequence[Pair]) -> str:
    """Return the goal, and whether it is met."""
    met = "met" if goal(pairs) <= MOST_RATIO else "MISSED"
    promise = f"a boot in our restart at most {MOST_RATIO:.2f} times one at which nobody looks"
    return f"{met}: {promise}: {goal(pairs):.3f} times{spread(pairs)}"


def _cells(one: Pair, ratio: float) -> tuple[str, ...]:
    return (
        f"{one.watched:.3f} s",
        f"{one.alone:.3f} s",
        f"{ratio:.3f}",
        str(one.looks),
        f"± {1000 * one.uncertainty:.0f} ms",
    )


def spread(pairs: Sequence[Pair]) -> str:
    """Tell between which ratios the middle half of the pairs lie."""
    if len(pairs) < 4:
        return ""
    low, _, high = quantiles((one.ratio for one in pairs), n=4)
    return f" (the middle half of the pairs: {low:.3f} to {high:.3f})"


# Running


def asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = outage.options_of_any_image("boot", __doc__, 10)
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error("--pairs must be 1 or more")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, tell, and hold the figure against the goal."""
    return outage.carry_out(asked(arguments), measure, report, lambda pairs: goal(pairs) <= MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
