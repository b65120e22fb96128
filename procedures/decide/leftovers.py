"""Leftovers: containers of the service that a start which was cut off has made and never started.

Compose recreates by making the new container under a name of its own beside the old one; whoever cuts it off there
leaves two, and the next call of Compose picks one of them.
"""

from __future__ import annotations

from reports.record.observed import Container


def are(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """Return those that may be removed: never started, beside another one."""
    if len(containers) < 2:
        return ()
    return tuple(one for one in containers if one.state == "created" and not one.was_started)


def without(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """Return the containers that count."""
    gone = {one.id for one in are(containers)}
    return tuple(one for one in containers if one.id not in gone)
