"""Secrets are values: in whatever form they are written, they do not get into the evidence."""

# ruff: noqa: SIM300 - expected on the left

from __future__ import annotations

import base64
import html
import html.entities
import json
import random
import re
import shlex
import string
import urllib.parse
from collections.abc import Callable
from typing import cast

import pytest
import yaml

from reports.page.html import to_html
from reports.record.evidence import Evidence
from reports.record.observed import Secret
from reports.record.record import fingerprint, read, recorded, to_plain
from reports.redaction.redact import MARK, PATIENCE, Redaction, Unsearched
from reports.redaction.secret_names import is_secret_name, secrets_in_url, secrets_inside
from tests.reports import samples

PLAIN = "Zq7rT4kxW9"
AWKWARD = "p$ä/ \"q'w\\r+&<é>#%=:@;~`{}|\t!?€"
SECRETS = (
    PLAIN,
    AWKWARD,
    "with space & ampersand",
    "trailing\\",
    "line one of a key\nline two of a key\n",
    "'''\"\"\"",
)

NAMED = {
    text: f"&{name}" for name, text in html.entities.html5.items() if name.endswith(";") and len(text) == 1
}


def wrapped(value: str, end: str) -> str:
    """Base64 as mail and `base64` write it, in lines of 76; the value lies over the end of the first."""
    token = base64.b64encode(b"x" * 48 + value.encode() + b"y" * 60).decode()
    return end.join(token[at : at + 76] for at in range(0, len(token), 76))


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "shell": shlex.quote,
    "url": lambda value: urllib.parse.quote(value, safe=""),
    "url, slash kept": urllib.parse.quote,
    "url, lower": lambda value: re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(value, safe="")),
    "form": urllib.parse.quote_plus,
    "json": json.dumps,
    "json, unicode": lambda value: json.dumps(value, ensure_ascii=False),
    "json in json": lambda value: json.dumps(json.dumps({"a": value})),
    "go's json": lambda value: json.dumps(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
    "html": html.escape,
    "json in html": lambda value: html.escape(json.dumps({"a": value})),
    "html in json": lambda value: json.dumps(html.escape(value)),
    "shell in json": lambda value: json.dumps(shlex.quote(value)),
    "yaml, double": lambda value: yaml.safe_dump(value, default_style='"', width=10**9),
    "yaml, single": lambda value: "'" + value.replace("'", "''") + "'",
    "compose": lambda value: value.replace("$", "$$"),
    "repr": repr,
    "ascii": ascii,
    "bytes": lambda value: repr(value.encode()),
    "repr in html": lambda value: html.escape(repr({"a": value})),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64, urlsafe": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "pair, one off": lambda value: base64.b64encode(f"ab:{value}".encode()).decode(),
    "pair, two off": lambda value: base64.b64encode(f"a:{value}".encode()).decode(),
    "pair, urlsafe": lambda value: base64.urlsafe_b64encode(f"a:{value} and more".encode()).decode(),
    "hexadecimal": lambda value: value.encode().hex(),
    "java's URLEncoder": lambda value: urllib.parse.quote_plus(value, safe="*-._").replace("~", "%7E"),
    "javascript's encodeURIComponent": lambda value: urllib.parse.quote(value, safe="-_.!~*'()"),
    "javascript's encodeURI": lambda value: urllib.parse.quote(value, safe=";,/?:@&=+$-_.!~*'()#"),
    "go's user part": lambda value: urllib.parse.quote(value, safe="$&+,;="),
    "go's path": lambda value: urllib.parse.quote(value, safe="$&+,/:;=@"),
    "url twice": lambda value: urllib.parse.quote(urllib.parse.quote(value, safe="!*'()"), safe=""),
    "xml": lambda value: html.escape(value).replace("&#x27;", "&apos;"),
    "html by number": lambda value: "".join(one if one.isalnum() else f"&#{ord(one):04};" for one in value),
    "html by name": lambda value: "".join(NAMED.get(one, one) for one in value),
    "xml in json": lambda value: json.dumps(html.escape(value).replace("&#x27;", "&apos;")),
    "javascript's strings": lambda value: re.sub(r"[^A-Za-z0-9]", lambda one: f"\\x{ord(one[0]):02x}" if ord(one[0]) < 256 else f"\\u{ord(one[0]):04x}", value),
    "url in json by number": lambda value: json.dumps(urllib.parse.quote_plus(value, safe="<>&")).replace("&", "\\u0026"),
    "base64, wrapped": lambda value: wrapped(value, "\n"),
    "base64, wrapped, windows": lambda value: wrapped(value, "\r\n"),
    "base64, wrapped, in json": lambda value: json.dumps(wrapped(value, "\r\n")),
    "base64, wrapped, in docker's log": lambda value: wrapped(value, "\n2026-11-26T22:00:00.123456789Z "),
    "base64, in a url": lambda value: urllib.parse.quote(base64.b64encode(f"a:{value}".encode()).decode(), safe=""),
    "base64, slashes escaped": lambda value: base64.b64encode(value.encode()).decode().replace("/", "\\/"),
    "url of a database": lambda value: f"jdbc:postgresql://u:{urllib.parse.quote(value, safe='')}@db/kestra",
}  # fmt: skip


