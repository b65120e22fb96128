"""Acceptance: the service is judged as it runs, and nothing is changed."""

from __future__ import annotations

from procedures.decide.facts import Group
from procedures.run.procedure import Procedure

PROCEDURE = Procedure(
    "accept",
    "judge the service as it runs against the last accepted run, changing nothing",
    Group.LOOK | Group.EXPECTATION | Group.NEW_SCHEMA | Group.PAST,
    acts=False,
)
