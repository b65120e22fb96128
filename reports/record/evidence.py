"""What is recorded of a run: every value type of `evidence.json`, and how a verdict follows from them.

Times of day are ISO 8601 in UTC; durations are seconds as floats, measured with a monotonic clock.
What is observed holds secrets as they are; what is recorded holds fingerprints, and text that has passed redaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic

from reports.record.observed import Snapshot, Unseen
from reports.record.values import Hidden

SCHEMA_VERSION = 2
AGAIN, BACK = " again", " back"
"""Endings of the ids of checks: of one that is asked a second time, and of one that judges the way back."""


class Outcome(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"


class Phase(StrEnum):
    """When a check is asked; the order of the members is the order of a run."""

    PRE = "pre"
    READY = "ready"
    MID = "mid"
    POST = "post"


class Way(StrEnum):
    """Whether a claim judges what the procedure did, or its way back."""

    FORWARD = "forward"
    BACK = "back"


class Protects(StrEnum):
    """What a check stands for; a failed check that protects data is never overridden."""

    SERVICE = "service"
    DATA = "data"


class Verdict(StrEnum):
    """How a run ended, in the words that are used everywhere."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    NOT_ACCEPTED = "NOT ACCEPTED"
    SERVICE_DOWN = "SERVICE DOWN"
    ROLLED_BACK = "ROLLED BACK"
    INTERRUPTED = "INTERRUPTED"
    LOCKED = "LOCKED"
    CANNOT_OBSERVE = "CANNOT OBSERVE"
    NO_EVIDENCE = "NO EVIDENCE"

    @property
    def exit_status(self) -> int:
        return EXIT_STATUS[self]

    @property
    def meaning(self) -> str:
        return MEANING[self]


EXIT_STATUS: dict[Verdict, int] = {
    Verdict.ACCEPTED: 0,
    Verdict.REFUSED: 10,
    Verdict.NOT_ACCEPTED: 11,
    Verdict.SERVICE_DOWN: 12,
    Verdict.ROLLED_BACK: 13,
    Verdict.INTERRUPTED: 14,
    Verdict.LOCKED: 15,
    Verdict.CANNOT_OBSERVE: 16,
    Verdict.NO_EVIDENCE: 17,
}

MEANING: dict[Verdict, str] = {
    Verdict.ACCEPTED: "done, and every required claim holds or is waived",
    Verdict.REFUSED: "a gate stayed closed; the service was not touched",
    Verdict.NOT_ACCEPTED: "the service answers, but a required claim does not hold or is unknown",
    Verdict.SERVICE_DOWN: "the service was touched and does not answer, or must not be started",
    Verdict.ROLLED_BACK: "a claim did not hold; the run went back by itself and the way back was judged",
    Verdict.INTERRUPTED: "ended before its end; what is known is in the record",
    Verdict.LOCKED: "another run holds the target, or an open journal must be recovered first",
    Verdict.CANNOT_OBSERVE: "the engine, compose file or env files cannot be read; nothing is claimed",
    Verdict.NO_EVIDENCE: "done, but the evidence could not be written, or a secret was found in it",
}

# If two apply, the verdict that an operator must know first comes first.
# LOCKED and CANNOT OBSERVE end a run before there is anything to rank.
PRIORITY: tuple[Verdict, ...] = (
    Verdict.LOCKED,
    Verdict.CANNOT_OBSERVE,
    Verdict.SERVICE_DOWN,
    Verdict.INTERRUPTED,
    Verdict.NOT_ACCEPTED,
    Verdict.ROLLED_BACK,
    Verdict.NO_EVIDENCE,
    Verdict.REFUSED,
    Verdict.ACCEPTED,
)


def first_of(verdicts: set[Verdict]) -> Verdict:
    """Return the verdict that wins if several apply."""
    return next(verdict for verdict in PRIORITY if verdict in verdicts)


