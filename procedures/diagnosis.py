"""Finding out what was wrong: the service's state, its logs and what failed, held against the table of signatures.

What it finds explains and decides nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from procedures import conditions, holders
from procedures.interruption import HURRIED
from procedures.observe import logs
from procedures.observe.engine import moment
from procedures.observe.snapshot import Observers
from procedures.problems import CannotObserve
from procedures.run import Run
from procedures.signatures import Source, Speaker, matches, since_last
from procedures.signatures.table import SIGNATURES
from reports import excerpt
from reports.evidence import Finding, StepStatus
from reports.observed import Container, Database, DryRun, Rendering, Settings, Snapshot, Unseen

BOOTED = ("Server Running:", "Health endpoint is available at")
"""What Kestra says when it has booted, up to 1.0 and since: what it said before that was overcome."""
AROUND = timedelta(minutes=2)
"""How far from the service's own end or start something that Postgres said still concerns it."""
LOG_BYTES = 200_000
LOG_LIMIT = 2.0
_COMMANDS = frozenset({Speaker.DOCKER, Speaker.COMPOSE, Speaker.SHELL})
_NOT_DONE = {StepStatus.FAILED, StepStatus.TIMED_OUT}


def before(run: Run, snapshot: Snapshot) -> None:
    """Say what was wrong, before anything is done about it."""
    with _harmless(run):
        _note(run, conditions.of_service(snapshot), conditions.of_database(snapshot, start_of_database(run)))
        _tell(run, [*_of_containers(run.observers, snapshot), *_of_looks(snapshot)], snapshot)


def before_going_back(run: Run) -> None:
    """Say what a new server that did not prove good has to say: the way back takes its container away, log and all."""
    with _harmless(run):
        _afterwards(run)


def afterwards(run: Run) -> None:
    """Say of a run that did not end well what the service, its logs and the failed steps have to say."""
    with _harmless(run):
        # Whoever sent these kills soon: the record comes first.
        if run.interruption.by not in HURRIED:
            _afterwards(run)


@contextmanager
def _harmless(run: Run) -> Iterator[None]:
    """Let nothing that goes wrong while explaining change how a run goes or ends."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - an explanation that cannot be had is a finding
        run.finding(f"what was wrong could not be looked into: {type(error).__name__}: {error}")


def _afterwards(run: Run) -> None:
    sources = [Source("the look at the engine", _COMMANDS, run.course.unobservable)]
    results = run.acting.results if run.acting else []
    sources += [
        Source(f"step {one.step.name}", _COMMANDS, one.output) for one in results if one.status in _NOT_DONE
    ]
    snapshot = _last_look(run)
    if snapshot is not None:
        sources += _of_looks(snapshot)
        if run.changed or not conditions.is_well(snapshot):
            sources += _of_containers(run.observers, snapshot)
        if run.changed:
            _explain(run, snapshot)
    _tell(run, sources, snapshot)


def _explain(run: Run, snapshot: Snapshot) -> None:
    """Tell apart what looks alike: whose health it is, and what is the matter with the credentials."""
    rendering = run.observers.operator_rendering
    env = ", ".join(str(one) for one in run.asked.target.env_files)
    _note(run, conditions.of_health(snapshot), conditions.of_credentials(snapshot, rendering, env))


def start_of_database(run: Run) -> str:
    """Return what starts the database's container and nothing else, as it is typed."""
    target = run.asked.target
    return f"cd {target.root} && {run.observers.compose.typed} up -d --no-deps {target.database_service}"


def _last_look(run: Run) -> Snapshot | None:
    known = run.course.snapshots
    return next(
        (known[name] for name in ("returned", "after", "stopped", "ready", "before") if name in known), None
    )


def _note(run: Run, *found: Finding | None) -> None:
    for one in found:
        if one is not None:
            run.finding(run.redaction.clean(one.text), one.next_move)


