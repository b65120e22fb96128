"""The rendering that was checked, kept in files: the start uses it, whatever becomes of the target's own files.

Compose writes on each container which files it was made from. So the rendering is kept under the paths of the target's
own files, in a folder of the run, and such a path leads back to the operator's file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from procedures.drivers import private

SUFFIX = ".rendered"


def folder(stem: Path) -> Path:
    """Return the folder in which a run keeps its rendering."""
    return stem.with_name(stem.name + SUFFIX)


def places(stem: Path, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the paths that stand for the target's own files."""
    return tuple(folder(stem) / one.relative_to(one.anchor) for one in files)


def write(stem: Path, files: tuple[Path, ...], model: Mapping[str, Any]) -> None:
    """Write the model in place of the first file, and an empty one in place of the others; only their owner can read them."""
    first, *others = places(stem, files)
    folder(stem).mkdir(mode=0o700, parents=True)
    for one, text in ((first, json.dumps(model)), *((other, "{}") for other in others)):
        one.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private.write(one, text)


def origin(path: str) -> str:
    """Return the operator's own file for a path that may represent it."""
    _, mark, own = path.partition(f"{SUFFIX}/")
    return f"/{own}" if mark else path


def forget(stem: Path) -> bool:
    """Remove a run's rendering; return whether there was one."""
    found = folder(stem).is_dir()
    shutil.rmtree(folder(stem), ignore_errors=True)
    return found


def forget_all(beside: Path) -> None:
    """Remove the renderings of all runs in a folder."""
    for one in beside.glob(f"*{SUFFIX}"):
        shutil.rmtree(one, ignore_errors=True)
