"""The operator's own validation commands after the start: their claims beside those of this run."""

from __future__ import annotations

from procedures.kestra.health import says_up
from procedures.problems import CannotObserve
from reports.record.claimed import ValidationSeen
from reports.record.observed import Server


def test_the_operators_validation_agrees(
    validations: tuple[ValidationSeen, ...], server_after: Server
) -> None:
    """The operator's own validation commands agree with what this run observed."""
    ours = says_up(server_after.health)
    observed = "healthy" if ours else f"not healthy ({server_after.health.said})"
    for validation in validations:
        if validation.healthy is None:
            raise CannotObserve(
                f"{validation.name}: {validation.problem}", "fix the command, or how the target file reads it"
            )
        says = "healthy" if validation.healthy else "not healthy"
        assert validation.healthy == ours, (
            f"{validation.name} says {says}, this run observed that the service is {observed} → see the command's own output"
        )
        assert validation.healthy == (validation.exit_code == 0), (
            f"{validation.name} says {says} and ended with {validation.exit_code}, which contradicts it → fix the command's "
            "exit status"
        )


def test_the_validation_looked_at_something(validations: tuple[ValidationSeen, ...]) -> None:
    """The operator's own validation commands looked at as much as the target file requires."""
    for validation in validations:
        if validation.least and validation.checked is None:
            raise CannotObserve(
                f"{validation.name}: {validation.problem}", "fix the command, or how the target file reads it"
            )
        assert (validation.checked or 0) >= validation.least, (
            f"{validation.name} has looked at {validation.checked}, at least {validation.least} is required → see its "
            "arguments: the command takes an unknown name for no error"
        )
