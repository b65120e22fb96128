"""The first look at the engine, and the plan made from it."""

from __future__ import annotations

from procedures.drivers.compose import Compose
from procedures.observe import host
from procedures.observe.engine import endpoint
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.moments.observers import Observers
from procedures.observe.waiting import Waiting
from procedures.problems import CannotObserve, Interrupted
from procedures.run import planning
from procedures.run.earlier import Earlier
from procedures.run.procedure import Service
from procedures.run.run import Run
from procedures.steps.checked import Checked
from procedures.target import env_file
from reports.redaction.redact import Redaction


def look(run: Run) -> None:
    """Look once and make the plan; what cannot be read ends the run as unobservable."""
    target = run.asked.target
    run.redact_by(Redaction(one for file in target.env_files for one in env_file.secrets(file)))
    try:
        host.need_files(target)
        where = endpoint.of_target(target, run.environment)
        run.engine = EngineObserver(where, target.budgets.look)
        run.engine_id = run.engine.engine().id
        compose = Compose(target, where.environment(run.environment), where.url)
        run.observers = Observers(target, run.engine, compose, run.id)
        run.learn_secrets()
        _note_environment(run, compose)
        _make_plan(run)
    except CannotObserve as error:
        run.course.unobservable = error.sentence
        # A mistake in the env file is a fact of the target, and is reported with its key: Compose does not name the key.
        if run.engine is not None:
            run.course.unfit = "; ".join(host.wrongly_said(target))
    except Interrupted as error:
        run.course.interrupted = error.what
    except Exception as error:  # noqa: BLE001 - pytest would end here with a traceback, and nothing on record
        run.course.unobservable = f"an error of this suite's own: {type(error).__name__}: {error}"
        run.finding(run.course.unobservable, "report it with this record")
    run.moment("planned")


def _note_environment(run: Run, compose: Compose) -> None:
    """Name the variables for Compose and the docker client that the caller's environment contains."""
    handed_on = f"; handed on: {', '.join(compose.handed_on)}" if compose.handed_on else ""
    if compose.dropped:
        run.finding(
            f"not handed on to Compose and the engine's client: {', '.join(compose.dropped)}{handed_on}",
            f"`unset {' '.join(compose.dropped)}` before a command is typed by hand",
        )
    elif any(one.startswith("COMPOSE_") for one in compose.handed_on):
        run.finding(f"of the caller's environment{handed_on}")


def _make_plan(run: Run) -> None:
    """Ask the procedure what it intends to do to the service as it was found, and freeze the plan."""
    asked, observers = run.asked, run.observers
    run.earlier = earlier = Earlier(observers, asked, run.engine_id, run.environment)
    waiting = Waiting(run.interruption.raise_if_asked, run.say)
    stem = earlier.place.folder / run.id
    service = Service(observers, observers.containers(), stem, earlier.past, earlier.owed, waiting)
    run.intent = planning.intent_of(asked.procedure, service)
    if asked.procedure.acts:
        run.checked = Checked(observers, stem)
    if asked.procedure.recovers:
        run.learn_secrets()  # what was kept before a change contains secrets
    for one in run.intent.findings:
        run.finding(one.text, one.next_move)
    if run.intent.nothing_new:
        run.finding(run.intent.nothing_new)
    run.grace = service.grace
    run.follow(planning.plan_of(asked.procedure, service, run.intent, run.claims))
