"""The states of an execution, as Kestra names them."""

from __future__ import annotations

FAILED = "FAILED"
AT_REST = (
    "SUCCESS", "WARNING", FAILED, "KILLED", "CANCELLED", "SKIPPED", "RETRIED", "PAUSED", "BREAKPOINT",
)  # fmt: skip
"""In these no stop interrupts it; a paused one waits for somebody."""
WAITING = frozenset({"RUNNING", "RESTARTED", "KILLING", "RETRYING", "CREATED", "QUEUED"})
"""In these somebody still has to go on with it."""
