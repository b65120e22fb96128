"""How a text may be spelled by encoders that nobody has listed: character by character, plain or escaped.

Encoders differ in which characters they leave alone. A pattern that takes each character in any spelling finds what
Java, JavaScript, Go, XML and JSON writers make of a value, and what one of them makes of the other's.
"""

from __future__ import annotations

import functools
import html.entities
import itertools
import re

from reports.redaction.forms import encoded
from reports.redaction.needles import PIECE, Needle

WIDEST = 96
"""More bytes than any one character takes in any spelling."""
_SLASHES = 8
"""Backslashes before an escaped character: nested encoders double them."""
_QUOTES = "'\""
_QUOTED = 25
"""So many quotes at most are written for one: five by a shell (`'"'"'`), and five for each of these by another one."""
_DOLLAR, _DOLLARS = "$", 4
"""Compose doubles them, and doubles them again in what it has doubled before."""
_RUNS = re.compile(r"(?s)\\+|['\"]+|\$+|.")
_BEHIND_SLASH = {
    "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\0": "0", "\x1b": "e", "\x85": "N", "\xa0": "_",
}  # fmt: skip
_AMPERSAND = rb"(?:&|\\{1,8}(?:u0026|x26)|%(?:25){0,2}26)(?:(?:amp|AMP|#0{0,6}38|#[xX]0{0,6}26)(?:;|%(?:25){0,2}3[bB])){0,3}"


def is_plain(value: str) -> bool:
    """Whether every encoder leaves a value as it is."""
    return value.isascii() and value.isalnum()


def needle(value: str, label: str) -> Needle:
    """Return the needle for a value that some encoder may write differently."""
    spelled = _spelled(value)
    at, length = _longest_plain_run(value)
    before = b"".join(spelled[:at])
    if length > 1 or (length and len(value) == 1):
        pieces = [value[at : at + min(length, PIECE)].encode()]
    elif length and at + 1 < len(value):
        pieces = [value[at].encode() + first for first in _first_bytes(value[at + 1])]
    else:
        # No character of it is always written as it is: the bytes that it may begin with lead to it.
        at, before, pieces = 0, b"", list(_first_bytes(value[0]))
    return Needle(
        tuple((one, 0) for one in pieces),
        label,
        before=re.compile(b"(?:" + before + rb")\Z") if at else None,
        behind=re.compile(b"".join(spelled[at:])),
        reach=longest(value[:at]),
    )


def longest(value: str) -> int:
    """Return more bytes than the value takes in any spelling."""
    return sum(1 if is_plain(one) else WIDEST * (_QUOTED if one in _QUOTES else 1) for one in value)


def _longest_plain_run(value: str) -> tuple[int, int]:
    """Return where the first long enough run of plain characters begins, and how long it is."""
    runs = [(one.start(), len(one[0])) for one in re.finditer(r"[A-Za-z0-9]+", value)]
    return max(runs, key=lambda one: (min(one[1], PIECE), -one[0]), default=(0, 0))


def _first_bytes(character: str) -> tuple[bytes, ...]:
    """Return the bytes with which a character may begin in any spelling."""
    return tuple({encoded(character)[:1], b"%", b"&", b"\\", *((b"+",) if character == " " else ())})


def _spelled(value: str) -> list[bytes]:
    """Return the pattern of each character of a value; the first of several that are alike stands for all of them."""
    parts = list[bytes]()
    runs = _RUNS.findall(value)
    for run, behind in itertools.zip_longest(runs, runs[1:], fillvalue=""):
        slashes = b"" if parts and value[len(parts) - 1] == "\\" else rb"\\{0,8}"
        if run[0] == "\\":
            one = _backslashes(len(run), escaped=bool(behind) and not is_plain(behind))
        elif run[0] in _QUOTES:
            one = _repeated(b"(?:" + b"|".join(map(_character, _QUOTES)) + b")", slashes, len(run), _QUOTED)
        elif run[0] == _DOLLAR:
            one = _repeated(_character(run[0]), slashes, len(run), _DOLLARS)
        else:
            one = (b"" if is_plain(run) else slashes) + _character(run)
        parts += [one, *[b""] * (len(run) - 1)]
    return parts


def _repeated(character: bytes, slashes: bytes, count: int, times: int) -> bytes:
    """Return the pattern of so many characters of a kind, each of which a writer may have written several times."""
    return b"%s%s(?:\\\\{0,8}%s){%d,%d}" % (slashes, character, character, count - 1, count * times - 1)


def spelled(value: str) -> re.Pattern[bytes]:
    """Return the pattern of a value in whatever spelling."""
    return re.compile(b"".join(_spelled(value)))


def _backslashes(count: int, *, escaped: bool) -> bytes:
    """Return the pattern of so many backslashes, and of those by which the character behind them is escaped."""
    most = count * 2 * _SLASHES + (_SLASHES if escaped else 0)
    raw = rb"\\{%d,%d}" % (count, most)
    return rb"(?:%s|(?:%s){%d}%s)" % (raw, b"|".join(_escapes("\\")), count, rb"\\{0,8}" if escaped else b"")


@functools.cache
def _character(character: str) -> bytes:
    """Return the pattern of one character that is no backslash."""
    if is_plain(character):
        return character.encode()
    raw = _AMPERSAND if character == "&" else re.escape(encoded(character))
    behind = _BEHIND_SLASH.get(character)
    spellings = [raw, *_escapes(character)]
    if character == " ":
        spellings.append(rb"\+")
    if behind:
        spellings.append(rb"(?<=\\)" + behind.encode())
    return b"(?:" + b"|".join(spellings) + b")"


def _escapes(character: str) -> list[bytes]:
    """Return the patterns of a character as URLs, HTML and string literals encode it."""
    data = encoded(character)
    number = ord(character)
    found = [b"".join(rb"%%(?:25){0,2}%s" % _digits(b"%02x" % byte) for byte in data)]
    names = [
        name.encode()
        for name, text in html.entities.html5.items()
        if text == character and name.endswith(";")
    ]
    numbers = [rb"#0{0,6}%d;" % number, rb"#[xX]0{0,6}%s;" % _digits(b"%x" % number)]
    if character != "&":
        found.append(_AMPERSAND + b"(?:" + b"|".join((*map(re.escape, names), *numbers)) + b")")
    # What stands behind a backslash: `\\u003c`, `\\x3c`, `\\303\\244`; of an astral character the two halves.
    units = character.encode("utf-16-be", "surrogatepass")
    halves = [units[at : at + 2].hex().encode() for at in range(0, len(units), 2)]
    behind = [
        rb"\\{1,8}".join(rb"u%s" % _digits(half) for half in halves),
        rb"u\{0{0,4}%s\}" % _digits(b"%x" % number),
        rb"U%s" % _digits(b"%08x" % number),
        rb"\\{1,8}".join(rb"x%s" % _digits(b"%02x" % byte) for byte in data),
        rb"\\{1,8}".join(rb"%03o" % byte for byte in data),
    ]
    if number < 0x100:
        behind.append(rb"x%s" % _digits(b"%02x" % number))
    slashes = rb"\\{1,8}" if character == "\\" else rb"(?<=\\)"
    found.append(slashes + b"(?:" + b"|".join(dict.fromkeys(behind)) + b")")
    return found


def _digits(number: bytes) -> bytes:
    """Return hexadecimal digits in either case."""
    return re.sub(rb"[a-f]", lambda digit: b"[" + digit[0] + digit[0].upper() + b"]", number)
