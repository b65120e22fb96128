"""The rows of `service_instance`: what this server consists of, in which state, alive since when."""

from __future__ import annotations

from dataclasses import dataclass

from .configuration import Configuration
from .database import Cursor
from .document import Document, new_id, to_json
from .moment import now, to_iso
from .release import Release


@dataclass(frozen=True, slots=True)
class Timing:
    """The numbers of Kestra's liveness, in seconds, as they are written into every row."""

    interval: float
    timeout: float
    heartbeat: float


def config(configuration: Configuration, timing: Timing) -> Document:
    """The part of a row that tells how this server is to be judged when it falls silent."""
    return {
        "liveness": {
            "enabled": configuration.liveness.enabled,
            "timeout": timing.timeout,
            "interval": timing.interval,
            "initialDelay": configuration.liveness.initial_delay.total_seconds(),
            "heartbeatInterval": timing.heartbeat,
        },
        "terminationGracePeriod": configuration.termination_grace.total_seconds(),
        "workerTaskRestartStrategy": configuration.restart_strategy,
    }


class Services:
    """The services of this server: the parts of its version."""

    def __init__(self, configuration: Configuration, timing: Timing, release: Release, hostname: str) -> None:
        created = to_iso(now())
        server = {
            "id": new_id(),
            "type": "STANDALONE",
            "props": {
                "server.port": configuration.http_port,
                "server.management.port": configuration.management_port,
            },
            "metrics": [],
            "version": release.name,
            "hostname": hostname,
        }
        self.hostname = hostname
        self._rows: dict[str, Document] = {
            kind: {
                "id": new_id(),
                "type": kind,
                "props": {},
                "seqId": 1,
                "state": "CREATED",
                "config": config(configuration, timing),
                "events": [_event("CREATED", created)],
                "server": server,
                "metrics": [],
                "createdAt": created,
                "updatedAt": created,
            }
            for kind in release.parts
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._rows)

    def id_of(self, kind: str) -> str:
        return str(self._rows[kind]["id"])

    def register(self, cursor: Cursor) -> None:
        for row in self._rows.values():
            cursor.execute(
                "INSERT INTO service_instance (key, value) VALUES (%s, %s)", (row["id"], to_json(row))
            )

    def beat(self, cursor: Cursor) -> None:
        """Write the heartbeat of all of them."""
        cursor.execute(
            "UPDATE service_instance SET value = jsonb_set(value, '{updatedAt}', to_jsonb(%s::text)) WHERE key = ANY(%s)",
            (to_iso(now()), [row["id"] for row in self._rows.values()]),
        )

    def move(self, cursor: Cursor, name: str, kinds: tuple[str, ...] = ()) -> None:
        """Write a new state for some of them; for all where none is named."""
        for kind in kinds or self.kinds:
            self._rows[kind] = moved(self._rows[kind], name)
            row = self._rows[kind]
            cursor.execute("UPDATE service_instance SET value = %s WHERE key = %s", (to_json(row), row["id"]))


def moved(row: Document, name: str) -> Document:
    """Make the row that follows when a service goes into another state."""
    moment = to_iso(now())
    return {
        **row,
        "seqId": row["seqId"] + 1,
        "state": name,
        "events": [*row["events"], _event(name, moment)],
        "updatedAt": moment,
    }


def _event(name: str, moment: str) -> Document:
    told = "Service connected." if name == "CREATED" else f"Service transitioned to the '{name}' state."
    return {"ts": moment, "type": "service.state.updated", "state": name, "value": told}
