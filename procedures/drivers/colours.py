"""Takes the colours out of a text: Kestra colours its log wherever it runs, and scripts often do."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def without_colours(text: str) -> str:
    """Return the text without sequences that control a terminal."""
    return _CONTROL.sub("", text)