@pytest.mark.parametrize("how", FORMS)
@pytest.mark.parametrize("value", SECRETS, ids=range(len(SECRETS)))
def test_no_form_of_a_secret_is_left(value: str, how: str) -> None:
    """A secret is replaced in the form in which it is met, and the words around it stay."""
    redaction = Redaction([Secret(value)])
    written = FORMS[how](value)

    cleaned = redaction.clean(f"before {written} after")

    assert written not in cleaned
    assert MARK in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@pytest.mark.parametrize("how", FORMS)
@pytest.mark.parametrize("value", SECRETS, ids=range(len(SECRETS)))
def test_the_scan_finds_every_form_and_nothing_after_cleaning(value: str, how: str) -> None:
    """The last look over the files misses no form, and has nothing to say of what was cleaned."""
    redaction = Redaction([Secret(value)], names={Secret(value): "KESTRA_DB_PASSWORD"})
    written = f"before {FORMS[how](value)} after"
    found = redaction.scan(written.encode())

    assert found
    assert all(label.startswith("KESTRA_DB_PASSWORD ") for label in found)
    assert [] == redaction.scan(redaction.clean(written).encode())


def test_random_secrets_leave_nothing() -> None:
    """Whatever characters a password has, its forms are found: a hundred of them, always the same ones."""
    dice = random.Random(20261123)  # reproducible, and nothing is secret
    alphabet = string.ascii_letters + string.digits + string.punctuation + " äß€"
    for _ in range(100):
        value = "".join(dice.choices(alphabet, k=dice.randint(6, 24))).strip().ljust(6, "x")
        redaction = Redaction([Secret(value)])
        for how, write in FORMS.items():
            assert [] == redaction.scan(redaction.clean(f"x {write(value)} x").encode()), (value, how)
            assert redaction.scan(write(value).encode()), (value, how)


def test_the_longest_secret_goes_first() -> None:
    """A secret that begins with another one leaves no tail behind."""
    redaction = Redaction([Secret("hunter2x"), Secret("hunter2x-and-more")])

    assert f"a {MARK} b {MARK}" == redaction.clean("a hunter2x-and-more b hunter2x")


def test_an_unknown_value_stays() -> None:
    """Redaction is by value: a text without a secret is unchanged, whatever its keys are called."""
    text = 'password=other {"token": "abc"} Basic dXNlcjpvdGhlcg=='

    assert text == Redaction([Secret(PLAIN)]).clean(text)


def test_empty_values_and_no_values_change_nothing() -> None:
    """A blank value in an env file is no secret."""
    redaction = Redaction([Secret(""), Secret("  ")])

    assert 0 == redaction.count
    assert "a b" == redaction.clean("a b")


WEAK_PLACES = (
    ("KESTRA_DB_PASSWORD=kestra", f"KESTRA_DB_PASSWORD={MARK}"),
    ("PGPASSWORD='kestra' psql", f"PGPASSWORD='{MARK}' psql"),
    ('"password": "kestra",', f'"password": "{MARK}",'),
    ('{\\"password\\": \\"kestra\\"}', f'{{\\"password\\": \\"{MARK}\\"}}'),
    ("&quot;password&quot;: &quot;kestra&quot;", f"&quot;password&quot;: &quot;{MARK}&quot;"),
    ("password: kestra\n", f"password: {MARK}\n"),
    ("--password kestra -v", f"--password {MARK} -v"),
    ("postgresql://kestra:kestra@db/kestra", f"postgresql://kestra:{MARK}@db/kestra"),
    ("login as kestra:kestra@db", f"login as kestra:{MARK}@db"),
    ("Authorization: Basic a2VzdHJhOmtlc3RyYQ==", f"Authorization: Basic {MARK}"),
    ("ALTER USER kestra IDENTIFIED BY 'kestra'", f"ALTER USER kestra IDENTIFIED BY '{MARK}'"),
)


