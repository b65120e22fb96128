"""Tables of the target file: each value is read in its form, and each problem is noted by its key."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from procedures.target.durations import seconds

NUL = "\0"
NO_NUL = "contains a NUL character, which no path and no command can hold: take it out"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was parsed, where it stands (`steps.start`, blank for the file itself), and the file's problems.

    A wrong value is noted, and a value of the right type returned instead, so that all problems are reported at once.
    """

    given: Mapping[str, Any]
    at: str
    problems: list[str]

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def name(self, key: str) -> str:
        """Return a key's full name, as messages give it."""
        return f"{self.at}.{key}" if self.at else key

    def wrong(self, key: str, says: str) -> None:
        """Note what is wrong with a key."""
        self.problems.append(f"key {self.name(key)!r} {says}")

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Note every unknown key, with the known key that it resembles."""
        for key in self.given:
            if key not in known:
                self.wrong(key, "is unknown" + meant(key, known, self.name))

    def require(self, keys: Iterable[str]) -> None:
        """Note every key that is missing."""
        for key in keys:
            if key not in self.given:
                self.wrong(key, "is missing")

    def table(self, key: str) -> Table:
        value = self.given.get(key, {})
        if not isinstance(value, dict):
            self.wrong(key, "must be a table")
            value = {}
        return Table(value, self.name(key), self.problems)

    def text(self, key: str, default: str = "", says: str = "must be a text, and not a blank one") -> str:
        value = self.given.get(key, default)
        if isinstance(value, str) and (value.strip() or key not in self.given):
            return value
        self.wrong(key, says)
        return default

    def path(self, key: str, default: str = "") -> Path:
        """Return a path with `~` expanded to the home folder."""
        path = Path(self.text(key, default))
        try:
            return path.expanduser()
        except RuntimeError:
            self.wrong(key, f"begins with a home folder that nobody here has: {str(path)!r}")
            return path

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.given.get(key, [])
        if isinstance(value, list) and all(isinstance(text, str) and text for text in value):
            return tuple(value)
        self.wrong(key, "must be a list of texts")
        return ()

    def some_texts(self, key: str) -> tuple[str, ...]:
        """Return a list, which must not be empty if it is given."""
        if self.given.get(key) == []:
            self.wrong(key, "is empty")
        return self.texts(key)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.given.get(key, default)
        if isinstance(value, bool):
            return value
        self.wrong(key, "must be true or false")
        return default

    def number(self, key: str) -> int:
        value = self.given.get(key, 1)
        if type(value) is int and value > 0:
            return value
        self.wrong(key, "must be a whole number above zero")
        return 1

    def port(self, key: str) -> int:
        value = self.given[key]
        if _is_port(value):
            return int(value)
        self.wrong(key, "must be a port number")
        return 0

    def ports(self, key: str) -> tuple[int, ...]:
        value = self.given.get(key, [])
        if isinstance(value, list) and all(_is_port(port) for port in value):
            return tuple(value)
        self.wrong(key, "must be a list of port numbers")
        return ()

    def duration(self, key: str, *, example: str = "90s", zero: bool = False) -> float | None:
        """Return the seconds of a duration, or None if no valid one is given; `zero` allows a length of zero."""
        if key not in self.given:
            return None
        value = self.given[key]
        length = seconds(value) if isinstance(value, str) else None
        if length or (length == 0 and zero):
            return length
        self.wrong(key, f"must be a duration such as '{example}' or '5m', not {value!r}")
        return None


def with_nul(value: object, name: str = "") -> Iterator[str]:
    """Yield the full name of every key whose text, or one of whose texts, contains a NUL character."""
    if isinstance(value, dict):
        for key, within in value.items():
            yield from with_nul(within, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for number, within in enumerate(value):
            yield from with_nul(within, f"{name}[{number}]" if isinstance(within, dict) else name)
    elif isinstance(value, str) and NUL in value:
        yield name


def keys_of(cls: Any, but: str = "") -> list[str]:
    """Return the keys of a table: the fields of its class, except `but`, which is no key."""
    return [field.name for field in fields(cls) if field.name != but]


def meant(word: str, known: Sequence[str], shown: Callable[[str], str] = str) -> str:
    """Return the known word that was probably meant, as the end of a sentence; blank if none resembles it."""
    close = difflib.get_close_matches(word, known, 1)
    return f" (did you mean {shown(close[0])}?)" if close else ""


def _is_port(value: object) -> bool:
    return type(value) is int and 0 < value < 65536
