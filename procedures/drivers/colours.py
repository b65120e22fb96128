"""Text without the colours that its writer gave it: Kestra colours its log wherever it runs, scripts often do."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def without_colours(text: str) -> str:
    """Return the text without the sequences that tell a terminal what to do."""
    return _CONTROL.sub("", text)
