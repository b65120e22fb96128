"""One pytest session of a procedure: between pytest's items and the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from _pytest.capture import CaptureManager
from _pytest.terminal import TerminalReporter

from procedures.decide.facts import Group, provided_by
from procedures.early import EARLY
from procedures.problems import Blocked, Interrupted, NotApplicable, Problem, TypedWrong
from procedures.run import explaining, facts, first_look, going_back, landing, target_held
from procedures.run.evidence import anomaly_rows, sealing
from procedures.run.evidence.record import record_of
from procedures.run.procedure import Procedure
from procedures.run.reached import Reached
from procedures.run.run import Run
from procedures.run.states import States
from procedures.session import outcome, typed
from procedures.session.console import Console
from procedures.session.ending import Ending
from procedures.session.screen import Screen
from procedures.session.witness import Witness, body_of
from procedures.steps.interruption import Interruption
from reports import archive
from reports.record.evidence import BACK, Check, CheckResult, Phase, Protects, Verdict, Way
from reports.record.observed import Snapshot


class Session:
    """Holds a run and its console; each method is one moment of pytest's own course."""

    def __init__(self, config: pytest.Config, run: Run, interruption: Interruption) -> None:
        self.config = config
        self.run = run
        self.procedure = run.asked.procedure
        self.states = States(run)
        self._interruption = interruption
        self._console: Console | None = None
        self._screen: Screen | None = None
        self._bodies: dict[str, Callable[..., None]] = {}
        self._witnesses: dict[str, Witness] = {}
        self._asked_again = False
        self._ending = Ending(config, run)
        self._ended = False
        self._unused = False

    @staticmethod
    def begin(
        config: pytest.Config, procedure: Procedure, checks: Path, environment: Mapping[str, str]
    ) -> Session:
        """Read what was typed, take over the signals, make the run's folder."""
        interruption = Interruption()
        interruption.listen()
        interruption.by = interruption.by or EARLY.heard
        asked = typed.asked(config, procedure, checks, environment)
        # A warning of a library or of the interpreter is no claim about the target. As an error it would blind a look in
        # the outage, and end an accepted run with 1. The suite's own tests keep such warnings as errors.
        config.addinivalue_line("filterwarnings", "ignore")
        session = Session(config, Run(asked, environment, interruption, _silent), interruption)
        typed.refuse_waivers(asked.waivers, session.run.claims)
        anomaly_rows.refuse_idle(asked)
        if not asked.leaves_nothing:
            session._ending.lost = sealing.open_folder(session.run)
        session._direct_views()
        session._screen = Screen(session._capture)
        return session

    def _direct_views(self) -> None:
        """Let pytest's own reports write into the run's folder, and leave the screen to us."""
        option, folder = self.config.option, self.run.folder
        option.htmlpath = str(folder / archive.REPORT) if folder else None
        option.self_contained_html = True
        option.xmlpath = str(folder / "junit.xml") if folder else None
        option.verbose, option.tbstyle = -2, "no"
        option.no_header = option.no_summary = True
        option.showcapture = "no"

    @property
    def console(self) -> Console:
        if self._console is None:
            reporter = self.config.pluginmanager.getplugin("terminalreporter")
            if not isinstance(reporter, TerminalReporter):
                raise TypedWrong("pytest has no terminal reporter", "leave -p no:terminal out")
            self._console = Console(reporter, self._capture)
            self._console.clean = self._clean
        return self._console

    @property
    def _capture(self) -> CaptureManager | None:
        capture = self.config.pluginmanager.getplugin("capturemanager")
        return capture if isinstance(capture, CaptureManager) else None

    def _clean(self, text: str) -> str:
        """Take secrets out; more of them become known while the run looks."""
        return self.run.redaction.clean(text)

    # pytest's course

    def observe(self) -> None:
        """Look at the engine once and make the plan."""
        self.run.say = self.console.live
        self.run.before_changing = self._keep_before_changing
        first_look.look(self.run)

    def ordered(self, session: pytest.Session) -> list[pytest.Item]:
        """Compare what pytest collected with what the check files hold; return the items in the run's own order."""
        known = {one.id for one in self.run.claims}
        if self.procedure.returns:
            known |= {one.id + BACK for one in self.run.claims if one.phase is Phase.POST}
        collected = {outcome.id_of(item): item for item in session.items}
        missing, foreign = known - collected.keys(), collected.keys() - known
        if missing or foreign or len(collected) != len(session.items):
            named = ", ".join(sorted(missing | foreign)) or "one of them twice"
            raise TypedWrong(
                f"what pytest collected is not what the check files hold: {named}",
                "leave out what selects, repeats or ignores; a file that cannot be imported is named above",
            )
        # Without a plan every check is asked, to say why there is no plan.
        order = [one.id for one in (self.run.plan.checks if self.run.plan else self.run.claims)]
        if self.run.asked.plan_only:
            asked = {one.id for one in self.run.claims if self._is_asked_by_a_plan(one)}
            order = [one for one in order if one in asked]
        for name, item in collected.items():
            self._bodies[name] = body_of(item)
            witness = self._witnesses[name] = Witness(self._bodies[name])
            if isinstance(item, pytest.Function):
                item.obj = witness.function
        return [collected[name] for name in order]

    def _is_asked_by_a_plan(self, check: Check) -> bool:
        """Whether a check can be asked without acting; more can be asked if the new image is already here."""
        if check.phase is Phase.READY:
            announced = self.run.intent.announcement
            asks_for_it = not provided_by(Group.NEW_IMAGE).isdisjoint(check.asks)
            return asks_for_it and announced is not None and announced.known is not None
        return check.phase is (Phase.PRE if self.run.acts else Phase.POST)

    def asks_both_ways(self, file: Path) -> bool:
        """Whether the checks of a file judge both the procedure's own way and its way back."""
        return self.procedure.returns and file.parent.name == Phase.POST

    def moments_of(self, item: pytest.Item) -> Reached:
        """Return the moments that an item judges: those of the procedure's own way, or those of its way back."""
        return Reached(self.states, Way.BACK if outcome.id_of(item).endswith(BACK) else Way.FORWARD)

    def begin_asking(self) -> None:
        """Show target and plan, then take the lock."""
        record = record_of(self.run, running=True)
        self.console.opening(record)
        if self.run.asked.plan_only:
            self.console.details(record)
        # If the run is killed from here on, the next run seals the record that it left.
        sealing.keep(self.run, record)
        target_held.take(self.run)

    def before_item(self, item: pytest.Item) -> None:
        """End an item before its fixtures if the plan or an earlier act has decided about it."""
        check = self.run.ledger.planned(outcome.id_of(item))
        if self.run.stopped_short:
            raise Blocked(self.run.stopped_short)
        if check is None:
            raise Blocked("no plan holds this check")
        if check.not_applicable:
            raise NotApplicable(check.not_applicable)
        if check.way is Way.BACK and (why := going_back.not_needed(self.run)):
            raise NotApplicable(why)
        if check.phase is Phase.READY and not (self._asked_again or self.run.asked.plan_only):
            self._asked_again = True
            self._ask_again()
        facts.need_besides(self._bodies[check.id], check.asks, self.moments_of(item))

    def barred(self, item: pytest.Item, error: BaseException) -> None:
        """Note that an item is not reached, before another plugin can turn it into something else."""
        self._witnesses[outcome.id_of(item)].barred = error

    def after_call(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Turn what is known of a check into one of our outcomes, and put it into pytest's report."""
        name = outcome.id_of(item)
        check = self.run.ledger.planned(name) or _unplanned(self.run.claims, name)
        witness, error = self._witnesses[name], call.excinfo.value if call.excinfo else None
        if call.when == "teardown":
            self._torn_down(check, error, report)
            return
        if call.when == "setup" and error is None and witness.barred is None:
            return
        ended = witness.ended(error)
        if isinstance(ended, Interrupted):
            self.run.course.interrupted = str(ended)
        result = outcome.of(check, ended, call.start, call.duration)
        result = self.run.ledger.note(result)
        outcome.set_report(report, result, item)
        report.sections = [(name, self.run.redaction.clean(text)) for name, text in report.sections]
        after = check.phase is Phase.POST and (check.way is Way.BACK) is self.run.course.went_back
        self.console.result(result, folded=after and explaining.boot_is_known(self.run))
        if self._interruption.by:
            item.session.shouldstop = f"interrupted by {self._interruption.by}"

    def _torn_down(self, check: Check, error: BaseException | None, report: pytest.TestReport) -> None:
        """Keep an error after a check apart from the check's result: our checks tear nothing down."""
        if error is not None:
            report.outcome, report.longrepr = "passed", None
            self.run.finding(f"after {check.id} something ended with {type(error).__name__}: {error}")

    def crashed(self, excrepr: object) -> None:
        """Note a crash of our own: the run ends as interrupted, and the service is brought back."""
        text = self.run.redaction.clean(str(excrepr))
        self.run.course.interrupted = (
            self.run.course.interrupted or "an error of this suite's own ended the run"
        )
        self.run.finding(f"an error of this suite's own: {text[-1500:]}", "report it with this record")

    def land(self, session: pytest.Session) -> None:
        """Leave nothing down silently, judge, and hand the record to pytest's reports."""
        if self._ended:
            return
        self._ended = True
        usage = session.exitstatus == pytest.ExitCode.USAGE_ERROR
        landing.land(self.states, self._ask_data)
        if usage and not self.run.changed:
            self._unused = True
            target_held.give_back(self.run, "")
            return
        try:
            self._ending.judge(session, self._screen.trouble if self._screen else "")
        except Exception as error:  # noqa: BLE001 - the reports get what there is, and the target is given back
            self.crashed(f"{type(error).__name__}: {error}")
            self.view_failed(error)
            session.exitstatus = Verdict.INTERRUPTED.exit_status

    def view_failed(self, error: Exception) -> None:
        """Note that pytest's own report or JUnit file could not be written."""
        self._ending.view_failed(error)

    def seal(self, session: pytest.Session) -> None:
        """After the reports were written: complete the folder, give everything back, show how it ended."""
        if self._unused:
            self._ending.drop_folder()
        else:
            self._ending.seal(session, self.console)

    def end(self) -> None:
        """Give the terminal and the signals back."""
        if self._screen is not None:
            self._screen.give_back()
        self._interruption.let_go()

    # Parts

    def _ask_again(self) -> None:
        """Ask the time-critical checks again; if that fails, the items that follow say why."""
        try:
            results = self.states.ask_again(self._asked)
        except Problem:
            return
        for one in results:
            self._keep(one)

    def _ask_data(self) -> None:
        """Ask the data checks of the outage that pytest has not reached."""
        for check in self.run.ledger.of(Phase.MID):
            if (
                check.protects is Protects.DATA
                and not check.not_applicable
                and not self.run.ledger.has(check.id)
            ):
                self._keep(self._asked(check))

    def _asked(self, check: Check, last: Snapshot | None = None) -> CheckResult:
        """Ask a check outside pytest's own loop; for a check that is asked again, on the last look."""
        at = Reached(self.states, last=last)
        return outcome.asked(check, self._bodies[check.name], lambda body: facts.ask(body, check.asks, at))

    def _keep(self, result: CheckResult) -> None:
        self.console.result(self.run.ledger.note(result))

    def _keep_before_changing(self) -> None:
        ending = self._ending
        ending.lost = sealing.keep(self.run, record_of(self.run, running=True)) or ending.lost
        if ending.lost:
            raise Blocked(
                f"the evidence cannot be written: {ending.lost}", "free or change the archive's folder"
            )


def _unplanned(claims: tuple[Check, ...], name: str) -> Check:
    """Return a check as its file declares it, for a run without a plan."""
    return next((one for one in claims if one.id == name), Check(name, Phase.PRE, name, ()))


def _silent(_text: str) -> None:
    """Print nothing: the console does not exist yet."""
