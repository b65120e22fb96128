"""Follows the probe while it looks, and reports the outage that its looks add up to."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from procedures.observe.outage import probe
from procedures.observe.outage.arithmetic import headline_of, judge
from procedures.observe.outage.doors import Door
from procedures.observe.outage.probe import Stretch
from procedures.observe.outage.watched import Watched
from reports.record.evidence import Outage


class ProbeUnusable(Exception):  # noqa: N818 - says what happened
    """The probe cannot look at the address that it was given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers now: since when, seen last when (both on the monotonic clock), and how often."""

    path: str
    answer: str
    good: bool
    since: float
    """The end of the first look with this answer."""
    asked_at: float
    """The begin of the newest look with this answer, as far as the probe has reported."""
    count: int


class Probe:
    """A running probe process, and what it has reported so far.

    Use it as a context manager, or call `stop()`: it never raises for what the probe did, and is bounded.
    All moments are `time.monotonic()`, which this process and the probe share.
    """

    def __init__(self, watched: Sequence[Watched], process: subprocess.Popen[bytes]) -> None:
        self.watched = tuple(watched)
        self._process = process
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._stretches: dict[str, list[Stretch]] = {one.name: [] for one in watched}
        self._looks = dict.fromkeys(self._stretches, 0)
        self._zero: dict[str, float] = {}
        self._ended: dict[str, Any] = {}
        self._last_heard = time.monotonic()
        self._ready = False
        self._news = False
        """Whether a path's answer has changed since the last wait for news."""
        self._over = False
        self._outage: Outage | None = None
        self._since = -math.inf
        self._listener = threading.Thread(target=self._listen, name="outage probe", daemon=True)
        self._listener.start()

    @classmethod
    def start(cls, watched: Sequence[Watched], deadline: float) -> Probe:
        """Start the probe; it ends by itself after `deadline` seconds, and when this process is gone."""
        task = json.dumps({"deadline": deadline, "paths": [_task(one) for one in watched]})
        # A session of its own: Ctrl-C and a closed terminal are meant for the suite, which still wants the result.
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(probe.__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={},
        )
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it died already: `stop` says so
            process.stdin.write(task.encode() + b"\n")
            process.stdin.flush()
        return cls(watched, process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the probe still looks."""
        with self._changed:
            return not self._over

    @property
    def broke_off(self) -> bool:
        """Whether the probe ended before it was asked to; nobody has seen what came afterwards."""
        with self._changed:
            return self._over and self._ended.get("why") != "asked to"

    @property
    def answers(self) -> Mapping[str, Answer]:
        """What each path answers now; a path that was not looked at yet is not in it."""
        with self._changed:
            return self._answers()

    def wait_until_looking(self, limit: float) -> bool:
        """Wait for the first answer of every fast path, whatever it is."""
        return self._wait(lambda: self._ready, limit)

    def wait_until_well(self, limit: float) -> bool:
        """Wait until the newest answer of every fast path is a good one."""
        fast = [one.name for one in self.watched if one.fast]
        return self.wait_until(lambda answers: all_good(answers, fast, 0.0), limit)

    def wait_until(self, condition: Callable[[Mapping[str, Answer]], bool], limit: float) -> bool:
        """Wait until `condition` holds for the answers; it is asked again at each line that the probe writes."""
        return self._wait(lambda: condition(self._answers()), limit)

    def wait_for_news(self, limit: float) -> None:
        """Wait until a path's answer has changed since the last call, at most `limit` seconds."""
        with self._changed:
            self._wait(lambda: self._news, limit)
            self._news = False

    def count_from(self, moment: float) -> None:
        """Leave silences that ended before a moment out of the outage: nothing had been done to the service yet."""
        with self._changed:
            self._since = moment

    def so_far(self) -> Outage:
        """Return what the looks add up to until now."""
        with self._changed:
            return self._outage_so_far()

    def expect_end(self) -> None:
        """Tell the probe that the service is about to end, or has ended: a silence says little from now on."""
        self._send({"expect": probe.END})

    def expect_return(self, doors: Mapping[str, Door]) -> None:
        """Tell the probe that the service was started, and where it will listen itself, by path."""
        places = {name: {"at": [one.host, one.port], "ways": one.ways} for name, one in doors.items()}
        self._send({"expect": probe.RETURN, "doors": places})

    def stop(self, limit: float = 3.0) -> Outage:
        """End the probe within about `limit` seconds, by force if need be, and return what it saw."""
        if self._outage is None:
            self._end(limit)
            self._outage = self.so_far()
        return self._outage

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # The probe may have ended, by itself or because it was asked to: then it needs no message.
        with self._sending, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _end(self, limit: float) -> None:
        assert self._process.stdin is not None
        with self._sending, contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(limit)
        self._listener.join(limit)

    def _wait(self, condition: Callable[[], bool], limit: float) -> bool:
        until = time.monotonic() + limit
        with self._changed:
            while not condition():
                left = until - time.monotonic()
                if left <= 0 or self._over:
                    return False
                self._changed.wait(left)
            return True

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                # A killed probe may leave half a line.
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    said = json.loads(line)
                    with self._changed:
                        self._hear(said)
                        self._last_heard = time.monotonic()
                        self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _hear(self, said: dict[str, Any]) -> None:
        match said["say"]:
            case "zero":
                self._zero = {"monotonic": said["monotonic"], "wall": said["wall"]}
            case "ready":
                self._ready = True
            case "stretch":
                stretches = self._stretches[said["path"]]
                self._news = self._news or said["index"] == len(stretches)
                stretches[said["index"] : said["index"] + 1] = [Stretch(*said["of"])]
                self._looks[said["path"]] = said["looks"]
            case "end":
                self._ended = said

    def _answers(self) -> dict[str, Answer]:
        return {
            name: Answer(
                path=name,
                answer=stretches[-1].answer,
                good=stretches[-1].good,
                since=stretches[-1].first_end,
                asked_at=stretches[-1].last_begin,
                count=stretches[-1].looks,
            )
            for name, stretches in self._stretches.items()
            if stretches
        }

    def _outage_so_far(self) -> Outage:
        zero = self._zero.get("monotonic", self._last_heard)
        wall = self._zero.get("wall", time.time())
        paths = [
            judge(one, self._stretches[one.name], zero, self._looks[one.name], self._since)
            for one in self.watched
        ]
        headline = headline_of(paths, [one.name for one in self.watched if one.fast])
        return Outage(
            zero_at=datetime.fromtimestamp(wall, UTC).isoformat(),
            ended=max(0.0, self._ended.get("at", self._last_heard) - zero),
            method=self._method(),
            headline=headline,
            paths=tuple(replace(path, headline=path.path == headline) for path in paths),
        )

    def _method(self) -> str:
        return " ".join(filter(None, [METHOD, self._own_cost(), self._own_end()]))

    def _own_cost(self) -> str:
        took = self._ended.get("at", 0.0) - self._zero.get("monotonic", 0.0)
        if not self._ended or took <= 0:
            return ""
        share, late = self._ended["cpu"] / took, self._ended["late"]
        return f"The probe used {share:.1%} of one core and was at most {late * 1000:.0f} ms late."

    def _own_end(self) -> str:
        if not self._over or self._ended.get("why") == "asked to":
            return ""
        if self._ended:
            return f"The probe ended before it was asked to: {self._ended['why']}."
        return (
            f"The probe died (exit status {self._process.poll()}) before it was asked to end; "
            "this is what it had told until then."
        )


METHOD = (
    "A process of its own asked each path on the monotonic clock, every look on a new connection, from this host. "
    "The length is the middle of what the looks allow, the uncertainty half the width of that, "
    "each added up where the service went away more than once after the first changing step; "
    "where the engine's events foretold a silence the path was asked less, and from its start on the new container's own "
    "address was tried without a word, until somebody listened there; "
    "a good look proves an answer, a bad one a silence, at some moment between its begin and its end."
)


def all_good(answers: Mapping[str, Answer], names: Iterable[str], since: float) -> bool:
    """Whether each of these paths answers well, to a look begun after `since`."""
    return all(
        (answer := answers.get(name)) is not None and answer.good and answer.asked_at >= since
        for name in names
    )


def _task(watched: Watched) -> dict[str, Any]:
    url = urlsplit(watched.url)
    if url.scheme != "http" or not url.hostname:
        raise ProbeUnusable(
            f"the probe cannot look at {watched.url}: it speaks plain HTTP to a host and port; "
            "name the address at which the container is published"
        )
    then = [_task(watched.then)] if watched.then else []
    return {
        "name": watched.name,
        "then": then,
        "host": url.hostname,
        "port": url.port or 80,
        "target": f"{url.path or '/'}?{url.query}" if url.query else url.path or "/",
        "expect": watched.expect,
        "fast": watched.fast,
        "rate": watched.rate,
        "slow_rate": watched.slow_rate,
        "calm_rate": watched.calm_rate,
        "timeout": watched.patience,
        "authorization": watched.authorization,
    }
