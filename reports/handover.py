"""Where the run leaves its evidence for the report's hooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reports.record.record import Record


@dataclass(frozen=True, slots=True)
class Handover:
    """What a view needs: the record, already clean, and the redaction for what pytest itself adds."""

    record: Record
    clean: Callable[[str], str]


HANDOVER = pytest.StashKey[Handover]()
