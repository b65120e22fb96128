"""Logs of containers: read in whole lines, and followed to a container's end."""

from __future__ import annotations

import heapq
import re
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import docker.errors
import requests

from procedures.observe.engine.engine import EngineObserver, within
from procedures.problems import CannotObserve
from reports.redaction.excerpt import one_line, whole_lines

PART = 16 * 1024
"""Docker splits a longer line at this many bytes, and gives each part a time of its own."""
SPARE = 64 * 1024
"""Bytes beyond the limit that are read and cleaned, so that nothing that is kept was cut before it was cleaned."""
UNSURE = 8 * 1024
"""Bytes after the place where reading began, in which a secret of several lines may lack its first lines."""
OPENING = 1.0
"""Seconds in which following a log must begin; a stop waits no longer for it."""
STREAMS = ({"stdout": True, "stderr": False}, {"stdout": False, "stderr": True})
_NO_ANSWER = (docker.errors.DockerException, requests.exceptions.RequestException, OSError)
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")


class Log:
    """The newest part of one stream's log, as it comes in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit + SPARE
        self._pieces = deque[bytes]()
        self._size = 0
        self.began_late = False
        """Whether older parts are missing."""

    def take(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        while self._size > self._limit + PART and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft())
            self.began_late = True

    def lines(self, *, broken_off: bool) -> list[bytes]:
        """Return whole lines, split lines joined; a line whose beginning or end is missing is left out."""
        *lines, rest = b"".join(tuple(self._pieces)).split(b"\n")
        whole = [*lines, rest] if rest and not broken_off else lines
        return [joined(line) + b"\n" for line in whole[1 if self.began_late else 0 :]]


class Logged:
    """The log of both streams in the order of their times, not yet redacted."""

    def __init__(self, logs: Iterable[Log], *, broken_off: bool = False) -> None:
        logs = tuple(logs)
        self._began_late = any(one.began_late for one in logs)
        self.broken_off = broken_off
        lines = (one.lines(broken_off=broken_off) for one in logs)
        # Each line begins with its time, and all times are of one length.
        self.text = b"".join(heapq.merge(*lines)).decode(errors="replace")

    def cut(self, cleaned: str, limit: int) -> tuple[str, bool]:
        """Return the newest whole lines of the cleaned text within the limit, and whether there were more."""
        room = limit
        if self._began_late:
            room = min(room, max(0, len(cleaned) - UNSURE))
        kept = whole_lines(cleaned, room)
        return kept, self._began_late or self.broken_off or len(kept) < len(cleaned)


def read(engine: EngineObserver, container: str, limit_bytes: int, limit: float) -> Logged:
    """Return the newest part of a container's log, with the time at which Docker got each line."""
    deadline = time.monotonic() + limit
    most = max(1000, limit_bytes // 200)

    def ask() -> Logged:
        logs, late = [], False
        for stream in STREAMS:
            log, count = Log(limit_bytes), 0
            for piece in engine.client.api.logs(
                container, stream=True, follow=False, timestamps=True, tail=most, **stream
            ):
                log.take(piece)
                count += 1
                if time.monotonic() > deadline:
                    late = True
                    break
            log.began_late = log.began_late or count >= most
            logs.append(log)
        return Logged(logs, broken_off=late)

    try:
        logged: Logged = within(limit + 5, "the container's log", ask)
    except _NO_ANSWER as error:
        said = one_line(str(error), 300)
        raise CannotObserve(f"the container's log cannot be read from {engine.where.url}: {said}") from error
    return logged


class LastWords:
    """Follows a container's log from now on to its end: otherwise what it says of its stop is removed with it.

    It is opened before the stop and read in parallel, so it adds nothing to the outage.
    """

    def __init__(self, engine: EngineObserver, container: str, name: str, since: float, limit: int) -> None:
        self.name = name
        self._logs = tuple(Log(limit) for _ in STREAMS)
        self._opened = threading.Semaphore(0)
        self._readers = tuple(
            threading.Thread(
                target=self._follow,
                args=(engine, container, since, stream, log),
                daemon=True,
                name=f"last words of {name}",
            )
            for stream, log in zip(STREAMS, self._logs, strict=True)
        )
        for one in self._readers:
            one.start()
        deadline = time.monotonic() + OPENING
        for _ in self._readers:
            self._opened.acquire(timeout=max(0.0, deadline - time.monotonic()))

    def _follow(
        self, engine: EngineObserver, container: str, since: float, stream: dict[str, Any], log: Log
    ) -> None:
        try:
            with suppress(*_NO_ANSWER):
                pieces = engine.client.api.logs(
                    container, stream=True, follow=True, timestamps=True, since=since, **stream
                )
                self._opened.release()
                for piece in pieces:
                    log.take(piece)
        finally:
            self._opened.release()

    def heard(self, patience: float) -> Logged:
        """Return what was logged, once the log has ended or the patience is over."""
        deadline = time.monotonic() + patience
        for one in self._readers:
            one.join(max(0.0, deadline - time.monotonic()))
        alive = any(one.is_alive() for one in self._readers)
        return Logged(self._logs, broken_off=alive)


def joined(line: bytes) -> bytes:
    """Return a line as it was logged, without the times that Docker put in where it split the line."""
    if len(line) <= PART:
        return line
    first = _STAMP.match(line)
    at = first.end() if first else 0
    parts = [line[:at]]
    while (border := _STAMP.match(line, at + PART)) is not None:
        parts.append(line[at : at + PART])
        at = border.end()
    return b"".join((*parts, line[at:]))


def text_of(engine: EngineObserver, container: str, limit_bytes: int, limit: float) -> str:
    """Return the newest whole lines of a container's log, not yet redacted; empty if it cannot be read."""
    try:
        logged = read(engine, container, limit_bytes, limit)
    except CannotObserve:
        return ""
    return logged.cut(logged.text, limit_bytes)[0]
