"""Where a server answers, and how its answers are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.record.observed import Answer, Unseen

Said = tuple[Answer, Any]
"""An answer, and its body as it was read."""
MOST_FLOWS, MOST_EXECUTIONS = 1000, 20
PONG = "pong"
"""What the HTTP port answers to a ping."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths that are asked: the first three on the management port, the others on the HTTP port."""

    health: str = "/health"
    readiness: str = "/health/readiness"
    version: str = "/version"
    ping: str = "/ping"
    configs: str = "/api/v1/configs"
    flows: str = "/api/v1/flows/search"
    executions: str = "/api/v1/executions/search"

    @property
    def one_flow(self) -> str:
        """The smallest request that needs credentials."""
        return f"{self.flows}?size=1"

    @property
    def every_flow(self) -> str:
        return f"{self.flows}?size={MOST_FLOWS}"

    @property
    def last_executions(self) -> str:
        return f"{self.executions}?size={MOST_EXECUTIONS}&sort=state.startDate:desc"


def word_of(body: Any) -> str:
    """Return the status that a health body names."""
    return str(body.get("status", "")) if isinstance(body, dict) else ""


def version_of(said: Said) -> str | Unseen:
    return _field(said, "version")


def instance_of(said: Said) -> str | Unseen:
    """Return the instance id, from the answer about the configuration."""
    return _field(said, "uuid")


def is_understudy(version: str | Unseen) -> bool:
    """Whether the server says that it is the understudy and not Kestra."""
    return isinstance(version, str) and "understudy" in version


def flows_of(said: Said) -> tuple[str, ...] | Unseen:
    """Return `namespace/id@revision` of every flow; a list that is cut proves nothing about the flows that it lacks."""
    rows = _rows(said, lambda flow: f"{flow['namespace']}/{flow['id']}@{flow['revision']}")
    answer, body = said
    total = body.get("total") if isinstance(body, dict) else None
    if not isinstance(rows, Unseen) and isinstance(total, int) and total > len(rows):
        return Unseen(f"{answer.url} shows {len(rows)} of {total}: the list is cut")
    return rows


def executions_of(said: Said) -> tuple[str, ...] | Unseen:
    """Return the ids of the executions that an answer lists."""
    return _rows(said, lambda execution: str(execution["id"]))


def _field(said: Said, name: str) -> str | Unseen:
    answer, body = said
    if answer.status == 200 and isinstance(body, dict) and isinstance(body.get(name), str):
        return str(body[name])
    return Unseen(f"{answer.url} answered {answer.said or answer.status}, without a {name}")


def _rows(said: Said, read: Callable[[Mapping[str, Any]], str]) -> tuple[str, ...] | Unseen:
    answer, body = said
    if answer.status != 200 or not isinstance(body, dict) or not isinstance(body.get("results"), list):
        return Unseen(f"{answer.url} answered {answer.said or answer.status}, without results")
    try:
        return tuple(read(row) for row in body["results"])
    except (KeyError, TypeError) as error:
        return Unseen(f"{answer.url} answered rows of another form: {error}")
