"""Redaction by value: known secrets are replaced in every form in which they are likely to be written."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter

from reports.record.observed import Secret
from reports.redaction import spelling
from reports.redaction.forms import BASE64_CLASS, base64_cores, encoded, forms, token_around
from reports.redaction.needles import Hear, Needle, Needles, Span, literal
from reports.redaction.vocabulary import own_words
from reports.redaction.weak import Weak

MARK = "[redacted]"
SHORT = 6
"""A shorter secret occurs in too many other words to be searched for."""

_INDENT = rb"(?:[ \t]|\\{1,4}t){0,16}+"
_STAMP = rb"(?:\d{4}-\d\d-\d\dT[\d:.]{8,18}Z )?+"
_BREAK = _INDENT + rb"(?:\r|\\{1,4}r)?+(?:\n|\\{1,4}n)" + _INDENT + _STAMP + _INDENT
_BREAKS = re.compile(_BREAK)
_WRAPPED = re.compile(
    rb"(?<![%s])[%s]{4,}+(?:%s[%s]++)++={0,2}+" % (BASE64_CLASS, BASE64_CLASS, _BREAK, BASE64_CLASS)
)
"""Base64 over several lines, each perhaps with the time at which Docker got it."""
PATIENCE = 30.0
"""Seconds within which a text must be searched; a text that takes longer is withheld."""


class Unsearched(Exception):  # noqa: N818 - says what happened
    """A text could not be searched for secrets within its time: nobody may see it."""


class Redaction:
    """The secrets of one run, and how they are kept out of its texts.

    A secret that is part of a public word of the target or of the report itself, or is very short, is weak: it is
    redacted only where it stands as a value, and the scan leaves it out.
    A search takes time in proportion to the text, asks `hear` again and again, and gives up with `Unsearched`.
    """

    def __init__(
        self,
        values: Iterable[Secret],
        public_words: Iterable[str] = (),
        names: Mapping[Secret, str] | None = None,
    ) -> None:
        words = [own_words(), *(word.casefold() for word in (*public_words, MARK) if word)]
        known = dict.fromkeys(secret for secret in values if secret.value.strip())
        given = names or {}
        labels = {secret: given.get(secret, f"secret {n}") for n, secret in enumerate(known, start=1)}
        weak = [secret for secret in known if _is_weak(secret.value, words)]
        self.count = len(known)
        """How many different secret values are known."""
        self.weak: tuple[str, ...] = tuple(labels[secret] for secret in weak)
        """The labels of the secrets that are redacted only where they stand as a value."""
        self._weak = Weak(secret.value for secret in weak)
        found = [
            one for secret in known if secret not in weak for one in _needles(secret.value, labels[secret])
        ]
        self._needles = Needles(found)
        self._in_base64 = Needles(one for one in found if one.in_base64)

    def clean(self, text: str, hear: Hear | None = None) -> str:
        """Return `text` with every known secret replaced, in any form."""
        if not self.count or not text:
            return text
        hear = _patient(hear)
        data, decode = _bytes_of(text)
        for find in (self._wrapped, self._strong, self._weak.spans, self._weak.pairs):
            data = _replaced(data, find(data, hear))
        return decode(data)

    def scan(self, data: bytes, hear: Hear | None = None) -> list[str]:
        """Return which secrets `data` holds, and in which form; weak ones are not looked for."""
        hear = _patient(hear)
        found = dict.fromkeys(needle.label for _, needle in self._needles.find(data, hear))
        for _, token in _wraps(data):
            joined = _BREAKS.sub(b"", token)
            found |= dict.fromkeys(f"{one.label}, wrapped" for _, one in self._in_base64.find(joined, hear))
        return list(found)

    def _strong(self, data: bytes, hear: Hear) -> Iterator[Span]:
        """Yield where secrets stand, each in any form, in their order."""
        floor = 0
        for span, needle in sorted(self._needles.find(data, hear), key=itemgetter(0)):
            # The characters beside base64 still hold bits of the secret, so the whole token goes.
            whole = token_around(data, *span, floor) if needle.in_base64 and span[1] > floor else span
            yield whole
            floor = max(floor, whole[1])

    def _wrapped(self, data: bytes, hear: Hear) -> Iterator[Span]:
        """Yield where a secret stands in base64 that goes over several lines: every line that holds a part of it."""
        for begin, token in _wraps(data):
            for found, _ in sorted(self._in_base64.find(_BREAKS.sub(b"", token), hear), key=itemgetter(0)):
                lines = _lines_of(token, found)
                yield begin + lines[0], begin + lines[1]


def _wraps(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield where lines follow each other that may be one token of base64, and what stands there."""
    for found in _WRAPPED.finditer(data):
        yield found.start(), found[0]


def _lines_of(token: bytes, joined: Span) -> Span:
    """Return which lines of a wrapped token hold a part of a span of the joined token.

    If the span ends with its line, the first character of the next line still holds bits of it.
    """
    begin = end = taken = at = 0
    for stop in (*(one.span() for one in _BREAKS.finditer(token)), (len(token), len(token))):
        length = stop[0] - at
        if taken < joined[0]:
            begin = at
        end = stop[0]
        taken += length
        if taken > joined[1]:
            break
        at = stop[1]
    return begin, end


@functools.lru_cache(maxsize=256)
def _needles(value: str, label: str) -> tuple[Needle, ...]:
    """Return the needles that find a value in every form.

    A run builds its redaction anew whenever it meets another secret; the needles of the others are kept.
    """
    found = list[Needle]()
    exact = forms(value)
    if not spelling.is_plain(value):
        found.append(spelling.needle(value, f"{label} raw or encoded"))
        pattern = spelling.spelled(value)
        exact = {form: how for form, how in exact.items() if not pattern.fullmatch(encoded(form))}
    found += [literal(encoded(form), f"{label} {how}") for form, how in exact.items()]
    cores = [core for core in base64_cores(value) if core not in exact]
    return (*found, *(literal(core.encode(), f"{label} in base64", in_base64=True) for core in cores))


def _patient(hear: Hear | None) -> Hear:
    """Return a function that ends a search that takes too long, and that calls `hear`, which may end it too."""
    began = time.monotonic()

    def ask() -> None:
        if hear is not None:
            hear()
        if time.monotonic() - began > PATIENCE:
            raise Unsearched(f"it could not be searched for secrets within {PATIENCE:g} s")

    return ask


def _replaced(data: bytes, spans: Iterable[Span]) -> bytes:
    """Return `data` with the mark in the place of each span; spans that overlap are one."""
    parts, at = list[bytes](), 0
    begin = end = -1
    for one_begin, one_end in spans:
        if one_begin < end:
            end = max(end, one_end)
            continue
        if end >= 0:
            parts += [data[at:begin], MARK.encode()]
            at = end
        begin, end = one_begin, one_end
    if end < 0:
        return data
    return b"".join([*parts, data[at:begin], MARK.encode(), data[end:]])


def _bytes_of(text: str) -> tuple[bytes, Callable[[bytes], str]]:
    """Return the bytes of a text, and the way back."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass"), lambda cleaned: cleaned.decode("utf-8", "surrogatepass")
    return data, lambda cleaned: cleaned.decode("utf-8", "surrogateescape")


def _is_weak(value: str, words: list[str]) -> bool:
    return len(value) < SHORT or any(value.casefold() in word for word in words)
