"""Rehearses an operator's script where it can change nothing, against a stand-in for `docker`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from procedures.drivers import shell
from procedures.drivers.colours import without_colours
from procedures.problems import CannotObserve
from procedures.rehearsal.standin.place import HIDDEN
from procedures.rehearsal.standin.request import Request
from reports.record.observed import Unseen
from reports.record.scripted import Creation, DockerCall, Hit, Rehearsal
from reports.redaction import excerpt
from reports.redaction.secret_names import environment_of

OUTER_LIMIT = 25.0
"""Seconds beyond the script's own limit."""

_PROJECT = Path(__file__).parents[2]
_NO_PLACE = (
    "it can only be read then: look into the script, or let the suite run where user namespaces are allowed"
)


def rehearse(
    argv: tuple[str, ...],
    cwd: Path,
    environment: Mapping[str, str],
    *,
    root: Path,
    limit: float,
    docker_host: str,
    before: tuple[Rehearsal, ...] = (),
    stand_in: str = "",
    poll: Callable[[], None] = lambda: None,
) -> Rehearsal:
    """Run a script to its end or its limit, and return what it would have done.

    `before` are the rehearsals of the steps before this one: what they stopped or removed counts as gone.
    `stand_in` is the image that represents one that is not here yet, if that is pulled before the script runs.
    `poll` is called now and then, and ends the rehearsal by raising.
    Raises `CannotObserve` if this machine has no place in which a script can change nothing.
    """
    if sys.platform != "linux":
        raise CannotObserve(f"a rehearsal needs Linux, and this is {sys.platform}", _NO_PLACE)
    request = Request(
        argv=[str(cwd / argv[0]) if "/" in argv[0] else argv[0], *argv[1:]],
        cwd=str(cwd.resolve()),
        environment=dict(environment),
        root=_copyable(root),
        limit=limit,
        docker_host=docker_host,
        stopped=_left(before, {"stops", "kills"}),
        gone=_left(before, {"removes"}),
        stand_in=stand_in,
    )
    program = (sys.executable, "-m", "procedures.rehearsal.standin")
    command = shell.Command(program, _PROJECT, limit + OUTER_LIMIT, None, request.to_json())
    result = shell.run(command, poll)
    try:
        answer: dict[str, Any] = json.loads(result.stdout)
    except ValueError:
        why = "it did not end" if result.timed_out else excerpt.last(result.output, 300) or "it said nothing"
        raise CannotObserve(f"the rehearsal of {argv[0]} failed by itself: {why}") from None
    if "cannot" in answer:
        raise CannotObserve(f"there is no place to rehearse {argv[0]} in: {answer['cannot']}", _NO_PLACE)
    return _rehearsal(answer)


def _copyable(root: Path) -> str:
    whole = root.resolve()
    kernels_own = {"proc", "sys", "dev"}
    if len(whole.parts) < 2 or whole.parts[1] in kernels_own or str(whole) in HIDDEN:
        raise CannotObserve(
            f"the root {whole} cannot be copied for a rehearsal", "name the stack's own folder as root"
        )
    return str(whole)


def _left(before: tuple[Rehearsal, ...], effects: set[str]) -> list[str]:
    return [hit.id for one in before for hit in one.hits if hit.effect in effects]


def _rehearsal(answer: dict[str, Any]) -> Rehearsal:
    variables = answer.pop("variables")
    calls = answer.pop("calls")
    hits = answer.pop("hits")
    output = without_colours(answer.pop("output"))
    creations = answer.pop("creations")
    exit_code, took, timed_out = (answer.pop(name) for name in ("exit_code", "took", "timed_out"))
    lists: dict[str, Any] = {name: tuple(values) for name, values in answer.items()}
    return Rehearsal(
        exit_code=exit_code,
        took=took,
        timed_out=timed_out,
        output=output,
        calls=tuple(DockerCall(**{**one, "argv": tuple(one["argv"])}) for one in calls),
        variables=None if variables is None else environment_of(variables),
        hits=tuple(Hit(**one) for one in hits),
        creations=tuple(_creation(one) for one in creations),
        **lists,
    )


def _creation(answer: dict[str, Any]) -> Creation:
    given = answer.pop("environment")
    environment = (
        Unseen("a file of variables that it is given cannot be read")
        if given is None
        else environment_of(given)
    )
    listed: dict[str, Any] = {name: tuple(answer.pop(name)) for name in ("ports", "volumes", "networks")}
    return Creation(environment=environment, **answer, **listed)
