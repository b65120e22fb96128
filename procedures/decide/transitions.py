"""What our own stop and start turned out to be, by the engine and not by a command's output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from procedures.kestra.words import KILLED
from reports.record.evidence import EngineEvent, StepResult, StepStatus, Wait
from reports.record.observed import Container, Unseen
from reports.record.values import moment


class Ending(StrEnum):
    """How a container ended."""

    CLEAN = "clean"
    FORCED = "forced"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stop:
    """Our stop: its step, the container it was for, and the engine's events meanwhile."""

    step: StepResult
    container: Container
    events: tuple[EngineEvent, ...] | Unseen

    @property
    def signals(self) -> tuple[str, ...]:
        if isinstance(self.events, Unseen):
            return ()
        return tuple(
            one.attributes.get("signal", "?")
            for one in self.events
            if one.action == "kill" and one.id == self.container.id
        )

    @property
    def exit_code(self) -> int | None:
        if isinstance(self.events, Unseen):
            return None
        died = [one for one in self.events if one.action == "die" and one.id == self.container.id]
        return int(died[-1].attributes.get("exitCode", "-1")) if died else None

    @property
    def ending(self) -> Ending:
        """Clean: ended by TERM and nothing stronger. Forced: killed, by us or for its memory."""
        if "9" in self.signals or self.exit_code == KILLED:
            return Ending.FORCED
        if self.signals and self.exit_code is not None:
            return Ending.CLEAN
        return Ending.UNKNOWN


@dataclass(frozen=True, slots=True)
class Start:
    """Our start: its step, the waits after it, and the time of its command by the engine's clock."""

    step: StepResult
    commanded_at: float
    ready: Wait | None
    soak: Wait | None
    fell_back: bool = False
    """Whether Compose had to take the place of the operator's script."""
    gateway: Wait | None = None
    """The wait for the gateway in front of the server, if the target has one."""

    @property
    def done(self) -> bool:
        return self.step.status is StepStatus.DONE

    def began_before(self, container: Container) -> bool:
        """Whether a container was started after our command, by the engine's clock."""
        return moment(container.started_at).timestamp() >= self.commanded_at
