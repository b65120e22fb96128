"""The schema of `evidence.json`, as the recorded types have it; run as a program it writes the file anew."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any

from reports.record import evidence
from reports.record.evidence import SCHEMA_VERSION, Evidence
from reports.record.values import Fingerprint, Hidden

FILE = Path(evidence.__file__).with_name("evidence.schema.json")

FINGERPRINT = {
    "description": (Fingerprint.__doc__ or "").strip(),
    "type": "object",
    "properties": {"secret": {"type": "string"}},
    "required": ["secret"],
    "additionalProperties": False,
}
PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
}


def schema_of(form: type) -> dict[str, Any]:
    """Return the schema of a recorded type, with everything that it leads to."""
    known: dict[str, dict[str, Any]] = {}
    _named(form, known)
    known[form.__name__]["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:kestra-restart:evidence:{SCHEMA_VERSION}",
        "title": f"evidence.json, version {SCHEMA_VERSION}",
        "$ref": f"#/$defs/{form.__name__}",
        "$defs": dict(sorted(known.items())),
    }


def _named(form: Any, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a reference to a type of ours, and see that what it leads to is described."""
    if form.__name__ not in known:
        known[form.__name__] = {}
        known[form.__name__] = _described(form, known)
    return {"$ref": f"#/$defs/{form.__name__}"}


def _described(form: Any, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if form is Fingerprint:
        return FINGERPRINT
    words = " ".join((form.__doc__ or "").split("\n\n")[0].split())
    if issubclass(form, Enum):
        return {"description": words, "enum": [one.value for one in form]}
    hints = typing.get_type_hints(form)
    names = [one.name for one in dataclasses.fields(form)]
    return {
        "description": words,
        "type": "object",
        "properties": {name: _any(hints[name], known) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _any(form: Any, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(form), typing.get_args(form)
    if form in PLAIN:
        return PLAIN[form]
    if form is Hidden:
        return _named(Fingerprint, known)
    if dataclasses.is_dataclass(origin):
        return _named(origin, known)
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_any(one, known) for one in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _any(arguments[0], known)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _any(arguments[1], known)}
    return _named(form, known)


def written() -> str:
    """Return the schema as the file has it."""
    return json.dumps(schema_of(Evidence), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    print(f"wrote {FILE}")
