"""Names of images that a pull moved, and giving them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procedures.drivers import shell
from procedures.observe.moments.observers import Observers
from procedures.problems import CannotObserve

NAME = "name"
"""The journal's name for a name that was moved."""


def give_back(observers: Observers, moved: Mapping[str, Any]) -> str:
    """Give a moved name back to the image that had it; return what was done, blank if nothing was.

    `moved` is the journal's entry: the name, the image that had it, and the image that the pull brought.
    """
    reference, had, brought = (str(moved.get(key, "")) for key in ("reference", "had", "has"))
    try:
        now = observers.engine.image(reference)
    except CannotObserve as error:
        return f"the name {reference} could not be given back: {error}"
    if not reference or (now.id if now else "") == had:
        return ""
    if now is not None and brought and now.id != brought:
        return f"the name {reference} stays where it is: it was moved once more since this suite pulled it"
    compose = observers.compose
    command = compose.name_image(had, reference) if had else compose.unname_image(reference)
    word = "undone" if shell.run(command).ok else "could not be undone"
    return f"{word}: {' '.join(command.argv)}"
