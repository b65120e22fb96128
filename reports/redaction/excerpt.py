"""Shortens texts to whole lines, and takes secrets out before anything is cut off.

Nobody finds a secret that is cut in two. So every text that others wrote is shortened here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reports.redaction.redact import Unsearched


@dataclass(slots=True)
class _Known:
    """How this process cleans a text: by every secret that its run has met so far."""

    clean: Callable[[str], str] = str


_KNOWN = _Known()


def know(clean: Callable[[str], str]) -> None:
    """Set how every later excerpt is cleaned."""
    _KNOWN.clean = clean


def last(text: str, limit: int) -> str:
    """Return the last whole lines of a text, clean, within a limit."""
    whole = cleaned(text).strip()
    return whole_lines(whole, limit).strip() or _part(whole.splitlines()[-1:], limit, end=True)


def first(text: str, limit: int) -> str:
    """Return the first whole lines of a text, clean, within a limit."""
    whole = cleaned(text).strip()
    if len(whole) <= limit:
        return whole
    end = whole.rfind("\n", 0, limit + 1)
    return whole[: end + 1].strip() or _part(whole.splitlines()[:1], limit, end=False)


def one_line(text: str, limit: int) -> str:
    """Return a text in one line, clean; only its beginning if it is too long."""
    return " ".join(first(text, limit).split())


def whole_lines(text: str, limit: int) -> str:
    """Return the last whole lines of a clean text that fit."""
    if len(text) <= limit:
        return text
    begin = text.find("\n", max(0, len(text) - limit - 1))
    return text[begin + 1 :] if begin >= 0 else ""


def _part(lines: list[str], limit: int, *, end: bool) -> str:
    """Return whole words of a line that is too long: a word is kept or left out, for it may be a secret not yet met."""
    words, kept, size = ("".join(lines).split(), list[str](), 0)
    for word in reversed(words) if end else words:
        size += len(word) + 1
        if size > limit + 1:
            break
        kept.append(word)
    if not kept:
        return f"[a line of {len(''.join(lines))} characters is left out]"
    return f"… {' '.join(reversed(kept))}" if end else f"{' '.join(kept)} …"


def cleaned(text: str) -> str:
    """Return a text without the secrets that this run has met so far."""
    try:
        return _KNOWN.clean(text)
    except Unsearched as error:
        return f"[withheld: {error}]"
