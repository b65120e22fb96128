"""Random SIGKILLs over all acting procedures, each recovered as an operator would, and what is lost by it: counted.

Type `make torture`, or `python -m tests.torture --kills 20 --seed 7 --limit 900`; the same seed draws the same kills.
It works on a stack of its own and is no part of the suite's tests: a hundred kills take most of an hour.
"""

from __future__ import annotations

import argparse
import random
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reports.record.evidence import Verdict
from tests import targets
from tests.engine import service as seen
from tests.stacks import COMMAND_LIMIT, SOURCE, Stack, clean_environment, engine, run, stack
from tests.striking import Length, Strike, counting, draw, struck
from tests.variants import variant

NEWER = "0.20.8"
ACTING = ("restart", "update", "apply_env", "rollback", "recover")
LIMIT = 180.0
TRIES = 6
"""How often a kill is drawn anew that came too late."""
PLACES = 3
"""How many places in a row may fail to be made: a machine that is too busy for that is too busy for a torture."""
EVERY_RUN = 100_000
"""How many runs the archive keeps: none may go because it is old."""


@dataclass(slots=True)
class Place:
    """A stack that is struck, and what is known of the procedures on it."""

    stack: Stack
    older: str
    newer: str
    lengths: dict[str, Length]
    number: int = 0

    @property
    def runs_newer(self) -> bool:
        with engine() as client:
            return str(self.stack.container(seen.SERVICE).attrs["Image"]) == client.images.get(self.newer).id

    def prepare(self, procedure: str) -> None:
        """Change what gives a procedure something to do."""
        self.number += 1
        if procedure == "update":
            self.stack.set_env(KESTRA_IMAGE=self.newer)
        if procedure == "apply_env":
            self.stack.set_env(JAVA_OPTS=f"-Dtrial={self.number}")

    def correct(self) -> None:
        """Let the files say what runs, as an operator corrects them after a change that did not come."""
        given = dict(one.split("=", 1) for one in self.stack.container(seen.SERVICE).attrs["Config"]["Env"])
        image = self.newer if self.runs_newer else self.older
        self.stack.set_env(KESTRA_IMAGE=image, JAVA_OPTS=given.get("JAVA_OPTS", ""))


@dataclass(frozen=True, slots=True)
class Data:
    """What must be there after a kill as it was before."""

    instance: str
    flows: frozenset[str]
    executions: frozenset[str]
    postgres: tuple[str, str]
    volumes: frozenset[str]
    records: frozenset[str]


def data(on: Stack) -> Data:
    with engine() as client:
        mine = client.volumes.list(filters={"label": f"com.docker.compose.project={on.project}"})
    return Data(
        seen.instance(on),
        frozenset(seen.flows(on)),
        frozenset(on.psql("select id from executions").split()),
        seen.identity(on, seen.DATABASE),
        frozenset(str(one.name) for one in mine),
        frozenset(one.name.rpartition("-")[2] for one in targets.folders(on)),
    )


@dataclass(slots=True)
class Trial:
    """One kill and what became of it."""

    procedure: str
    strike: Strike
    typed: list[str] = field(default_factory=list)
    said: str = ""
    lost: list[str] = field(default_factory=list)


# --- a trial


def applicable(place: Place) -> list[str]:
    left_out = "update" if place.runs_newer else "rollback"
    return [one for one in ACTING if one != left_out]


def measure(place: Place, procedure: str) -> None:
    """Let a procedure run undisturbed once, to learn how long it is."""
    place.prepare(procedure)
    with counting(place.stack) as counted:
        done = targets.procedure(place.stack, name=procedure, limit=LIMIT)
        place.lengths[procedure] = counted.length()
    succeeded(done, procedure)
    place.correct()


def succeeded(done: subprocess.CompletedProcess[str], procedure: str) -> None:
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"
        raise RuntimeError(f"an undisturbed {procedure} ended with {done.returncode}:\n{said}")


def kill(place: Place, procedure: str, choice: random.Random) -> Strike:
    """Strike a procedure; one that was faster than its kill is begun anew."""
    for _ in range(TRIES):
        place.prepare(procedure)
        strike = draw(choice, place.lengths[procedure])
        with counting(place.stack) as counted:
            victim = targets.started(place.stack, name=procedure, stdout=subprocess.DEVNULL)
            hit = struck(victim, strike, counted, LIMIT)
            status = victim.wait(LIMIT)
        if hit:
            return strike
        if status:
            raise RuntimeError(f"a {procedure} that nobody struck ended with {status}")
        place.correct()
        if procedure not in applicable(place):
            procedure = "restart"
    raise RuntimeError(f"{TRIES} kills came too late")


def trial(place: Place, choice: random.Random) -> Trial:
    procedure = choice.choice(applicable(place))
    before = data(seen.seed(place.stack))
    made = Trial(procedure, kill(place, procedure, choice))
    helpers = [one for run_id in journal_ids(place.stack) for one in seen.volumes_of(run_id).values()]
    seen.wait_until_gone(place.stack, 60)
    recover(place, made, again=choice.random() < 0.5 and procedure in {"restart", "apply_env", "update"})
    made.lost += losses(place.stack, before, {one for some in helpers for one in some})
    place.correct()
    return made


def recover(place: Place, made: Trial, *, again: bool) -> None:
    """Type what an operator types: the procedure once more, or `recover`, and what is told where that does not do."""
    if again and type_it(place, made, made.procedure).returncode == 0:
        return
    done = type_it(place, made, "recover")
    if done.returncode == Verdict.REFUSED.exit_status:
        # What was never touched runs as before, and the files name what was to come: they are corrected, as told.
        made.typed.append("the files corrected")
        place.correct()
    elif done.returncode:
        for command in by_hand(done.stdout):
            made.typed.append("by hand")
            run(["sh", "-c", command], cwd=place.stack.root, check=False, limit=COMMAND_LIMIT)
    if done.returncode and (last := type_it(place, made, "recover").returncode):
        made.lost.append(f"recover ended with {last}")


