"""The moments of a run, as facts take them: what it reached and what it knows. To ask for a moment is to reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from procedures.decide.accepted import Goal
from procedures.decide.announcement import Announcement
from procedures.decide.baseline import Baseline
from procedures.decide.expected import Expected
from procedures.decide.transitions import Start, Stop
from procedures.target.target import Target
from procedures.way_back.cut_off import Kept
from reports.record.evidence import EngineEvent, Outage, StepResult
from reports.record.observed import Snapshot, Unseen
from reports.redaction.redact import Redaction


class Moments(Protocol):
    """What a run reached, for the way that a check judges; a moment that was not reached raises the reason."""

    # The looks, in their order

    @property
    def first(self) -> Snapshot:
        """The look before the first gate."""

    @property
    def before(self) -> Snapshot:
        """The last look before the check's gate; for a check that is asked again, the look ready."""

    @property
    def ready(self) -> Snapshot:
        """The last look before the second gate."""

    @property
    def stopped(self) -> Snapshot:
        """The look at the service when it was stopped."""

    @property
    def after(self) -> Snapshot:
        """The look after the start and the soak."""

    # What was asked of the run, and what it intends to do

    @property
    def target(self) -> Target:
        """The service that is operated on."""

    @property
    def plan_only(self) -> bool:
        """Whether only the plan is shown."""

    @property
    def stop_grace(self) -> float:
        """The seconds that our stop leaves the server before the engine kills it."""

    @property
    def announcement(self) -> Announcement | None:
        """The image that the run brings, if it brings one."""

    @property
    def goal(self) -> Goal | None:
        """The earlier run that this run goes back to, if it does."""

    @property
    def kept(self) -> Kept | None:
        """What an interrupted earlier run kept, if one did."""

    @property
    def unkept(self) -> tuple[str, ...]:
        """What the present container has and nobody could restore."""

    @property
    def start_settings(self) -> Mapping[str, str]:
        """The variables of the start script that may leave something out."""

    # What the run compares with

    @property
    def baseline(self) -> Baseline:
        """What was there before."""

    @property
    def expected(self) -> Expected:
        """What should run at the end."""

    @property
    def parts_expected(self) -> frozenset[str]:
        """The parts of the server that must send heartbeats."""

    @property
    def rolled_back(self) -> frozenset[str]:
        """The ids of the images that earlier runs went back from."""

    # What the run has done

    @property
    def acts(self) -> bool:
        """Whether the run does more than look."""

    @property
    def our_stop(self) -> Stop | None:
        """The run's stop, once it was reached."""

    @property
    def our_start(self) -> Start | None:
        """The run's start, once it was reached."""

    @property
    def started_servers(self) -> frozenset[str]:
        """The host names of the servers that the run started and stopped again."""

    @property
    def outage(self) -> Outage | None:
        """What the probe observed from outside, if it looked."""

    @property
    def script_results(self) -> tuple[StepResult, ...]:
        """The results of the steps that a script carried out."""

    @property
    def others(self) -> tuple[EngineEvent, ...] | Unseen:
        """What the engine did to other people's containers since before the stop."""

    @property
    def redaction(self) -> Redaction:
        """The redaction that knows the target's secrets."""
