"""Which names mean a secret, and which secrets stand inside longer texts."""

from __future__ import annotations

import contextlib
import itertools
import re
import shlex
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reports.record.observed import Secret

SECRET_WORD = re.compile(
    r".*(?:pass|passwd|password|passphrase|passcode|pwd|secret|token|credential|cred|private|dsn|auth|"
    r"apikey|accesskey|secretkey|privatekey|signingkey|encryptionkey)s?|key|keys|pw|salt|bearer|jwt"
)
NOT_SECRET_WORDS = frozenset({"bypass", "compass", "trespass"})
# The last word says what the value is: a key's file, a token's life time, a password's owner.
PUBLIC_ENDINGS = frozenset(
    [
        "port",
        "ports",
        "path",
        "paths",
        "file",
        "files",
        "dir",
        "directory",
        "folder",
        "name",
        "names",
        "username",
        "user",
        "users",
        "login",
        "host",
        "hosts",
        "hostname",
        "domain",
        "url",
        "uri",
        "enabled",
        "disabled",
        "enable",
        "disable",
        "method",
        "methods",
        "type",
        "types",
        "mode",
        "ttl",
        "timeout",
        "expiry",
        "expiration",
        "lifetime",
        "duration",
        "age",
        "size",
        "length",
        "count",
        "limit",
        "max",
        "min",
        "algorithm",
        "realm",
        "scheme",
        "issuer",
        "audience",
        "provider",
        "version",
        "required",
        "policy",
        "ip",
        "address",
        "network",
        "registry",
        "store",
        "format",
    ]
)

URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40})://(?P<rest>[^\s\"'<>`]+)")
PORT_AT_END = re.compile(r"(?:^[^:]*|:\d{1,5}|\])$")
_OPENS = re.compile(r"(?:[^=\s]*=)?[\"']")
"""A word or a value that begins with a quote was meant for a shell."""
PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\$\w+")


def is_secret_name(key: str) -> bool:
    """Whether the values of a key of that name are secrets."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", key)]
    if not words or words[-1] in PUBLIC_ENDINGS or "public" in words:
        return False
    return any(SECRET_WORD.fullmatch(word) and word not in NOT_SECRET_WORDS for word in words)


def secrets_in_url(text: str) -> tuple[Secret, ...]:
    """Return the passwords in the URLs of `text`, as written and decoded."""
    found: dict[str, None] = {}
    for match in URL.finditer(text):
        for written in _in_one_url(match["scheme"].lower(), match["rest"]):
            found |= dict.fromkeys(
                (written, urllib.parse.unquote(written), urllib.parse.unquote_plus(written))
            )
    return tuple(Secret(one) for one in found if one)


def _in_one_url(scheme: str, rest: str) -> Iterator[str]:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A password with an unescaped `/`, `?` or `#` ends behind what looks like the authority.
    holder = authority if "@" in authority or PORT_AT_END.search(authority) else rest
    user, at, _ = holder.rpartition("@")
    name, colon, password = user.partition(":")
    if at and colon:
        yield password
    elif at and scheme in {"http", "https"}:
        # A lone user part of a web address is a token; of `ssh://root@host` it is a name.
        yield name
    for key, value in re.findall(r"[?&;]([^=&;#]+)=([^&;#]*)", rest):
        if is_secret_name(key):
            yield value


def secrets_in_words(words: Sequence[str]) -> tuple[Secret, ...]:
    """Return the values of options and settings with secret names: `-Dx.password=…`, `--token …`, `Password=…;`."""
    found: dict[str, None] = {}
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        settings = [word.removeprefix("-D").lstrip("-")]
        if not is_secret_name(settings[0].partition("=")[0]):
            settings = re.split(r"[;,&]", settings[0])
        for one in settings:
            name, _, value = one.partition("=")
            # What has blanks in its name is a sentence, and no setting.
            if value and is_secret_name(name) and len(name.split()) == 1:
                found[value.rstrip(";,")] = None
        if (
            word.startswith("--")
            and "=" not in word
            and is_secret_name(word)
            and not following.startswith("-")
        ):
            found[following] = None
    return tuple(Secret(one) for one in found if one and not PLACEHOLDER.fullmatch(one))


def secrets_inside(name: str, text: str) -> dict[str, Secret]:
    """Return the secrets inside a text that is no secret as a whole, labelled with its name."""
    return _labelled(name, secrets_in_url(text), _in_text(text))


def secrets_among(name: str, words: Sequence[str]) -> dict[str, Secret]:
    """Return the same for a list of words, each of which may be a whole command, as after `sh -c`."""
    in_urls = (one for word in words for one in secrets_in_url(word))
    inside = (one for word in words for one in secrets_in_words([word]) or _in_text(word))
    return _labelled(name, in_urls, (*secrets_in_words(words), *inside))


def _in_text(text: str) -> Iterator[Secret]:
    """Yield the secrets of a text: split as a script splits a variable, without quotes, and as a shell reads a line."""
    yield from secrets_in_words(["" if _OPENS.match(word) else word for word in text.split()])
    with contextlib.suppress(ValueError):  # an odd quote
        yield from secrets_in_words(shlex.split(text))


def _labelled(name: str, in_urls: Iterable[Secret], in_options: Iterable[Secret]) -> dict[str, Secret]:
    """Give each secret a name of its own, by where it stands."""
    found = dict.fromkeys(in_urls, f"{name} (in its URL)")
    for one in in_options:
        found.setdefault(one, f"{name} (in its options)")
    labels: dict[str, Secret] = {}
    for secret, label in found.items():
        labels[label if label not in labels else f"{label[:-1]}, {len(labels) + 1})"] = secret
    return labels


def environment_of(pairs: Mapping[str, str]) -> dict[str, str | Secret]:
    """Type the values of an environment: the values of secret names are secrets."""
    return {name: Secret(value) if value and is_secret_name(name) else value for name, value in pairs.items()}
