"""The version of Kestra that is imitated, and what depends on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .problem import Problem

RECORDED = ("0.20.7", "0.21.0")


class ReleaseUnknown(Problem):
    """A version that cannot be read."""


@dataclass(frozen=True, slots=True)
class Release:
    """One version of Kestra. What is said of versions that nobody recorded is documented only."""

    version: str
    numbers: tuple[int, int, int]
    commit_date: str

    @property
    def recorded(self) -> bool:
        return self.version in RECORDED

    @property
    def name(self) -> str:
        """What is reported as the version: it can never be taken for Kestra's."""
        return f"{self.version}-understudy"

    @property
    def migrations(self) -> int:
        """How many migrations this version brings: 24 up to schema 1.25, 26 up to 1.27."""
        return 24 if self.numbers < (0, 21, 0) else 26

    @property
    def has_own_history(self) -> bool:
        """Say whether this version keeps its migrations in a table of its own, and leaves Flyway's as it was."""
        return self.numbers >= (2, 0, 0)

    @property
    def notes_its_version(self) -> bool:
        """Say whether this version writes at each start which version runs on this database."""
        return self.numbers >= (1, 0, 0)

    @property
    def parts(self) -> tuple[str, ...]:
        """What this version consists of: 2.0 has no indexer."""
        every = ("EXECUTOR", "WORKER", "SCHEDULER", "INDEXER", "WEBSERVER")
        return tuple(one for one in every if one != "INDEXER" or self.numbers < (2, 0, 0))

    @property
    def shows_null_outputs(self) -> bool:
        """Say whether a task run without outputs yet has the key, as 0.21 does."""
        return self.numbers >= (0, 21, 0)

    @property
    def has_tenant_in_path(self) -> bool:
        """Documented only: from 0.23 on, `/api/v1/main/…` is served beside `/api/v1/…`."""
        return self.numbers >= (0, 23, 0)

    @property
    def can_switch_auth_off(self) -> bool:
        """Documented only: from 0.24 on, `basic-auth.enabled` is ignored and auth is always on."""
        return self.numbers < (0, 24, 0)


def parse(text: str) -> Release:
    """Read a version like 0.20.7."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", text)
    if not match:
        raise ReleaseUnknown(f"UNDERSTUDY_VERSION: {text!r} is not a version like 0.20.7")
    numbers = (int(match[1]), int(match[2]), int(match[3]))
    date = "2024-12-17T11:24:51+01:00" if numbers < (0, 21, 0) else "2024-12-20T18:12:37+01:00"
    return Release(version=text, numbers=numbers, commit_date=date)
