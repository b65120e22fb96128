"""The words in which evidence is written: a password that is one of them cannot be searched for."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterator
from importlib.resources.abc import Traversable

# pytest writes its JUnit file with these.
JUNIT = "testsuites testsuite testcase classname failure skipped properties property hostname timestamp system-out"

SOURCES = (("reports", (".py", ".css", ".json")), ("pytest_html.resources", (".jinja2", ".css", ".js")))


@functools.cache
def own_words() -> str:
    """Return all text that the views are made of: field names, sentences, markup and style, folded to one case.

    The sources are taken instead of the pages: they hold every word of a page, and more.
    """
    return "\n".join([JUNIT, *_texts()]).casefold()


def _texts() -> Iterator[str]:
    for package, endings in SOURCES:
        outer, _, inner = package.partition(".")
        yield from _texts_in(importlib.resources.files(outer).joinpath(*inner.split()), endings)


def _texts_in(folder: Traversable, endings: tuple[str, ...]) -> Iterator[str]:
    """Yield the texts of a package and of those in it; but not those of the archive of runs, which lies there too."""
    for file in folder.iterdir():
        if file.is_dir() and file.joinpath("__init__.py").is_file():
            yield from _texts_in(file, endings)
        elif file.name.endswith(endings) and file.is_file():
            yield file.read_text(encoding="utf-8")
