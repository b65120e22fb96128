"""Placeholders in the configuration, resolved as Micronaut does: ${NAME}, ${some.property:default}, nested."""

from __future__ import annotations

from collections.abc import Callable

from .problem import Problem

Lookup = Callable[[str], str | None]


class PlaceholderUnresolved(Problem):
    """A placeholder without value and without default."""


def resolve(text: str, lookup: Lookup) -> str:
    """Replace every placeholder in the text."""
    out, rest = "", text
    while True:
        before, opened, after = rest.partition("${")
        out += before
        if not opened:
            return out
        expression, rest = _until_closed(after, text)
        out += _value(expression, lookup)


def _until_closed(text: str, whole: str) -> tuple[str, str]:
    depth = 1
    for index, letter in enumerate(text):
        if text.startswith("${", index):
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                return text[:index], text[index + 1 :]
    raise PlaceholderUnresolved(f"Incomplete placeholder definitions detected: {whole}")


def _value(expression: str, lookup: Lookup) -> str:
    name, colon, default = expression.partition(":")
    found = lookup(name)
    if found is not None:
        return resolve(found, lookup)
    if colon:
        return resolve(default, lookup)
    raise PlaceholderUnresolved(f"Could not resolve placeholder ${{{name}}}")
