"""The restart: stop and start, and nothing else changes."""

from __future__ import annotations

from procedures.decide.facts import Group
from procedures.run.procedure import Procedure

PROCEDURE = Procedure(
    "restart", "restart the service, gated before and judged after", Group.ACTING | Group.SAME
)
