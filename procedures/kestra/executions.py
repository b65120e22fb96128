"""The states of an execution, as Kestra names them."""

from __future__ import annotations

FAILED = "FAILED"
AT_REST = (
    "SUCCESS", "WARNING", FAILED, "KILLED", "CANCELLED", "SKIPPED", "RETRIED", "PAUSED", "BREAKPOINT",
)  # fmt: skip
"""A stop interrupts no execution in these states; a paused execution waits for somebody."""
WAITING = frozenset({"RUNNING", "RESTARTED", "KILLING", "RETRYING", "CREATED", "QUEUED"})
"""An execution in these states still has to be carried on by a server."""
