"""One pytest session of a procedure: between pytest's items and the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from _pytest.capture import CaptureManager
from _pytest.terminal import TerminalReporter

from procedures.early import EARLY
from procedures.problems import Blocked, Interrupted, NotApplicable, Problem, TypedWrong
from procedures.run import anomaly_rows, explaining, going_back, landing, sealing, unfinished
from procedures.run.asking import Asking
from procedures.run.procedure import Asked, Procedure
from procedures.run.record import findings_of, record_of
from procedures.run.rescuing import rescue
from procedures.run.run import Run
from procedures.run.states import States
from procedures.session import outcome
from procedures.session.console import Console
from procedures.session.screen import Screen
from procedures.session.witness import Witness, body_of
from procedures.steps.interruption import Interruption
from procedures.steps.journal import seal_for
from procedures.target import envfile
from procedures.target import target as targets
from reports import archive, junit
from reports.handover import HANDOVER, Handover
from reports.printable import LONGEST, one_line
from reports.record.evidence import BACK, Check, CheckResult, Phase, Protects, Verdict, Waiver, Way
from reports.record.observed import Snapshot
from reports.record.record import Record
from reports.redaction.redact import Redaction


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
        self._lost = ""
        self._record: Record | None = None
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
        asked = _asked(config, procedure, checks, environment)
        # What a library says of its own future, or the interpreter of a socket, is no claim about the target: as
        # errors they would blind a look in the outage, and end an accepted run with 1. The suite's own tests keep them.
        config.addinivalue_line("filterwarnings", "ignore")
        session = Session(config, Run(asked, environment, interruption, _silent), interruption)
        _refuse_waivers(asked.waivers, session.run.claims)
        anomaly_rows.refuse_idle(asked)
        if not asked.leaves_nothing:
            session._lost = sealing.open_folder(session.run)
        session._direct_views()
        session._screen = Screen(session._capture)
        return session

    def _direct_views(self) -> None:
        """Let pytest's own views write into the run's folder, and leave the screen to us."""
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
        """Take secrets out; what is known of them grows while the run looks."""
        return self.run.redaction.clean(text)

    # pytest's course

    def observe(self) -> None:
        """Look at the engine once and make the plan."""
        self.run.tell = self.console.live
        self.run.before_changing = self._keep_before_changing
        self.run.observe()

    def ordered(self, session: pytest.Session) -> list[pytest.Item]:
        """Compare what pytest collected with what the files hold; return the items in the run's own order."""
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
        # Without a plan every check is asked, to say why none could be made.
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
        """Whether a check can be asked without acting: of an image that is here already, more than of one that is not."""
        if check.phase is Phase.READY:
            preparing = self.run.preparing
            found = preparing.intent.announcement if preparing else None
            return "candidate" in check.asks and found is not None and found.known is not None
        return check.phase is (Phase.PRE if self.run.acts else Phase.POST)

    def asks_both_ways(self, file: Path) -> bool:
        """Whether the checks of a file judge the procedure's own way and its way back."""
        return self.procedure.returns and file.parent.name == Phase.POST

    def asking_of(self, item: pytest.Item) -> Asking:
        """Return what an item may ask for: the same names, for the way that it judges."""
        return Asking(self.states, Way.BACK if outcome.id_of(item).endswith(BACK) else Way.FORWARD)

    def begin_asking(self) -> None:
        """Show target and plan, then take the lock."""
        record = record_of(self.run, running=True)
        self.console.opening(record)
        if self.run.asked.plan_only:
            self.console.details(record)
        # A run that is killed from here on leaves a record for the next one to seal.
        sealing.keep(self.run, record)
        self.run.hold()

    def before_item(self, item: pytest.Item) -> None:
        """End an item before its fixtures where the plan or an earlier act has decided about it."""
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

    def barred(self, item: pytest.Item, error: BaseException) -> None:
        """Note that an item is not reached, before anybody can make something else of it."""
        self._witnesses[outcome.id_of(item)].barred = error

    def after_call(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Turn what was seen of a check into an outcome of ours, and tell it in the report's own words."""
        name = outcome.id_of(item)
        check = self.run.ledger.planned(name) or _unplanned(self.run.claims, name)
        witness, told = self._witnesses[name], call.excinfo.value if call.excinfo else None
        if call.when == "teardown":
            self._torn_down(check, told, report)
            return
        if call.when == "setup" and told is None and witness.barred is None:
            return
        ended = witness.ended(told)
        if isinstance(ended, Interrupted):
            self.run.course.interrupted = str(ended)
        result = outcome.of(check, ended, call.start, call.duration)
        result = self.run.ledger.note(result)
        outcome.tell(report, result, item)
        report.sections = [(name, self.run.redaction.clean(text)) for name, text in report.sections]
        after = check.phase is Phase.POST and (check.way is Way.BACK) is self.run.course.went_back
        self.console.result(result, folded=after and explaining.boot_is_known(self.run))
        if self._interruption.by:
            item.session.shouldstop = f"interrupted by {self._interruption.by}"

    def _torn_down(self, check: Check, told: BaseException | None, report: pytest.TestReport) -> None:
        """Keep what went wrong after a check apart from what the check said: nothing of ours is torn down there."""
        if told is not None:
            report.outcome, report.longrepr = "passed", None
            self.run.finding(f"after {check.id} something ended with {type(told).__name__}: {told}")

    def crashed(self, excrepr: object) -> None:
        """Note a crash of our own: the run ends as interrupted, and the service is brought back."""
        text = self.run.redaction.clean(str(excrepr))
        self.run.course.interrupted = (
            self.run.course.interrupted or "an error of this suite's own ended the run"
        )
        self.run.finding(f"an error of this suite's own: {text[-1500:]}", "report it with this record")

    def land(self, session: pytest.Session) -> None:
        """Leave nothing down silently, judge, and hand the record to the views."""
        if self._ended:
            return
        self._ended = True
        usage = session.exitstatus == pytest.ExitCode.USAGE_ERROR
        landing.land(self.states, self._ask_data)
        if usage and not self.run.changed:
            self._unused = True
            self.run.let_go("")
            return
        try:
            self._judge(session)
        except Exception as error:  # noqa: BLE001 - the views are told what there is, and the target is given back
            self.crashed(f"{type(error).__name__}: {error}")
            self.view_failed(error)
            session.exitstatus = Verdict.INTERRUPTED.exit_status

    def _judge(self, session: pytest.Session) -> None:
        """Make the record, and give the views what pytest never came to."""
        reason = self.run.stopped_short or "the run ended before it was reached"
        blocked = () if self.run.asked.plan_only else self.run.ledger.block_rest(reason)
        sealing.save_last_logs(self.run)
        if self._screen is not None and self._screen.trouble:
            self.run.finding(
                self._screen.trouble, "nothing waited for it; the report holds all that was told"
            )
        self._record = record_of(self.run, self._lost if self.run.owes_evidence else "")
        if self._record.verdict not in {Verdict.ACCEPTED, Verdict.LOCKED}:
            explaining.afterwards(self.run)
            self._record = record_of(self.run, self._lost if self.run.owes_evidence else "")
        self._record = anomaly_rows.noted(self.run, self._record)
        session.exitstatus = self._record.exit_status
        self.config.stash[HANDOVER] = Handover(self._record, self.run.redaction.clean)
        for result in blocked:
            junit.push(self.config, outcome.report_of(result))
        junit.push(self.config, junit.verdict_report(self._record))

    def view_failed(self, error: Exception) -> None:
        """Note that pytest's own report or JUnit file could not be written: our renderer takes the report's place."""
        self._lost = (
            self._lost or f"a view of the evidence could not be written: {type(error).__name__}: {error}"
        )

    def seal(self, session: pytest.Session) -> None:
        """After the views were written: complete the folder, give everything back, say how it ended."""
        if self._unused:
            self._drop_folder()
            return
        if self._record is None:
            # An error of our own while landing: there is nothing to seal, and the target is given back all the same.
            self.run.let_go(Verdict.INTERRUPTED)
            for found in self.run.course.findings:
                self.console.say(f"noted: {found.text}", red=True)
            return
        record, folder = self._record, self.run.folder
        try:
            folder, record = self._whole(record)
            self._seal_earlier(record)
            if self.run.journal is not None:
                unfinished.complete(self.run)
        except Exception as error:  # noqa: BLE001 - whatever fails here, the target is given back and the end is told
            self.view_failed(error)
            self.run.finding(f"the evidence is not whole: {self._lost}")
            record = record_of(self.run, self._lost if self.run.owes_evidence else "")
        finally:
            self.run.let_go(record.verdict)
        session.exitstatus = record.exit_status
        # What was found since the record was written is told at least here.
        record = dataclasses.replace(record, findings=findings_of(self.run))
        report = str(folder / archive.REPORT) if folder else ""
        self._tell_status()
        self.console.closing(record, report, ending=self._ending(record))
        self._record = None

    def _tell_status(self) -> None:
        look = self.run.course.snapshots.get("after")
        if self.procedure.closing_lines is None or look is None:
            return
        self.console.say()
        for line in self.procedure.closing_lines(look, self.run.past):
            self.console.say(f"  {line}")

    def _ending(self, record: Record) -> str:
        """Return the words by which a run that leaves no record ends: it is no accepted run."""
        good = record.verdict is Verdict.ACCEPTED
        if self.run.asked.plan_only:
            word = "BE LET THROUGH" if self.run.acts else "BE ACCEPTED"
            return f"WOULD {word}" if good else f"WOULD NOT {word} ({record.verdict})"
        if self.run.asked.leaves_nothing:
            return "HEALTHY" if good else f"NOT HEALTHY ({record.verdict})"
        return ""

    def _whole(self, record: Record) -> tuple[Path | None, Record]:
        """Complete and seal the run's folder; return where it lies and what the record says now."""
        if self.run.asked.leaves_nothing:
            return None, record
        if not_kept := sealing.keep(self.run, record):
            return rescue(self.run, self._lost or not_kept)
        if self._lost:
            self.run.finding(f"the evidence is not whole: {self._lost}")
            record = record_of(self.run, self._lost if self.run.owes_evidence else "")
        try:
            return sealing.seal(self.run, record)
        except archive.ArchiveUnwritable as error:
            return rescue(self.run, str(error))

    def end(self) -> None:
        """Give the terminal and the signals back."""
        if self._screen is not None:
            self._screen.give_back()
        self._interruption.let_go()

    # Parts

    def _ask_again(self) -> None:
        """Ask the time-critical checks again; why they could not be asked is told by the items that follow."""

        def ask(check: Check, ready: Snapshot) -> CheckResult:
            asking = Asking(self.states)
            return outcome.asked(check, self._bodies[check.name], lambda body: asking.again(body, ready))

        try:
            results = self.states.ask_again(ask)
        except Problem:
            return
        for one in results:
            self._keep(one)

    def _ask_data(self) -> None:
        """Ask the data checks of the middle that pytest did not come to."""
        for check in self.run.ledger.of(Phase.MID):
            if (
                check.protects is Protects.DATA
                and not check.not_applicable
                and not self.run.ledger.has(check.id)
            ):
                self._keep(outcome.asked(check, self._bodies[check.id], Asking(self.states).ask))

    def _keep(self, result: CheckResult) -> None:
        self.console.result(self.run.ledger.note(result))

    def _keep_before_changing(self) -> None:
        self._lost = sealing.keep(self.run, record_of(self.run, running=True)) or self._lost
        if self._lost:
            raise Blocked(
                f"the evidence cannot be written: {self._lost}", "free or change the archive's folder"
            )

    def _seal_earlier(self, record: Record) -> None:
        """Seal what runs that were cut off left behind, once this one has looked at the service."""
        for story in self.run.taken_over:
            if story.changed and not self.run.has_recovered(record.verdict):
                continue
            sealing.seal_killed(self.run, story)
            if story.changed:  # any other was sealed before this run went on
                seal_for(story, f"INTERRUPTED, recovered as {record.verdict} by run {record.run}")

    def _drop_folder(self) -> None:
        """Take the folder away again, with what pytest's views wrote about nothing: nothing was run."""
        if self.run.folder is None or not self.run.folder.is_dir():
            return
        for name in (archive.REPORT, archive.MADE_BY, "junit.xml"):
            (self.run.folder / name).unlink(missing_ok=True)
        if not any(self.run.folder.iterdir()):
            self.run.folder.rmdir()


def _asked(
    config: pytest.Config, procedure: Procedure, checks: Path, environment: Mapping[str, str]
) -> Asked:
    option = config.option
    target = targets.read(targets.find(option.target, environment))
    given = {
        name: _typed(getattr(option, name) or "", target)
        for name in ("reason", "ticket", "operator", "approved_by")
    }
    if option.waive and not given["reason"]:
        raise TypedWrong("--waive needs a reason", "add --reason TEXT")
    if option.take_over and not (procedure.recovers and given["reason"]):
        raise TypedWrong(
            "--take-over goes with recover and a reason", "pytest -m recover --take-over --reason TEXT"
        )
    author = given["operator"] or one_line(environment.get("USER", "")) or "the operator"
    return Asked(
        procedure=procedure,
        target=target,
        plan_only=bool(option.plan),
        waivers=tuple(Waiver(name, given["reason"], author) for name in option.waive),
        given=given,
        arguments=tuple(_typed(one, target) for one in config.invocation_params.args),
        checks=checks,
        take_over=bool(option.take_over),
        record_anomalies=bool(option.record_anomalies),
    )


def _typed(text: object, target: targets.Target) -> str:
    """Return what was typed as one line; of a long one no secret is left half."""
    typed = str(text)
    if len(typed) > LONGEST:
        typed = Redaction(secret for file in target.env_files for secret in envfile.secrets(file)).clean(
            typed
        )
    return one_line(typed)


def _refuse_waivers(waivers: tuple[Waiver, ...], checks: tuple[Check, ...]) -> None:
    known = {one.id: one for one in checks}
    for one in waivers:
        check = known.get(one.check)
        if check is None:
            raise TypedWrong(
                f"--waive {one.check}: there is no such check", "`pytest -m restart --plan` names them all"
            )
        if check.advisory:
            raise TypedWrong(
                f"--waive {one.check}: this check is advisory and closes nothing", "leave --waive out"
            )
        if check.protects is Protects.DATA:
            raise TypedWrong(
                f"--waive {one.check}: this check protects data and is never waived", "mend what it found"
            )


def _unplanned(claims: tuple[Check, ...], name: str) -> Check:
    """Return a check as its file says it, for a run that has no plan."""
    return next((one for one in claims if one.id == name), Check(name, Phase.PRE, name, ()))


def _silent(_text: str) -> None:
    """Say nothing: the console is not there yet."""
