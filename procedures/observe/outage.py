"""The outage: following the probe while it looks, and what its looks add up to.

What a look proves. A look has a begin and an end; a good one proves that the service answered at some moment between
the two, a bad one that at some moment between the two it did not. For an outage that lasts from D to U it follows that

    begin of the last good look before  ≤  D  ≤  end of the first bad look
    begin of the last bad look          ≤  U  ≤  end of the first good look after

so with `down` and `up` for the widths of these two windows

    longest     = end of the first good look after - begin of the last good look before
    shortest    = longest - down - up               (never less than nothing)
    length      = (longest + shortest) / 2
    uncertainty = (longest - shortest) / 2          (at most the mean of `down` and `up`)
    largest gap = the larger of `down` and `up`     (so never less than the uncertainty)

The truth lies within length ± uncertainty if the service went away once and came back once between the two good looks.
This believes nothing about how long an answer takes or whether the probe ran on time: where either is slow, the
windows are wide. They are one beat and two answers wide where the service answers, refuses or closes at once. Where the
probe asks less because a silence was foretold, the beat is longer; the probe's own docstring says when it is not.

A service that moves to another port or takes other credentials is looked for in both ways by turns while neither gives
a good answer. A bad look by the one way says nothing of the other, so for the service's coming only the bad looks count
that went the way of the first good one: where it moves, that window is two beats wide.

A service that accepts and keeps mute would leave windows as wide as a look's patience. There, and only there, one more
thing is believed: a service that answers does so within `usual`, twice the slowest good answer that was begun outside
the outage, or one beat where that is longer: no machine is punctual to less than that. So a request that was in hand
for longer than that met a service that did not answer from `usual` after the look's begin to `usual` before its end:

    D ≤ begin of the first bad look + usual     (unless a look was answered well that was begun later than that)
    U ≥ end of the last bad look - usual
    U ≥ end of the first good look - usual

each only where that look took longer than `usual`.

A path that never went bad had an outage of 0 s, give or take the largest gap of the whole observation.
A run that goes back stops the service twice. So every stretch of bad answers that ended after the run's first changing
step had begun is part of the outage: its length is the sum of theirs, its uncertainty the sum of theirs. Any other one
that began and ended with a good answer is a flap: the run had touched nothing yet.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from procedures.observe import probe
from procedures.observe.doors import Door
from procedures.observe.probe import Stretch
from reports.evidence import Interval, Outage, PathOutage, Silence

FAST_RATE = 100.0
CALM_RATE = 10.0
"""Kestra writes a line into its log for each request on its HTTP port: a soak would fill it."""
API_RATE = 4.0
API_RATE_BEFORE = 0.5
PATIENCE = 1.0
PUNCTUAL = 1 / FAST_RATE
"""Seconds by which any process may be late on a machine that does other things as well: one beat."""
ENOUGH_ANSWERS = 50
MOST_INTERVALS = 300
MOST_SILENCES = 20
SHORT = 0.25
"""Bad answers of different kinds that follow each other faster than this (seconds) are told as one interval."""


class ProbeUnusable(Exception):  # noqa: N818 - says what happened
    """The probe cannot look at what it was given."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One path that the probe looks at.

    `expect` is what a good answer is besides its 200: `health` (a JSON status of UP), `pong`, or `200` (no more).
    A fast path is asked `rate` times a second all the time; another one `slow_rate` times until a fast path has come
    back from an outage, and `rate` times from then on. Each is asked no more than `calm_rate` times once it has been
    well again for a while. `authorization` is the header's value and never recorded.
    """

    name: str
    url: str
    expect: str
    fast: bool = True
    rate: float = FAST_RATE
    slow_rate: float = API_RATE_BEFORE
    calm_rate: float = FAST_RATE
    patience: float = PATIENCE
    authorization: str = field(default="", repr=False)
    then: Watched | None = None
    """The same path where the service may be after a change: another port, other credentials."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Where it is looked at, in the order of the probe's ways."""
        return (self.url, *(self.then.urls if self.then else ()))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers now: since when, seen last when (both on the monotonic clock), and how often."""

    path: str
    answer: str
    good: bool
    since: float
    """The end of the first look that was answered so."""
    asked_at: float
    """The begin of the newest look that was answered so, as far as the probe has told."""
    heard_at: float
    count: int


def kestra_paths(
    http_url: str, management_url: str, user: str, password: str, api: str = "/api/v1/flows/search?size=1"
) -> tuple[Watched, ...]:
    """Return the three paths by which a Kestra is watched."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return (
        Watched("health", f"{management_url.rstrip('/')}/health", "health"),
        Watched("ping", f"{http_url.rstrip('/')}/ping", "pong", calm_rate=CALM_RATE),
        Watched(
            "api",
            f"{http_url.rstrip('/')}{api}",
            "200",
            fast=False,
            rate=API_RATE,
            patience=2.0,
            authorization=f"Basic {token}",
        ),
    )


