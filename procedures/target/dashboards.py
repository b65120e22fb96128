"""Dashboards that a target names: where each is, what it must show, and how old its answer may be."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from procedures.problems import CannotObserve
from procedures.target.durations import seconds
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
        """Return the value at the path; what is not there is said with the part that missed it."""
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
        """What it must show, as JSON writes it: `"true"` and `true` are two values."""
        return shown(self.equals)


def shown(value: Any) -> str:
    """Return a value as JSON writes it, cut where it is long."""
    text = excerpt.cleaned(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 200 else f"{text[:200]}…"


def read(value: Any, problems: list[str]) -> tuple[Dashboard, ...]:
    """Return the dashboards that a target file names; what is wrong with them is added to the problems."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        problems.append("key 'dashboards' must be tables, each written as [[dashboards]]")
        return ()
    found = [_read(table, f"dashboards[{place}]", problems) for place, table in enumerate(value)]
    names = [one.name for one in found if one]
    twice = sorted({one for one in names if names.count(one) > 1})
    problems += [f"two of the dashboards are called {one!r}" for one in twice]
    return tuple(one for one in found if one)


def _read(table: Mapping[str, Any], where: str, problems: list[str]) -> Dashboard | None:
    known = {one.name: one for one in fields(Dashboard)}
    wrong: list[str] = []
    for key in table.keys() - known.keys():
        close = difflib.get_close_matches(key, known, 1)
        hint = f" (did you mean {where}.{close[0]}?)" if close else ""
        wrong.append(f"key '{where}.{key}' is unknown{hint}")
    given: dict[str, Any] = {}
    for name, one in known.items():
        if name in table:
            given[name], problem = _FORMS[name](table[name])
            wrong += [f"key '{where}.{name}' {problem}"] if problem else []
        elif one.default is MISSING:
            wrong.append(f"key '{where}.{name}' is missing")
    if given.get("age_header") and given.get("time_path"):
        wrong.append(f"key '{where}' has both age_header and time_path: leave one out")
    problems += wrong
    return None if wrong else Dashboard(**given)


def _text(value: Any) -> tuple[Any, str]:
    good = isinstance(value, str) and value.strip() != ""
    return value, "" if good else "must be a text, and not a blank one"


def _url(value: Any) -> tuple[Any, str]:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        secret = parts.username is not None or parts.password is not None
    except ValueError:
        good, secret = False, False
    if secret:
        return value, "must hold no user and no password: a target file holds no secrets"
    return value, "" if good else "must be an http:// or https:// address"


def _path(value: Any) -> tuple[Any, str]:
    path = JsonPath(value) if isinstance(value, str) else JsonPath("")
    good = path.is_whole
    return path, "" if good else "must be a path such as 'services[name=kestra].status'"


def _plain(value: Any) -> tuple[Any, str]:
    return value, "" if isinstance(value, (str, int)) else "must be a text, a whole number, true or false"


def _duration(value: Any) -> tuple[Any, str]:
    length = seconds(value) if isinstance(value, str) else None
    return length, "" if length else f"must be a duration such as '60s' or '5m', not {value!r}"


_FORMS = {
    "name": _text,
    "url": _url,
    "json_path": _path,
    "equals": _plain,
    "max_age": _duration,
    "limit": _duration,
    "age_header": _text,
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
