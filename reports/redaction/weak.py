"""Weak secrets: public words and very short values, which are redacted only where they stand as a value."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from reports.redaction.forms import encoded, stable_base64, texts, token_around
from reports.redaction.needles import Hear, Needles, Span, literal

BEFORE = 120
"""Bytes before a value in which a key may say what it is."""
_QUOTE = rb"(?:\\{0,8}[\"']|&quot;|&#34;|&#x27;|&#39;|&apos;)?"
_KEY = rb"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|auth|key|dsn|pw)s?"
_LAST = rb"[\"';:=\s]"
"""What may stand right before a value: anything else makes it a part of something longer."""
_TELLING = re.compile(
    rb"(?:%s%s\s*[:=]\s*%s|--[\w-]*%s\s+|identified by\s+%s|://[^\s:/@]*:)\Z"
    % (_KEY, _QUOTE, _QUOTE, _KEY, _QUOTE)
)
_LOGIN = re.compile(rb"(?<![\w/:])[\w.+-]+:\Z")
_NO_LONGER = rb"(?![.-]?[\w\x80-\xff])"
"""Otherwise it is the beginning of a longer word, such as a container's name."""


class Weak:
    """Finds values behind a key that names secrets, before the @ of a URL, and in base64 behind a user's name."""

    def __init__(self, values: Iterable[str]) -> None:
        found = sorted(set(values))
        self._values = {encoded(value) for value in found}
        forms = {encoded(form).lower() for value in found for form in texts(value)}
        written = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
        placed = (rb"%s(?<=%s%s)" % (form, _LAST, form) for form in written)
        self._placed = re.compile(rb"(?:%s)%s" % (b"|".join(placed), _NO_LONGER)) if forms else None
        pairs = {core for value in self._values for core in stable_base64(b":" + value)}
        self._pairs = Needles(literal(core.encode()) for core in sorted(pairs))

    def spans(self, data: bytes, hear: Hear) -> Iterator[Span]:
        """Yield where these values stand as values."""
        if self._placed is None:
            return
        lowered = data.lower()
        for found in self._placed.finditer(lowered):
            hear()
            begin, end = found.span()
            head = lowered[max(0, begin - BEFORE) : begin]
            if _TELLING.search(head) or (lowered[end : end + 1] == b"@" and _LOGIN.search(head)):
                yield begin, end

    def pairs(self, data: bytes, hear: Hear) -> Iterator[Span]:
        """Yield the tokens of base64 that hold `user:value`."""
        floor = 0
        for (begin, end), _ in sorted(self._pairs.find(data, hear), key=lambda one: one[0]):
            if end > floor:
                token = token_around(data, begin, end, floor)
                floor = token[1]
                if self._is_pair(data[slice(*token)]):
                    yield token

    def _is_pair(self, token: bytes) -> bool:
        try:
            pair = base64.b64decode(token.replace(b"-", b"+").replace(b"_", b"/"), validate=True)
        except (binascii.Error, ValueError):
            return False
        return b":" in pair and pair.split(b":", 1)[1] in self._values
