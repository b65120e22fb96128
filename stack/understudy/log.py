"""Log lines in the shape of Kestra's, without colours: INFO on stdout, WARN or worse on stderr."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime

_lock = threading.Lock()


def info(logger: str, message: str, *, thread: str = "") -> None:
    _write("INFO", logger, message, thread)


def warn(logger: str, message: str, *, thread: str = "") -> None:
    _write("WARN", logger, message, thread)


def error(logger: str, message: str, *, thread: str = "") -> None:
    _write("ERROR", logger, message, thread)


def raw(text: str) -> None:
    """Print what Kestra prints without a logger: an exception that left the main thread."""
    with _lock:
        print(text, file=sys.stderr, flush=True)


def _write(level: str, logger: str, message: str, thread: str) -> None:
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
    name = thread or threading.current_thread().name
    with _lock:
        print(
            f"{moment} {level:<5} {name:<12} {logger} {message}",
            file=sys.stdout if level == "INFO" else sys.stderr,
            flush=True,
        )
