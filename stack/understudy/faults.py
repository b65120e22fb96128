"""The faults that can be injected, each with the sentence that documents it."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """What can be made wrong, by name."""

    SLOW_BOOT = "slow-boot"
    CRASH_AT_BOOT = "crash-at-boot"
    CRASH_AFTER = "crash-after"
    HANG = "hang"
    HANG_AFTER = "hang-after"
    IGNORE_TERM = "ignore-term"
    DEAD_WORKER = "dead-worker"
    ZOMBIE_ON_DB_LOSS = "zombie-on-db-loss"
    LOSE_DATABASE = "lose-database"
    LOSE_DATABASE_AFTER = "lose-database-after"
    WRONG_INSTANCE = "wrong-instance"
    AUTH_OFF = "auth-off"
    FORGET_FLOW = "forget-flow"
    FORGET_EXECUTION = "forget-execution"
    UNHEALTHY_BODY = "unhealthy-body"


SENTENCES = {
    Fault.SLOW_BOOT: "It boots ten times as slowly.",
    Fault.CRASH_AT_BOOT: "It ends with 1 in the middle of its boot, no port ever open: with a restart policy a loop.",
    Fault.CRASH_AFTER: "It ends with 1 that many seconds after its ports opened (`crash-after=2`).",
    Fault.HANG: "Both ports accept connections from the start and nothing is ever answered.",
    Fault.HANG_AFTER: "It answers for that many seconds after its ports opened and never again (`hang-after=2`).",
    Fault.IGNORE_TERM: "SIGTERM does nothing: only SIGKILL ends it.",
    Fault.DEAD_WORKER: "The thread that takes jobs for the worker ends at the start; `/health` still says UP.",
    Fault.ZOMBIE_ON_DB_LOSS: "Losing Postgres leaves it running for ever: ports accept, nothing answers, SIGTERM too.",
    Fault.LOSE_DATABASE: "It loses its connections to Postgres as soon as it has opened its ports.",
    Fault.LOSE_DATABASE_AFTER: "It loses them that many seconds after (`lose-database-after=2`).",
    Fault.WRONG_INSTANCE: "It boots with a new instance id, as on an empty database.",
    Fault.AUTH_OFF: "It answers without credentials although basic auth is configured.",
    Fault.FORGET_FLOW: "It removes one flow at boot, the first by namespace and id.",
    Fault.FORGET_EXECUTION: "It removes the newest execution at boot.",
    Fault.UNHEALTHY_BODY: "`/health` and `/health/readiness` answer 200 with a body that says DOWN.",
}

TIMED = frozenset({Fault.CRASH_AFTER, Fault.HANG_AFTER, Fault.LOSE_DATABASE_AFTER})
"""Faults that take a number of seconds."""
