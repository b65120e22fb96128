"""Versions as images and servers name them."""

from __future__ import annotations

import re


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers at a version's beginning, `v0.20.7-oss` as (0, 20, 7); none where it begins otherwise."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(one) for one in found[1].split(".")) if found else ()


def is_older(version: str, other: str) -> bool:
    """Whether a version is known to be older; false if one names no number, and for `1.3` beside `1.3.25`."""
    one, two = numbers(version), numbers(other)
    common = min(len(one), len(two))
    return one[:common] < two[:common]
