"""The table of symptoms and actions in a Markdown document, as text: where it is, and the document with more rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE = re.compile(r"(?P<text>[^\r\n]*)(?P<end>\r\n|\r|\n|\Z)")
_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})(?P<rest>.*)")
_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<words>.*))?$")
_UNDERLINE = re.compile(r" {0,3}(?P<mark>=+|-+)[ \t]*$")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*\|[ \t]*:?-+:?[ \t]*\|?[ \t]*$")
_CELL = re.compile(r"(?:\\.|[^|\\])*", re.DOTALL)
_ANOTHER_BLOCK = re.compile(
    r" {0,3}(?:#{1,6}(?:[ \t]|$)|>|[-+*][ \t]|\d{1,9}[.)][ \t]|```|~~~|<|(?:[-*_][ \t]*){3,}$)"
)
_SPAN = re.compile(r"`[^`]+`")
# What Markdown would read as markup, or a page generator as an expression.
_MARKUP = re.compile(r"[\\|*\[\]<{}~&`]|(?<![^\W_])_|_(?![^\W_])")
_FIGURES = re.compile(r"\b(?=\w*\d)[0-9a-f]{7,}\b|\d+(?:[.,]\d+)*")
_SECTION = ("troubleshoot", "problem")
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    end: str
    stop: int
    """Where the line's own text ends in the document."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the document: where more rows go, and what a row looks like there."""

    insert_at: int
    line_end: str
    indent: str
    piped: bool
    """Whether its rows begin with a pipe."""
    symptoms: frozenset[str]
    """The first cells of its rows, without what differs each time."""

    def has(self, symptom: str) -> bool:
        return _alike(escaped(symptom)) in self.symptoms


def find(document: str) -> Table | None:
    """Return the first table of symptoms and actions in a troubleshooting section."""
    lines = _lines(document)
    for place in _places(lines):
        head, rule = lines[place], lines[place + 1]
        if not (_RULE.match(rule.text) and _names_both(_cells(head.text))):
            continue
        last = place + 1
        while last + 1 < len(lines) and _goes_on(lines[last + 1].text):
            last += 1
        body = lines[place + 2 : last + 1]
        return Table(
            insert_at=lines[last].stop,
            line_end=lines[last].end or rule.end or head.end,
            indent=head.text[: len(head.text) - len(head.text.lstrip(" \t"))],
            piped=head.text.lstrip().startswith("|"),
            symptoms=frozenset(_alike(_cells(one.text)[0]) for one in body),
        )
    return None


def with_rows(document: str, table: Table, rows: Iterable[tuple[str, str]]) -> str:
    """Return the document with these symptoms and actions below the table's last row, and nothing else changed."""
    written = "".join(
        f"{table.line_end}{table.indent}{row(symptom, action) if table.piped else row(symptom, action)[2:-2]}"
        for symptom, action in rows
    )
    return document[: table.insert_at] + written + document[table.insert_at :]


def row(symptom: str, action: str) -> str:
    """Return a row of the table."""
    return f"| {escaped(symptom)} | {escaped(action)} |"


def escaped(text: str) -> str:
    """Return a text as one line of plain words in a cell; text between backticks stays code."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    plain = plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"
    written, at = "", 0
    for span in _SPAN.finditer(plain):
        # In code a pipe must be escaped too, and a backslash before it would be ambiguous.
        if "\\" not in span[0]:
            written += _words(plain[at : span.start()]) + span[0].replace("|", "\\|")
            at = span.end()
    return written + _words(plain[at:])


def _words(text: str) -> str:
    return _MARKUP.sub(lambda found: f"\\{found[0]}", text)


def _alike(cell: str) -> str:
    """Return a cell without what differs each time: figures, ids, spaces."""
    return " ".join(_FIGURES.sub("#", cell.casefold()).split())


def _lines(document: str) -> list[_Line]:
    found = [_Line(one["text"], one["end"], one.end("text")) for one in _LINE.finditer(document)]
    return found[:-1] if found and not found[-1].text and not found[-1].end else found


def _places(lines: list[_Line]) -> Iterator[int]:
    """Yield where a table's head may stand: lines of troubleshooting sections, without code and comments."""
    section: int | None = None
    for place in _prose(lines):
        level, words = _heading(lines, place)
        if level and any(one in _folded(words) for one in _SECTION):
            section = level if section is None else min(section, level)
        elif level and section is not None and level <= section:
            section = None
        elif section is not None and place + 1 < len(lines):
            yield place


def _prose(lines: list[_Line]) -> Iterator[int]:
    """Yield the lines that are neither front matter nor code nor comment."""
    fence, comment = "", False
    for place in range(_after_front_matter(lines), len(lines)):
        text = lines[place].text
        mark = _FENCE.match(text)
        if fence:
            ended = mark and mark["mark"].startswith(fence) and not mark["rest"].strip()
            fence = "" if ended else fence
        elif comment or text.lstrip().startswith("<!--"):
            comment = "-->" not in text
        elif mark:
            fence = mark["mark"]
        elif not text.startswith(("    ", "\t")):
            yield place


def _after_front_matter(lines: list[_Line]) -> int:
    if lines and lines[0].text.lstrip("\ufeff").rstrip() == "---":
        for place, one in enumerate(lines[1:], 1):
            if one.text.rstrip() in {"---", "..."}:
                return place + 1
    return 0


def _heading(lines: list[_Line], place: int) -> tuple[int, str]:
    """Return the level and the words of a heading; level 0 if the line is none."""
    text = lines[place].text.removeprefix("\ufeff")
    if found := _HEADING.match(text):
        return len(found["marks"]), found["words"] or ""
    below = lines[place + 1].text if place + 1 < len(lines) else ""
    if (
        text.strip()
        and not _ANOTHER_BLOCK.match(text)
        and "|" not in text
        and (found := _UNDERLINE.match(below))
    ):
        return (1 if found["mark"][0] == "=" else 2), text
    return 0, ""


def _goes_on(text: str) -> bool:
    return bool(text.strip()) and not _ANOTHER_BLOCK.match(text)


def _cells(text: str) -> list[str]:
    inner = text.strip().removeprefix("|")
    cells, at = [], 0
    while at <= len(inner):
        found = _CELL.match(inner, at)
        stop = found.end() if found else len(inner)
        cells.append(inner[at:stop].strip())
        at = stop + 1
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _names_both(cells: list[str]) -> bool:
    if len(cells) != 2:
        return False
    first, second = (_folded(one).strip("*_ ") for one in cells)
    return first.startswith(("sintoma", "symptom")) and second.startswith(
        ("acao", "acoes", "action", "suggested action")
    )


def _folded(text: str) -> str:
    """Return a text in lower case without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))
