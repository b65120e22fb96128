"""Words and numbers by which Kestra is recognised: exit codes, log messages, names of database sessions."""

from __future__ import annotations

from procedures.kestra.editions import EDITIONS

KILLED, ENDED_AT_TERM = 137, 143
EXITS = {
    0: "Kestra ends like this after a fatal error of its executor, and nobody else does",
    1: "Kestra ends like this when it cannot boot, and when its database was away",
    KILLED: "it was killed",
    ENDED_AT_TERM: "it was asked to end, and did",
}
"""What an exit code means."""

BOOTED = tuple(dict.fromkeys(edition.booted for edition in EDITIONS))
"""What the log of any edition says when it has booted; what it said before that was overcome."""

SESSIONS = ("kestra", "jdbc", "hikari")
"""Words in the names of Kestra's database sessions."""

LEAVES_OUT_PREFIX = "SKIP_"
LEAVES_OUT = f"{LEAVES_OUT_PREFIX}Kestra_AUTO_START"
"""The variable that makes the stack's own start script leave Kestra out."""