# What looks add up to


@dataclass(frozen=True, slots=True)
class Run:
    """Stretches in a row that are all good, or all bad."""

    stretches: tuple[Stretch, ...]

    @property
    def good(self) -> bool:
        return self.stretches[0].good

    @property
    def first_end(self) -> float:
        return self.stretches[0].first_end

    @property
    def last_begin(self) -> float:
        return max(one.last_begin for one in self.stretches)

    def last_begin_by(self, way: int) -> float:
        """Return the latest begin of a look that went a way; that of the first look where none did."""
        known = [
            one.begins[way] if one.begins else one.last_begin
            for one in self.stretches
            if way < len(one.begins) or not one.begins
        ]
        return max([self.stretches[0].first_begin, *known])

    @property
    def last_end(self) -> float:
        return self.stretches[-1].last_end


def judge(
    watched: Watched, stretches: Sequence[Stretch], zero: float, looks: int, since: float = -math.inf
) -> PathOutage:
    """Return what the stretches of one path say about its outage; see the module's docstring for the arithmetic.

    `since` is the moment at which the run's first changing step began.
    """
    runs = [Run(tuple(group)) for _, group in itertools.groupby(stretches, key=lambda one: one.good)]
    ours = [index for index, run in enumerate(runs) if not run.good and _ended(runs, index) > since]
    told = PathOutage(
        path=watched.name,
        url=watched.url,
        rate=watched.rate,
        headline=False,
        last_good=None,
        first_good=None,
        length=None,
        uncertainty=None,
        flaps=sum(not run.good and index not in ours for index, run in list(enumerate(runs))[1:-1]),
        largest_gap=max((one.gap for one in stretches), default=0.0),
        looks=looks,
        intervals=to_intervals(stretches, zero),
    )
    if not ours:
        return replace(told, length=0.0, uncertainty=told.largest_gap) if runs else told
    seen = [_silence(runs, index, zero) for index in ours]
    silences = [silence for silence, _ in seen]
    listed = _longest(silences)
    return replace(
        told,
        last_good=silences[0].last_good,
        first_good=silences[-1].first_good,
        length=_sum(one.length for one in silences),
        uncertainty=_sum(one.uncertainty for one in silences),
        largest_gap=max(gap for _, gap in seen),
        silences=listed,
        unlisted=len(silences) - len(listed),
    )


def _silence(runs: Sequence[Run], index: int, zero: float) -> tuple[Silence, float]:
    """Return one stretch of bad answers, and the larger of the two windows in which its edges lie."""
    before = runs[index - 1] if index else None
    after = runs[index + 1] if index + 1 < len(runs) else None
    bad = runs[index]
    usual = _usual(before, after)
    down = _gone_by(before, bad, usual) - before.last_begin if before else 0.0
    up = after.first_end - _gone_until(bad, after, usual) if after else 0.0
    silence = Silence(
        last_good=before.last_end - zero if before else None,
        first_good=after.first_end - zero if after else None,
        length=None,
        uncertainty=None,
    )
    if before is not None and after is not None:
        longest = after.first_end - before.last_begin
        shortest = max(0.0, longest - down - up)
        silence = replace(silence, length=(longest + shortest) / 2, uncertainty=(longest - shortest) / 2)
    return silence, max(down, up, 0.0)


