"""What we do, and what allows it. The one list of the procedures stands here."""

from __future__ import annotations

from dataclasses import dataclass

_LOOK = frozenset(
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
_EXPECTATION = frozenset({"baseline", "expected"})
_BEFORE = frozenset(
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
_ACTS = frozenset({"stopped", "our_stop", "our_start", "outage", "flows_to_keep", "executions_to_keep"})
_OWN = frozenset(
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
_SAME = frozenset({"images_to_keep", "settings_to_keep", "schema_to_keep"})
_NEW_IMAGE = frozenset({"unkept", "superseded", "announcement", "candidate", "rolled_back", "schema_to_grow"})
_ACTING = _LOOK | _EXPECTATION | _BEFORE | _ACTS | _OWN

RETURNING = (
    _LOOK
    | _EXPECTATION
    | frozenset({"before", "our_start", "outage", "schema_to_keep", "flows_to_keep", "executions_to_keep"})
)
"""What a way back provides to the post checks that judge it."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """What a procedure does, and what it provides to checks: a check serves it if all it asks for is provided.

    `acts`: it has steps. `archived`: it takes the lock and leaves evidence. `returns`: it has a way back of its own.
    """

    what: str
    provides: frozenset[str]
    acts: bool = True
    archived: bool = True
    returns: bool = False


PROCEDURES: dict[str, Procedure] = {
    "restart": Procedure("restart the service, gated before and judged after", _ACTING | _SAME),
    "recover": Procedure(
        "bring the service back to a judged state, whatever it is in", _ACTING | _SAME | frozenset({"kept"})
    ),
    "update": Procedure(
        "restart with the image that the files name now, pulled and judged before the stop",
        _ACTING | _NEW_IMAGE,
        returns=True,
    ),
    "apply_env": Procedure(
        "restart with the settings that the files say now, each tried before the stop",
        _ACTING | frozenset({"unkept", "superseded", "images_to_keep", "schema_to_keep"}),
        returns=True,
    ),
    "rollback": Procedure(
        "restart with the image of the last accepted run that ran on another one",
        _ACTING | frozenset({"unkept", "goal", "settings_to_keep", "schema_to_keep"}),
    ),
    "accept": Procedure(
        "judge the service as it runs against the last accepted run, changing nothing",
        _LOOK | _EXPECTATION | frozenset({"schema_to_grow", "flows_noted"}),
        acts=False,
    ),
    "status": Procedure(
        "look at the service, changing and keeping nothing", _LOOK, acts=False, archived=False
    ),
}
"""Every procedure, by the name that is typed after `-m`."""
