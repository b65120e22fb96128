"""The ledger: the result of every planned check, which the gates read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from procedures.decide import gate
from reports.record.evidence import AGAIN, Check, CheckResult, Outcome, Phase, Protects, Waiver, Way


class Ledger:
    """Holds one result for each planned check, and for each check that was asked again; every text is free of secrets."""

    def __init__(
        self, checks: tuple[Check, ...], waivers: tuple[Waiver, ...], clean: Callable[[str], str] = str
    ) -> None:
        self.checks = checks
        self._clean = clean
        self._by_id = {one.id: one for one in checks}
        self._waived = {one.check: one for one in waivers}
        self._results: dict[str, CheckResult] = {}

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """Every result, in the order of the phases and of the asking."""
        order = {phase: at for at, phase in enumerate(Phase)}
        return tuple(sorted(self._results.values(), key=lambda one: order[one.check.phase]))

    def planned(self, check_id: str) -> Check | None:
        return self._by_id.get(check_id)

    def of(self, phase: Phase) -> tuple[Check, ...]:
        return tuple(one for one in self.checks if one.phase is phase)

    def again(self) -> tuple[Check, ...]:
        """Return the pre checks that are asked a second time, as checks of the phase ready."""
        return tuple(
            dataclasses.replace(one, id=one.id + AGAIN, phase=Phase.READY, again=False)
            for one in self.of(Phase.PRE)
            if one.again
        )

    def has(self, check_id: str) -> bool:
        return check_id in self._results

    def note(self, result: CheckResult) -> CheckResult:
        """Keep a result; a waived check that does not hold becomes waived. Return what was kept."""
        waiver = self._waived.get(result.check.name)
        if waiver and result.closes and result.check.protects is Protects.SERVICE:
            reason = f"{result.outcome}: {result.reason}; waived by {waiver.author}: {waiver.reason}"
            result = dataclasses.replace(result, outcome=Outcome.WAIVED, reason=reason)
        return self._keep(result)

    def block_rest(self, reason: str) -> tuple[CheckResult, ...]:
        """Mark every planned check without a result as blocked, and return those."""
        blocked = tuple(
            CheckResult(one, Outcome.NOT_APPLICABLE, one.not_applicable)
            if one.not_applicable
            else CheckResult(one, Outcome.BLOCKED, reason)
            for one in self.checks
            if one.id not in self._results
        )
        return tuple(self._keep(one) for one in blocked)

    def _keep(self, result: CheckResult) -> CheckResult:
        """Keep a result without secrets; a check, a waiver, or whatever ended the run wrote its reason."""
        result = dataclasses.replace(
            result, reason=self._clean(result.reason), next_move=self._clean(result.next_move)
        )
        self._results[result.check.id] = result
        return result

    def first_gate(self) -> gate.Decision:
        return gate.decide(self.of(Phase.PRE), self._results)

    def second_gate(self) -> gate.Decision:
        """Decide over the ready checks and those asked again; the first gate must still be open."""
        return gate.decide((*self.of(Phase.PRE), *self.of(Phase.READY), *self.again()), self._results)

    def failed_data(self, phases: Iterable[Phase]) -> tuple[CheckResult, ...]:
        """Return the failed data checks of these phases. Unknown ones do not hold a start back."""
        return tuple(
            one
            for one in self._results.values()
            if one.check.phase in set(phases)
            and one.check.protects is Protects.DATA
            and one.outcome is Outcome.FAILED
            and not one.check.advisory
        )

    def failed_forward(self) -> tuple[CheckResult, ...]:
        """Return the required post checks that failed on the procedure's own way: these start the way back."""
        return tuple(
            one
            for one in self.results
            if one.check.phase is Phase.POST
            and one.check.way is Way.FORWARD
            and one.outcome is Outcome.FAILED
            and one.check.leads_back
            and not one.check.advisory
        )

    def closing(self) -> tuple[CheckResult, ...]:
        """Return every required result that keeps the run from being accepted."""
        return tuple(one for one in self.results if one.closes)
