"""What real servers answered and logged, and how another server's answers are held against it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "data" / "recordings"

# What differs from server to server and from call to call; all else has to be equal.
_VARYING = (
    # An id is of random letters and digits; what is of capitalised words alone is a name, however long.
    (re.compile(r"\b(?![A-Z]?[a-z]{2,}(?:[A-Z][a-z]{2,})*\b)[0-9A-Za-z]{18,23}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), "<moment>"),
    (re.compile(r"\bPT[\dHM.]+S?\b"), "<duration>"),
    (re.compile(r"\b0\.2\d\.\d+(-SNAPSHOT|-understudy)?"), "<version>"),
    (re.compile(r"\b\d\d\.\d+ \(Debian [^)]*\)|\(PostgreSQL \d\d\.\d+\)"), "<postgres>"),
    (re.compile(r"(^|revision )([0-9a-f]{7}|understudy)($| /)"), r"\1<commit>\3"),
    (re.compile(r"postgresql://[\w.-]+:\d+/\w+"), "postgresql://<database>"),
    (re.compile(r"^(kestra-)?postgres:\d+/\w+"), "<database>"),
    (re.compile(r"http://[\w.-]+:"), "http://<host>:"),
    (re.compile(r"(?<=http://<host>:)\d{5}"), "<port>"),
    (re.compile(r"line: \d+, column: \d+"), "line: <n>, column: <n>"),
    (re.compile(r"\bworker_\d+"), "worker_<n>"),
)
_NUMBERS = ("total", "free")  # disk sizes, and how much an earlier test has left


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: its status, its headers with lower-case names, its body as JSON where it is JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def answers(version: str) -> dict[str, Heard]:
    """Every recorded answer of a version, by call."""
    read = json.loads((FOLDER / f"answers-{version}.json").read_text())
    return {call: Heard(**heard) for call, heard in read.items()}


def lines(name: str) -> list[str]:
    return (FOLDER / name).read_text().splitlines()


def normal(value: Any, key: str = "") -> Any:
    """The value with all that may vary replaced by its kind."""
    if isinstance(value, dict):
        return {normal(name): normal(each, name) for name, each in value.items()}
    if isinstance(value, list) and key == "errors":  # a set in Kestra: their order is chance
        return sorted((normal(each) for each in value), key=json.dumps)
    if isinstance(value, list):
        return [normal(each) for each in value]
    if isinstance(value, str):
        for pattern, kind in _VARYING:
            value = pattern.sub(kind, value)
        return value
    return "<number>" if key in _NUMBERS and isinstance(value, int | float) else value


def comparable(got: Any, expected: Any) -> Any:
    """The normal form of a body; of a list of results the one that the recording has, if it is among them.

    A search without order answers in any, and the recordings keep one result of each.
    """
    found = normal(got)
    if isinstance(expected, dict) and expected.get("results"):
        recorded = normal(expected)["results"]
        return {
            **found,
            "results": [each for each in found["results"] if each in recorded][:1] or found["results"],
        }
    return found


def landmarks(log: list[str], stream: tuple[str, ...]) -> list[str]:
    """The lines of a log with these levels, without times and other numbers: what the server did, in order."""
    told: list[str] = []
    for line in log:
        match = re.match(r"\d{4}-\d\d-\d\d [\d:,]+ (?P<level>[A-Z]+)\s+(?P<rest>.*)", line)
        if not match or match["level"] not in stream or _is_beside_the_point(match["rest"]):
            continue
        text = normal(f"{match['level']} {' '.join(match['rest'].split())}")
        text = re.sub(r"hostname=\w+", "hostname=<host>", text)
        text = re.sub(r"(?<=f\.\w\.)\w(?=\.<id>)", "<initial>", text)
        text = re.sub(
            r"\d+(?=ms|\.\d+s|:\d\d| core plugins)|(?<=[:.])\d+(?=\.\d+s|s\b|\.\d{3}$|$)", "#", text
        )
        if not told or told[-1] != text:
            told.append(text[:150])
    return told


def _is_beside_the_point(rest: str) -> bool:
    """Say whether a line is about requests, or tells that a server is the understudy."""
    return "webserver.access" in rest or rest.split()[1] == "understudy"
