"""The one list of the procedures."""

from __future__ import annotations

from procedures import accept, apply_env, recover, restart, rollback, status, update

PROCEDURES = {
    one.PROCEDURE.name: one.PROCEDURE
    for one in (restart, recover, update, apply_env, rollback, accept, status)
}
"""Every procedure, by the name that is typed after `-m`."""
