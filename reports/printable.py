"""Text as it may stand on one line: nothing in it steers a terminal, turns a reader's eye or begins a line of its own."""

from __future__ import annotations

LONGEST = 1000
"""Characters of what somebody has typed that are told."""
_CUT = " … (cut)"


def escaped(text: str) -> str:
    """Return a text with everything in it spelt out that is not seen as what it is, and what no encoding can hold."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def encodable(text: str) -> str:
    """Return a text in which bytes that are no UTF-8 are spelt out: no record could hold them."""
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
