"""The course of a run: what has happened in it so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from reports.record.evidence import Anomalies, FailedBoot, Finding, Moment
from reports.record.observed import Snapshot


@dataclass(slots=True)
class Course:
    """How far a run has come: its one value that changes. The verdict follows from it; the evidence contains it."""

    held: str = ""
    unobservable: str = ""
    unfit: str = ""
    """What is wrong in the target's own env files, if that is why there is no plan."""
    interrupted: str = ""
    held_back: str = ""
    way_back_closed: str = ""
    """Why the database rules out what ran before, once it was asked."""
    went_back: bool = False
    answers: bool | None = None
    """Whether the service answered at the last look; None if nobody looked."""
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    recovered_from: str = ""
    boot: FailedBoot | None = None
    boot_back: FailedBoot | None = None
    gone: str = ""
    """The name of the failed container that a way back removed; its log is saved."""
    anomalies: Anomalies | None = None
    causes: set[str] = field(default_factory=set)
    """The names of the signatures that were reported; each is reported once."""