def _ended(runs: Sequence[Run], index: int) -> float:
    """Return when a stretch of bad answers was over; never where it was not."""
    return runs[index + 1].first_end if index + 1 < len(runs) else math.inf


def _sum(parts: Iterable[float | None]) -> float | None:
    """Return the sum; nothing where a part of it is not known."""
    known = list(parts)
    return None if None in known else sum(one for one in known if one is not None)


def _longest(silences: Sequence[Silence]) -> tuple[Silence, ...]:
    """Return the silences in their order, the longest where there are more than can be told."""
    if len(silences) <= MOST_SILENCES:
        return tuple(silences)

    def rank(index: int) -> float:
        length = silences[index].length
        return math.inf if length is None else length

    kept = sorted(range(len(silences)), key=rank, reverse=True)[:MOST_SILENCES]
    return tuple(silences[index] for index in sorted(kept))


def _usual(*runs: Run | None) -> float:
    """Return how long an answer may take of a service that answers; for ever where too few are known."""
    known = [one for run in runs if run for one in run.stretches]
    if sum(one.looks for one in known) < ENOUGH_ANSWERS:
        return math.inf
    return max(PUNCTUAL, 2 * max(one.slowest for one in known))


def _gone_by(before: Run, bad: Run, usual: float) -> float:
    """Return the moment by which the service had stopped answering."""
    moments = [one.first_begin + usual for one in bad.stretches]
    return min([bad.first_end, *(moment for moment in moments if moment >= before.last_begin)])


def _gone_until(bad: Run, after: Run, usual: float) -> float:
    """Return the moment until which the service surely did not answer."""
    first = after.stretches[0]
    mute = [one for one in bad.stretches if one.last_took > usual and one.last_way == first.way]
    moments = [one.last_end - usual for one in mute]
    if first.first_end - first.first_begin > usual:
        moments.append(first.first_end - usual)
    return max(bad.last_begin_by(first.way), *moments, -math.inf)


def to_intervals(stretches: Sequence[Stretch], zero: float) -> tuple[Interval, ...]:
    """Return the stretches as recorded: not overlapping, and not more than can be shown."""
    intervals: list[Interval] = []
    for one in stretches:
        begin = max(one.first_begin - zero, intervals[-1].end if intervals else one.first_begin - zero)
        new = Interval(begin, max(begin, one.last_end - zero), one.answer, one.good, one.looks)
        if intervals and _alike(intervals[-1], new):
            intervals[-1] = _merged(intervals[-1], new)
        else:
            intervals.append(new)
    return _bounded(intervals)


def _alike(one: Interval, other: Interval) -> bool:
    """Whether two neighbours are both bad, and at least one too short to stand alone (a proxy resets or closes)."""
    return not one.good and not other.good and min(one.end - one.begin, other.end - other.begin) < SHORT


def _merged(*intervals: Interval) -> Interval:
    answers = dict.fromkeys(itertools.chain.from_iterable(one.answer.split(" / ") for one in intervals))
    return Interval(
        intervals[0].begin,
        intervals[-1].end,
        " / ".join(answers),
        all(one.good for one in intervals),
        sum(one.count for one in intervals),
    )


def _bounded(intervals: list[Interval]) -> tuple[Interval, ...]:
    """Return the intervals, those in the middle told as one where there are too many."""
    if len(intervals) <= MOST_INTERVALS:
        return tuple(intervals)
    half = MOST_INTERVALS // 2
    return (*intervals[:half], _merged(*intervals[half:-half]), *intervals[-half:])