def type_it(place: Place, made: Trial, procedure: str) -> subprocess.CompletedProcess[str]:
    done = targets.procedure(place.stack, name=procedure, limit=LIMIT)
    made.typed.append(f"{procedure} {done.returncode}")
    made.said += f"--- {procedure}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def by_hand(output: str) -> list[str]:
    """The start that the closing block tells to type."""
    block = output.partition("By hand\n")[2].partition("report: ")[0]
    return re.findall(r"(cd \S+ && .*)", block)[:1]


def journal_ids(on: Stack) -> list[str]:
    return [one.stem for one in targets.journals(on)]


def losses(on: Stack, before: Data, helpers: set[str]) -> list[str]:
    """Everything that is not as it was before the kill, or was left behind."""
    if not on.is_ready():
        return [f"the service does not answer: {[one.status for one in on.containers(seen.SERVICE)]}"]
    after = data(on)
    runs = {*journal_ids(on), *after.records}
    with engine() as client:
        volumes = {str(one.name) for one in client.volumes.list()}
    claims: dict[str, Callable[[], object]] = {
        "another instance id": lambda: before.instance != after.instance,
        "flows": lambda: before.flows ^ after.flows,
        "executions lost": lambda: before.executions - after.executions,
        "Postgres was touched": lambda: before.postgres != after.postgres,
        "volumes of the project": lambda: before.volumes ^ after.volumes,
        "containers of the service": lambda: [one.status for one in on.containers(seen.SERVICE)][1:],
        "lock and helpers left": lambda: [one for each in runs for one in seen.ours(each)],
        "volumes of helpers left": lambda: helpers & volumes,
        "processes left": lambda: seen.processes(on),
        "journals open": lambda: [one.name for one in targets.journals(on) if not _sealed(one)],
        "records lost": lambda: before.records - after.records,
        "journals without a record": lambda: set(journal_ids(on)) - after.records,
        "records unfinished": lambda: [one.name for one in targets.folders(on) if not _complete(one)],
    }
    return [f"{claim}: {found}" for claim, look in claims.items() if (found := look())]


def _sealed(journal: Path) -> bool:
    entries = targets.entries(journal)
    return bool(entries) and entries[-1]["kind"] == "sealed"


def _complete(folder: Path) -> bool:
    return (
        "-running-" not in folder.name
        and (folder / "report.html").is_file()
        and seen.checksums(folder).returncode == 0
        and targets.record(folder)["verdict"] is not None
    )


# --- the command


@contextmanager
def place(newer: str, lengths: dict[str, Length]) -> Iterator[Place]:
    """A stack that runs, with an accepted run behind it; the first one learns how long each procedure is."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, stack(Path(folder)) as made:
        seen.seed(made.up())
        targets.target_file(made, archive_keep=EVERY_RUN)
        found = Place(made, made.image, newer, lengths)
        succeeded(targets.procedure(made, name="accept"), "accept")
        for procedure in (one for one in ACTING if one not in lengths):
            measure(found, procedure)
        yield found


def torture(kills: int, seed: int, limit: float) -> tuple[int, int]:
    """Strike so often, or until the time is over; how many trials passed, and how many failed."""
    over, results, lengths, unmade = time.monotonic() + limit, [0, 0], dict[str, Length](), 0

    def goes_on() -> bool:
        return sum(results) < kills and time.monotonic() < over and unmade < PLACES

    with variant(NEWER) as newer:
        while goes_on():
            with ExitStack() as made:
                try:
                    found = made.enter_context(place(newer, lengths))
                except (RuntimeError, TimeoutError, subprocess.TimeoutExpired) as error:
                    print(f"no place could be made, so no trial: {error}", flush=True)
                    unmade += 1
                    continue
                unmade, passed = 0, True
                while goes_on() and passed:  # what is left of a failed one is no place for the next one
                    number = sum(results) + 1
                    passed = told(found, random.Random(f"{seed} {number}"), number)
                    results[not passed] += 1
    return results[0], results[1]


def told(on: Place, choice: random.Random, number: int) -> bool:
    """Make a trial and tell of it in one line; where it failed, with all that was said."""
    since = time.monotonic()
    try:
        made = trial(on, choice)
    except Exception as error:  # noqa: BLE001 - whatever it was, the next trial is made
        print(f"{number}: FAILED, no trial: {type(error).__name__}: {error}", flush=True)
        return False
    typed, took = ", ".join(made.typed), time.monotonic() - since
    word = "FAILED" if made.lost else "passed"
    print(f"{number}: {word}: {made.procedure} {made.strike}; typed: {typed}; {took:.0f} s", flush=True)
    if made.lost:
        print("\n".join([*made.lost, made.said]), flush=True)
    return not made.lost


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="how many (100)")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="draws the same kills again"
    )
    parser.add_argument("--limit", type=float, default=7200.0, help="no further trial after so many seconds")
    options = parser.parse_args()
    print(f"torture: {options.kills} kills, --seed {options.seed}, within {options.limit:g} s", flush=True)
    run([str(SOURCE / "up.sh"), "images", "--built"], cwd=SOURCE, env=clean_environment(), limit=600)
    passed, failed = torture(options.kills, options.seed, options.limit)
    print(f"{passed} passed, {failed} failed")
    return int(bool(failed) or passed < options.kills)


if __name__ == "__main__":
    sys.exit(main())
