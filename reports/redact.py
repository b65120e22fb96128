"""Redaction by value: known secrets are replaced in every form in which they are likely to be written."""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping

from reports.forms import base64_cores, encoded, forms, texts
from reports.observed import Secret
from reports.vocabulary import own_words

MARK = "[redacted]"
SHORT = 6
"""A shorter secret stands in too many other words to be searched for."""

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

URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^\s\"'<>`]+)")
PORT_AT_END = re.compile(r"(?:^[^:]*|:\d{1,5}|\])$")
BASE64_CHARACTER = "A-Za-z0-9+/_\\-"
QUOTE = r"(?:\\*[\"']|&quot;|&#34;|&#x27;|&#39;)?"
TELLING_KEY = r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|auth|key|dsn|pw)s?"
SECRET_KEY_BEFORE = rf"(?:{TELLING_KEY}{QUOTE}\s*[:=]\s*|--[\w-]*{TELLING_KEY}\s+|IDENTIFIED BY\s+){QUOTE}"
TOKEN = re.compile(rf"(?<![{BASE64_CHARACTER}=])[{BASE64_CHARACTER}]{{4,}}={{0,2}}(?![{BASE64_CHARACTER}=])")


def is_secret_name(key: str) -> bool:
    """Say whether the values of a key of that name are secrets."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", key)]
    if not words or words[-1] in PUBLIC_ENDINGS or "public" in words:
        return False
    return any(SECRET_WORD.fullmatch(word) and word not in NOT_SECRET_WORDS for word in words)


def secrets_in_url(text: str) -> tuple[Secret, ...]:
    """Return what the URLs in `text` carry as passwords, as written and as meant."""
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


class Redaction:
    """The secrets of one run, and how they are kept out of its texts.

    A secret that stands in a public word of the target or of the report itself, or is very short, is weak: it is redacted only where it
    stands as a value, and the scan leaves it out.
    """

    def __init__(
        self,
        values: Iterable[Secret],
        public_words: Iterable[str] = (),
        names: Mapping[Secret, str] | None = None,
    ) -> None:
        words = [own_words(), *(word.casefold() for word in (*public_words, MARK) if word)]
        known = dict.fromkeys(secret for secret in values if secret.value.strip())
        told = names or {}
        labels = {secret: told.get(secret, f"secret {n}") for n, secret in enumerate(known, start=1)}
        weak = [secret for secret in known if _is_weak(secret.value, words)]
        self.count = len(known)
        """How many different secret values are known."""
        self.weak: tuple[str, ...] = tuple(labels[secret] for secret in weak)
        """The labels of the secrets that are redacted only where they stand as a value."""
        self._weak_patterns = [_as_value(secret.value) for secret in weak]
        self._weak_values = {encoded(secret.value) for secret in weak}
        self._forms: dict[str, str] = {}
        self._cores: dict[str, str] = {}
        for secret in known:
            if secret not in weak:
                self._learn(secret.value, labels[secret])

    def _learn(self, value: str, label: str) -> None:
        for form, how in forms(value).items():
            self._forms.setdefault(form, f"{label} {how}")
        for core in base64_cores(value):
            self._cores.setdefault(core, f"{label} in base64")

    def clean(self, text: str) -> str:
        """Return `text` with every known secret replaced, the longest form first."""
        patterns = [re.escape(form) for form in sorted(self._forms, key=len, reverse=True) if form in text]
        cores = [re.escape(core) for core in self._cores if core in text]
        if cores:
            # The characters beside the core still hold bits of the secret, so the whole token goes.
            run = f"[{BASE64_CHARACTER}]*"
            patterns.append(f"{run}(?:{'|'.join(cores)}){run}={{0,2}}")
        if patterns:
            text = re.sub("|".join(patterns), MARK, text)
        return self._clean_weak(text) if self._weak_values else text

    def _clean_weak(self, text: str) -> str:
        for pattern in self._weak_patterns:
            text = pattern.sub(lambda found: f"{found['before']}{MARK}", text)
        return TOKEN.sub(lambda found: MARK if self._is_weak_pair(found[0]) else found[0], text)

    def _is_weak_pair(self, token: str) -> bool:
        try:
            pair = base64.b64decode(token.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            return False
        return b":" in pair and pair.split(b":", 1)[1] in self._weak_values

    def scan(self, data: bytes) -> list[str]:
        """Return which secrets `data` holds, and in which form; weak ones are not looked for."""
        known = {**self._cores, **self._forms}
        return list(dict.fromkeys(label for form, label in known.items() if encoded(form) in data))


def _is_weak(value: str, words: list[str]) -> bool:
    return len(value) < SHORT or any(value.casefold() in word for word in words)


def _as_value(value: str) -> re.Pattern[str]:
    """Return where a weak secret stands as a value: behind a key that names secrets, or before the @ of a URL."""
    written = "|".join(re.escape(form) for form in sorted(texts(value), key=len, reverse=True))
    return re.compile(
        rf"(?P<before>{SECRET_KEY_BEFORE}|(?<=://)[^\s:/@]*:|(?<![\w/:])[\w.+-]+:(?=(?:{written})@))"
        # Not the beginning of a longer word, such as a container's name.
        rf"(?:{written})(?![.-]?\w)",
        re.IGNORECASE,
    )