@dataclass(frozen=True, slots=True)
class Check:
    """One claim about the target, as planned.

    `id` is `<phase>/<file>::<function>`, `claim` the sentence shown in the evidence, `asks` the names of what it
    requests; `again` is true if it is asked a second time before the second gate.
    """

    id: str
    phase: Phase
    claim: str
    asks: tuple[str, ...]
    way: Way = Way.FORWARD
    advisory: bool = False
    protects: Protects = Protects.SERVICE
    again: bool = False
    leads_back: bool = True
    """Whether a run with a way back takes it if this check fails; false if going back would not help."""
    not_applicable: str = ""
    """Why the plan leaves it out, from the plan's closed list of reasons; empty where it applies."""

    @property
    def name(self) -> str:
        """The id as the check files hold it, without the words that say when, or for which way, it is asked."""
        return self.id.removesuffix(AGAIN).removesuffix(BACK)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of one check; `reason` says what was seen, `next_move` what to do about it."""

    check: Check
    outcome: Outcome
    reason: str = ""
    next_move: str = ""
    asked_at: str = ""
    took: float = 0.0

    @property
    def closes(self) -> bool:
        """Whether this result keeps a gate closed, or a run from being accepted."""
        if self.check.advisory:
            return False
        return self.outcome in {Outcome.FAILED, Outcome.UNKNOWN, Outcome.BLOCKED}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One look of a wait: seconds since the wait began, and what was seen (`count` times in a row)."""

    at: float
    saw: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait: what for, its limit and cadence in seconds, and every change in what was seen meanwhile."""

    what: str
    limit: float
    cadence: float
    took: float
    ended: bool
    sentence: str
    attempts: tuple[Attempt, ...] = ()


class StepStatus(StrEnum):
    """How far a step came; `begun` is all that is known of a step that a killed run left behind."""

    PLANNED = "planned"
    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Step:
    """One act of a procedure, as planned: `command` is the exact argument list, secrets never in it."""

    name: str
    purpose: str
    command: tuple[str, ...]
    limit: float
    changing: bool
    way_back: str
    """What undoes it, as a sentence or a command line."""
    way: Way = Way.FORWARD


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step; `output` is what its command printed, both streams in order, bounded."""

    step: Step
    status: StepStatus
    began_at: str = ""
    took: float = 0.0
    exit_code: int | None = None
    output: str = ""
    reason: str = ""
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of equal answers: seconds since the probe's zero, what the answer was, how many there were."""

    begin: float
    end: float
    answer: str
    good: bool
    count: int


@dataclass(frozen=True, slots=True)
class Silence:
    """One stretch without a good answer; its edges are seconds since the probe's zero, None if they were not seen.

    `last_good` is the end of the last good answer before it, `first_good` the end of the first good one after it.
    """

    last_good: float | None
    first_good: float | None
    length: float | None
    uncertainty: float | None


@dataclass(frozen=True, slots=True)
class PathOutage:
    """One path as the probe saw it.

    `silences` are the stretches of its outage: all between the run's first changing step and the probe's end, the
    longest if there are too many, and `unlisted` says how many are left out. `length` is the sum of all,
    `uncertainty` how far it may be from the truth; `last_good` belongs to the first, `first_good` to the last of them.
    `flaps` counts the silences outside the run's own steps; `largest_gap` is the longest time between two looks around
    the outage.
    """

    path: str
    url: str
    rate: float
    headline: bool
    last_good: float | None
    first_good: float | None
    length: float | None
    uncertainty: float | None
    flaps: int
    largest_gap: float
    looks: int
    intervals: tuple[Interval, ...] = ()
    silences: tuple[Silence, ...] = ()
    unlisted: int = 0

    @property
    def each(self) -> tuple[Silence, ...]:
        """The stretches of the outage; an old record, which does not list them, has one."""
        if self.silences or self.length == 0.0 or not self.intervals:
            return self.silences
        return (Silence(self.last_good, self.first_good, self.length, self.uncertainty),)


@dataclass(frozen=True, slots=True)
class Outage:
    """The time in which the service did not answer, measured from outside by a process of its own.

    `zero_at` is the wall clock at the probe's zero; `headline` the path that came back last among the fast ones.
    """

    zero_at: str
    ended: float
    method: str
    headline: str
    paths: tuple[PathOutage, ...] = ()

    @property
    def headline_path(self) -> PathOutage | None:
        """The path whose length is the run's outage."""
        return next((path for path in self.paths if path.path == self.headline), None)


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One event of the engine: `at` in UTC with the engine's clock, `action` such as `kill`, `die`, `start`."""

    at: str
    kind: str
    action: str
    name: str
    id: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """A named instant of the run: seconds since its beginning and since the epoch."""

    name: str
    at: float
    wall: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """A required service check that a person accepted although it failed or is unknown, and why."""

    check: str
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class Who:
    """Who ran it, where and why: as given, or as read from the environment; nothing of it is verified."""

    user: str
    host: str
    cwd: str
    operator: str = ""
    reason: str = ""
    ticket: str = ""
    approved_by: str = ""
    ci_job: str = ""
    suite_commit: str = ""
    suite_version: str = ""
    python: str = ""
    pytest: str = ""
    command_line: str = ""


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """The service operated on, without secrets."""

    name: str
    file: str
    root: str
    project: str
    service: str
    database_service: str
    container: str
    endpoint: str
    http_url: str
    management_url: str
    understudy: bool = False
    engine: str = ""
    """The engine's own id; empty in records from before it was noted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, frozen before it does anything."""

    procedure: str
    state: str
    """The state of the service that the plan was made for: `running`, `stopped`, `absent`, …"""
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    worst_outage: float | None
    looks: tuple[str, ...] = ()
    """Observers' helper containers and execs that the run starts, one sentence each."""
    untried: tuple[str, ...] = ()
    """What cannot be tried without acting."""


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file beside the record: `name` relative to the run's folder, `note` says what it is and its bounds."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an auditor or operator should know that is no check's outcome."""

    text: str
    next_move: str = ""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something that a run found, as a row of the operator's table of symptoms; `row` is its Markdown."""

    symptom: str
    action: str
    row: str


