"""The plan of every procedure in every state of the bundled stack, as JSON: what a change of the layout must leave as it is.

    python -m tests.plans FILE

Write it before a change and after it, and compare the two files: `diff` shows what became another plan.
Names and ports of the stack, and what differs from one run to the next, stand as words in angle brackets.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from procedures.listed import PROCEDURES
from tests import targets
from tests.engine.service import seed
from tests.stacks import Stack, stack

STATES: dict[str, Callable[[Stack], object]] = {
    "running": lambda made: made.up(),
    "paused": lambda made: made.compose("pause", "kestra"),
    "stopped": lambda made: (made.compose("unpause", "kestra"), made.compose("stop", "kestra")),
    "absent": lambda made: made.compose("rm", "-f", "-s", "kestra"),
    "without its database": lambda made: made.compose("stop", "kestra-postgres"),
}
"""How each state is reached from the one before."""
_VARIES = (
    (re.compile(r"(?:\.\./)*plans-\w+/stack|\.\./\.\.<root>"), "<root>"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "<key>"),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "<run>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:Z|\+00:00)?"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|MB|GB|ms)\b"), "<measure>"),
)


def plans(made: Stack) -> dict[str, dict[str, list[str]]]:
    """Return what `--plan` tells, by state and procedure, line by line."""
    found: dict[str, dict[str, list[str]]] = {}
    for state, reach in STATES.items():
        reach(made)
        found[state] = {name: plain(made, name) for name in PROCEDURES}
    return found


def plain(made: Stack, name: str) -> list[str]:
    """Return the plan of one procedure, and how it ended, without what varies."""
    done = targets.procedure(made, "--plan", name=name)
    text = f"{done.stdout}\nexit status {done.returncode}"
    for word, instead in ((str(made.root), "<root>"), (made.project, "<project>"), (made.prefix, "<prefix>")):
        text = text.replace(word, instead)
    for key in ("KESTRA_HTTP_PORT", "KESTRA_MANAGEMENT_PORT"):
        text = text.replace(made.env[key], f"<{key}>")
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    return text.splitlines()


def main(file: Path) -> None:
    """Write the plans of a stack of its own."""
    with tempfile.TemporaryDirectory(prefix="plans-") as folder, stack(Path(folder) / "stack") as made:
        seed(made.up())
        targets.target_file(made)
        file.write_text(json.dumps(plans(made), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
