"""Searches for many needles at once: one pass for a short piece of each, and a close look where a piece is found.

The pieces are chosen so that they begin with few different bytes: the pass skips all others at the speed of the
regular expression engine, so its time grows with the text and hardly with the number of needles.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

Hear = Callable[[], None]
"""Called between two windows of a long search; it ends the search by raising."""
Span = tuple[int, int]

WINDOW = 1 << 18
"""Bytes between two such calls: a few hundredths of a second."""
PIECE = 4
"""Bytes of a needle that are looked for first."""


@dataclass(frozen=True, slots=True)
class Needle:
    """One thing to search for: pieces that are always written the same, and what must stand around them."""

    pieces: tuple[tuple[bytes, int], ...]
    """The pieces, and how many bytes of an exact needle stand before each: any one of them will do.

    Of a needle that is not exact all are needed: it may begin with any one.
    """
    label: str
    in_base64: bool = False
    """Whether the characters beside it hold a part of the secret as well."""
    exact: bytes = b""
    before: re.Pattern[bytes] | None = None
    """What stands before the piece if the needle is not exact, up to its end."""
    behind: re.Pattern[bytes] | None = None
    """What stands from the beginning of the piece on."""
    reach: int = 0
    """How many bytes `before` takes at most."""

    def around(self, data: bytes, piece: int) -> Span | None:
        """Return where a needle that is not exact stands around a piece that was found, if it does."""
        if self.behind is None or (rest := self.behind.match(data, piece)) is None:
            return None
        if self.before is None:
            return piece, rest.end()
        head = self.before.search(data, max(0, piece - self.reach), piece)
        return (head.start(), rest.end()) if head else None


def literal(word: bytes, label: str = "", *, in_base64: bool = False) -> Needle:
    """Return the needle for bytes that stand as they are."""
    length = min(PIECE, len(word))
    pieces = tuple((word[at : at + length], at) for at in range(len(word) - length + 1))
    return Needle(pieces, label, in_base64, exact=word)


class _Piece:
    """The needles that a piece may be a part of: the exact ones, grouped, and all others."""

    def __init__(self, placed: Iterable[tuple[Needle, int]]) -> None:
        exact: dict[int, list[Needle]] = {}
        self._others: list[Needle] = []
        for needle, offset in placed:
            if needle.exact:
                exact.setdefault(offset, []).append(needle)
            else:
                self._others.append(needle)
        self._exact = [(offset, *_at_once(needles)) for offset, needles in exact.items()]

    def around(self, data: bytes, piece: int) -> list[tuple[Span, Needle]]:
        """Return which needles stand around the piece that was found."""
        standing = []
        for offset, match, ends in self._exact:
            begin = piece - offset
            if begin >= 0 and (found := match(data, begin)) is not None:
                standing += [((begin, begin + end), needle) for end, needle in ends[found[0]]]
        for needle in self._others:
            span = needle.around(data, piece)
            if span is not None:
                standing.append((span, needle))
        return standing


def _at_once(
    needles: list[Needle],
) -> tuple[Callable[[bytes, int], re.Match[bytes] | None], dict[bytes, list[tuple[int, Needle]]]]:
    """Return a function that finds the longest exact needle at a place, and all needles that then stand there."""
    words = sorted({one.exact for one in needles})
    ends = {word: [(len(one.exact), one) for one in needles if word.startswith(one.exact)] for word in words}
    return re.compile(_tree(words, 0)).match, ends


class Needles:
    """Everything that is looked for in one pass."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        chosen: dict[bytes, list[tuple[Needle, int]]] = {}
        for needle, (piece, offset) in _with_few_first_bytes([one for one in needles if one.pieces]):
            chosen.setdefault(piece, []).append((needle, offset))
        # A piece that begins with a shorter one stands for that as well.
        self._pieces = {
            piece: _Piece(
                needle_at
                for short in (piece[:length] for length in range(1, len(piece) + 1))
                for needle_at in chosen.get(short, ())
            )
            for piece in chosen
        }
        self._pattern = re.compile(_tree(sorted(chosen), 0)) if chosen else None

    def find(self, data: bytes, hear: Hear) -> list[tuple[Span, Needle]]:
        """Return every needle that stands in the data; spans may overlap, and are not quite in order."""
        standing: list[tuple[Span, Needle]] = []
        if self._pattern is None:
            return standing
        search, pieces, at = self._pattern.search, self._pieces, 0
        while at < len(data):
            hear()
            edge = at + WINDOW
            while (found := search(data, at, edge + PIECE)) and (piece := found.start()) < edge:
                at = piece + 1
                standing += pieces[found[0]].around(data, piece)
            at = edge
        return standing


def _with_few_first_bytes(needles: list[Needle]) -> Iterator[tuple[Needle, tuple[bytes, int]]]:
    """Choose one piece for each needle, so that all of them together begin with few different bytes."""
    firsts = list[int]()
    for needle in (one for one in needles if not one.exact):
        firsts += [piece[0] for piece, _ in needle.pieces]
        yield from ((needle, piece) for piece in needle.pieces)
    left = [one for one in needles if one.exact]
    while left:
        counted = Counter(first for one in left for first in {piece[0] for piece, _ in one.pieces})
        best = next((one for one in firsts if one in counted), None)
        if best is None:
            best = max(counted, key=lambda one: (counted[one], one))
        firsts = [one for one in firsts if one != best]
        rest = []
        for needle in left:
            piece = next((piece for piece in needle.pieces if piece[0][0] == best), None)
            if piece is None:
                rest.append(needle)
            else:
                yield needle, piece
        left = rest


def _tree(words: list[bytes], known: int) -> bytes:
    """Return the pattern of sorted words whose first `known` bytes are written already; the longest is found."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(words[0], words[-1], strict=False))
    common = bytes(one for one, _ in same)
    groups: dict[int, list[bytes]] = {}
    for word in words:
        if len(word) > len(common):
            groups.setdefault(word[len(common)], []).append(word)
    head = re.escape(common[known:])
    if not groups:
        return head
    branches = b"|".join(_tree(group, len(common)) for group in groups.values())
    return head + b"(?:" + branches + b")" + (b"?" if words[0] == common else b"")
