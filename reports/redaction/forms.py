"""The forms in which a value is written in shells, URLs, JSON, HTML, YAML, Python and base64."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import string
import urllib.parse
from collections.abc import Callable, Iterable, Iterator

BASE64 = (string.ascii_letters + string.digits + "+/_-").encode()
"""The characters of base64, also of its alphabet for URLs."""
BASE64_CLASS = rb"A-Za-z0-9+/_\-"
_TOKEN_END = re.compile(rb"[%s]*+={0,2}+" % BASE64_CLASS)
SHORTEST_CORE = 6
LONG_LINE = 12
"""A shorter line of a secret of several lines occurs in too many other texts."""


def forms(value: str) -> dict[str, str]:
    """Return every form in which `value` is searched for literally, with the name of each.

    Written forms are nested once more: a shell line inside JSON, JSON inside HTML, JSON inside JSON.
    """
    found = dict.fromkeys((value, *_long_lines(value)), "raw")
    for _ in range(2):
        for form in list(found):
            for how, write in WRITERS.items():
                for written in write(form):
                    found.setdefault(written, how)
    found.setdefault(encoded(value).hex(), "in hexadecimal")
    found.setdefault(encoded(value).hex().upper(), "in hexadecimal")
    return found


def texts(value: str) -> tuple[str, ...]:
    """Return `value` as it stands in the languages that texts are written in, once."""
    return tuple({value, *(written for write in WRITERS.values() for written in write(value))})


def base64_cores(value: str) -> tuple[str, ...]:
    """Return `value` in base64: in both alphabets, and as URLs and JSON write that."""
    cores: dict[str, None] = {}
    for core in stable_base64(encoded(value)):
        cores |= dict.fromkeys((core, core.replace("/", "\\/")))
        for plus, slash in (("%2B", "%2F"), ("%2b", "%2f")):
            cores |= dict.fromkeys((core.replace("+", plus), core.replace("+", plus).replace("/", slash)))
    return tuple(core for core in cores if len(core) >= SHORTEST_CORE)


def stable_base64(raw: bytes) -> tuple[str, ...]:
    """Return what base64 makes of `raw` at each of the three places at which it may begin.

    Only the characters that do not depend on what stands before and behind it are kept, so that
    `user:password` is found whoever the user is.
    """
    cores: dict[str, None] = {}
    for before in range(3):
        padded = bytes(before) + raw
        token = base64.b64encode(padded).decode().rstrip("=")
        begin = (0, 2, 3)[before]
        end = len(token) - (1 if len(padded) % 3 else 0)
        core = token[begin:end]
        cores |= dict.fromkeys((core, core.replace("+", "-").replace("/", "_")))
    return tuple(core for core in cores if core)


def token_around(data: bytes, begin: int, end: int, floor: int) -> tuple[int, int]:
    """Return the span of the token of base64 in which another span lies, as far as it lies behind `floor`."""
    before = data[floor:begin]
    rest = _TOKEN_END.match(data, end)
    return begin - (len(before) - len(before.rstrip(BASE64))), rest.end() if rest else end


def encoded(form: str) -> bytes:
    """Return the bytes of a text, even if they are no UTF-8."""
    try:
        return form.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return form.encode("utf-8", "surrogatepass")


def _long_lines(value: str) -> tuple[str, ...]:
    """Return the lines of a secret of several lines (a key file): blocks are indented line by line."""
    lines = [line.strip() for line in value.splitlines()]
    return tuple(line for line in lines if len(line) >= LONG_LINE) if len(lines) > 1 else ()


def _shell(value: str) -> Iterator[str]:
    yield shlex.quote(value)
    yield value.replace("'", "'\\''")
    yield re.sub(r"([\"\\$`])", r"\\\1", value)
    yield re.sub(r"([^A-Za-z0-9_@%+=:,./-])", r"\\\1", value)
    yield value.replace("$", "$$")


def _url(value: str) -> Iterator[str]:
    for written in (
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote(value),
        urllib.parse.quote(value, safe="!$&'()*+,;=:"),
        urllib.parse.quote_plus(value),
        # JavaScript's encodeURIComponent, Java's URLEncoder, Go's user part of a URL and Go's path.
        urllib.parse.quote(value, safe="!~*'()"),
        urllib.parse.quote_plus(value, safe="*").replace("~", "%7E"),
        urllib.parse.quote(value, safe="$&+,;="),
        urllib.parse.quote(value, safe="$&+,/:;=@!'()*"),
    ):
        yield written
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), written)


def _json(value: str) -> Iterator[str]:
    for ascii_only in (True, False):
        written = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield written
        yield written.replace("/", "\\/")
        # Go's encoder, and with it every command of Docker, writes these three by number.
        yield written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _html(value: str) -> Iterator[str]:
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield html.escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    yield html.escape(value).replace("&#x27;", "&apos;")


def _yaml(value: str) -> Iterator[str]:
    yield value.replace("'", "''")
    yield re.sub(r"[^ -~]", lambda found: _yaml_escape(found[0]), re.sub(r"([\"\\])", r"\\\1", value))


def _yaml_escape(character: str) -> str:
    number = ord(character)
    named = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1b": "\\e", "\x85": "\\N", "\xa0": "\\_"}
    width = 2 if number < 0x100 else 4 if number < 0x10000 else 8
    return named.get(character, f"\\{'xuU'[(width // 4)]}{number:0{width}X}")


def _repr(value: str) -> Iterator[str]:
    yield repr(value)[1:-1]
    yield ascii(value)[1:-1]
    yield repr(encoded(value))[2:-1]


WRITERS: dict[str, Callable[[str], Iterable[str]]] = {
    "quoted for a shell": _shell,
    "URL-encoded": _url,
    "in JSON": _json,
    "in HTML": _html,
    "in YAML": _yaml,
    "as Python shows it": _repr,
}
