"""The operator's own validation commands, while the service still runs: whether they can say anything at all."""

from __future__ import annotations

from reports.record.claimed import ValidationSeen


def test_the_validation_commands_can_be_read(validations_ready: tuple[ValidationSeen, ...]) -> None:
    """The operator's validation commands end in time, and what they claim can be read."""
    unread = [f"{one.name}: {one.problem}" for one in validations_ready if one.problem]
    assert not unread, f"{'; '.join(unread)} → mend the command, or how the target file reads it"


def test_the_validation_commands_look_at_something(validations_ready: tuple[ValidationSeen, ...]) -> None:
    """The operator's validation commands look at as much as the target file asks for."""
    idle = [
        f"{one.name} has looked at {one.checked}"
        for one in validations_ready
        if (one.checked or 0) < one.least
    ]
    assert not idle, f"{'; '.join(idle)} → see which service the command is asked about"
