"""Files that only their owner may read: what is kept for a way back holds a container's values in plain text."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def write(file: Path, text: str) -> None:
    """Write a new file that only its owner can read, safe from a crash."""
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, by which it is recognised."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
