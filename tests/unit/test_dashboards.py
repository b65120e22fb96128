"""Dashboards: how they are read from the target file, how a path leads into JSON, and what counts as an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from procedures.observe.dashboards import look, look_once
from procedures.observe.patience import Pace
from procedures.observe.waiting import Waiting
from procedures.problems import CannotObserve
from procedures.target import dashboards
from procedures.target.dashboards import Dashboard, JsonPath
from reports.record.observed import DashboardSeen, Unseen
from tests.dashboards import Board, Page, board, fixed

WHOLE: dict[str, Any] = {
    "name": "launcher",
    "url": "http://127.0.0.1:3500/api",
    "json_path": "status",
    "equals": "healthy",
    "max_age": "60s",
}
DOCUMENT = {
    "status": "healthy",
    "a.b": {"c": [1, {"d": None}]},
    "services": [{"name": "web"}, {"name": "kestra", "up": True}, {"name": "twin"}, {"name": "twin"}],
}


@pytest.fixture(scope="module", name="served")
def _served() -> Iterator[Board]:
    with board() as made:
        yield made


# --- the target file


def _problems(*tables: Any) -> list[str]:
    problems: list[str] = []
    dashboards.read(list(tables), problems)
    return problems


def test_a_whole_table_is_a_dashboard() -> None:
    """What is said is taken, and what is not said has its default."""
    problems: list[str] = []

    assert dashboards.read([WHOLE, {**WHOLE, "name": "other", "limit": "2m", "equals": True}], problems) == (
        Dashboard("launcher", WHOLE["url"], JsonPath("status"), "healthy", 60.0, 90.0),
        Dashboard("other", WHOLE["url"], JsonPath("status"), True, 60.0, 120.0),
    )
    assert problems == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "key 'dashboards[0].name' must be a text"),
        ({"name": None}, "key 'dashboards[0].name' is missing"),
        ({"max_age": None}, "key 'dashboards[0].max_age' is missing"),
        ({"url": "ftp://x/"}, "key 'dashboards[0].url' must be an http:// or https:// address"),
        ({"url": "http://"}, "key 'dashboards[0].url' must be"),
        ({"url": "http://x:0/"}, "key 'dashboards[0].url' must be"),
        ({"url": "http://x:y/"}, "key 'dashboards[0].url' must be"),
        ({"url": 7}, "key 'dashboards[0].url' must be"),
        ({"url": "http://u:p@x/"}, "a target file holds no secrets"),
        ({"json_path": "a..b"}, "key 'dashboards[0].json_path' must be a path"),
        ({"json_path": ""}, "key 'dashboards[0].json_path' must be a path"),
        ({"json_path": "a["}, "key 'dashboards[0].json_path' must be a path"),
        ({"json_path": "a."}, "key 'dashboards[0].json_path' must be a path"),
        ({"time_path": "[x"}, "key 'dashboards[0].time_path' must be a path"),
        ({"equals": 1.5}, "key 'dashboards[0].equals' must be a text, a whole number"),
        ({"equals": ["x"]}, "key 'dashboards[0].equals' must be a text, a whole number"),
        ({"max_age": 60}, "key 'dashboards[0].max_age' must be a duration"),
        ({"limit": "0s"}, "key 'dashboards[0].limit' must be a duration"),
        ({"limt": "5s"}, "key 'dashboards[0].limt' is unknown (did you mean dashboards[0].limit?)"),
        ({"age_header": "Age", "time_path": "t"}, "has both age_header and time_path"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_by_its_key(change: dict[str, Any], said: str) -> None:
    """Every key that cannot be used is named with its place and its form."""
    table = {key: value for key, value in {**WHOLE, **change}.items() if value is not None}
    (problem,) = _problems(table)

    assert said in problem


def test_everything_wrong_is_told_at_once() -> None:
    """Two tables with three problems are three problems; names that are alike are one more."""
    assert len(_problems({**WHOLE, "url": 1, "limit": 1}, {**WHOLE, "equals": []})) == 3
    assert _problems(WHOLE, WHOLE) == ["two of the dashboards are called 'launcher'"]
    assert "must be tables" in _problems("x")[0]


# --- paths


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "healthy"),
        ('"a.b".c[0]', 1),
        ('"a.b".c[1].d', None),
        ("services[1].up", True),
        ("services[name=kestra].up", True),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: Any) -> None:
    """Keys, places and chosen elements lead into a document."""
    assert JsonPath(path).is_whole
    assert JsonPath(path).of(DOCUMENT) == value


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("state", "nothing at state"),
        ("status.deeper", "nothing at status.deeper"),
        ("services.name", "nothing at services.name"),
        ("services[4]", "nothing at services[4]"),
        ("status[0]", "nothing at status[0]"),
        ("services[name=absent].up", "0 elements at services[name=absent]"),
        ("services[name=twin]", "2 elements at services[name=twin]"),
        ("status[name=x]", "0 elements"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ended(path: str, said: str) -> None:
    """What is not there is named by the part of the path that missed it."""
    with pytest.raises(CannotObserve, match=said.replace("[", r"\[").replace("]", r"\]")):
        JsonPath(path).of(DOCUMENT)


# --- what is seen


def _seen(
    served: Board, page: Page | None, *, since: float | None = None, look_limit: float = 5.0, **keys: Any
) -> DashboardSeen:
    served.pages["/api"] = page
    told: list[str] = []
    (one,) = dashboards.read([{**WHOLE, "url": served.url("/api"), "limit": "1ms", **keys}], told)
    waiting = Waiting(lambda: None, lambda _text: None)
    (seen,) = look((one,), waiting, since, look_limit, Pace(), patient=True)
    assert told == []
    return seen


def _unseen(seen: DashboardSeen, name: str = "launcher") -> str:
    assert isinstance(seen.shows, Unseen), seen.shows
    assert seen.shows.unseen.startswith(f"{name}: ")
    assert seen.shows.next_move
    return seen.shows.sentence


WELL = {"status": "healthy"}


def dated(
    write: Callable[[datetime], Any] = datetime.isoformat, ago: float = 9, date: float | None = None
) -> Page:
    """A page with a time in it, and a `Date` if one is asked for, each so many seconds before it is asked."""

    def page() -> tuple[int, dict[str, str], bytes]:
        now = datetime.now(UTC)
        sent: dict[str, Any] = (
            {} if date is None else {"Date": format_datetime(now - timedelta(seconds=date), usegmt=True)}
        )
        return fixed({**WELL, "at": write(now - timedelta(seconds=ago))}, **sent)()

    return page


@pytest.mark.parametrize(
    ("page", "keys", "age"),
    [
        (fixed(WELL, Age="3"), {}, 4),
        (fixed(WELL, X_Cache_Age="3"), {}, 4),
        (fixed(WELL, X_Cache_Age="3", Age="7"), {}, 8),
        (fixed(WELL, x_cache_age="3500ms"), {}, 4.5),
        (fixed(WELL, X_Made="2m"), {"age_header": "X-Made", "max_age": "5m"}, 121),
        (dated(date=0), {"age_header": "Date"}, 1),
        (dated(), {"time_path": "at"}, 10),
        (dated(datetime.timestamp), {"time_path": "at"}, 10),
        (dated(lambda at: int(at.timestamp() * 1000)), {"time_path": "at"}, 10),
    ],
)
def test_an_age_is_read_where_it_is_told(served: Board, page: Page, keys: dict[str, Any], age: float) -> None:
    """Headers and times are read in their forms; the oldest counts, and a second more for what they round."""
    seen = _seen(served, page, **keys)

    assert seen.shows == seen.expected == '"healthy"'
    assert isinstance(seen.age, float)
    # `Date` tells whole seconds.
    assert age - 0.1 <= seen.age < age + 20


@pytest.mark.parametrize(
    ("page", "keys", "said"),
    [
        (fixed(WELL, Age="60"), {}, "may have been made 61.0 s ago, and no more than 60 s count"),
        (fixed(WELL), {}, "does not tell its age in X-Cache-Age or Age"),
        (fixed(WELL, Date="Mon, 01 Jan 2024 00:00:00 GMT"), {}, "does not tell its age"),
        (fixed(WELL, Age="1"), {"age_header": "X-Made"}, "has no header X-Made"),
        (fixed(WELL, Age="soon"), {}, "neither an age nor a time: 'soon'"),
        (fixed(WELL), {"time_path": "at"}, "nothing at at"),
        (fixed({**WELL, "at": "noon"}), {"time_path": "at"}, 'its time is none: "noon"'),
        (fixed({**WELL, "at": True}), {"time_path": "at"}, "its time is none: true"),
        (fixed({**WELL, "at": "2026-01-01T00:00:00"}), {"time_path": "at"}, "has no zone"),
        (dated(ago=-3600), {"time_path": "at"}, "ahead of ours"),
        (
            dated(date=-3600),
            {"time_path": "at", "max_age": "1h"},
            "ahead of ours",
        ),
        (fixed({"state": "healthy"}, Age="1"), {}, "nothing at status"),
        (fixed(b"<html>", Age="1"), {}, "is no JSON"),
        (fixed(b"\xff", Age="1"), {}, "is no JSON"),
        (fixed(b"[" * 100_000, Age="1"), {}, "is no JSON"),
        (fixed(b"0" * 3_000_000, Age="1"), {}, "longer than 2000000 bytes"),
        (fixed(WELL, status=503, Age="1"), {}, "answered 503, not 200"),
        (fixed(b"", status=302, Location="http://127.0.0.1:9/"), {}, "answered 302, not 200"),
        (None, {"look_limit": 0.2}, "does not answer: accepted and mute"),
        (fixed(WELL), {"url": "http://127.0.0.1:9/"}, "does not answer: refused"),
    ],
)
def test_what_proves_nothing_is_unseen(
    served: Board, page: Page | None, keys: dict[str, Any], said: str
) -> None:
    """An answer that is old, ageless, unreadable or none shows nothing, whatever it says; its reason tells which."""
    assert said in _unseen(_seen(served, page, **keys))


def test_an_answer_that_nobody_thought_of_is_unseen(served: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of our own on one dashboard is told, and takes no other look with it."""
    monkeypatch.setattr("procedures.observe.dashboards._age", lambda *_: 1 / 0)

    assert "cannot be read: ZeroDivisionError" in _unseen(_seen(served, fixed(WELL, Age="0")))


