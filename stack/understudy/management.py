"""The management port: health, version, worker, and the shutdown that asks for no credentials."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .http_server import Answer, Request, json_answer
from .routes import Route, admitted, dispatch, error, matching, route, unauthorised

if TYPE_CHECKING:
    from .configuration import BasicAuth, Datasource
    from .document import Document
    from .release import Release
    from .watch import Watch
    from .worker import Worker

_PATIENCE = 3.0  # what Kestra gives the JDBC ping
_THRESHOLD = 10 * 1024 * 1024


@dataclass(slots=True)
class Management:
    """What is asked on the management port."""

    release: Release
    auth: BasicAuth | None
    source: Datasource
    watch: Watch
    worker: Worker
    unhealthy: bool
    is_held: Callable[[], bool]
    on_stop: Callable[[], None]
    _routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        self._routes = self._table()

    def held(self, path: str) -> bool:  # noqa: ARG002 -- on this port all paths are held alike
        return self.is_held()

    def answer(self, request: Request) -> Answer:
        # Endpoints never ask; the filter only looks at what is none, and a wrong method is none.
        endpoint = any(found.method == request.method for found, _ in matching(self._routes, request.path))
        if not endpoint and self.auth and not admitted(self.auth, request):
            return unauthorised(self.auth)
        return dispatch(self._routes, request)

    def _table(self) -> tuple[Route, ...]:
        return (
            route("GET", "/health", self._health),
            route("GET", "/health/readiness", self._health),
            route("GET", "/health/liveness", lambda _: json_answer(200, _status("UNKNOWN", {}))),
            route("GET", "/version", self._version),
            route("GET", "/worker", self._worker),
            route(
                "GET", "/scheduler", lambda _: json_answer(200, {"schedulableCount": 0, "schedulable": []})
            ),
            route("GET", "/flyway", lambda request: error(500, "Internal Server Error", request.path)),
            route("POST", "/stop", self._stop),
        )

    def _health(self, _: Request) -> Answer:
        up = self.watch.ping(_PATIENCE)
        if self.watch.ended:
            raise ConnectionAbortedError  # Postgres is lost: nothing is answered any more
        name = "UP" if up and not self.unhealthy else "DOWN"
        body = _status(
            name,
            {
                "compositeDiscoveryClient()": _status("UP", {"services": {}}),
                "service": {"name": "kestra", "status": "UP"},
                "diskSpace": _status("UP", _disk()),
                "jdbc": self._jdbc(up=up),
            },
        )
        return json_answer(200 if up else 503, body)

    def _jdbc(self, *, up: bool) -> Document:
        if up:
            details = {"database": "PostgreSQL", "version": self.watch.server_version}
            return _status("UP", {self.source.url: _status("UP", details)})
        name = f"{self.source.host}:{self.source.port}/{self.source.name}"
        failed = {"error": "java.sql.SQLException: Connection was not valid"}
        return _status("DOWN", {name: _status("DOWN", failed)})

    def _version(self, _: Request) -> Answer:
        return json_answer(
            200,
            {
                "version": f"{self.release.name}-oss",
                "commit": "understudy",
                "commitDate": self.release.commit_date,
                "type": "STANDALONE",
            },
        )

    def _worker(self, _: Request) -> Answer:
        runnings = self.worker.runnings()
        return json_answer(200, {"runningCount": len(runnings), "runnings": runnings})

    def _stop(self, _: Request) -> Answer:
        answer = json_answer(200, {"message": "Server shutdown started"})
        return Answer(answer.status, answer.body, answer.headers, afterwards=self.on_stop)


def _status(name: str, details: Document) -> Document:
    return {"name": "kestra", "status": name, "details": details}


def _disk() -> Document:
    disk = os.statvfs("/")
    return {
        "total": disk.f_blocks * disk.f_frsize,
        "free": disk.f_bavail * disk.f_frsize,
        "threshold": _THRESHOLD,
    }
