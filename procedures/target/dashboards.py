"""Dashboards that a target names: where each is, what it must show, and how old its answer may be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from procedures.problems import CannotObserve
from procedures.target.reading import Table
from reports.redaction import excerpt

_PART = re.compile(
    r"""(?:^|\.)"(?P<quoted>[^"]+)"         # a key in quotes
      | (?:^|\.)(?P<key>[^."\[\]]+)         # a key
      | \[(?P<index>\d+)\]                  # an element by its place
      | \[(?P<where>[^\]=]+)=(?P<is>[^\]]*)\]  # the element in which a key has this value
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A way into a JSON document: `services[name=kestra].status`, `checks[0].state`, `"a.b".c`."""

    text: str

    @property
    def is_whole(self) -> bool:
        """Whether the text is a path from its beginning to its end."""
        return bool(self.text) and "".join(one[0] for one in _PART.finditer(self.text)) == self.text

    def of(self, document: Any) -> Any:
        """Return the value at the path; the error for a missing value names the part that is missing."""
        value = document
        for part in _PART.finditer(self.text):
            value = _step(value, part, self.text[: part.end()])
        return value


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What a dashboard must show: `equals` at `path`, in an answer no older than `max_age`, within `limit` seconds.

    The age of an answer is read from `age_header`, or from a time in the answer itself at `time_path`.
    """

    name: str
    url: str
    json_path: JsonPath
    equals: str | int | bool
    max_age: float
    limit: float = 90.0
    age_header: str = ""
    time_path: JsonPath | None = None

    @property
    def expected(self) -> str:
        """What it must show, as JSON writes it: `"true"` and `true` are different values."""
        return shown(self.equals)


def shown(value: Any) -> str:
    """Return a value as JSON writes it, cut if it is long."""
    text = excerpt.cleaned(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 200 else f"{text[:200]}…"


def read(value: Any, problems: list[str]) -> tuple[Dashboard, ...]:
    """Return the dashboards that a target file names; their problems are added to `problems`."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        problems.append("key 'dashboards' must be tables, each written as [[dashboards]]")
        return ()
    tables = [_read(table, f"dashboards[{place}]", problems) for place, table in enumerate(value)]
    usable = tuple(dashboard for dashboard in tables if dashboard)
    names = [dashboard.name for dashboard in usable]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [f"two of the dashboards are called {name!r}" for name in twice]
    return usable


def _read(values: dict[str, Any], at: str, problems: list[str]) -> Dashboard | None:
    wrong: list[str] = []
    table = Table(values, at, wrong)
    table.refuse_unknown(tuple(_FORMS))
    table.require(one.name for one in fields(Dashboard) if one.default is MISSING)
    given = {key: read(table, key) for key, read in _FORMS.items() if key in table}
    if given.get("age_header") and given.get("time_path"):
        wrong.append(f"key '{at}' has both age_header and time_path: leave one out")
    problems += wrong
    return None if wrong else Dashboard(**given)


def _url(table: Table, key: str) -> str:
    value = table.given[key]
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        secret = parts.username is not None or parts.password is not None
    except ValueError:
        good, secret = False, False
    if secret:
        table.wrong(key, "must hold no user and no password: a target file holds no secrets")
    elif not good:
        table.wrong(key, "must be an http:// or https:// address")
    return str(value)


def _path(table: Table, key: str) -> JsonPath:
    value = table.given[key]
    path = JsonPath(value if isinstance(value, str) else "")
    if not path.is_whole:
        table.wrong(key, "must be a path such as 'services[name=kestra].status'")
    return path


def _plain(table: Table, key: str) -> Any:
    value = table.given[key]
    if not isinstance(value, (str, int)):
        table.wrong(key, "must be a text, a whole number, true or false")
    return value


def _duration(table: Table, key: str) -> float | None:
    return table.duration(key, example="60s")


_FORMS: dict[str, Callable[[Table, str], Any]] = {
    "name": Table.text,
    "url": _url,
    "json_path": _path,
    "equals": _plain,
    "max_age": _duration,
    "limit": _duration,
    "age_header": Table.text,
    "time_path": _path,
}


def _step(value: Any, part: re.Match[str], so_far: str) -> Any:
    if part["index"]:
        return _element(value, int(part["index"]), so_far)
    if part["where"]:
        return _element_where(value, part["where"], part["is"], so_far)
    key = part["quoted"] or part["key"]
    if not isinstance(value, dict) or key not in value:
        raise CannotObserve(f"its answer has nothing at {so_far}")
    return value[key]


def _element(value: Any, index: int, so_far: str) -> Any:
    if not isinstance(value, list) or index >= len(value):
        raise CannotObserve(f"its answer has nothing at {so_far}")
    return value[index]


def _element_where(value: Any, key: str, wanted: str, so_far: str) -> Any:
    every = value if isinstance(value, list) else []
    found = [one for one in every if isinstance(one, dict) and key in one and str(one[key]) == wanted]
    if len(found) != 1:
        raise CannotObserve(f"its answer has {len(found)} elements at {so_far}, not one")
    return found[0]
