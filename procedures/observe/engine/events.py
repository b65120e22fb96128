"""The engine's events, kept as they come: the engine itself remembers only the last few hundred."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import docker.errors
import requests

from procedures.drivers.labels import OURS, PROJECT, SERVICE
from procedures.observe.engine.engine import EngineObserver
from reports.record.evidence import EngineEvent
from reports.record.observed import Unseen
from reports.record.values import moment

_KEPT = {"kill", "stop", "die", "oom", "start", "create", "destroy", "restart", "rename", "pause", "unpause"}


class Events:
    """Listens until it is closed to the events of containers: of one project, of the name `name`, and of all others.

    A container that a script made carries no label; what a script does to other containers is heard as well.
    `notify` gets each event of the service's own containers as it is heard.
    """

    def __init__(
        self,
        engine: EngineObserver,
        project: str,
        service: str,
        name: str,
        notify: Callable[[EngineEvent], None],
    ) -> None:
        self._changed = threading.Condition()
        self._project, self._service, self._name = project, service, name
        self._notify = notify
        self._events: list[EngineEvent] = []
        self._others: list[EngineEvent] = []
        self._problem = ""
        self._stream: Any = None
        filters = {"type": "container", "event": sorted(_KEPT)}
        try:
            self._stream = engine.client.api.events(decode=True, filters=filters)
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            self._problem = f"the engine's events cannot be followed: {error}"
            return
        self._listener = threading.Thread(target=self._listen, daemon=True, name="engine events")
        self._listener.start()

    @property
    def kept(self) -> tuple[EngineEvent, ...] | Unseen:
        """Return everything heard so far; if listening failed and nothing was heard, the failure."""
        with self._changed:
            return Unseen(self._problem) if self._problem and not self._events else tuple(self._events)

    @property
    def others(self) -> tuple[EngineEvent, ...] | Unseen:
        """Return what happened to containers that are neither this project's, nor of this name, nor ours."""
        with self._changed:
            return Unseen(self._problem) if self._problem else tuple(self._others)

    def since(self, began: float, container: str, limit: float) -> tuple[EngineEvent, ...] | Unseen:
        """Return what happened since a time by the engine's clock; wait for a container's end, within a limit."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_died(began, container) or bool(self._problem), limit)
        kept = self.kept
        if isinstance(kept, Unseen):
            return kept
        return tuple(_from(kept, began))

    def may_have_ended(self, since: float) -> bool:
        """Whether a container may have ended since a time by the engine's clock; true if listening has failed."""
        with self._changed:
            return bool(self._problem) or any(self._ends(since))

    def close(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(Exception):  # closing a stream that has ended raises what it likes
                self._stream.close()

    def _has_died(self, began: float, container: str) -> bool:
        return any(one.id == container for one in self._ends(began))

    def _ends(self, since: float) -> Iterator[EngineEvent]:
        return (one for one in _from(self._events, since) if one.action == "die")

    def _list_for(self, attributes: Mapping[str, str]) -> list[EngineEvent] | None:
        """Return the list for an event of such a container; None for our own helpers."""
        if attributes.get(PROJECT) == self._project or attributes.get("name") == self._name:
            return self._events
        return None if OURS in attributes else self._others

    def _is_service(self, attributes: Mapping[str, str]) -> bool:
        ours = (self._project, self._service)
        return (
            attributes.get("name") == self._name or (attributes.get(PROJECT), attributes.get(SERVICE)) == ours
        )

    def _listen(self) -> None:
        try:
            for said in self._stream:
                if said.get("Action", "").split(":")[0] in _KEPT:
                    attributes = said["Actor"].get("Attributes") or {}
                    event = _event(said, attributes)
                    with self._changed:
                        if (heard := self._list_for(attributes)) is not None:
                            heard.append(event)
                        self._changed.notify_all()
                    if self._is_service(attributes):
                        self._notify(event)
        except Exception as error:  # noqa: BLE001 - whatever ends the stream, that it ended is what counts
            with self._changed:
                self._problem = f"the engine's events ended: {error}"
                self._changed.notify_all()


def _from(events: Iterable[EngineEvent], began: float) -> Iterator[EngineEvent]:
    """Return the events since a time by the engine's clock; they state it in milliseconds."""
    return (one for one in events if moment(one.at).timestamp() >= began - 0.001)


def _event(said: Mapping[str, Any], attributes: Mapping[str, str]) -> EngineEvent:
    kept = {name: attributes[name] for name in ("signal", "exitCode", "image") if name in attributes}
    at = datetime.fromtimestamp(said["timeNano"] / 1e9, UTC)
    return EngineEvent(
        at.isoformat(timespec="milliseconds"),
        "container",
        said["Action"],
        attributes.get("name", ""),
        said["Actor"].get("ID", ""),
        kept,
    )