@dataclass(frozen=True, slots=True)
class Anomalies:
    """The rows that a run proposes for the target's list of anomalies, and what became of them."""

    file: str
    rows: tuple[Anomaly, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class FailedBoot:
    """Why a start brought up no service; it stands before the claims that do not hold because of it."""

    container: str
    how: str
    """How the boot ended, in a sentence."""
    said: tuple[str, ...]
    """The last lines of the container's log that report an error."""
    differs: tuple[str, ...] | None
    """What differs from the container that ran before: variables by name, parts of the container; None: not known."""
    log: str
    """The file in the run's folder that holds its log."""


@dataclass(frozen=True, slots=True)
class Evidence(Generic[Hidden]):
    """Everything known about one run; what is kept of it is its record, of which HTML, JUnit and the console are views."""

    run: str
    began_at: str
    ended_at: str
    took: float
    verdict: Verdict
    verdict_reasons: tuple[str, ...]
    executed: bool
    """Whether a changing step was carried out; the verdict says whether the run is accepted."""
    procedure: str
    who: Who
    target: TargetRecord | None
    plan: Plan | None
    waivers: tuple[Waiver, ...] = ()
    results: tuple[CheckResult, ...] = ()
    steps: tuple[StepResult, ...] = ()
    snapshots: tuple[Snapshot[Hidden], ...] = ()
    outage: Outage | None = None
    events: tuple[EngineEvent, ...] = ()
    moments: tuple[Moment, ...] = ()
    exists_now: tuple[str, ...] | Unseen = ()
    """What exists now, read from the engine after the last act."""
    by_hand: tuple[str, ...] = ()
    """The exact commands that bring the service up by hand; filled if the verdict calls for them."""
    judge_by: str = ""
    """After an interruption, the command that judges a service that is back, without touching it; empty if that is not known."""
    findings: tuple[Finding, ...] = ()
    anomalies: Anomalies | None = None
    """None if nothing was found, or the target names no list."""
    recovered_from: str = ""
    """The run whose open journal this run took over."""
    boot: FailedBoot | None = None
    """None if no boot has failed."""
    boot_back: FailedBoot | None = None
    """The same for the boot on the way back."""
    redactions: int = 0
    """How many secret values are known to the redaction of this run."""
    files: tuple[SavedFile, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @property
    def exit_status(self) -> int:
        return self.verdict.exit_status

    def snapshot(self, name: str) -> Snapshot[Hidden] | None:
        """Return the snapshot of that name; None if it was not taken."""
        return next((one for one in self.snapshots if one.name == name), None)

    def of_phase(self, phase: Phase) -> tuple[CheckResult, ...]:
        """Return the results of one phase, in the order in which they were asked."""
        return tuple(result for result in self.results if result.check.phase is phase)

    def follows(self, result: CheckResult) -> bool:
        """Whether a claim does not hold because the boot failed."""
        boot = self.boot if result.check.way is Way.FORWARD else self.boot_back
        return boot is not None and result.check.phase is Phase.POST and result.closes

    @property
    def failed_boots(self) -> tuple[tuple[FailedBoot, Way], ...]:
        """Every failed boot with its way; first the boot because of which the service is down."""
        found = ((self.boot_back, Way.BACK), (self.boot, Way.FORWARD))
        return tuple((boot, way) for boot, way in found if boot is not None)

    def folded(self, way: Way) -> int:
        """Return how many claims do not hold because the boot on that way failed."""
        return sum(one.check.way is way and self.follows(one) for one in self.results)

    def count(self, outcome: Outcome) -> int:
        """Return how many checks ended with an outcome."""
        return sum(result.outcome is outcome for result in self.results)