@pytest.mark.parametrize(("written", "expected"), WEAK_PLACES)
def test_a_secret_that_is_a_public_word_goes_where_it_stands_as_a_value(written: str, expected: str) -> None:
    """The database's name stays readable; the password of the same word does not."""
    redaction = Redaction([Secret("kestra")], public_words=["kestra", "tools-kestra"])

    assert expected == redaction.clean(written)


@pytest.mark.parametrize(
    "text",
    [
        "container tools-kestra, image kestra/kestra:v0.20.7",
        "KESTRA_DB_USER=kestra",
        "username: kestra",
        "PASSWORD_OF=x kestra",
        "password=kestra-postgres",
        "http://kestra:8080/",
        "kestra-postgres:5432",
    ],
)
def test_a_public_word_stays_where_it_is_a_name(text: str) -> None:
    """Evidence in which every “kestra” is blacked out could not be read."""
    assert text == Redaction([Secret("kestra")], public_words=["kestra"]).clean(text)


def test_weak_secrets_are_named_and_left_out_of_the_scan() -> None:
    """What the scan cannot judge is told, so that a finding can say so."""
    secrets = {Secret("kestra"): "KESTRA_DB_PASSWORD", Secret("a1b2c"): "TOKEN", Secret(PLAIN): "OTHER"}
    redaction = Redaction(secrets, public_words=["kestra"], names=secrets)

    assert ("KESTRA_DB_PASSWORD", "TOKEN") == redaction.weak
    assert [] == redaction.scan(b"password=kestra token=a1b2c")
    assert ["OTHER raw"] == redaction.scan(PLAIN.encode())
    assert 3 == redaction.count


def test_a_secret_inside_a_public_word_is_weak_too() -> None:
    """Else the container's name would be blacked out everywhere."""
    redaction = Redaction([Secret("postgres")], public_words=["tools-kestra-postgres"])

    assert ("secret 1",) == redaction.weak
    assert "tools-kestra-postgres" == redaction.clean("tools-kestra-postgres")


@pytest.mark.parametrize("word", ["password", "database", "container", "Summary", "testsuite", "kr-table"])
def test_a_word_of_the_report_itself_is_weak(word: str) -> None:
    """Else a password of “database” would black out the record's own keys, or break the page's markup."""
    redaction = Redaction([Secret(word)])
    told = cast("Evidence", samples.accepted())
    record = json.dumps(to_plain(recorded(told, fingerprint(b"key"), redaction.clean)))

    assert ("secret 1",) == redaction.weak
    assert f"password={MARK}" == redaction.clean(f"password={word}")
    assert samples.accepted().who == read(json.loads(record)).who
    assert to_html(samples.accepted()) == redaction.clean(to_html(samples.accepted()))


def test_a_secret_that_is_the_mark_does_no_harm() -> None:
    """A password of the word that stands for redacted ones does not loop."""
    assert f"password={MARK}" == Redaction([Secret("redacted")]).clean("password=redacted")


def test_no_secret_is_shown_by_the_redaction_itself() -> None:
    """Its own picture in a traceback holds none of them."""
    redaction = Redaction([Secret(PLAIN)])

    assert PLAIN not in repr(redaction)


@pytest.mark.parametrize("column", range(1, 24))
def test_base64_that_is_wrapped_anywhere_is_found(column: int) -> None:
    """Wherever in the secret the line ends, all its lines go."""
    token = base64.b64encode(f"admin:{PLAIN}".encode()).decode()
    text = f"before\n{token[:column]}\n{token[column:]}\nafter, too"
    cleaned = Redaction([Secret(PLAIN)]).clean(text)

    rest = token[column:].rstrip("=")
    assert not rest or f"\n{rest}" not in cleaned
    assert "before" in cleaned
    assert cleaned.endswith("after, too")
    assert [] == Redaction([Secret(PLAIN)]).scan(cleaned.encode())


def test_a_search_hears_who_wants_it_to_end() -> None:
    """A signal in the middle of a long text is heard there, in cleaning and in scanning."""
    asked = 0

    def hear() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise KeyboardInterrupt

    redaction, text = Redaction([Secret(PLAIN)]), "A" * 5_000_000
    with pytest.raises(KeyboardInterrupt):
        redaction.clean(text, hear)
    asked = 0
    with pytest.raises(KeyboardInterrupt):
        redaction.scan(text.encode(), hear)


