"""How long a restart takes the service away: ours beside a bare `docker compose up -d --force-recreate kestra`.

    .venv/bin/python -m benchmarks.outage [--pairs N] [--boot SECONDS] [--image REF] [--archive DIR] [--report-only]

Both are done in turns, in one run, on one stack of the benchmark's own (names, ports and volumes that nobody else
has; loopback only; removed at the end). Ours is `pytest -m restart --target=FILE` as it is typed. Around each of the
two the same outside probe looks, started here and knowing nothing of what goes on; the engine's events tell when the
old container got its TERM and when the new one was started. Which of the two goes first alternates.

Exit status: 0 every goal met, 1 a goal missed (0 with `--report-only`), 2 nothing could be measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import docker.errors

from procedures.kestra.editions import edition_of
from procedures.observe.outage.arithmetic import ENOUGH_ANSWERS
from procedures.observe.outage.following import Answer, Probe, all_good
from procedures.observe.outage.watched import kestra_paths
from procedures.target import target
from reports.record.evidence import Outage, Verdict
from tests import targets
from tests.engine.service import seed
from tests.stacks import SHORT_TIMES, Stack, engine, image_under_test, run, stack, wait_for

LEAST_BOOT = 1.5
"""Docker's proxy keeps mute for about a second after a start: a shorter boot would hide behind it."""
MOST_RATIO = 1.0
MOST_ADDED = 5.0
MOST_UNNOTICED = 0.05
ACT_LIMIT = 300.0
STEADY_LIMIT = 120.0
LANDING_LIMIT = 60.0
"""Seconds that a restart which is asked to end has for bringing the service back."""
FIRST_LOOK = 5.0
MEASURABLE = {Verdict.ACCEPTED.exit_status, Verdict.NOT_ACCEPTED.exit_status}
"""The service was taken away and is back; what else a run found fault with changes no figure, and is told."""


P = TypeVar("P")


class Unmeasured(Exception):  # noqa: N818 - says what happened
    """There is no figure to be had, and why."""


UNMEASURED = (
    Unmeasured,
    AssertionError,
    TimeoutError,
    subprocess.SubprocessError,
    docker.errors.DockerException,
)
"""What the stack, the engine and the procedure raise where they cannot be worked with."""


@dataclass(frozen=True, slots=True)
class Away:
    """One outage: seen from outside by the probe, and by the engine's events. Times are since the epoch."""

    length: float
    uncertainty: float
    back_at: float
    """When every fast path had given its first good answer."""
    term_at: float
    died_at: float
    started_at: float

    @property
    def term_to_start(self) -> float:
        return self.started_at - self.term_at


