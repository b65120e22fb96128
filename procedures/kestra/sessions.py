"""Sessions on the database: which belong to Kestra, and which belong to nobody any more."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime

from procedures.kestra.words import SESSIONS
from reports.record.observed import Container, Database, Session, Unseen


@dataclass(frozen=True, slots=True)
class Addresses:
    """The subnets of an engine's networks, and the addresses in them that running containers and gateways hold."""

    subnets: tuple[str, ...]
    held: frozenset[str]

    def lacks(self, client: str) -> bool:
        """Whether an address lies in one of these networks and nobody holds it; of other addresses nothing is known."""
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return False  # a socket
        inside = any(address in ipaddress.ip_network(one, strict=False) for one in self.subnets)
        return inside and client not in self.held


def marked(database: Database, addresses: Addresses | Unseen) -> Database:
    """Mark the sessions from addresses that nobody holds; mark none if the addresses were not seen."""
    if isinstance(addresses, Unseen) or isinstance(database.sessions, Unseen):
        return database
    sessions = tuple(
        replace(session, abandoned=addresses.lacks(session.client)) for session in database.sessions
    )
    return replace(database, sessions=sessions)


def of_kestra(sessions: tuple[Session, ...]) -> tuple[Session, ...]:
    """Return the sessions of Kestra servers, by the names of their applications."""
    return tuple(
        session
        for session in sessions
        if session.client != "socket" and any(word in session.application.lower() for word in SESSIONS)
    )


def left_over(sessions: tuple[Session, ...], containers: tuple[Container, ...]) -> tuple[Session, ...]:
    """Return the Kestra sessions that no server uses any more: nobody holds their address, or they are older than the container."""
    started = [one.started_at for one in containers if not one.started_at.startswith("0001")]
    first = min(map(_moment, started), default=None)
    return tuple(
        one
        for one in of_kestra(sessions)
        if one.abandoned or (first is not None and one.since and _moment(one.since) < first)
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
