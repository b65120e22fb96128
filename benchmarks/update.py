"""How long an update takes the service away: beside a plain restart, in turns, in one run, on one stack.

    .venv/bin/python -m benchmarks.update [--pairs N] [--boot SECONDS] [--report-only]

Both are typed as an operator types them. The images differ in their version and in a layer of their own, so what is
compared is what an update does besides a restart: whatever it pulls, keeps and judges must cost no outage.

Exit status: 0 the goal met, 1 missed (0 with `--report-only`), 2 nothing could be measured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks import outage
from benchmarks.outage import ACT_LIMIT, MEASURABLE, UNMEASURED, Away, Unmeasured
from tests import targets
from tests.stacks import UNDERSTUDY_IMAGE, Stack
from tests.variants import variant

MOST_RATIO = 1.05
FIRST_PATCH = 8


@dataclass(frozen=True, slots=True)
class Pair:
    """Both, one after the other."""

    update: Away
    restart: Away

    @property
    def ratio(self) -> float:
        return self.update.length / self.restart.length


def measure(stack: Stack, pairs: int) -> Iterator[Pair]:
    """Measure both in turns; which one goes first alternates."""
    for index in range(pairs):
        if index % 2:
            restarted = outage.measure_one(stack, lambda: outage.restart(stack))
            updated = measure_update(stack, index)
        else:
            updated = measure_update(stack, index)
            restarted = outage.measure_one(stack, lambda: outage.restart(stack))
        pair = Pair(updated, restarted)
        outage.tell(
            f"pair {index + 1} of {pairs}: update {pair.update.length:.2f} s, restart {pair.restart.length:.2f} s"
        )
        yield pair


def measure_update(stack: Stack, index: int) -> Away:
    """Measure `pytest -m update` to an image of the next version, which stays until the stack has gone."""
    image = _images.enter_context(variant(f"0.20.{FIRST_PATCH + index}"))
    stack.set_env(KESTRA_IMAGE=image)
    return outage.measure_one(stack, lambda: update(stack))


def update(stack: Stack) -> None:
    """Run the procedure as an operator does; one that is cut short is let land."""
    process = targets.started(stack, name="update")
    try:
        output, _ = process.communicate(timeout=ACT_LIMIT)
    finally:
        outage.end(process)
    if process.returncode not in MEASURABLE:
        raise Unmeasured(f"the update ended with {process.returncode}:\n{output[-3000:]}")


def report(pairs: Sequence[Pair], where: str, load: tuple[float, float]) -> str:
    """Return the pairs, their medians and the goal as Markdown."""
    rows = [
        outage.row(
            str(number),
            f"{one.update.length:.3f} ± {one.update.uncertainty:.3f} s",
            f"{one.restart.length:.3f} ± {one.restart.uncertainty:.3f} s",
            f"{one.ratio:.2f}",
        )
        for number, one in enumerate(pairs, 1)
    ]
    ratio = goal(pairs)
    return "\n".join(
        [
            f"{len(pairs)} pairs on {where}; load {load[0]:.1f} at the beginning and {load[1]:.1f} at the end.",
            "",
            outage.row("pair", "outage, update", "outage, restart", "ratio"),
            outage.row("---", "--:", "--:", "--:"),
            *rows,
            outage.row(
                "median",
                f"{median(one.update.length for one in pairs):.3f} s",
                f"{median(one.restart.length for one in pairs):.3f} s",
                f"{ratio:.2f}",
            ),
            "",
            f"- {'met' if ratio <= MOST_RATIO else 'MISSED'}: at most {MOST_RATIO:.2f} times a plain restart's: {ratio:.2f}",
        ]
    )


def goal(pairs: Sequence[Pair]) -> float:
    """Return the ratio of the medians."""
    return median(one.update.length for one in pairs) / median(one.restart.length for one in pairs)


_images = ExitStack()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, tell, and hold the figure against the goal."""
    parser = outage.options("update", __doc__, 5)
    given = parser.parse_args(arguments)
    began, pairs = os.getloadavg()[0], list[Pair]()
    try:
        with _images, outage.running(UNDERSTUDY_IMAGE, given.boot, None) as made:
            where = outage.surroundings(made, given.boot)
            pairs += measure(made, given.pairs)
            print(report(pairs, where, (began, os.getloadavg()[0])), flush=True)
    except UNMEASURED as error:
        outage.tell(f"nothing could be measured: {error}")
        return 2
    return 0 if given.report_only or goal(pairs) <= MOST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
