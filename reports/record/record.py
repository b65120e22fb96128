"""Converts recorded values to JSON and back."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, NewType, TypeVar, cast

from reports.record.evidence import SCHEMA_VERSION, Evidence
from reports.record.observed import Container, Engine, HealthCheck, Server, Snapshot, Unseen
from reports.record.values import Fingerprint, Hidden, Secret

T = TypeVar("T")

GONE: dict[type, frozenset[str]] = {
    Container: frozenset({"log_driver", "attachments"}),
    HealthCheck: frozenset({"start_period", "retries"}),
    Engine: frozenset({"root_dir"}),
    Server: frozenset({"readiness"}),
    Snapshot: frozenset({"notes", "extra"}),
}
"""Fields of records of version 1 that nobody read; they are ignored."""


class RecordUnreadable(Exception):  # noqa: N818 - says what happened
    """The record does not have the form that this version reads."""


Record = NewType("Record", Evidence[Fingerprint])
"""Evidence as it is kept: no secret in it, and every text has passed redaction. `recorded` and `read` make it."""


def fingerprint(key: bytes) -> Callable[[Secret], Fingerprint]:
    """Return the function that makes the fingerprints of a run: equal for equal values, under a key that ends with the run."""

    def of(secret: Secret) -> Fingerprint:
        return Fingerprint(hmac.new(key, secret.value.encode(), hashlib.sha256).hexdigest()[:12])

    return of


def recorded(
    evidence: Evidence, fingerprint_of: Callable[[Secret], Fingerprint], clean: Callable[[str], str]
) -> Record:
    """Return the record of a run: a fingerprint instead of every secret, and every text cleaned."""
    return Record(cast("Evidence[Fingerprint]", _recorded(evidence, fingerprint_of, clean)))


def _recorded(  # noqa: PLR0911 - a form for each type
    value: Any, fingerprint_of: Callable[[Secret], Fingerprint], clean: Callable[[str], str]
) -> Any:
    def kept(part: Any) -> Any:
        return _recorded(part, fingerprint_of, clean)

    match value:
        case Secret():
            return fingerprint_of(value)
        case Enum():
            return value
        case str():
            return clean(value)
        case dict():
            return {clean(str(name)): kept(part) for name, part in value.items()}
        case tuple() | list():
            return tuple(kept(part) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: kept(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value


def to_plain(value: Any) -> Any:
    """Return a record, or a part of one, as JSON's own types; a secret is refused."""
    match value:
        case Secret():
            raise TypeError("a secret belongs in no record: its fingerprint does")
        case Fingerprint():
            return {"secret": value.digest}
        case Enum():
            return value.value
        case dict():
            return {name: to_plain(part) for name, part in value.items()}
        case tuple():
            return [to_plain(part) for part in value]
    if dataclasses.is_dataclass(value):
        return {one.name: to_plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value


def read(plain: Any) -> Record:
    """Read a record back; an earlier version is converted to the present form."""
    record = Record(from_plain(Evidence[Fingerprint], plain))
    return dataclasses.replace(record, schema_version=max(record.schema_version, SCHEMA_VERSION))


def from_plain(form: type[T], plain: Any) -> T:
    """Read back what `to_plain` wrote; a type that may hide secrets is given as one that hides fingerprints."""
    if getattr(form, "__parameters__", ()):
        raise TypeError(f"a record holds no {form.__name__} with secrets")
    try:
        return cast("T", _read(form, plain))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordUnreadable(f"not a {form.__name__} of this version: {error}") from error


def _read(form: Any, plain: Any) -> Any:  # noqa: PLR0911 - a form for each of ours
    origin, arguments = typing.get_origin(form), typing.get_args(form)
    if dataclasses.is_dataclass(origin):
        return _read(origin, plain)
    if origin in {typing.Union, types.UnionType}:
        return _read_union(arguments, plain)
    if origin is tuple:
        return tuple(_read(arguments[0], one) for one in plain)
    if origin is dict:
        return {name: _read(arguments[1], one) for name, one in plain.items()}
    if form is Hidden:
        return Fingerprint(plain["secret"])
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
    if isinstance(plain, dict) and set(plain) == {"unseen", "next_move"}:
        return Unseen(**plain)
    if isinstance(plain, dict) and set(plain) == {"unseen"}:
        # In version 1 the next move stood behind an arrow.
        what, _, move = plain["unseen"].partition(" → ")
        return Unseen(what, move)
    if isinstance(plain, dict) and set(plain) == {"secret"}:
        return Fingerprint(plain["secret"])
    rest = [one for one in arguments if one not in {type(None), Unseen, Hidden}]
    return _read(rest[0], plain)
