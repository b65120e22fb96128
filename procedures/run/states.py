"""The states that a run reaches, each once: before, ready, stopped, after. The gates are inside them, not before them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial

from procedures.decide import accepted, baseline, expected, leftovers, plan, work
from procedures.decide.check_files import seen
from procedures.decide.facts import Group
from procedures.kestra import heartbeats
from procedures.kestra.health import is_ready
from procedures.observe import dashboards
from procedures.observe.moments.snapshot import look_after, look_before, look_stopped
from procedures.observe.outage.watching import Watch
from procedures.observe.waiting import Waiting
from procedures.problems import Blocked, Interrupted, Problem
from procedures.run import explaining, going_back, planning
from procedures.run.run import Run
from procedures.steps import reach, ready, waits
from reports.record.evidence import Check, CheckResult, Outcome, Phase, Way
from reports.record.observed import Container, Database, Server, Settings, Snapshot, Unseen
from reports.record.values import known


class States:
    """Leads a procedure from state to state. It remembers each state, or the reason why it was not reached."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._reached: dict[str, Snapshot | Problem] = {}

    def before(self) -> Snapshot:
        return self._reach("before", self._before)

    def ready(self) -> Snapshot:
        return self._reach("ready", self._ready)

    def stopped(self) -> Snapshot:
        return self._reach("stopped", self._stopped)

    def after(self, way: Way = Way.FORWARD) -> Snapshot:
        return (
            self._reach("after", self._after)
            if way is Way.FORWARD
            else self._reach("returned", self._returned)
        )

    @property
    def baseline(self) -> baseline.Baseline:
        """What post checks compare with: the look before, or the last accepted run if nothing is acted on."""
        if self.run.asked.procedure.acts:
            return baseline.of(self.before())
        if self.run.intent.compared.unseen:
            return seen(Unseen(self.run.intent.compared.unseen))
        last = self.run.intent.compared.run
        if last is None:
            raise Blocked(plan.Reason.NO_BASELINE)
        return accepted.baseline_of(last)

    def expected(self, way: Way) -> expected.Expected:
        """What should run at the end of a way."""
        if not self.run.asked.procedure.acts:
            look = self.after()
            return expected.as_configured(look, expected.version_of(look.image))
        before = self.before()
        if way is Way.BACK and before.container is not None:
            return expected.as_it_was(before, before.container, self.baseline)
        intent = self.run.intent
        if intent.announcement is not None:
            ready = self.ready()
            return expected.as_configured(ready, expected.version_of(ready.image))
        found = expected.as_configured(before, self.baseline.version)
        found = intent.recovery.expected(before, found)
        if intent.goal is not None:
            return expected.with_image(found, intent.goal)
        return found

    @property
    def rolled_back(self) -> frozenset[str]:
        """The ids of the images that earlier runs of this target went back from."""
        return accepted.rolled_back(self.run.earlier.past)

    @property
    def parts_expected(self) -> frozenset[str]:
        """The parts of the server that must send heartbeats."""
        if self.run.asked.procedure.acts:
            return seen(heartbeats.parts_of(self.before()))
        last = self.run.intent.compared.run
        return seen(heartbeats.parts_of(last.after if last else None))

    def ask_again(self, ask: Callable[[Check, Snapshot], CheckResult]) -> tuple[CheckResult, ...]:
        """Ask the time-critical pre checks on the snapshot ready."""
        ready = self.ready()
        return tuple(
            CheckResult(one, Outcome.NOT_APPLICABLE, one.not_applicable)
            if one.not_applicable
            else ask(one, ready)
            for one in self.run.ledger.again()
        )

    def look_while_landing(self) -> None:
        """Look at the stopped service if that state was cut off, so that its data checks can be asked."""
        if isinstance(self._reached.get("stopped"), Snapshot):
            return
        self._reached["stopped"] = self.run.course.snapshots["stopped"] = look_stopped(self.run.observers)

    def may_start(self) -> bool:
        """Whether the service may be started: a gate was opened for it, and no data check has failed since."""
        run = self.run
        failed = run.ledger.failed_data((Phase.MID,))
        if failed:
            run.course.held_back = "not started, because data is at stake: " + "; ".join(
                f"{one.check.claim} {one.reason}" for one in failed
            )
        if run.spared:
            return False
        return (run.changed or isinstance(self._reached.get("stopped"), Snapshot)) and not failed

    def _reach(self, name: str, reach: Callable[[], Snapshot]) -> Snapshot:
        """Reach a state once: everybody who asks gets the same snapshot, or the same reason why there is none.

        An error of our own is such a reason, and so is an exception raised from outside, such as a test's time-out: a state
        that was half reached must never be reached for again.
        """
        if name not in self._reached:
            try:
                self._reached[name] = self.run.course.snapshots[name] = reach()
            except Problem as error:
                self._reached[name] = Blocked(error.what, error.next_move)
                if isinstance(error, Interrupted):
                    self.run.course.interrupted = error.what
                raise
            except BaseException as error:
                what = f"an error of this suite's own while reaching {name}: {type(error).__name__}: {error}"
                reason = self._reached[name] = Blocked(what, "report it with this record")
                self.run.finding(what, "report it with this record")
                raise reason from error
            self.run.moment(name)
        found = self._reached[name]
        if isinstance(found, Problem):
            raise found
        return found

    def _go_on(self) -> None:
        """Raise unless this run may go on."""
        run, limit = self.run, self.run.asked.target.budgets.run
        if run.stopped_short:
            raise Blocked(run.stopped_short)
        run.interruption.raise_if_asked()
        if time.monotonic() - run.began > limit and not run.changed:
            raise Interrupted(f"the run's own limit of {limit:g} s has passed")

    def _before(self) -> Snapshot:
        self._go_on()
        target = self.run.asked.target
        shown = dashboards.look_once(target.dashboards, target.budgets.look / 2, self.run.observers.pace)
        snapshot = dataclasses.replace(self._look_before(), dashboards=shown)
        self.run.learn_secrets()
        self._note(snapshot)
        if sentence := self.run.intent.changes(snapshot):
            self._announce(sentence)
        found = snapshot.containers
        state = None if isinstance(found, Unseen) else plan.state_of(found)
        planned = self.run.plan.state if self.run.plan else None
        if state is not None and state != planned and not self.run.asked.procedure.recovers:
            # In a restart loop the state changes with every look.
            loops = plan.State.LOOPING in {state, planned} or any(one.restart_count for one in known(found))
            move = "`pytest -m recover`" if loops else "run again"
            # No check was asked yet, so no check shows the next move.
            raise Blocked(f"the plan was made for a service that is {planned}; now it is {state} → {move}")
        if self.run.asked.procedure.recovers:
            explaining.before(self.run, snapshot)
        return snapshot

    def _ready(self) -> Snapshot:
        self._go_on()
        decision = self.run.ledger.first_gate()
        if not decision.open:
            raise Blocked(f"the first gate is closed by {decision.why}")
        if self.run.restarting is None or self.run.folder is None:
            raise Blocked(self.run.unprepared or "nothing is prepared without a lock, a journal and a folder")
        before = self.before()
        if self.run.checked is not None:
            self.run.checked.keep()
        containers = (*known(before.containers), *known(before.database_containers))
        clean = partial(self.run.redaction.clean, hear=self.run.interruption.raise_if_asked)
        self.run.restarting.prepare(self.run.folder, containers, clean)
        self._prepare(before)
        self.run.watch = Watch(self.run.observers, lambda: self.run.changed_at)
        if not self.run.watch.looking:
            raise Blocked("the outage probe does not look, so nothing would measure the outage", "run again")
        self.run.moment("probe looking")
        ready = self._look_before("ready")
        self._note(ready)
        if sentence := self.run.intent.brings(ready):
            self._announce(sentence)
        return ready

    def _look_before(self, name: str = "before") -> Snapshot:
        """See everything that can be seen, and what this procedure has looked at besides."""
        run = self.run
        return look_before(run.observers, planning.looks_of(run.asked.procedure, run.intent), name)

    def _prepare(self, before: Snapshot) -> None:
        """Do what the procedure prepares while the service still runs, as far as it is planned."""
        run = self.run
        planned = {one.name for one in run.plan.steps} if run.plan else set()
        for one in run.intent.prepare:
            if run.acting is not None and planned.issuperset(step.name for step in one.steps):
                one.carry_out(run.acting, before, run.say)

    def _note(self, look: Snapshot) -> None:
        """Let every later look ask for the executions of this one, by their ids."""
        seen_now, under_way = known(baseline.of(look).executions), known(work.under_way(look))
        noted = (*self.run.observers.noted, *seen_now, *under_way)
        self.run.observers.noted = tuple(dict.fromkeys(noted))

    def _stopped(self) -> Snapshot:
        self._go_on()
        self.ready()
        run, decision = self.run, self.run.ledger.second_gate()
        if not decision.open or run.restarting is None or run.watch is None:
            raise Blocked(f"the second gate is closed by {decision.why}")
        run.before_changing()
        run.moment("gate open")
        run.our_stop = run.restarting.stop(_counts(self.before()), run.grace, run.watch)
        return look_stopped(run.observers)

    def _after(self) -> Snapshot:
        self._go_on()
        run = self.run
        if run.recovery.stands:
            self.before()
        if not run.acts:
            return self._looked()
        self._stop_or_reason()
        if run.restarting is None or not self.may_start():
            raise Blocked(run.course.held_back or run.spared or "no gate was opened, so nothing is started")
        run.observers.viewpoint.look_at_configured(self._superseded())
        if run.recovery.starts_kept:
            run.give_names_back()  # the container is then made again by the image name that it had
        run.our_start = run.restarting.start(run.watch)
        run.moment("ready again")
        run.course.answers = bool(run.our_start.ready and run.our_start.ready.ended)
        if run.course.answers:
            run.our_start = run.restarting.note_soak(run.our_start, run.restarting.waits.soak(self._soak()))
            run.restarting.wait_for_parts(heartbeats.parts_of(self.before()))
        run.moment("soaked")
        # A way back may follow, and its outage is part of this one.
        if run.watch is not None and not run.asked.procedure.returns:
            if run.course.answers:
                run.watch.outlast_silence()
            run.watch.end_probe()
        snapshot = look_after(run.observers)
        run.course.answers = reach.answers(snapshot, run.asked.target)
        return self._with_dashboards(snapshot)

    def _announce(self, sentence: str) -> None:
        """Say at once what this run is about to change, and keep it in the record."""
        self.run.finding(sentence)
        self.run.say(self.run.redaction.clean(sentence))

    def _superseded(self) -> Settings | Unseen | None:
        """Return the settings that this start makes ineffective, if the procedure applies new ones."""
        applies = Group.NEW_SETTINGS in self.run.asked.procedure.groups
        return self.before().running_settings if applies else None

    def _returned(self) -> Snapshot:
        """Go back to what ran before, because a claim failed; this is never done twice."""
        self._go_on()
        return self._with_dashboards(going_back.go(self.run, self.before(), self._soak()))

    def _looked(self) -> Snapshot:
        """Look at the service as it runs, for a procedure without steps."""
        run = self.run
        if not run.asked.leaves_nothing:
            waiting = Waiting(run.interruption.raise_if_asked, run.say)
            wait = waiting.until(
                "settled", lambda: ready.settled(run.observers), run.asked.target.budgets.boot, 0.5
            )
            if not wait.ended:
                run.finding(wait.sentence, "see the log of the container")
        snapshot = self._look_before("after")
        run.learn_secrets()
        run.course.answers = reach.answers(snapshot, run.asked.target)
        if run.recovery.as_kept:
            run.give_names_back()
        return self._with_dashboards(snapshot)

    def _with_dashboards(self, snapshot: Snapshot) -> Snapshot:
        """Look at the target's dashboards; do not wait for them if the server is not well, or if only a look was asked for."""
        run, target = self.run, self.run.asked.target
        server = snapshot.server
        well = isinstance(server, Server) and is_ready(server)
        patient = well and not run.asked.leaves_nothing
        starts = [
            run.began + one.at for one in run.course.moments if one.name in {"ready again", "back again"}
        ]
        back = max(starts, default=None)
        waiting = Waiting(run.interruption.raise_if_asked, run.say)
        shown = dashboards.look(
            target.dashboards, waiting, back, target.budgets.look / 2, run.observers.pace, patient=patient
        )
        return dataclasses.replace(snapshot, dashboards=shown)

    def _stop_or_reason(self) -> None:
        """Reach the state stopped; a stop that failed half-way is no reason to leave the service alone."""
        try:
            self.stopped()
        except Problem:
            if not self.run.changed or self.run.course.interrupted:
                raise

    def _soak(self) -> float:
        database = self.before().database
        instances = known(database.instances) if isinstance(database, Database) else ()
        # A server that is down leaves its figures behind; only those of running servers count, if there are any.
        asked = [one for one in instances if heartbeats.runs(one)] or instances
        timeouts = [one.liveness_timeout for one in asked if one.liveness_timeout]
        return waits.soak_of(self.run.asked.target.budgets.soak, max(timeouts, default=None))


def _counts(snapshot: Snapshot) -> Container | None:
    """Return the container to stop: the one that is no leftover of an interrupted start."""
    containers = leftovers.without(known(snapshot.containers))
    return containers[0] if len(containers) == 1 else None
