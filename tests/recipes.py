"""The recipes of CONTRIBUTING: their blocks of code, and a copy of the project to follow them in."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TEXT = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def block(kind: str, having: str) -> str:
    """The one block of code of a kind that has a word in it."""
    found = [
        textwrap.dedent(one)
        for one in re.findall(rf"^ *```{kind}\n(.*?)^ *```", TEXT, re.DOTALL | re.MULTILINE)
    ]
    (one,) = [text for text in found if having in text]
    return one


def copied(folder: Path) -> Path:
    """Copy what a recipe touches, and what tells whether it was followed; return where it lies."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "runs")
    shutil.copytree(PROJECT, folder / "copy", ignore=left_out)
    return folder / "copy"
