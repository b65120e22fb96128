"""Text that is safe on one line: nothing in it controls a terminal, misleads a reader or begins a line of its own."""

from __future__ import annotations

LONGEST = 1000
"""The most characters of a typed text that are shown."""
_CUT = " … (cut)"


def escaped(text: str) -> str:
    """Return a text in which characters that cannot be printed as they are, or encoded, are escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def encodable(text: str) -> str:
    """Return a text in which bytes that are no UTF-8 are escaped: no record could hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(escaped(one) if "\ud800" <= one <= "\udfff" else one for one in text)
    return text


def one_line(text: str) -> str:
    """Return a text as one line of bounded length; it is cut between words, so that half a secret is never left."""
    line = escaped(text)
    if len(line) <= LONGEST:
        return line
    return line[: LONGEST - len(_CUT) + 1].rpartition(" ")[0] + _CUT
