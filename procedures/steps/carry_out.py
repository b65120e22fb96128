"""Carrying out steps: journalled before and after, limited in time, recorded."""

from __future__ import annotations

import time
from collections.abc import Callable

from procedures.drivers import shell
from procedures.drivers.shell import Command
from procedures.problems import CannotObserve, Interrupted, StepFailed
from procedures.steps.interruption import Interruption
from procedures.steps.journal import Journal
from procedures.steps.lock import Lock
from reports.record.evidence import Step, StepResult, StepStatus, Wait
from reports.record.values import now

ToResult = Callable[[Step, shell.Result], StepResult]
"""Makes the result of a step from the result of its command."""


class Acting:
    """The only way from a planned step to the world; everything it does is in the journal first."""

    def __init__(
        self, journal: Journal, lock: Lock, interruption: Interruption, say: Callable[[str], None]
    ) -> None:
        self.journal = journal
        self.results: list[StepResult] = []
        self.say = say
        self.changed_at: float | None = None
        """When the first changing step was begun, on the monotonic clock."""
        self._lock = lock
        self._interruption = interruption

    @property
    def changed(self) -> bool:
        """Whether a changing step was begun."""
        return self.journal.changed

    def note(self, result: StepResult) -> None:
        """Record a step's result, and replace what was known of the step."""
        self.results = [one for one in self.results if one.step.name != result.step.name] + [result]

    def command(self, step: Step, command: Command, to_result: ToResult | None = None) -> StepResult:
        """Carry out a step that is one command, to its end: a signal waits until the command is over."""
        return self.carry_out(step, lambda: (to_result or _result_of)(step, shell.run(command)))

    def breakable(
        self,
        step: Step,
        command: Command,
        to_result: ToResult | None = None,
        hear: Callable[[str], None] | None = None,
    ) -> StepResult:
        """Carry out a step whose command may be left behind if somebody asks this run to end.

        `hear` receives the last line of the command's output from time to time.
        """
        return self.carry_out(
            step,
            lambda: (to_result or _result_of)(
                step, shell.run(command, self._interruption.raise_if_asked, hear)
            ),
        )

    def carry_out(self, step: Step, act: Callable[[], StepResult]) -> StepResult:
        """Journal a step and carry it out, without judging it: the caller reads from the engine what it did."""
        self._interruption.raise_if_asked()
        self._still_locked(step)
        began_at, began = now(), time.monotonic()
        self.say(f"{step.name}: {' '.join(step.command) or step.purpose}")
        self.note(StepResult(step, StepStatus.BEGUN, began_at))
        if step.changing and self.changed_at is None:
            self.changed_at = began
        self._journalled(lambda: self.journal.begin(step))
        try:
            result = act()
        except BaseException as error:
            reason = str(error) or type(error).__name__
            self._end(StepResult(step, StepStatus.FAILED, began_at, time.monotonic() - began, reason=reason))
            raise
        self._end(
            StepResult(
                step, result.status, began_at, time.monotonic() - began, result.exit_code, result.output,
                result.reason, result.waits,
            )
        )  # fmt: skip
        return self.results[-1]

    def remember(self, name: str, **values: object) -> None:
        """Write down what a later run needs if this one is cut off, before that can happen."""
        self._journalled(lambda: self.journal.remember(name, values))

    def add_wait(self, step: Step, wait: Wait) -> None:
        """Record a wait beside the step that it followed."""
        found = next(one for one in self.results if one.step.name == step.name)
        self.results[self.results.index(found)] = StepResult(
            found.step, found.status, found.began_at, found.took, found.exit_code, found.output, found.reason,
            (*found.waits, wait),
        )  # fmt: skip

    def add_wait_to_last(self, wait: Wait) -> None:
        """Record a wait beside the most recent step."""
        if self.results:
            self.add_wait(self.results[-1].step, wait)

    def _end(self, result: StepResult) -> None:
        self.note(result)
        self._journalled(lambda: self.journal.end(result.step, result.status, result.reason))

    def _journalled(self, write: Callable[[], None]) -> None:
        """Write to the journal first; once the service was touched, a full disk does not keep it down."""
        touched = self.journal.changed
        try:
            write()
        except OSError as error:
            what = f"the journal {self.journal.file} cannot be written: {error.strerror or error}"
            if not touched:
                raise StepFailed(what, "make room there, or set XDG_STATE_HOME") from error
            self.say(what)

    def _still_locked(self, step: Step) -> None:
        """Check that the lock is still ours; in the outage its loss does not keep the service down."""
        if not step.changing:
            return
        try:
            ours = self._lock.is_ours
        except CannotObserve:
            ours = False
        if ours:
            return
        if not self.journal.changed:
            raise Interrupted("the lock was lost before the first changing step; nothing was touched")
        self._journalled(
            lambda: self.journal.note("the lock was lost; the service is brought back all the same")
        )


def _result_of(step: Step, result: shell.Result) -> StepResult:
    if result.timed_out:
        status, reason = StepStatus.TIMED_OUT, f"not within {result.command.limit:g} s"
    elif result.ok:
        status, reason = StepStatus.DONE, ""
    else:
        status, reason = StepStatus.FAILED, f"its command ended with {result.exit_code}"
    return StepResult(step, status, "", result.took, result.exit_code, result.output, reason)
