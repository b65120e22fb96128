"""Words and numbers by which a Kestra is known: its exit codes, what it logs, how its sessions are called."""

from __future__ import annotations

from procedures.kestra.editions import EDITIONS

KILLED, ENDED_AT_TERM = 137, 143
EXITS = {
    0: "Kestra ends so after a fatal error of its executor, and nobody else does",
    1: "Kestra ends so when it cannot boot, and when its database was away",
    KILLED: "it was killed",
    ENDED_AT_TERM: "it was asked to end, and did",
}
"""What an exit code means."""

BOOTED = tuple(dict.fromkeys(one.booted for one in EDITIONS))
"""What a Kestra of any edition says when it has booted: what it said before that was overcome."""

SESSIONS = ("kestra", "jdbc", "hikari")
"""What the names of a Kestra's sessions on its database have in them."""

LEAVES_OUT_PREFIX = "SKIP_"
LEAVES_OUT = f"{LEAVES_OUT_PREFIX}Kestra_AUTO_START"
"""The one variable that the stack's own start script leaves Kestra out for."""
