"""The understudy's own settings, from the environment variable UNDERSTUDY."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from .faults import TIMED, Fault
from .problem import Problem

_KEYS = ("boot", "api_lag", "liveness_timeout", "liveness_interval", "heartbeat", "frozen_limit")


class SettingsInvalid(Problem):
    """The variable UNDERSTUDY says something that is not understood."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How long things take, and what goes wrong. All times are seconds."""

    boot: float = 1.5
    """From the start of the process until both ports are open."""
    api_lag: float | None = None
    """How much later `/api` answers for the first time; a tenth of the boot where it is not said."""
    liveness_timeout: float | None = None
    """After how long without heartbeat a service is held for lost; Kestra's configuration where not said."""
    liveness_interval: float | None = None
    """How often lost services are looked for."""
    heartbeat: float | None = None
    """How often a heartbeat is written."""
    frozen_limit: float = 30.0
    """How long a frozen Postgres is waited for before the server gives up."""
    faults: dict[Fault, float] = field(default_factory=dict)
    """The injected faults; the number is the seconds of a timed one, else 0."""

    @property
    def first_api_answer(self) -> float:
        """Seconds after the ports have opened at which `/api` answers."""
        return self.boot / 10 if self.api_lag is None else self.api_lag

    def has(self, fault: Fault) -> bool:
        return fault in self.faults

    def moment_of(self, fault: Fault, at_once: Fault) -> float | None:
        """Seconds after the ports opened at which a fault sets in; 0 for its variant that does so at once."""
        return 0.0 if at_once in self.faults else self.faults.get(fault)


def parse(text: str) -> Settings:
    """Read a list like `boot=3 dead-worker, hang-after=5`; anything unknown is refused."""
    numbers: dict[str, float] = {}
    faults: dict[Fault, float] = {}
    for word in re.split(r"[\s,]+", text.strip()):
        key, equals, value = word.partition("=")
        if not key and not equals:
            continue
        if key == "fault":
            key, equals, value = value, "", ""
        if key.replace("-", "_") in _KEYS:
            numbers[key.replace("-", "_")] = _seconds(word, value)
        else:
            fault = _fault(key.replace("_", "-"))
            faults[fault] = _seconds(word, value) if fault in TIMED else _no_value(word, equals)
    settings = Settings(**numbers, faults=faults)
    return replace(settings, boot=settings.boot * 10) if Fault.SLOW_BOOT in faults else settings


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        known = ", ".join((*_KEYS, *Fault))
        raise SettingsInvalid(f"UNDERSTUDY: unknown key or fault {name!r}; known are {known}") from None


def _no_value(word: str, equals: str) -> float:
    if equals:
        raise SettingsInvalid(f"UNDERSTUDY: {word!r}: this fault takes no value")
    return 0.0


def _seconds(word: str, value: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", value):
        raise SettingsInvalid(
            f"UNDERSTUDY: {word!r} needs a number of seconds, like {word.partition('=')[0]}=2.5"
        )
    return float(value)
