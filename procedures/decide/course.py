"""The course of a run: what happened in it, noted as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from reports.record.evidence import Anomalies, FailedBoot, Finding, Moment
from reports.record.observed import Snapshot


@dataclass(slots=True)
class Course:
    """How far a run has come: the one value of it that changes. The verdict follows from it, the evidence tells it."""

    held: str = ""
    unobservable: str = ""
    unfit: str = ""
    """What is wrong with the target's own env files, where that kept a plan from being made."""
    interrupted: str = ""
    held_back: str = ""
    way_back_closed: str = ""
    """Why the database does not allow what ran before, where somebody has asked it."""
    went_back: bool = False
    answers: bool | None = None
    """What the last look at the service said: True, False, or None where nobody looked."""
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    recovered_from: str = ""
    boot: FailedBoot | None = None
    boot_back: FailedBoot | None = None
    gone: str = ""
    """The name of the container that did not hold, once a way back has taken it away: its log is saved."""
    anomalies: Anomalies | None = None
    causes: set[str] = field(default_factory=set)
    """The signatures that were told: each once."""
