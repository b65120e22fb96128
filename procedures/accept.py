"""Acceptance: judge the service as it runs, and change nothing."""

from __future__ import annotations

from procedures.decide import accepted
from procedures.decide.facts import Group
from procedures.run.procedure import Intent, Procedure, Service


def intend(service: Service) -> Intent:
    """Compare with the last accepted run."""
    then, findings = accepted.compared(service.past, may_be_first=True)
    return Intent(compared=then, findings=findings)


PROCEDURE = Procedure(
    "accept",
    "judge the service as it runs against the last accepted run, changing nothing",
    Group.LOOK | Group.EXPECTATION | Group.NEW_SCHEMA | Group.PAST,
    intend,
    acts=False,
)
