"""Canaries: secrets of a test, what programs make of them, and a search that knows nothing of how the suite looks.

Whatever a writer makes of a secret, its letters and digits stay, unless it writes bytes by number or in base64. So a
canary has two halves of them, and between them signs on which writers differ; each half is searched for: what is left
of a secret that was cut in two is a leak as well.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import stat
import string
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from procedures.observe import rendered
from procedures.way_back import kept

PART = 16 * 1024
"""Docker parts a longer line here."""
PIECE = 10
"""So many characters of a half are a leak."""
SIGNS = '"&<>%+/:#$\\ =?@'
"""Single quotes keep all of it in an env file, so none may stand in it."""
QUOTED_SIGNS = "'&<>%+/:# =?@"
"""What double quotes keep there, for every reader."""
OPTION_SIGNS = "'&<>%+/:=?@~!*"
"""What an option of a server can hold without quotes of its own."""
_KEPT_ON_PURPOSE = (kept.ANY, f"{rendered.SUFFIX}/", kept.CHOSEN)
"""What stands in the path of a file that is kept to start the service from: it holds its values, for its owner alone."""
_BREAK = re.compile(rb"[ \t]*(?:\r|\\{1,4}r)?(?:\n|\\{1,4}n)[ \t]*(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z )?")
_TOKEN = re.compile(rb"[A-Za-z0-9+/]{24,}")
_TO_STANDARD, _FROM_STANDARD = bytes.maketrans(b"-_", b"+/"), bytes.maketrans(b"+/", b"-_")
_VALUE = re.compile(r"(?P<head>Aa1[0-9a-f]{12})(?P<signs>[^0-9A-Za-z]*)(?P<tail>[0-9a-f]{16})")
_PLAIN = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Canary:
    """A secret in two halves, and the name of what it is."""

    name: str
    head: str
    signs: str
    tail: str

    @property
    def value(self) -> str:
        return f"{self.head}{self.signs}{self.tail}"


def canary(name: str, signs: str = SIGNS) -> Canary:
    """A secret that nobody else has, and that satisfies Kestra's rule for passwords."""
    return Canary(name, f"Aa1{secrets.token_hex(6)}", signs, secrets.token_hex(8))


def read_back(name: str, value: str) -> Canary:
    """Return the canary that has this value."""
    halves = _VALUE.fullmatch(value)
    assert halves, f"{name} is no canary"
    return Canary(name, halves["head"], halves["signs"], halves["tail"])


# --- what programs write


def _by_percent(kept_as_it_is: str, space: str = "%20") -> Callable[[str], str]:
    def write(value: str) -> str:
        return "".join(
            one
            if one in _PLAIN + kept_as_it_is
            else space
            if one == " "
            else "".join(f"%{byte:02X}" for byte in one.encode())
            for one in value
        )

    return write


def _named(quote: str, apostrophe: str) -> Callable[[str], str]:
    names = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': quote, "'": apostrophe}
    return lambda value: "".join(names.get(one, one) for one in value)


def in_base64(before: str = "", behind: str = "") -> Callable[[str], str]:
    return lambda value: base64.b64encode(f"{before}{value}{behind}".encode()).decode()


def _wrapped(end: str) -> Callable[[str], str]:
    """Base64 in lines of 76 columns; the secret lies over the end of the first."""
    return lambda value: end.join(textwrap.wrap(in_base64("a" * 50, "b" * 50)(value), 76))


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


