"""The operator's own validation commands after the start: their claims beside ours."""

from __future__ import annotations

from procedures.kestra.health import says_up
from procedures.problems import CannotObserve
from reports.record.claimed import ValidationSeen
from reports.record.observed import Server


def test_the_operators_validation_agrees(
    validations: tuple[ValidationSeen, ...], server_after: Server
) -> None:
    """The operator's own validation commands claim what we found."""
    ours = says_up(server_after.health)
    found = "healthy" if ours else f"not healthy ({server_after.health.said})"
    for one in validations:
        if one.healthy is None:
            raise CannotObserve(
                f"{one.name}: {one.problem}", "mend the command, or how the target file reads it"
            )
        says = "healthy" if one.healthy else "not healthy"
        assert one.healthy == ours, (
            f"{one.name} says {says}, we found the service {found} → see the command's own words"
        )
        assert one.healthy == (one.exit_code == 0), (
            f"{one.name} says {says} and ended with {one.exit_code}, which contradicts it → mend the command's exit status"
        )


def test_the_validation_looked_at_something(validations: tuple[ValidationSeen, ...]) -> None:
    """The operator's own validation commands looked at as much as the target file asks for."""
    for one in validations:
        if one.least and one.checked is None:
            raise CannotObserve(
                f"{one.name}: {one.problem}", "mend the command, or how the target file reads it"
            )
        assert (one.checked or 0) >= one.least, (
            f"{one.name} has looked at {one.checked}, at least {one.least} is asked for → a name that the command does not "
            "know is no error to it: see its arguments"
        )
