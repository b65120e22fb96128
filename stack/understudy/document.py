"""The JSON documents that Kestra keeps in Postgres, with the identifiers it gives them."""

from __future__ import annotations

import json
import secrets
from typing import Any

Document = dict[str, Any]
"""One of Kestra's documents as its API and its tables have it; the shapes are Kestra's, not ours."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id() -> str:
    """Make an identifier of 20 to 22 characters: 128 random bits in base 62."""
    number, digits = secrets.randbits(128), ""
    while number:
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits.rjust(20, "0")


def to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