_XML = _named("&quot;", "&apos;")
_QUERY = _by_percent("-_.~", "+")
WRITERS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "quoted for a shell": lambda value: "'" + value.replace("'", "'\\''") + "'",
    "escaped for a shell": lambda value: re.sub(r"([^A-Za-z0-9])", r"\\\1", value),
    "as Compose doubles it": lambda value: value.replace("$", "$$"),
    "by Java's URLEncoder": _by_percent(".-*_", "+"),
    "by JavaScript's encodeURIComponent": _by_percent("-_.!~*'()"),
    "by JavaScript's encodeURI": _by_percent(";,/?:@&=+$-_.!~*'()#"),
    "by Python's quote": _by_percent("-_.~/"),
    "by Python's quote, nothing safe": _by_percent("-_.~"),
    "by Go's QueryEscape": _QUERY,
    "by Go's PathEscape": _by_percent("-_.~$&+:=@"),
    "by Go's Userinfo": _by_percent("-_.~$&+,;="),
    "by a writer of small digits": lambda value: re.sub("%..", lambda one: one[0].lower(), _QUERY(value)),
    "twice in a URL": lambda value: _QUERY(_QUERY(value)),
    "in JSON": _in_json,
    "in JSON twice": lambda value: _in_json(_in_json(value)),
    "in Go's JSON": lambda value: (
        _in_json(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    ),
    "in JSON, doubled by Compose": lambda value: _in_json(value.replace("$", "$$")),
    "in XML": _XML,
    "in HTML by Python": _named("&quot;", "&#x27;"),
    "in HTML by Go": _named("&#34;", "&#39;"),
    "in HTML's text": _named('"', "'"),
    "in HTML by number": lambda value: "".join(one if one in _PLAIN else f"&#{ord(one)};" for one in value),
    "in JSON in HTML": lambda value: _XML(_in_json(value)),
    "in YAML": lambda value: value.replace("'", "''"),
    "as Python shows it": lambda value: repr(value)[1:-1],
    "as bytes by number": lambda value: "".join(
        one if one in _PLAIN else f"\\x{ord(one):02x}" for one in value
    ),
    "in hexadecimal": lambda value: value.encode().hex(),
    "in base64": in_base64(),
    "in base64 with a user": in_base64("kestra:"),
    "in base64 with another one": in_base64("admin@kestra.local:"),
    "in base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "in base64 in a URL": lambda value: _QUERY(in_base64("a:")(value)),
    "in base64 of 76 columns": _wrapped("\n"),
    "in base64 of 76 columns, by Windows": _wrapped("\r\n"),
    "in base64 of 76 columns, in JSON": lambda value: _in_json(_wrapped("\n")(value)),
    "in an address": lambda value: f"jdbc:postgresql://kestra:{_by_percent('-_.~$&+,;=')(value)}@db/kestra",
    "in an option": lambda value: f"-Djavax.net.ssl.trustStorePassword={value}",
}


def words(known: Iterable[Canary]) -> str:
    """Return what a server may say of these secrets: each in every form."""
    return "".join(
        f"ERROR login of {one.name} with {write(one.value)} failed ({how})\n"
        for one in known
        for how, write in WRITERS.items()
    )


def long_lines(known: Iterable[Canary]) -> str:
    """Return a line of each that Docker parts in its secret: before it, behind its head, before its tail, before its end."""
    lines = []
    for number, one in enumerate(known):
        before = (0, len(one.head), len(one.head + one.signs), len(one.value) - 1)[number % 4]
        lines.append(f"{'x' * (PART - before - 1)} {one.value} yyy\n")
    return "".join(lines)


# --- where they are searched for


def places(console: str, *roots: Path) -> dict[str, bytes]:
    """Return everything that a run has left in some files and folders, names and all, and what it has told.

    What is kept on purpose, to start the service from, is not among it: that only its owner reads it is seen here.
    """
    found = {"the console": console.encode()}
    for path in (one for root in roots for one in (root, *root.rglob("*"))):
        found[f"the name of {path}"] = os.fsencode(path.name)
        if not path.is_file():
            continue
        if is_kept(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        else:
            found[str(path)] = path.read_bytes()
    return found


def is_kept(path: Path) -> bool:
    """Whether a file is kept on purpose, to start the service from."""
    return any(mark in str(path) for mark in _KEPT_ON_PURPOSE)


def leaks(known: Iterable[Canary], found: Mapping[str, bytes]) -> list[str]:
    """Return which part of which secret stands where, in whatever form."""
    needles = [needle for one in known for needle in _needles(one)]
    return sorted(
        {
            f"{told} in {where}{how}"
            for where, data in found.items()
            for how, view in _views(data)
            for needle, told in needles
            if needle in view
        }
    )


def _needles(one: Canary) -> Iterator[tuple[bytes, str]]:
    for which, half in (("head", one.head), ("tail", one.tail)):
        for piece in (half[:PIECE].encode(), half[-PIECE:].encode()):
            told = f"the {which} of {one.name}"
            yield piece, told
            yield piece.hex().encode(), f"{told}, in hexadecimal"
            yield piece.hex().upper().encode(), f"{told}, in hexadecimal"
            for before in range(3):
                token = base64.b64encode(bytes(before) + piece).rstrip(b"=")
                # The first and the last characters hold bits of what stands beside it too.
                core = token[(0, 2, 3)[before] : -1]
                yield core, f"{told}, in base64"
                yield core.translate(_FROM_STANDARD), f"{told}, in base64"


def _views(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is searched: the bytes, their lines as one, and what base64 in them says."""
    joined = _BREAK.sub(b"", data)
    yield "", data
    yield " over lines", joined
    yield " in base64", b"\n".join(_unpacked(joined))


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield what long tokens hold; letters before one may look like a part of it, so it may begin at four places."""
    for token in _TOKEN.findall(data.translate(_TO_STANDARD)):
        for begin in range(4):
            yield base64.b64decode(token[begin : begin + (len(token) - begin) // 4 * 4])
