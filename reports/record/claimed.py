"""What the target file names besides the service, and what the operator's own validation commands claim."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """Something that the target file names: `kind` is file, container, network or port; `problem` is empty if it is there."""

    kind: str
    name: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ValidationSeen:
    """What a validation command did and said; its exit code is recorded, and its claim is set beside ours."""

    name: str
    command: tuple[str, ...]
    exit_code: int | None
    took: float
    output: str
    healthy: bool | None = None
    """What it claims; None if that cannot be read."""
    checked: int | None = None
    """How much it says that it looked at; None if the target file does not ask for that."""
    least: int = 0
    problem: str = ""
    """Why its claim cannot be read: it hangs, it prints nothing, no JSON, or not the key that the target file names."""
