"""The record's own form: recorded values to JSON and back."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, cast

from reports.record.evidence import SCHEMA_VERSION, Evidence
from reports.record.observed import Container, Engine, Secret, Server, Snapshot, Unseen

T = TypeVar("T")

GONE: dict[type, frozenset[str]] = {
    Container: frozenset({"log_driver"}),
    Engine: frozenset({"root_dir"}),
    Server: frozenset({"readiness"}),
    Snapshot: frozenset({"notes", "extra"}),
}
"""Fields of records of version 1 that nobody read: they are passed over."""


class RecordUnreadable(Exception):  # noqa: N818 - says what happened
    """The record does not have the form that this version reads."""


def fingerprint(key: bytes) -> Callable[[Secret], str]:
    """Return what stands for a secret in the record: equal for equal values, under a key that ends with the run."""

    def stand_in(secret: Secret) -> str:
        return hmac.new(key, secret.value.encode(), hashlib.sha256).hexdigest()[:12]

    return stand_in


def to_plain(value: Any, stand_in: Callable[[Secret], str], clean: Callable[[str], str] = str) -> Any:  # noqa: PLR0911 - a form for each of JSON's types
    """Return `value` as JSON's own types; `clean` is applied to every text before it is encoded."""
    if isinstance(value, Secret):
        return {"secret": stand_in(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return clean(value)
    if dataclasses.is_dataclass(value):
        return {
            one.name: to_plain(getattr(value, one.name), stand_in, clean) for one in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {clean(str(name)): to_plain(one, stand_in, clean) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(one, stand_in, clean) for one in value]
    return value


def read(plain: Any) -> Evidence:
    """Read a record back, one of an earlier version in the form of today."""
    record = from_plain(Evidence, plain)
    return dataclasses.replace(record, schema_version=max(record.schema_version, SCHEMA_VERSION))


def from_plain(form: type[T], plain: Any) -> T:
    """Read back what `to_plain` wrote; a secret comes back as its fingerprint."""
    try:
        return cast("T", _read(form, plain))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordUnreadable(f"not a {form.__name__} of this version: {error}") from error


def _read(form: Any, plain: Any) -> Any:  # noqa: PLR0911 - a form for each of ours
    origin, arguments = typing.get_origin(form), typing.get_args(form)
    if origin in {typing.Union, types.UnionType}:
        return _read_union(arguments, plain)
    if origin is tuple:
        return tuple(_read(arguments[0], one) for one in plain)
    if origin is dict:
        return {name: _read(arguments[1], one) for name, one in plain.items()}
    if form is Secret:
        return Secret(plain["secret"])
    if isinstance(form, type) and issubclass(form, Enum):
        return form(plain)
    if isinstance(form, type) and dataclasses.is_dataclass(form):
        hints, gone = _hints(form), GONE.get(form, frozenset())
        return form(**{name: _read(hints[name], one) for name, one in plain.items() if name not in gone})
    if form is float and isinstance(plain, int):
        return float(plain)
    if not isinstance(plain, form):
        raise TypeError(f"{plain!r} is no {form.__name__}")
    return plain


@functools.cache
def _hints(form: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(form)


def _read_union(arguments: tuple[Any, ...], plain: Any) -> Any:
    if plain is None:
        return None
    if isinstance(plain, dict) and "unseen" in plain and set(plain) <= {"unseen", "next_move"}:
        return Unseen(**plain)  # before version 2 the next move stood behind an arrow
    if isinstance(plain, dict) and set(plain) == {"secret"}:
        return Secret(plain["secret"])
    rest = [one for one in arguments if one not in {type(None), Unseen, Secret}]
    return _read(rest[0], plain)