def headline_of(paths: Iterable[PathOutage], fast: Iterable[str]) -> str:
    """Return the fast path that came back last: one that never came back before all others."""
    names = set(fast)

    def rank(path: PathOutage) -> tuple[int, float]:
        if not path.looks:
            return (-1, 0.0)
        if path.length == 0.0 and path.first_good is None:
            return (0, path.uncertainty or 0.0)
        return (2, path.looks) if path.first_good is None else (1, path.first_good)

    candidates = [path for path in paths if path.path in names]
    return max(candidates, key=rank).path if candidates else ""


# Following the probe


class Probe:
    """A running probe process, and what it has told so far.

    Use it as a context manager, or call `stop()`: it never raises for what the probe did, and is bounded.
    All moments are `time.monotonic()`, which this process and the probe share.
    """

    def __init__(self, watched: Sequence[Watched], process: subprocess.Popen[bytes]) -> None:
        self.watched = tuple(watched)
        self._process = process
        self._changed = threading.Condition()
        self._telling = threading.Lock()
        self._stretches: dict[str, list[Stretch]] = {one.name: [] for one in watched}
        self._looks = dict.fromkeys(self._stretches, 0)
        self._zero: dict[str, float] = {}
        self._ended: dict[str, Any] = {}
        self._last_heard = time.monotonic()
        self._ready = False
        self._news = False
        """Whether a path answers otherwise than when news were last waited for."""
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
        """Whether the probe ended before it was asked to: what it had not seen by then, nobody has."""
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

    def wait_ready(self, since: float, limit: float, paths: Sequence[str] = ()) -> bool:
        """Wait until every path (or those named) gave a good answer to a look begun after `since`.

        It ends early, with False, where the probe is gone: then nobody looks any more.
        """
        names = tuple(paths) or tuple(one.name for one in self.watched)
        return self.wait_until(lambda answers: all_good(answers, names, since), limit)

    def wait_until_well(self, limit: float) -> bool:
        """Wait until the newest answer of every fast path is a good one."""
        fast = [one.name for one in self.watched if one.fast]
        return self.wait_until(lambda answers: all_good(answers, fast, 0.0), limit)

    def wait_until(self, condition: Callable[[Mapping[str, Answer]], bool], limit: float) -> bool:
        """Wait until `condition` holds for the answers; it is asked again at each line that the probe writes."""
        return self._wait(lambda: condition(self._answers()), limit)

    def wait_for_news(self, limit: float) -> None:
        """Wait until a path answers otherwise than when this was last asked; at most so many seconds."""
        with self._changed:
            self._wait(lambda: self._news, limit)
            self._news = False

    def count_from(self, moment: float) -> None:
        """Take silences that are over by a moment for none of the outage: nothing had been done to the service yet."""
        with self._changed:
            self._since = moment

    def so_far(self) -> Outage:
        """Return what the looks add up to until now."""
        with self._changed:
            return self._told()

    def expect_end(self) -> None:
        """Tell that the service is about to end, or has ended: a silence teaches little from now on."""
        self._tell({"expect": probe.END})

    def expect_return(self, doors: Mapping[str, Door]) -> None:
        """Tell that the service was started, and where it will listen itself, by the path's name."""
        told = {name: {"at": [one.host, one.port], "ways": one.ways} for name, one in doors.items()}
        self._tell({"expect": probe.RETURN, "doors": told})

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

    def _tell(self, told: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # It may have ended, by itself or because it was asked to: then nobody needs to be told.
        with self._telling, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(told).encode() + b"\n")
            self._process.stdin.flush()

    def _end(self, limit: float) -> None:
        assert self._process.stdin is not None
        with self._telling, contextlib.suppress(OSError):
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
                heard_at=stretches[-1].last_end,
                count=stretches[-1].looks,
            )
            for name, stretches in self._stretches.items()
            if stretches
        }

    def _told(self) -> Outage:
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
