"""One pair of a benchmark, measured by the command that a person types."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests import targets
from tests.stacks import clean_environment, engine, image_under_test


@dataclass(frozen=True)
class OnePair:
    """One pair, as it was told, and what our restart wrote down meanwhile."""

    done: subprocess.CompletedProcess[str]
    record: dict[str, Any]

    @classmethod
    def measured(cls, benchmark: str, *words: str, archive: Path, limit: float) -> Self:
        """Measure one pair by `python -m benchmarks.BENCHMARK` with these words more."""
        named = ("--pairs", "1", "--archive", str(archive), "--report-only")
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{benchmark}", *words, *named],
            cwd=targets.PROJECT,
            env=clean_environment(KESTRA_IMAGE=image_under_test()),
            check=False,
            capture_output=True,
            text=True,
            timeout=limit,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return cls(done, targets.record(archive / "latest"))

    @property
    def cells(self) -> list[str]:
        """The cells of the first pair's row."""
        line = next(one for one in self.done.stdout.splitlines() if one.startswith("| 1 |"))
        return [cell.strip() for cell in line.strip("|").split("|")]

    def number(self, column: int) -> float:
        return float(self.cells[column].removeprefix("± ").split()[0])

    @property
    def told(self) -> dict[str, Any]:
        """The path whose outage is the run's."""
        return next(one for one in self.record["outage"]["paths"] if one["headline"])

    def assert_nothing_is_left(self) -> None:
        """The stack that was measured is gone: containers, networks and volumes."""
        label = f"com.docker.compose.project={self.record['target']['project']}"
        with engine() as client:
            assert not client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
            assert not client.networks.list(filters={"label": label})
            assert not client.volumes.list(filters={"label": label})
