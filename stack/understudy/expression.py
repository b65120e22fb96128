"""The trivial part of Kestra's expressions: {{ flow.id }}, {{ inputs.x }}, {{ outputs.task.value }}."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .problem import Problem

_EXPRESSION = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")


class ExpressionFailed(Problem):
    """A variable that is not there, or an expression that is beyond the understudy."""


def render(text: str, variables: Mapping[str, object]) -> str:
    """Replace every expression in the text by the variable that it names."""
    rendered = _EXPRESSION.sub(lambda match: _value(match[1], variables), text)
    if "{{" in rendered:
        raise ExpressionFailed(f"the understudy renders plain variables only: {text}")
    return rendered


def _value(path: str, variables: Mapping[str, object]) -> str:
    value: object = variables
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            raise ExpressionFailed(f"Unable to find `{path}` used in the expression `{{{{ {path} }}}}`")
        value = value[name]
    return str(value)
