"""Leftovers: containers of the service that an interrupted start made and never started.

To recreate a container, Compose first makes the new one beside the old one, under a temporary name. An interruption
at that point leaves two containers, and the next call of Compose picks either.
"""

from __future__ import annotations

from reports.record.observed import Container


def are(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """Return the containers that may be removed: never started, and not the only one."""
    if len(containers) < 2:
        return ()
    return tuple(one for one in containers if one.state == "created" and not one.was_started)


def without(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """Return the containers that are not leftovers."""
    gone = {one.id for one in are(containers)}
    return tuple(one for one in containers if one.id not in gone)
