"""Which modules one restart enters, from the line typed to the verdict: what somebody has to read to follow it.

    python -m tests.entered

A restart of a stack of its own is carried out; each module of `procedures/` and `reports/` of which a function is called
counts once. Its imports count for nothing: a class that is made, or a constant that is read, is not a step of the story.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests import targets
from tests.stacks import stack

ROOMS = ("procedures", "reports")
# Each process notes, as it ends, the files of whose functions it has called one; what runs at an import is no call.
NOTING = """
import atexit, os, sys, threading
called = set()
def note(frame, event, _):
    outer = frame.f_back
    if event == "call" and "<module>" not in (frame.f_code.co_name, outer and outer.f_code.co_name):
        called.add(frame.f_code.co_filename)
def write():
    with open(os.path.join({folder!r}, str(os.getpid())), "w") as file:
        file.write("\\n".join(called))
atexit.register(write)
sys.setprofile(note)
threading.setprofile(note)
"""


def entered() -> list[Path]:
    """Restart a stack of its own; return the modules, relative to the project."""
    with tempfile.TemporaryDirectory(prefix="entered-") as folder, stack(Path(folder) / "stack") as made:
        noted = Path(folder) / "noted"
        noted.mkdir()
        (Path(folder) / "sitecustomize.py").write_text(NOTING.format(folder=str(noted)))
        done = targets.procedure(made.up(), env={"PYTHONPATH": folder})
        if done.returncode:
            raise SystemExit(f"the restart ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        files = {Path(line) for one in noted.iterdir() for line in one.read_text().splitlines()}
    ours = {one.relative_to(targets.PROJECT) for one in files if one.is_relative_to(targets.PROJECT)}
    return sorted(one for one in ours if one.parts[0] in ROOMS)


def told(modules: Sequence[Path]) -> str:
    """Return the modules by room, and their number."""
    rooms = dict.fromkeys(one.parent for one in modules)
    lines = [f"{room}: {', '.join(one.stem for one in modules if one.parent == room)}" for room in rooms]
    length = sum(len((targets.PROJECT / one).read_text(encoding="utf-8").splitlines()) for one in modules)
    return "\n".join([*lines, f"{len(modules)} modules of {length} lines are entered by one restart"])


if __name__ == "__main__":
    sys.stdout.write(told(entered()) + "\n")
