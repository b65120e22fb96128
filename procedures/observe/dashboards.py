"""What dashboards show: each is asked until a new answer shows the expected value, or its limit is over."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from procedures.observe.engine.engine import within
from procedures.observe.kestra import silence
from procedures.observe.patience import MUTE, Pace, Said, ask_the_mute_again
from procedures.observe.waiting import Waiting
from procedures.problems import CannotObserve
from procedures.target.dashboards import Dashboard, shown
from procedures.target.durations import seconds
from reports.record.observed import Answer, DashboardSeen, Unseen
from reports.redaction import excerpt

CADENCE = 1.0
AGE_HEADERS = ("X-Cache-Age", "Age")
"""Headers in which caches state the age of an answer. `Date` is none: an application sends a cached answer with a new one."""
RESOLUTION = 1.0
"""Seconds by which an answer may be older than it says: headers state whole seconds, rounded down."""
CLOCKS = 2.0
"""Seconds by which a dashboard's clock may be ahead of ours."""
LARGEST = 2_000_000
"""Bytes of an answer that are read."""
_MILLISECONDS = 1e11
"""A number of seconds since 1970 above this one is a number of milliseconds."""


class _Asked:
    """Asks some dashboards, and keeps what each has shown; `limit` is for one look."""

    def __init__(self, named: tuple[Dashboard, ...], since: float | None, limit: float, pace: Pace) -> None:
        self.began = time.monotonic()
        self.by_name: dict[str, DashboardSeen] = {}
        self._named = {one.name: one for one in named}
        self._since, self._limit, self._pace = since, limit, pace
        self._said: dict[str, Said] = {}

    def ask(self, some: Iterable[Dashboard]) -> None:
        """Ask some of the dashboards, in parallel."""
        names = [one.name for one in some]

        def ask(name: str) -> Said:
            return self._ask(name, self._pace.limit(_pace_of(name), self._limit))

        with ThreadPoolExecutor(max(1, len(names))) as pool:
            self._said |= zip(names, pool.map(ask, names), strict=True)

    def answers(self) -> tuple[DashboardSeen, ...]:
        """Return what the dashboards showed; a mute one is asked once more, alone."""
        ask_the_mute_again(self._said, self._ask, self._limit)
        for name, (answer, found) in self._said.items():
            if found is None:
                self.by_name[name] = dataclasses.replace(
                    self.by_name[name], shows=_mute(self._named[name], answer.said)
                )
        return tuple(self.by_name[name] for name in self._named)

    def _ask(self, name: str, limit: float) -> Said:
        answer, found = _ask(self._named[name], self._since, limit)
        self._pace.note(_pace_of(name), answer)
        self.by_name[name] = _noted(self.by_name.get(name), found, time.monotonic() - self.began)
        return answer, found


def look(
    named: tuple[Dashboard, ...],
    waiting: Waiting,
    since: float | None,
    limit: float,
    pace: Pace,
    *,
    patient: bool,
) -> tuple[DashboardSeen, ...]:
    """Ask all dashboards in parallel until each is right or its limit is over.

    `since` is when the service was back, by our monotonic clock; an answer from before says nothing.
    `limit` is for one look. `patient` is whether there is anything to wait for.
    """
    asked = _Asked(named, since, limit, pace)
    answered = asked.by_name

    def turn() -> tuple[bool, str]:
        passed = time.monotonic() - asked.began
        left = [
            one
            for one in named
            if one.name not in answered or (passed < one.limit and not _right(answered[one.name]))
        ]
        asked.ask(left)
        waited_for = [one.name for one in named if not _right(answered[one.name])]
        return (
            not waited_for or not left,
            f"waiting for {', '.join(waited_for)}" if waited_for else "all right",
        )

    if named:
        waiting.until("dashboards", turn, max(one.limit for one in named) if patient else 0.0, CADENCE)
    return asked.answers()


def look_once(named: tuple[Dashboard, ...], limit: float, pace: Pace) -> tuple[DashboardSeen, ...]:
    """Ask all dashboards once, in parallel, and take what they show, however old it is."""
    of_any_age = tuple(dataclasses.replace(one, max_age=math.inf) for one in named)
    asked = _Asked(of_any_age, None, limit, pace)
    asked.ask(of_any_age)
    return asked.answers()


def _pace_of(name: str) -> str:
    return f"dashboard {name}"


def _right(seen: DashboardSeen) -> bool:
    return seen.shows == seen.expected


def _noted(before: DashboardSeen | None, now: DashboardSeen, at: float) -> DashboardSeen:
    """Add what is seen now to the looks before; the same thing seen again adds nothing."""
    saw = now.shows.sentence if isinstance(now.shows, Unseen) else f"it shows {now.shows}"
    kept = before.looks if before else ()
    news = () if kept and kept[-1].partition(": ")[2] == saw else (f"{at:.1f} s: {saw}",)
    return DashboardSeen(now.name, now.url, now.expected, now.shows, now.age, (*kept, *news))