@dataclass(frozen=True, slots=True)
class Added:
    """What ours takes besides the outage and the soak, in seconds: the whole process, from its start to its end."""

    before: float
    """Until its stop begins."""
    after: float
    """From its moment `ready again` on, without the soak."""
    noticed: float
    """From the outside probe's first good answer to that moment; negative where our own probe saw it earlier."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both, one after the other."""

    ours: Away
    bare: Away
    added: Added
    first: str
    held_against: tuple[str, ...] = ()
    """Why ours was not accepted; on an engine that others use too, that may be their doing."""

    @property
    def ratio(self) -> float:
        return self.ours.length / self.bare.length


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised, and what was measured."""

    promise: str
    measured: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.measured <= self.most

    @property
    def told(self) -> str:
        return f"{'met' if self.met else 'MISSED'}: {self.promise}: {self.measured:.2f}{self.unit}"


# Measuring


def measure(stack: Stack, pairs: int, tell: Callable[[str], None]) -> Iterator[Pair]:
    """Measure both in turns on a stack that runs and has its target file."""
    for index in range(pairs):
        if index % 2 == 0:
            ours, record, added = measure_ours(stack)
            bare = measure_bare(stack)
        else:
            bare = measure_bare(stack)
            ours, record, added = measure_ours(stack)
        held_against = () if record["verdict"] == Verdict.ACCEPTED else tuple(record["verdict_reasons"])
        pair = Pair(ours, bare, added, "bare" if index % 2 else "ours", held_against)
        tell(f"pair {index + 1} of {pairs}: ours {ours.length:.2f} s, bare {bare.length:.2f} s")
        yield pair


def measure_ours(stack: Stack) -> tuple[Away, dict[str, Any], Added]:
    """Measure `pytest -m restart`; what it wrote down comes with it."""
    times: list[float] = []

    def act() -> None:
        times.append(time.time())
        restart(stack)
        times.append(time.time())

    away = measure_one(stack, act)
    record = targets.record(target.read(stack.root / targets.FILE).archive / "latest")
    return away, record, added_by(record, away, began=times[0], ended=times[1])


def measure_bare(stack: Stack) -> Away:
    """Measure what is typed where there is no suite."""
    return measure_one(
        stack, lambda: stack.compose("up", "-d", "--force-recreate", "kestra", limit=ACT_LIMIT)
    )


def measure_one(stack: Stack, act: Callable[[], object]) -> Away:
    """Act once on a service that is well and was answering steadily, and say how long it was away."""
    wait_for(lambda: stack.health("kestra") == "healthy", "the service to be healthy", STEADY_LIMIT)
    old = str(stack.container("kestra").id)
    everything = kestra_paths(stack.http_url, stack.management_url, *stack.auth, edition_of("").paths)
    paths = [one for one in everything if one.fast]
    with events_of(stack) as heard, Probe.start(paths, ACT_LIMIT + 2 * STEADY_LIMIT) as probe:
        wait_until_steady(probe, time.monotonic(), FIRST_LOOK)
        act()
        wait_until_steady(probe, time.monotonic(), STEADY_LIMIT)
        return away(probe.stop(), heard(), old)


def wait_until_steady(probe: Probe, since: float, limit: float) -> None:
    """Wait until all paths answer well, and often enough in a row to know how long an answer usually takes."""
    names = [one.name for one in probe.watched]

    def steady(answers: Mapping[str, Answer]) -> bool:
        return all_good(answers, names, since) and all(answers[name].count > ENOUGH_ANSWERS for name in names)

    if not probe.wait_until(steady, limit):
        raise Unmeasured(f"the service did not answer steadily within {limit:g} s")


def restart(stack: Stack) -> None:
    """Run the procedure as an operator does; one that is cut short is let land."""
    process = targets.started(stack)
    try:
        output, _ = process.communicate(timeout=ACT_LIMIT)
    finally:
        end(process)
    if process.returncode not in MEASURABLE:
        raise Unmeasured(f"the restart ended with {process.returncode}:\n{output[-3000:]}")


def end(process: subprocess.Popen[str]) -> None:
    """End a restart that still runs, by force only if it does not land."""
    if process.poll() is None:
        process.terminate()
        try:
            process.communicate(timeout=LANDING_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=LANDING_LIMIT)


@contextlib.contextmanager
def events_of(stack: Stack) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Listen to what the engine does to the service's containers: it remembers little of what nobody heard."""
    labels = (f"com.docker.compose.project={stack.project}", "com.docker.compose.service=kestra")
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    file = stack.root / "events.jsonl"
    with file.open("w", encoding="utf-8") as said:
        listener = subprocess.Popen(
            ["docker", "events", "--since", f"{time.time():.6f}", *filters, "--format", "{{json .}}"],
            stdin=subprocess.DEVNULL,
            stdout=said,
        )

        def heard() -> list[dict[str, Any]]:
            # What stands behind the last line's end is still being written.
            return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]

        try:
            yield heard
        finally:
            listener.kill()
            listener.wait()


def away(outage: Outage, events: Sequence[dict[str, Any]], old: str) -> Away:
    """Put together what the probe saw and what the engine did to the old container and the new one."""
    told = outage.headline_path
    if told is None or not told.length or told.uncertainty is None:
        raise Unmeasured("the outside probe saw no outage with a begin and an end")
    zero = datetime.fromisoformat(outage.zero_at).timestamp()
    return Away(
        length=told.length,
        uncertainty=told.uncertainty,
        back_at=zero + max(one.first_good or 0.0 for one in outage.paths),
        term_at=moment_of(
            events, "kill", lambda id_, more: id_ == old and more.get("signal") in {"15", "SIGTERM"}
        ),
        died_at=moment_of(events, "die", lambda id_, _: id_ == old),
        started_at=moment_of(events, "start", lambda id_, _: id_ != old),
    )