def _tell(run: Run, sources: list[Source], seen: Snapshot | None) -> None:
    """Make a finding of each signature, once in a run."""
    places = _places(run, seen)
    # Of a long line only a part is told: it is clean before it is cut.
    clean = [dataclasses.replace(one, text=excerpt.cleaned(one.text)) for one in sources]
    for match in matches(clean, SIGNATURES):
        if match.signature.name not in run.course.causes:
            run.course.causes.add(match.signature.name)
            holder = holders.now(run.observers, int(match.found["port"])) if "port" in match.found else ""
            held = f"; it is held by {holder}" if holder else ""
            run.finding(run.redaction.clean(match.told() + held), match.move(places))


def _of_looks(snapshot: Snapshot) -> list[Source]:
    """Return what the observers were told: by Compose's dry run, and by Postgres at our own login."""
    sources = []
    if isinstance(snapshot.dry_run, DryRun) and snapshot.dry_run.exit_code:
        sources.append(Source("Compose's dry run of the start", _COMMANDS, snapshot.dry_run.output))
    if isinstance(snapshot.database, Database):
        said = frozenset({Speaker.POSTGRES})
        sources.append(Source("Postgres, at our own login,", said, snapshot.database.said))
    return sources


def _of_containers(observers: Observers, seen: Snapshot) -> list[Source]:
    """Return states and logs of the service's containers and its database's, as they are now."""
    try:
        services, databases = observers.containers(), observers.databases()
    except CannotObserve:
        return []
    sources = [
        Source(f"the state of {one.name}", _COMMANDS, conditions.state_line(one))
        for one in (*_known(seen.containers), *services, *databases)
    ]
    moments = [datetime.now(UTC) + timedelta(seconds=observers.skew)]
    for one in services:
        moments += [moment(one.started_at), moment(one.finished_at)]
        text = since_last(logs.text_of(observers.engine, one.id, LOG_BYTES, LOG_LIMIT), BOOTED)
        sources.append(Source(f"the log of {one.name}", frozenset({Speaker.KESTRA}), text))
    for one in databases:
        text = _near(logs.text_of(observers.engine, one.id, LOG_BYTES, LOG_LIMIT), moments)
        if isinstance(seen.database, Database) and seen.database.login == "ok":
            # Whoever was refused, it is not this service: its credentials have just been let in.
            text = "\n".join(line for line in text.splitlines() if "authentication failed" not in line)
        sources.append(Source(f"the log of {one.name}", frozenset({Speaker.POSTGRES}), text))
    return sources


def _near(text: str, moments: list[datetime]) -> str:
    """Return the lines of a log that were written around one of these moments; a line without a time follows its own."""
    kept, keep = [], False
    for line in text.splitlines(keepends=True):
        stamp = line.partition(" ")[0]
        try:
            at = datetime.fromisoformat(stamp)
            keep = any(abs(at - one) <= AROUND for one in moments)
        except (ValueError, TypeError):
            pass
        if keep:
            kept.append(line)
    return "".join(kept)


def _places(run: Run, seen: Snapshot | None) -> dict[str, str]:
    """Return what the names in angle brackets stand for on this target."""
    target = run.asked.target
    places = {
        "root": str(target.root),
        "env": str(target.env_files[0]) if target.env_files else "",
        "database_service": target.database_service,
    }
    if run.course.unobservable:
        return places
    rendering: Rendering = run.observers.operator_rendering
    settings = rendering.settings
    container = next((one.name for one in (_known(seen.database_containers) if seen else ())), "")
    places |= {
        "container": rendering.container_name,
        "image": rendering.image,
        "database": container,
        "compose": run.observers.compose.typed,
    }
    if isinstance(settings, Settings) and settings.db_user:
        places |= {"db_user": settings.db_user, "db_name": settings.db_name}
        if container:
            places["psql"] = f"docker exec {container} psql -U {settings.db_user} -d {settings.db_name}"
    return places


def _known(found: tuple[Container, ...] | Unseen) -> tuple[Container, ...]:
    return () if isinstance(found, Unseen) else found