def test_a_new_answer_with_another_value_is_shown(served: Board) -> None:
    """What a new answer says is taken as it stands: a text is not the value that it spells."""
    assert _seen(served, fixed({"status": "degraded"}, Age="0")).shows == '"degraded"'
    seen = _seen(served, fixed({"status": "true"}, Age="0"), equals=True)
    assert (seen.shows, seen.expected) == ('"true"', "true")


def test_an_answer_from_before_the_start_shows_nothing(served: Board) -> None:
    """An answer that may be older than the start is none, however young it is allowed to be."""
    assert "was not back yet" in _unseen(_seen(served, fixed(WELL, Age="3"), since=time.monotonic() - 2))
    assert _seen(served, fixed(WELL, Age="3"), since=time.monotonic() - 10).shows == '"healthy"'


def test_a_dashboard_is_waited_for_up_to_its_limit(served: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is asked until it is right, and no longer than its limit; what was seen on the way is kept once."""
    monkeypatch.setattr("procedures.observe.dashboards.CADENCE", 0.02)

    def slow_page() -> tuple[int, dict[str, str], bytes]:
        return fixed({"status": "down" if served.asked.count("/slow") < 5 else "healthy"}, Age="0")()

    served.pages["/slow"] = slow_page
    served.pages["/never"] = fixed({"status": "down"}, Age="0")
    tables = [
        {**WHOLE, "name": path, "url": served.url(path), "limit": limit}
        for path, limit in (("/slow", "30s"), ("/never", "1ms"))
    ]
    waiting = Waiting(lambda: None, lambda _text: None)
    slow, never = look(dashboards.read(tables, []), waiting, None, 5.0, Pace(), patient=True)

    assert [one.partition(": ")[2] for one in slow.looks] == ['it shows "down"', 'it shows "healthy"']
    assert never.shows == '"down"'
    assert len(never.looks) == 1
    assert (served.asked.count("/slow"), served.asked.count("/never")) == (5, 1)


def test_where_nothing_answers_each_is_asked_once(served: Board) -> None:
    """With nothing to wait for a dashboard is looked at, and not waited for."""
    served.pages["/down"] = fixed({"status": "down"}, Age="0")
    (one,) = dashboards.read([{**WHOLE, "url": served.url("/down")}], [])
    (seen,) = look((one,), Waiting(lambda: None, lambda _text: None), None, 5.0, Pace(), patient=False)

    assert seen.shows == '"down"'
    assert served.asked.count("/down") == 1


def test_before_the_stop_an_old_answer_can_be_read_too(served: Board) -> None:
    """What is asked then is whether a dashboard can be read; how old its answer is, and what it shows, is for later."""
    served.pages |= {"/old": fixed({"status": "down"}, Age="9999"), "/ageless": fixed({"status": "down"})}
    tables = [{**WHOLE, "name": path, "url": served.url(path)} for path in ("/old", "/ageless")]
    old, ageless = look_once(dashboards.read(tables, []), 5.0, Pace())

    assert old.shows == '"down"'
    assert "does not tell its age" in _unseen(ageless, "/ageless")
    assert look_once((), 5.0, Pace()) == ()


def test_no_dashboards_are_no_looks() -> None:
    """A target that names none costs nothing."""
    assert look((), Waiting(lambda: None, lambda _text: None), None, 5.0, Pace(), patient=True) == ()