def test_a_search_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be searched in time is not let through: the caller withholds it."""
    assert PATIENCE > 10
    monkeypatch.setattr("reports.redaction.redact.PATIENCE", -1.0)
    redaction = Redaction([Secret(PLAIN)])

    with pytest.raises(Unsearched, match="could not be searched"):
        redaction.clean("text")
    with pytest.raises(Unsearched, match="could not be searched"):
        redaction.scan(b"text")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-Xmx512m -Djavax.net.ssl.trustStorePassword=Ch4ngeit9 -Dx.y=z", {"Ch4ngeit9"}),
        ("-Djavax.net.ssl.keyStorePassword='two words' -Da=b", {"two words"}),
        ('"-Dspring.datasource.password=in \\"quotes" -XX:+UseG1GC', {'in "quotes'}),
        ("--db-password Pl41nW0rd --token=T0k3nT0k", {"Pl41nW0rd", "T0k3nT0k"}),
        ("Server=db;Password=s3cr3tPw;Port=5432", {"s3cr3tPw"}),
        ("host=db user=k password=s3cr3tPw port=5432", {"s3cr3tPw"}),
        ("-Dhttp.proxyPort=3128 -Dpassword.file=/run/x --token-ttl 5", set()),
        ("-Dkestra.password=${KESTRA_DB_PASSWORD}", set()),
    ],
)
def test_options_that_name_secrets_hold_them(text: str, expected: set[str]) -> None:
    """Passwords in JAVA_OPTS and in connection strings are secrets, whatever the variable is called."""
    found = secrets_inside("JAVA_OPTS", text)

    assert expected == {one.value for one in found.values()}
    assert all(name.startswith("JAVA_OPTS (in its options") for name in found)


@pytest.mark.parametrize(
    "key",
    [
        "KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD", "POSTGRES_PASSWORD", "PGPASSWORD", "dbPassword", "passwd",
        "API_KEY", "apiKey", "APIKEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "token", "client-secret", "credentials",
        "SENTRY_DSN", "PRIVATE_KEY", "kestra.server.basic-auth.password", "SSH_PRIVATE_KEY", "DB_PASS", "DB_PWD", "auth",
        "SECRET_KEY_BASE", "ENCRYPTION_KEY", "PASSWORD2",
    ],
)  # fmt: skip
def test_names_of_secrets(key: str) -> None:
    """The values of such a key are secrets."""
    assert is_secret_name(key)


@pytest.mark.parametrize(
    "key",
    [
        "KESTRA_HTTP_PORT", "KESTRA_DB_HOST", "KESTRA_DB_USER", "KESTRA_BASICAUTH_USERNAME", "KESTRA_DB_NAME", "PATH",
        "KESTRA_IMAGE", "JAVA_OPTS", "POSTGRES_PASSWORD_FILE", "TOKEN_TTL", "PUBLIC_KEY", "POSTGRES_HOST_AUTH_METHOD",
        "KEYSTORE_PATH", "AUTHOR", "KEYBOARD", "MONKEY", "COMPASS", "kestra.server.basic-auth.enabled", "BYPASS", "",
        "AUTH_URL", "PASSENGERS", "STACK_PREFIX",
    ],
)  # fmt: skip
def test_names_of_no_secrets(key: str) -> None:
    """Ports, paths, names, hosts and users stay readable."""
    assert not is_secret_name(key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://kestra:s3cr3tpw@db:5432/kestra", {"s3cr3tpw"}),
        ("jdbc:postgresql://db/kestra?user=kestra&password=s3cr3tpw", {"s3cr3tpw"}),
        ("https://u:p%40ss+word@host/", {"p%40ss+word", "p@ss+word", "p@ss word"}),
        ("https://ghp_token123@host/repo.git", {"ghp_token123"}),
        ("https://u:with/slash#1@host/", {"with/slash#1"}),
        ("url: redis://:onlypw@cache and http://a:b1@c/", {"onlypw", "b1"}),
        ("ssh://root@host", set()),
        ("http://host:8080/path?x=a@b", set()),
        ("http://127.0.0.1:8081/health", set()),
        ("no url at all: a@b", set()),
    ],
)
def test_passwords_in_urls(text: str, expected: set[str]) -> None:
    """The password of a URL is a secret as it is written and as it is meant."""
    assert expected == {secret.value for secret in secrets_in_url(text)}


def test_a_large_text_is_cleaned_quickly() -> None:
    """A log of megabytes with fifty secrets takes no minutes."""
    redaction = Redaction([Secret(f"{PLAIN}{n}$&") for n in range(50)])
    text = ("2026-11-23 INFO nothing to see here, move along\n" * 40_000) + f"{PLAIN}7$&"

    assert redaction.clean(text).endswith(MARK)
