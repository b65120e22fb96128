"""Rehearses an operator's script where it can change nothing, against a stand-in for `docker`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from procedures.problems import CannotObserve
from reports.scripted import Rehearsal


def rehearse(
    argv: tuple[str, ...],  # noqa: ARG001
    cwd: Path,  # noqa: ARG001
    environment: Mapping[str, str],  # noqa: ARG001
    *,
    root: Path,  # noqa: ARG001
    limit: float,  # noqa: ARG001
    docker_host: str,  # noqa: ARG001
    before: tuple[Rehearsal, ...] = (),  # noqa: ARG001
) -> Rehearsal:
    """Run a script to its end or its limit, and return what it would have done.

    `before` are the rehearsals of the steps before this one: what they stopped or removed is seen as gone.
    Raises `CannotObserve` where this machine has no place in which a script can change nothing.
    """
    raise CannotObserve("no rehearsal was possible: there is no sandbox yet")
