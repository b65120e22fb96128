"""Commands that are executed in a running container: their whole output, or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import docker.errors
import requests

from procedures.observe.engine.engine import EngineObserver, within
from procedures.problems import CannotObserve

_TO_THE_END = 'status=0; "$@" || status=$?; printf "\\n(said all, %s)\\n" "$status"'
_END = re.compile(r"\n\(said all, (\d+)\)\n")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command in a container printed."""

    exit_code: int
    text: str


def ask(
    engine: EngineObserver,
    container: str,
    argv: tuple[str, ...],
    limit: float,
    environment: Mapping[str, str] | None = None,
    *,
    user: str = "",
) -> Said:
    """Execute a command, as the container's own user unless another is named; secrets are passed in the environment."""
    api = engine.client.api

    def execute() -> Said | None:
        made = api.exec_create(
            container,
            ["timeout", str(limit), "sh", "-c", _TO_THE_END, "sh", *argv],
            environment=dict(environment or {}),
            user=user,
        )
        text = _executed(api, made["Id"]).decode(errors="replace")
        return _whole(text, int(api.exec_inspect(made["Id"])["ExitCode"] or 0))

    for _ in range(2):
        try:
            said = within(limit + 5, f"the command in {container}", execute)
        except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise CannotObserve(f"nothing can be asked in the container {container}: {error}") from error
        if isinstance(said, Said):
            return said
    raise CannotObserve(f"the engine lost the output of a command in the container {container}, twice")


def _whole(text: str, exit_code: int) -> Said | None:
    """Return the output if it is complete; an engine under load may lose what an exec prints."""
    end = _END.search(text)
    if end is None:
        return Said(exit_code, text) if exit_code else None
    return Said(int(end[1]), text[: end.start()] + text[end.end() :])


def _executed(api: Any, made: str) -> bytes:
    """Start an exec and return what it prints.

    The SDK's `exec_start` asks to upgrade the connection and then reads past its own buffer: what comes in one piece
    with the answer's head is lost. Without the upgrade the engine sends the same frames as an ordinary body.
    """
    answer = api._post_json(api._url("/exec/{0}/start", made), data={"Detach": False, "Tty": False})  # noqa: SLF001
    return b"".join(api._multiplexed_buffer_helper(answer))  # noqa: SLF001