def moment_of(
    events: Sequence[dict[str, Any]], action: str, wanted: Callable[[str, Mapping[str, str]], bool]
) -> float:
    """When the engine first did this to a container that is meant."""
    for one in events:
        if one["Action"] == action and wanted(one["Actor"]["ID"], one["Actor"]["Attributes"]):
            return float(one["timeNano"] / 1e9)
    raise Unmeasured(f"the engine told of no {action!r} of the service's container")


def added_by(record: Mapping[str, Any], away: Away, began: float, ended: float) -> Added:
    """Take from a run's evidence what it did besides stopping, starting and soaking."""
    steps = {one["step"]["name"]: one for one in record["steps"]}
    ready = next(wall(one["wall"]) for one in record["moments"] if one["name"] == "ready again")
    soak = sum(one["took"] for one in steps["start"]["waits"] if one["what"] == "soak")
    return Added(wall(steps["stop"]["began_at"]) - began, ended - ready - soak, ready - away.back_at)


def wall(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


# Telling


def goals(pairs: Sequence[Pair]) -> tuple[Goal, ...]:
    """Hold the medians against what is promised."""
    added, noticed = (
        [one.added.before + one.added.after for one in pairs],
        [one.added.noticed for one in pairs],
    )
    return (
        Goal(
            "outage at most 1.00 times the bare one's",
            median(one.ratio for one in pairs),
            MOST_RATIO,
            " times",
        ),
        Goal("at most 5 s added before and after it, besides the soak", median(added), MOST_ADDED, " s"),
        Goal("readiness noticed within 50 ms", 1000 * median(noticed), 1000 * MOST_UNNOTICED, " ms"),
    )


def table(pairs: Sequence[Pair]) -> str:
    """Return the pairs and their medians as a Markdown table."""
    return "\n".join(
        [
            row("pair", "first", "outage, ours", "outage, bare", "ratio", "TERM → start, ours", "bare",
                "added before", "after", "noticed"),
            row("---", "---", *["--:"] * 8),
            *(
                row(
                    str(number),
                    one.first,
                    f"{one.ours.length:.3f} ± {one.ours.uncertainty:.3f} s",
                    f"{one.bare.length:.3f} ± {one.bare.uncertainty:.3f} s",
                    *rest(one.ratio, one.ours.term_to_start, one.bare.term_to_start, one.added),
                )
                for number, one in enumerate(pairs, 1)
            ),
            row(
                "median",
                "",
                f"{median(one.ours.length for one in pairs):.3f} s",
                f"{median(one.bare.length for one in pairs):.3f} s",
                *rest(
                    median(one.ratio for one in pairs),
                    median(one.ours.term_to_start for one in pairs),
                    median(one.bare.term_to_start for one in pairs),
                    Added(
                        median(one.added.before for one in pairs),
                        median(one.added.after for one in pairs),
                        median(one.added.noticed for one in pairs),
                    ),
                ),
            ),
        ]
    )  # fmt: skip


def rest(ratio: float, ours: float, bare: float, added: Added) -> tuple[str, ...]:
    """Return the cells that pairs and medians have in common."""
    return (
        f"{ratio:.2f}",
        f"{ours:.3f} s",
        f"{bare:.3f} s",
        f"{added.before:.2f} s",
        f"{added.after:.2f} s",
        f"{1000 * added.noticed:+.0f} ms",
    )


def parts(pairs: Sequence[Pair]) -> str:
    """Return where the time goes between TERM and the first good answer, as medians."""

    def of(name: str, every: Sequence[Away]) -> str:
        spans = (
            [one.died_at - one.term_at for one in every],
            [one.started_at - one.died_at for one in every],
            [one.back_at - one.started_at for one in every],
        )
        return row(name, *(f"{median(span):.3f} s" for span in spans))

    return "\n".join(
        [
            row("medians", "TERM → ended", "ended → start", "start → first good answer"),
            row("---", "--:", "--:", "--:"),
            of("ours", [one.ours for one in pairs]),
            of("bare", [one.bare for one in pairs]),
        ]
    )


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def surroundings(stack: Stack, boot: float) -> str:
    """Say on what it was measured."""
    with engine() as client:
        docker_version = client.version()["Version"]
    compose = run(["docker", "compose", "version", "--short"], cwd=stack.root).stdout.strip()
    image = f"{stack.image} (boot {boot:g} s)" if stack.is_understudy else stack.image
    return f"{image}, Docker {docker_version}, Compose {compose}, {os.cpu_count()} cores"


def report(pairs: Sequence[Pair], where: str, load: tuple[float, float]) -> str:
    """Return everything that is told at the end."""
    busy = f"load {load[0]:.1f} at the beginning and {load[1]:.1f} at the end"
    worst = 1000 * max(one.added.noticed for one in pairs)
    points = [one.told for one in goals(pairs)]
    points[-1] += f" (at worst {worst:.0f} ms)"
    for number, one in enumerate(pairs, 1):
        points += [f"pair {number}: ours was not accepted: {reason}" for reason in one.held_against]
    listed = "\n".join(f"- {one}" for one in points)
    return "\n\n".join([f"{len(pairs)} pairs on {where}; {busy}.", table(pairs), parts(pairs), listed])


# Running


@contextlib.contextmanager
def running(image: str, boot: float, archive: Path | None) -> Iterator[Stack]:
    """Start a stack of the benchmark's own with a flow and an execution in it; nothing of it is left."""
    kind = "understudy" if image.startswith("kestra-understudy:") else "kestra"
    settings = {
        "KESTRA_IMAGE": image,
        "KESTRA_DB_VOLUME": f"{kind}-postgres-data",
        "UNDERSTUDY": re.sub(r"\bboot=\S+", f"boot={boot:g}", SHORT_TIMES["UNDERSTUDY"]),
    }
    with tempfile.TemporaryDirectory(prefix="outage-") as folder, stack(Path(folder), **settings) as made:
        kept = (archive or targets.archive(made)).resolve()
        targets.target_file(made, archive=str(kept), budgets={"boot": f"{STEADY_LIMIT:g}s"})
        yield seed(made.up())


def options(benchmark: str, purpose: str | None, pairs: int) -> argparse.ArgumentParser:
    """Return what can be said to every benchmark of pairs; so many are measured unless another number is asked for."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{benchmark}", description=(purpose or "").split("\n")[0]
    )
    parser.add_argument("--pairs", type=int, default=pairs, metavar="N", help=f"how many pairs ({pairs})")
    parser.add_argument(
        "--boot", type=float, default=LEAST_BOOT, metavar="SECONDS", help=f"the understudy's ({LEAST_BOOT})"
    )
    parser.add_argument("--report-only", action="store_true", help="exit 0 although a goal is missed")
    return parser


def options_of_any_image(benchmark: str, purpose: str | None, pairs: int) -> argparse.ArgumentParser:
    """Return the same for one that runs any image, and can keep the evidence of our restarts."""
    parser = options(benchmark, purpose, pairs)
    parser.add_argument("--image", default=image_under_test(), metavar="REF", help="what runs as Kestra")
    parser.add_argument("--archive", type=Path, metavar="DIR", help="keep the evidence of our restarts there")
    return parser


def asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of_any_image("outage", __doc__, 5)
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error("--pairs must be 1 or more")
    if given.boot < LEAST_BOOT:
        parser.error(
            f"--boot must be {LEAST_BOOT} or more: Docker's proxy is mute for about a second after a start"
        )
    return given


def carry_out(
    given: argparse.Namespace,
    measured: Callable[[Stack, int, Callable[[str], None]], Iterator[P]],
    reported: Callable[[Sequence[P], str, tuple[float, float]], str],
    met: Callable[[Sequence[P]], bool],
) -> int:
    """Measure pairs on a stack of the benchmark's own, tell them, and return the exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # An exit unwinds the stack; the default would leave its containers behind.
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    began = os.getloadavg()[0]
    pairs: list[P] = []
    try:
        with running(given.image, given.boot, given.archive) as made:
            where = surroundings(made, given.boot)
            try:
                for pair in measured(made, given.pairs, tell):
                    pairs.append(pair)  # noqa: PERF402 - what was measured is told, whatever ends the rest
            finally:
                if pairs:
                    print(reported(pairs, where, (began, os.getloadavg()[0])), flush=True)
    except UNMEASURED as error:
        tell(f"{f'ended after {len(pairs)} pairs' if pairs else 'nothing could be measured'}: {error}")
        return 2
    return 0 if given.report_only or met(pairs) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, tell, and hold the figures against the goals."""
    return carry_out(asked(arguments), measure, report, lambda pairs: all(one.met for one in goals(pairs)))


def tell(line: str) -> None:
    """Tell what goes on, beside the report."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
