"""Signatures: known messages of Kestra, Postgres, Docker and Compose when something is wrong.

Each says what it means and what to type next. Signatures explain; only states are judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from procedures.drivers.colours import without_colours

_PLACE = re.compile(r"<([a-z_]+)>")
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$")
_SAID_WIDTH = 200
_LOOKED_AT = 4096
"""Characters of a line that are searched: the cause stands near its beginning, and a pattern's time may grow with the square."""


class Speaker(StrEnum):
    """Who says it."""

    KESTRA = "Kestra"
    POSTGRES = "Postgres"
    DOCKER = "Docker"
    COMPOSE = "Compose"
    SHELL = "the shell"


@dataclass(frozen=True, slots=True)
class Signature:
    """One known message: `says` is its recorded text, `pattern` finds it in a line, `name` is its cause.

    Two speakers may report one cause. In `move`, a name in angle brackets is filled in from the target or from the
    pattern's own groups.
    """

    name: str
    by: Speaker
    pattern: str
    says: str
    means: str
    move: str


@dataclass(frozen=True, slots=True)
class Source:
    """A text in which signatures are searched, its origin, and who may speak in it."""

    where: str
    speakers: frozenset[Speaker]
    text: str


@dataclass(slots=True)
class Match:
    """A signature that was found: the source, the newest line that holds it, and the number of such lines."""

    signature: Signature
    where: str
    line: str
    at: str = ""
    count: int = 1
    groups: Mapping[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """Say in one sentence what was found."""
        often = f"{self.count} times, last" if self.count > 1 else ""
        when = f" ({' '.join(one for one in (often, f'at {self.at}' if self.at else '') if one)})"
        return f"{self.where} says {self.line!r}{when if len(when) > 3 else ''}: {self.signature.means}"

    def move(self, places: Mapping[str, str]) -> str:
        """Return what to type next; an unknown name in angle brackets stays as it is."""
        known = {**places, **self.groups}
        return _PLACE.sub(lambda one: known.get(one[1]) or one[0], self.signature.move)


THEN = "then `pytest -m recover`"
DISK_FULL = (
    "a disk of the engine's host is full",
    f"`docker system df` and `df -h` there say of what; {THEN}",
)


def matches(sources: Iterable[Source], table: Iterable[Signature]) -> tuple[Match, ...]:
    """Find every signature of a table, each cause once, in the order of the sources."""
    signatures = tuple(table)
    found: dict[str, Match] = {}
    for source in sources:
        mine: dict[str, Match] = {}
        for raw in without_colours(source.text).splitlines():
            stamped = _STAMP.match(raw)
            at, line = (stamped[1], stamped[2]) if stamped else ("", raw)
            for one in signatures:
                hit = re.search(one.pattern, line[:_LOOKED_AT]) if one.by in source.speakers else None
                if hit:
                    count = mine[one.name].count + 1 if one.name in mine else 1
                    mine[one.name] = Match(one, source.where, _brief(line, hit), at, count, _groups(hit))
        for name, match in mine.items():
            found.setdefault(name, match)
    return tuple(found.values())


def since_last(text: str, markers: Iterable[str]) -> str:
    """Return a log from the newest line on that holds one of the markers: earlier trouble was overcome."""
    lines, known = text.splitlines(keepends=True), tuple(markers)
    newest = max((at for at, line in enumerate(lines) if any(one in line for one in known)), default=0)
    return "".join(lines[newest:])


def _brief(line: str, hit: re.Match[str]) -> str:
    """Return the line, or the part of a long line around the match; it begins with a whole word if possible."""
    begin = max(0, min(hit.start() - _SAID_WIDTH // 4, len(line) - _SAID_WIDTH))
    if begin and (space := line.find(" ", begin - 1, hit.start())) >= 0:
        begin = space + 1
    return line[begin : begin + _SAID_WIDTH].strip()


def _groups(hit: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in hit.groupdict().items() if value}
