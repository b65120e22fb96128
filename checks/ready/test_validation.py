"""The operator's own validation commands while the service still runs: they can be read, and they look at something."""

from __future__ import annotations

from reports.record.claimed import ValidationSeen


def test_the_validation_commands_can_be_read(validations_ready: tuple[ValidationSeen, ...]) -> None:
    """The operator's validation commands end in time, and their claims can be read."""
    unread = [
        f"{validation.name}: {validation.problem}" for validation in validations_ready if validation.problem
    ]
    assert not unread, f"{'; '.join(unread)} → fix the command, or how the target file reads it"


def test_the_validation_commands_look_at_something(validations_ready: tuple[ValidationSeen, ...]) -> None:
    """The operator's validation commands look at as much as the target file requires."""
    idle = [
        f"{validation.name} has looked at {validation.checked}"
        for validation in validations_ready
        if (validation.checked or 0) < validation.least
    ]
    assert not idle, f"{'; '.join(idle)} → see which service the command is asked about"
