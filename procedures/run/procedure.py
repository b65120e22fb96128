"""What a procedure is: a name, what it provides to checks, and what it intends to do to the service as it was found.

`Asked` is what was typed: one procedure, for one target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from procedures.decide.accepted import Compared, Goal, Past
from procedures.decide.announcement import Announcement
from procedures.decide.facts import Group, Presupposed, provided_by
from procedures.decide.plan import Reason
from procedures.drivers.shell import Command
from procedures.observe.moments.observers import Observers
from procedures.observe.waiting import Waiting
from procedures.steps.carry_out import Acting
from procedures.steps.journal import Story
from procedures.target.target import Target
from procedures.way_back.cut_off import Recovery
from procedures.way_back.way_back import WayBack
from reports.record.evidence import Finding, Step, Waiver
from reports.record.observed import Container, Snapshot


@dataclass(frozen=True, slots=True)
class Service:
    """The service as it was found, and its past in the archive; `stem` begins the names of files beside the journal."""

    observers: Observers
    containers: tuple[Container, ...]
    stem: Path
    past: Past
    stories: Callable[[], tuple[Story, ...]]
    """Reads the open journals of earlier runs that owe something; raises `Held` or `JournalUnreadable`."""
    waiting: Waiting

    @property
    def container(self) -> Container | None:
        """The service's container, if there is exactly one."""
        return self.containers[0] if len(self.containers) == 1 else None

    @property
    def grace(self) -> float:
        """The seconds that the server has to end before it is killed."""
        graces = (one.stop_grace for one in self.containers if one.stop_grace is not None)
        return next(graces, self.observers.operator_rendering.stop_grace or 10.0)

    @property
    def runs(self) -> bool:
        """Whether the service is up: a service that is down is started even if nothing is new."""
        return self.container is not None and self.container.running


class Preparation(Protocol):
    """Something done before the second gate, while the service still runs, and undone if the run is refused."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that it plans."""

    def carry_out(self, acting: Acting, before: Snapshot, say: Callable[[str], None]) -> None:
        """Do it; raise StepFailed if it cannot be done."""

    def undo(self) -> str:
        """Undo it; return what was undone as a sentence, blank if there was nothing."""


def _nothing(_: Snapshot) -> str:
    return ""


def _no_name() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a procedure intends to do besides the stop and the start, which every acting procedure has."""

    prepare: tuple[Preparation, ...] = ()
    start: Callable[[float], Command] | None = None
    """What starts the service, within a limit in seconds; None if what was checked is started."""
    announcement: Announcement | None = None
    """The image that is pulled, if the procedure pulls one."""
    goal: Goal | None = None
    """The earlier run that is gone back to, if the procedure goes back to its image."""
    nothing_new: str = ""
    """Why there is nothing to do."""
    lacking: tuple[str, ...] = ()
    """What a way back, or a rollback, needs and the service lacks."""
    way_back: WayBack | None = None
    """What keeps what runs, and leads back to it; also one of `prepare`."""
    names_back: Callable[[], str] = _no_name
    """Gives a name that a pull moved back to the image that had it; returns what was done, or blank."""
    recovery: Recovery = field(default_factory=Recovery)
    """The way out of an interrupted change."""
    compared: Compared = field(default_factory=Compared)
    first: tuple[Step, ...] = ()
    """Changing steps before the stop."""
    without: Mapping[Presupposed, Reason] = field(default_factory=dict)
    """What checks may presuppose and this run lacks."""
    findings: tuple[Finding, ...] = ()
    applies: bool = False
    """Whether all settings in the files are looked at, and the present ones tried too."""
    changes: Callable[[Snapshot], str] = _nothing
    """Describes, from the look before, what is about to change."""
    brings: Callable[[Snapshot], str] = _nothing
    """Describes, from the look ready, what was brought."""


def _restart(_: Service) -> Intent:
    return Intent()


@dataclass(frozen=True, slots=True)
class Procedure:
    """One entry of the list of procedures: a check serves it if everything that the check asks for is provided."""

    name: str
    what: str
    """The help of `-m NAME`."""
    groups: Group
    """The groups of names that it gives to checks."""
    intend: Callable[[Service], Intent] = _restart
    acts: bool = True
    """Whether it has steps."""
    archived: bool = True
    """Whether it takes the lock and leaves evidence."""
    returns: bool = False
    """Whether it goes back to what was kept if a claim fails."""
    recovers: bool = False
    """Whether it may take a target with an open journal, and needs no running server."""
    pulls_first: bool = False
    """Whether the procedure itself pulls the image, even if a script starts it."""
    closing_lines: Callable[[Snapshot, Past], Iterator[str]] | None = None
    """The lines that it shows at its end besides its checks."""

    @property
    def provides(self) -> frozenset[str]:
        """The names that it provides to checks."""
        return provided_by(self.groups)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    procedure: Procedure
    target: Target
    plan_only: bool
    waivers: tuple[Waiver, ...]
    given: Mapping[str, str]
    arguments: tuple[str, ...]
    checks: Path
    take_over: bool
    record_anomalies: bool = False

    @property
    def leaves_nothing(self) -> bool:
        """Whether this is a look that takes no lock and leaves no record."""
        return self.plan_only or not self.procedure.archived
