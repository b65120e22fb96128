"""What an operator sees: target and plan first, one line for each check, live lines while waiting, a closing block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from _pytest.capture import CaptureManager
from _pytest.terminal import TerminalReporter

from procedures.target.durations import as_text
from procedures.target.target import shown
from reports.page.banner import boot_in_words, outage_in_words
from reports.page.words import count
from reports.printable import escaped
from reports.record.evidence import AGAIN, CheckResult, Outcome, Phase, Plan, Verdict, Way
from reports.record.observed import Unseen
from reports.record.record import Record

_COLOUR = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.UNKNOWN: "yellow",
    Outcome.BLOCKED: "blue",
    Outcome.WAIVED: "yellow",
    Outcome.NOT_APPLICABLE: "light",
}
_WIDTH = max(len(one.value) for one in Outcome)
# Outcomes that are counted and shown together, with what did not happen to their checks.
_TOGETHER = {Outcome.NOT_APPLICABLE: "asked", Outcome.BLOCKED: "reached"}
# Verdicts that leave no doubt whether the containers are there.
_SETTLED = frozenset({Verdict.ACCEPTED, Verdict.REFUSED, Verdict.CANNOT_OBSERVE})
_PHASES = {
    Phase.PRE: "Before: nothing is touched yet",
    Phase.READY: "Ready: the last look before the stop",
    Phase.MID: "In the outage",
    Phase.POST: "After: the service as it runs",
}
_BACK = "Back: what ran before, as it runs again"


class Console:
    """Writes our lines through pytest's own terminal reporter, which handles colour and pipes."""

    def __init__(self, reporter: TerminalReporter, capture: CaptureManager | None) -> None:
        self._reporter = reporter
        self._capture = capture
        self._heading = ""
        self.clean: Callable[[str], str] = str
        reporter.write_sep = self._unsaid  # type: ignore[method-assign]  # pytest-html's last line names a folder that is renamed

    @staticmethod
    def _unsaid(*_words: object, **_markup: object) -> None:
        """Drop what other plugins print between our lines."""

    def say(self, text: str = "", **markup: bool) -> None:
        """Write one line, whether or not pytest captures output."""
        if self._capture is None:
            self._write(text, markup)
            return
        with self._capture.global_and_fixture_disabled():
            self._write(text, markup)

    def _write(self, text: str, markup: dict[str, bool]) -> None:
        self._reporter.ensure_newline()
        # Text from elsewhere must not control the terminal, nor begin a line that looks like one of ours.
        lines = (escaped(one) for one in self.clean(text).split("\n"))
        self._reporter.write_line("\n      | ".join(lines), **markup)
        self._reporter.flush()

    def live(self, text: str) -> None:
        """Write a line about something in progress."""
        self.say(f"    … {text}")

    def opening(self, record: Record) -> None:
        """Show what will be done, to what, and how long the service may be away at most."""
        target, plan = record.target, record.plan
        for waiver in record.waivers:
            self.say(
                f"WAIVED by {waiver.author}: {waiver.check}, because: {waiver.reason}", yellow=True, bold=True
            )
        if target:
            service = f"{target.project}/{target.service}" if target.project else f"service {target.service}"
            self.say(f"{record.procedure} of {target.name} ({service})", bold=True)
            self.say(f"  target file {shown_path(target.file)}, engine {target.endpoint or 'not reached'}")
        self.say(f"  run {record.run}, {record.began_at}, by {record.who.user}@{record.who.host}")
        for name in ("reason", "ticket", "operator", "approved_by"):
            if value := getattr(record.who, name):
                self.say(f"  {name.replace('_', ' ')} (as given): {value}")
        if plan is not None:
            self._plan(plan)

    def _plan(self, plan: Plan) -> None:
        """Show how many checks are asked in each phase, every step with its exact command, and the worst case."""
        self.say(f"  the service is {plan.state}")
        self.say("Plan", bold=True)
        for phase in Phase:
            count = sum(one.phase is phase and one.way is Way.FORWARD for one in plan.checks)
            twice = sum(one.again for one in plan.checks) if phase is Phase.READY else 0
            again = f", and {twice} of those before once more" if twice else ""
            if count:
                self.say(f"  {count:>2} checks {_PHASES[phase].lower()}{again}")
        back = sum(one.way is Way.BACK for one in plan.checks)
        if back:
            self.say(f"  {back:>2} checks of the way back, where a claim has failed")
        for step in plan.steps:
            self.say(
                f"  {step.name}: {' '.join(step.command) or step.purpose} (at most {as_text(step.limit)})"
            )
        if plan.worst_outage is not None:
            both = ", twice with the way back" if back else ""
            worst = as_text(plan.worst_outage)
            self.say(f"  worst case of the outage: {worst} (stop grace and boot deadline{both})")

    def details(self, record: Record) -> None:
        """List the whole plan, for `--plan`."""
        if record.plan is None:
            return
        for phase in Phase:
            self.say(_PHASES[phase], bold=True)
            for check in record.plan.checks:
                if check.phase is phase:
                    kind = (
                        "data, required"
                        if check.protects == "data"
                        else "advisory"
                        if check.advisory
                        else "required"
                    )
                    left = f" — not applicable: {check.not_applicable}" if check.not_applicable else ""
                    self.say(f"  {check.id}")
                    self.say(f"      {check.claim} ({kind}{', asked again' if check.again else ''}){left}")
        self.say("Looks that start something of ours", bold=True)
        for look in record.plan.looks:
            self.say(f"  {look}")
        self.say("Not tried, because it cannot be without acting", bold=True)
        for untried in record.plan.untried:
            self.say(f"  {untried}")

    def result(self, result: CheckResult, *, folded: bool = False) -> None:
        """Write a check's line; under a check that does not hold, also its reason and the next move.

        Checks that were not asked are counted and shown once, at the end. If many checks fail for one cause, they are
        `folded`: the cause is shown at the end.
        """
        if result.outcome in _TOGETHER:
            return
        heading = _BACK if result.check.way is Way.BACK else _PHASES[result.check.phase]
        if heading != self._heading:
            self._heading = heading
            self.say(heading, bold=True)
        colour = {_COLOUR[result.outcome]: True}
        advisory = " (advisory)" if result.check.advisory and result.outcome is not Outcome.PASSED else ""
        again = " (asked again)" if result.check.id.endswith(AGAIN) else ""
        self.say(f"  {result.outcome:<{_WIDTH}}  {result.check.claim}{again}{advisory}", **colour)
        if result.outcome is not Outcome.PASSED and not folded:
            self.say(f"  {'':<{_WIDTH}}  {result.reason}")
            if result.next_move:
                self.say(f"  {'':<{_WIDTH}}  → {result.next_move}")

    def _not_asked(self, record: Record) -> None:
        """Show what was not asked, once for each reason; a reason that the verdict gives is not repeated."""
        for outcome, word in _TOGETHER.items():
            reasons = [
                "" if any(given in one.reason for given in record.verdict_reasons) else f": {one.reason}"
                for one in record.results
                if one.outcome is outcome
            ]
            for reason in dict.fromkeys(reasons):
                count = reasons.count(reason)
                checks = "check was" if count == 1 else "checks were"
                self.say(f"{outcome}: {count} {checks} not {word}{reason}", blue=True)

    def closing(self, record: Record, report: str, *, ending: str) -> None:
        """Show how it ended, what to do next, where the report is; `ending` is how a run without a record ends."""
        good = record.verdict is Verdict.ACCEPTED
        self._not_asked(record)
        self.say()
        self.say(ending or f"{record.verdict}", bold=True, green=good, red=not good)
        if record.target is not None and record.target.understudy:
            self.say(
                "  this ran against the understudy, not Kestra; it says nothing about a real Kestra",
                yellow=True,
            )
        self._boot(record)
        self._reasons(record)
        self._outage(record)
        self._now(record)
        for finding in record.findings:
            self.say(f"  noted: {finding.text}" + (f" → {finding.next_move}" if finding.next_move else ""))
        if record.anomalies is not None:
            rows = count(len(record.anomalies.rows), "row")
            self.say(f"  {rows} for {record.anomalies.file}, in the report: {record.anomalies.outcome}")
        if record.by_hand:
            self.say("By hand", bold=True)
            for command in record.by_hand:
                self.say(f"  {command}")
        if record.judge_by:
            self.say(
                "Nothing has to be typed to have the service. To judge it without touching it:", bold=True
            )
            self.say(f"  {record.judge_by}")
        if report:
            self.say(f"report: {report}")
        meaning = "nothing was changed" if ending else record.verdict.meaning
        self.say(f"exit status {record.exit_status}: {meaning}")

    def _boot(self, record: Record) -> None:
        """Show why a server does not boot, before everything that follows from it."""
        for boot, way in record.failed_boots:
            self.say(f"  {boot_in_words(boot, way)}: {boot.how}", bold=True)
            self.say(f"  it says last ({boot.log} in the run's folder):")
            for line in boot.said or ("nothing",):
                self.say(f"    {line}")
            if boot.differs is None:
                self.say("  what differs from what ran before is not known")
            elif boot.differs:
                self.say(f"  it differs from what ran before in: {', '.join(boot.differs)}")
            else:
                self.say("  it differs from what ran before in nothing that was compared")
            if folded := record.folded(way):
                claims = "1 claim does" if folded == 1 else f"{folded} claims do"
                self.say(f"  {claims} not hold because of this: the report has each")

    def _reasons(self, record: Record) -> None:
        """Show why: each check's finding, its next move, and the id by which it could be waived."""
        found = {
            f"{one.check.claim} {one.outcome}: {one.reason}": one for one in record.results if one.closes
        }
        for reason in record.verdict_reasons:
            result = found.get(reason)
            if result is not None and record.follows(result):
                continue
            if result is None:
                self.say(f"  {reason}")
                continue
            self.say(f"  {result.outcome}: {result.check.claim}")
            self.say(f"    {result.reason}")
            if result.next_move:
                self.say(f"    → {result.next_move}")
            self.say(f"    ({result.check.id})")

    def _now(self, record: Record) -> None:
        """Show what the engine showed last: an operator first asks whether the service is there."""
        if record.verdict in _SETTLED or isinstance(record.exists_now, Unseen):
            return
        for container in record.exists_now:
            self.say(f"  the engine shows now: {container}")

    def _outage(self, record: Record) -> None:
        if record.outage is None or not record.executed:
            return
        self.say(f"  outage: {', '.join(outage_in_words(record.outage))}")


def shown_path(path: str) -> str:
    return shown(Path(path)) if path else "none"
