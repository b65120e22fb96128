"""What the process was told to be, and since when it is."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from .configuration import Configuration
from .release import Release
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """What this process was told to be."""

    settings: Settings
    release: Release
    configuration: Configuration
    born: float
    """When the process started, on the monotonic clock."""

    def wait_for(self, part: float) -> None:
        """Wait until this part of the boot has passed."""
        time.sleep(max(0.0, self.born + part * self.settings.boot - time.monotonic()))


def born() -> float:
    """When the process started: the time that the interpreter needed is part of the boot."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - max(0.0, age)
