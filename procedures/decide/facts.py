"""The names that checks may ask for, by what gives them: a procedure provides some, and so chooses its checks."""

from __future__ import annotations

LOOK = frozenset(
    {
        "target",
        "after",
        "server_after",
        "server_itself",
        "container_after",
        "own_servers",
        "docker_health",
        "parts_expected",
        "dashboards",
    }
)
EXPECTATION = frozenset({"baseline", "expected"})
BEFORE = frozenset(
    {
        "before",
        "server_before",
        "server_itself_before",
        "listeners_here",
        "ephemeral_here",
        "container_before",
        "containers_before",
        "dashboards_before",
        "stop_grace",
        "ready",
        "mounts_to_keep",
    }
)
ACTS = frozenset({"stopped", "our_stop", "our_start", "outage", "flows_to_keep", "executions_to_keep"})
OWN = frozenset(
    {
        "scripts",
        "rehearsals",
        "stop_rehearsal",
        "start_rehearsal",
        "secrets_shown",
        "start_settings",
        "dry_run",
        "needs",
        "validations_ready",
    }
    | {"script_results", "others_touched", "validations"}
)
"""What the operator's own scripts, validation commands and names give to checks."""
SAME = frozenset({"images_to_keep", "settings_to_keep", "schema_to_keep"})
NEW_IMAGE = frozenset({"unkept", "superseded", "announcement", "candidate", "rolled_back", "schema_to_grow"})
ACTING = LOOK | EXPECTATION | BEFORE | ACTS | OWN

RETURNING = (
    LOOK
    | EXPECTATION
    | frozenset({"before", "our_start", "outage", "schema_to_keep", "flows_to_keep", "executions_to_keep"})
)
"""What a way back provides to the post checks that judge it."""
