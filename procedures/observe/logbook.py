"""Writes the containers' logs, redacted, into the run's folder, and returns a line about each file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from procedures.observe.engine import logs
from procedures.observe.engine.logs import LastWords, Logged
from procedures.observe.moments.observers import Observers
from reports import archive
from reports.record.observed import Container
from reports.redaction.redact import Unsearched

Clean = Callable[[str], str]
LAST_WORDS = 2.0
"""Seconds to wait for the end of a log whose container has ended or gone."""


def save(observers: Observers, container: Container, folder: Path, clean: Clean, when: str) -> str:
    """Write the newest part of a container's log into the evidence; return a line about the file."""
    limit, patience = observers.target.log_bytes, observers.target.budgets.save_logs
    logged = logs.read(observers.engine, container.id, limit, patience)
    return _write(logged, folder / f"log-{when}-{container.name}.txt", clean, limit)


def follow(observers: Observers, container: Container, since: float) -> LastWords:
    """Follow a container's log from now on to its end."""
    return LastWords(observers.engine, container.id, container.name, since, observers.target.log_bytes)


def save_last_words(words: LastWords, observers: Observers, folder: Path, clean: Clean) -> str:
    """Write what a container logged from its stop to its end into the evidence; return a line about the file."""
    file = folder / f"log-stop-{words.name}.txt"
    return _write(words.heard(LAST_WORDS), file, clean, observers.target.log_bytes)


def _write(logged: Logged, file: Path, clean: Clean, limit: int) -> str:
    try:
        text, is_cut = logged.cut(clean(logged.text), limit)
    except Unsearched as error:
        archive.write_private(file, f"[withheld: {error}]\n")
        return f"{file.name}: withheld, {error}"
    archive.write_private(file, text)
    return f"{file.name}: {len(text.encode())} bytes{f', cut to the newest whole lines of {limit}' if is_cut else ''}"
