"""What is left of secrets in a text that one program has written and another one has logged: nothing."""

from __future__ import annotations

import html
import json
import shlex
from collections.abc import Callable

import pytest

from reports.record.observed import Secret
from reports.redaction.redact import Redaction
from reports.redaction.secret_names import secrets_inside
from tests import canaries

KNOWN = (
    canaries.canary("web"),
    canaries.canary("database", canaries.QUOTED_SIGNS),
    canaries.canary("option", canaries.OPTION_SIGNS),
    canaries.canary("plain", ""),
    canaries.canary("quotes", "''\"'$$%%\\'\\\""),
    canaries.canary("backslashes", "'\\\\'\\%é\\"),
)


def _by_postgres(text: str) -> str:
    """As a Postgres logs a statement that failed."""
    doubled = text.replace("'", "''").replace("\n", "\n\t")
    return f"STATEMENT:  SELECT no_such_function('{doubled}')\n"


def _by_docker(text: str) -> str:
    return "".join(f"2026-11-26T22:00:00.123456789Z {line}\n" for line in text.split("\n"))


LOGGERS: dict[str, Callable[[str], str]] = {
    "nobody": str,
    "Docker": _by_docker,
    "Postgres, in Docker's log": lambda text: _by_docker(_by_postgres(text)),
    "Postgres, in JSON": lambda text: json.dumps(_by_docker(_by_postgres(text))),
    "a shell's word": shlex.quote,
    "a shell's word in JSON": lambda text: json.dumps(shlex.quote(text)),
    "Compose": lambda text: text.replace("$", "$$"),
    "a table of values": lambda text: text.replace('"', '""'),
    "JSON in HTML": lambda text: html.escape(json.dumps(text)),
}


@pytest.mark.parametrize("logger", LOGGERS)
@pytest.mark.parametrize("known", KNOWN, ids=[one.name for one in KNOWN])
def test_nothing_is_left_of_a_secret(known: canaries.Canary, logger: str) -> None:
    """Every form of it, as somebody else wrote that down once more."""
    text = LOGGERS[logger](canaries.words([known]))
    redaction = Redaction([Secret(known.value)])

    assert canaries.leaks([known], {"the text": text.encode()})
    assert canaries.leaks([known], {"the text": redaction.clean(text).encode()}) == []


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("-Da.password=it's -Xmx1g -Db.token=one's", {"it's", "one's"}),
        ("-Da.password='it is' --token \"two words\"", {"it is", "two words"}),
        ("-Da.password=a'b -Dc=d", {"a'b"}),
    ],
)
def test_options_are_parted_as_a_variable_and_as_a_line(options: str, found: set[str]) -> None:
    """A script that passes a variable on knows no quotes, a shell that reads a line does: both readings are secrets."""
    assert found <= {one.value for one in secrets_inside("JAVA_OPTS", options).values()}