def _ask(dashboard: Dashboard, since: float | None, limit: float) -> Said:
    age: float | Unseen = Unseen("there was no answer")
    shows: str | Unseen
    began, silent = time.monotonic(), ""
    try:
        headers, body = within(limit + 1, f"the dashboard {dashboard.name}", _get, dashboard.url, limit)
        age = _age(dashboard, headers, body)
        shows = shown(dashboard.json_path.of(body))
        _need_new(age, dashboard.max_age, None if since is None else time.monotonic() - since)
    except _Silent as error:
        silent, shows = error.said, _mute(dashboard, error.said)
    except CannotObserve as error:
        move = error.next_move or f"open {dashboard.url} and see what it says"
        shows = Unseen(f"{dashboard.name}: {error.what}", move)
        # An answer that trickles in may never end.
        silent = MUTE if time.monotonic() - began > limit else ""
    except Exception as error:  # noqa: BLE001 - one strange answer must not take the look at the service with it
        shows = Unseen(
            f"{dashboard.name}: its answer cannot be read: {type(error).__name__}", f"open {dashboard.url}"
        )
    answer = Answer(dashboard.url, 0 if silent else 200, silent, time.monotonic() - began)
    return answer, DashboardSeen(dashboard.name, dashboard.url, dashboard.expected, shows, age)


class _Silent(CannotObserve):
    """The dashboard did not answer; `said` is the kind of silence."""

    def __init__(self, said: str) -> None:
        super().__init__(f"it does not answer: {said}")
        self.said = said


def _mute(dashboard: Dashboard, said: str) -> Unseen:
    move = f"see whether the dashboard itself runs, and open {dashboard.url}"
    return Unseen(f"{dashboard.name}: it does not answer: {said}", move)


def _get(url: str, limit: float) -> tuple[Mapping[str, str], Any]:
    try:
        with httpx.stream("GET", url, timeout=limit, trust_env=False) as answer:
            body = b""
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > LARGEST:
                    raise CannotObserve(f"its answer is longer than {LARGEST} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _Silent(silence(error) if isinstance(error, httpx.HTTPError) else str(error)) from error
    if answer.status_code != httpx.codes.OK:
        raise CannotObserve(
            f"it answered {answer.status_code}, not 200",
            f"see whether the dashboard itself runs, and open {url}",
        )
    try:
        return answer.headers, json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CannotObserve(f"its answer is no JSON: {type(error).__name__}") from error


def _need_new(age: float, most: float, passed: float | None) -> None:
    """Refuse an answer that was, or may have been, made too long ago to say anything."""
    made = f"its answer may have been made {age:.1f} s ago"
    if age > most:
        raise CannotObserve(
            f"{made}, and no more than {most:g} s count",
            "see why it is not renewed: a cached answer proves nothing",
        )
    if passed is not None and age > passed:
        raise CannotObserve(
            f"{made}, when the service was not back yet ({passed:.1f} s)",
            "give this dashboard a limit in the target file that is longer than its cache's life",
        )


def _age(dashboard: Dashboard, headers: Mapping[str, str], body: Any) -> float:
    """Return the greatest age that an answer can have."""
    ages = [_age_in_header(name, headers[name]) for name in AGE_HEADERS if name in headers]
    if dashboard.time_path:
        ages.append(_since(_moment(dashboard.time_path.of(body)), headers))
    elif dashboard.age_header:
        if dashboard.age_header not in headers:
            raise CannotObserve(f"its answer has no header {dashboard.age_header}, so its age is unknown")
        ages.append(_age_in_header(dashboard.age_header, headers[dashboard.age_header]))
    if not ages:
        raise CannotObserve(
            f"its answer does not tell its age in {' or '.join(AGE_HEADERS)}",
            "name the header in age_header, or where the answer tells its time in time_path",
        )
    return max(ages) + RESOLUTION


def _age_in_header(name: str, value: str) -> float:
    """Read a header that holds a number of seconds, a duration, or the time at which the answer was made."""
    age = seconds(f"{value.strip()}s" if value.strip().isdigit() else value)
    if age is not None:
        return age
    try:
        made = parsedate_to_datetime(value)
    except ValueError as error:
        raise CannotObserve(
            f"its header {name} is neither an age nor a time: {excerpt.one_line(value, 60)!r}"
        ) from error
    return _since(made, {})


def _moment(value: Any) -> datetime:
    """Read a time as documents write it: ISO 8601 with its zone, or a number of seconds or milliseconds."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > _MILLISECONDS else value, UTC)
        made = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError) as error:
        raise CannotObserve(f"its time is none: {shown(value)}") from error
    if made.tzinfo is None:
        raise CannotObserve(f"its time has no zone: {shown(value)}")
    return made


def _since(made: datetime, headers: Mapping[str, str]) -> float:
    """Return how long ago a moment was; a clock that is ahead of ours would make every answer look new."""
    zoned = made if made.tzinfo else made.replace(tzinfo=UTC)
    age = (datetime.now(UTC) - zoned).total_seconds()
    if age < -CLOCKS:
        raise CannotObserve(f"its clock is {-age:.0f} s ahead of ours, so its age is unknown")
    if "Date" in headers:
        _age_in_header("Date", headers["Date"])
    return max(0.0, age)
