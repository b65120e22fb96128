"""Names of images that a pull has moved, and giving them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procedures.drivers import shell
from procedures.observe.moments.observers import Observers
from procedures.problems import CannotObserve

NAME = "name"
"""What the journal calls a name that was moved."""


def give_back(observers: Observers, moved: Mapping[str, Any]) -> str:
    """Give a name that a pull has moved back to the image that had it; tell what was done, nothing where nothing was.

    `moved` is what the journal says of it: the name, the image that had it, and the one that the pull brought.
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
