"""The gate: it opens on complete passing evidence, never on the absence of failure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports.record.evidence import Check, CheckResult, Outcome

_LETS_THROUGH = {Outcome.PASSED, Outcome.WAIVED, Outcome.NOT_APPLICABLE}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a gate is open, and every result that keeps it closed."""

    open: bool
    closed_by: tuple[CheckResult, ...] = ()
    missing: tuple[Check, ...] = ()
    """Planned checks that have not run: deselected, skipped, crashed before their call, or removed."""

    @property
    def why(self) -> str:
        named = [f"{one.check.id} ({one.outcome})" for one in self.closed_by]
        named += [f"{one.id} (has not run)" for one in self.missing]
        return ", ".join(named) or "the lack of any required check"


def decide(planned: Iterable[Check], results: Mapping[str, CheckResult]) -> Decision:
    """Decide over the planned checks of a phase; `results` are by check id."""
    required = [one for one in planned if not one.advisory]
    missing = tuple(one for one in required if one.id not in results)
    closed_by = tuple(
        results[one.id]
        for one in required
        if one.id in results and results[one.id].outcome not in _LETS_THROUGH
    )
    return Decision(bool(required) and not missing and not closed_by, closed_by, missing)
