"""What was wrong: the service's state, its logs and failed steps, compared with the table of signatures.

A diagnosis explains and decides nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from procedures.diagnosis import conditions, holders
from procedures.diagnosis.signatures import Source, Speaker, matches, since_last
from procedures.diagnosis.signatures.table import SIGNATURES
from procedures.kestra.words import BOOTED
from procedures.observe.engine import logs
from procedures.observe.moments.observers import Observers
from procedures.problems import CannotObserve
from procedures.target.target import Target
from reports.record.evidence import Finding, StepResult, StepStatus
from reports.record.observed import Database, DryRun, Rendering, Settings, Snapshot
from reports.record.values import known, moment
from reports.redaction import excerpt

AROUND = timedelta(minutes=2)
"""How far from the service's own end or start a line of Postgres still concerns it."""
LOG_BYTES = 200_000
LOG_LIMIT = 2.0
_COMMANDS = frozenset({Speaker.DOCKER, Speaker.COMPOSE, Speaker.SHELL})
_NOT_DONE = {StepStatus.FAILED, StepStatus.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Case:
    """The subject of a diagnosis: the last snapshot of the service, the failed steps, and whether anything was changed."""

    target: Target
    observers: Observers | None
    """None if the engine could not be reached."""
    snapshot: Snapshot | None
    steps: tuple[StepResult, ...] = ()
    unobservable: str = ""
    """Why the engine could not be observed: then only that message is searched."""
    changed: bool = False


class Cause(NamedTuple):
    """A cause that was found; the name is that of its signature, blank if it has none."""

    finding: Finding
    name: str = ""


def before(case: Case, known: Collection[str]) -> Iterator[Cause]:
    """Say what was wrong, before anything is done about it; leave out the causes in `known`."""
    if case.snapshot is None or case.observers is None:
        return
    yield from _noted(
        conditions.of_service(case.snapshot),
        conditions.of_database(case.snapshot, start_of_database(case.observers)),
    )
    yield from _causes(
        case, [*_of_containers(case.observers, case.snapshot), *_of_looks(case.snapshot)], known
    )


def afterwards(case: Case, known: Collection[str]) -> Iterator[Cause]:
    """For a run that did not end well: report what the service, its logs and the failed steps say."""
    sources = [Source("the look at the engine", _COMMANDS, case.unobservable)]
    sources += [
        Source(f"step {one.step.name}", _COMMANDS, one.output)
        for one in case.steps
        if one.status in _NOT_DONE
    ]
    if case.snapshot is not None and case.observers is not None:
        sources += _of_looks(case.snapshot)
        if case.changed or not conditions.is_well(case.snapshot):
            sources += _of_containers(case.observers, case.snapshot)
        if case.changed:
            yield from _noted(*_distinguished(case.observers, case.snapshot))
    yield from _causes(case, sources, known)


def _distinguished(observers: Observers, snapshot: Snapshot) -> tuple[Finding | None, ...]:
    """Distinguish what looks alike: whose health fails, and what is wrong with the credentials."""
    env = ", ".join(str(one) for one in observers.target.env_files)
    return conditions.of_health(snapshot), conditions.of_credentials(
        snapshot, observers.operator_rendering, env
    )


def start_of_database(observers: Observers) -> str:
    """Return the command that starts the database's container and nothing else."""
    target = observers.target
    return f"cd {target.root} && {observers.compose.typed} up -d --no-deps {target.database_service}"


def _noted(*found: Finding | None) -> Iterator[Cause]:
    return (Cause(one) for one in found if one is not None)


def _causes(case: Case, sources: list[Source], known: Collection[str]) -> Iterator[Cause]:
    """Yield a finding for each signature that is not known yet."""
    places = _places(case)
    # Only part of a long line is reported, so secrets are removed before it is cut.
    clean = [dataclasses.replace(one, text=excerpt.cleaned(one.text)) for one in sources]
    for match in matches(clean, SIGNATURES):
        if match.signature.name not in known:
            port = match.groups.get("port", "")
            holder = holders.now(case.observers, int(port)) if port and case.observers else ""
            held = f"; it is held by {holder}" if holder else ""
            yield Cause(Finding(match.sentence() + held, match.move(places)), match.signature.name)


def _of_looks(snapshot: Snapshot) -> list[Source]:
    """Return what the observers received: from Compose's dry run, and from Postgres at our own login."""
    sources = []
    if isinstance(snapshot.dry_run, DryRun) and snapshot.dry_run.exit_code:
        sources.append(Source("Compose's dry run of the start", _COMMANDS, snapshot.dry_run.output))
    if isinstance(snapshot.database, Database):
        said = frozenset({Speaker.POSTGRES})
        sources.append(Source("Postgres, at our own login,", said, snapshot.database.said))
    return sources


def _of_containers(observers: Observers, snapshot: Snapshot) -> list[Source]:
    """Return states and logs of the service's containers and of its database's, as they are now."""
    try:
        services, databases = observers.containers(), observers.databases()
    except CannotObserve:
        return []
    sources = [
        Source(f"the state of {one.name}", _COMMANDS, conditions.state_line(one))
        for one in (*known(snapshot.containers), *services, *databases)
    ]
    moments = [datetime.now(UTC) + timedelta(seconds=observers.skew)]
    for container in services:
        moments += [moment(container.started_at), moment(container.finished_at)]
        text = since_last(logs.text_of(observers.engine, container.id, LOG_BYTES, LOG_LIMIT), BOOTED)
        sources.append(Source(f"the log of {container.name}", frozenset({Speaker.KESTRA}), text))
    for container in databases:
        text = _near(logs.text_of(observers.engine, container.id, LOG_BYTES, LOG_LIMIT), moments)
        if isinstance(snapshot.database, Database) and snapshot.database.login == "ok":
            # Postgres refused somebody else: the service's credentials have just been accepted.
            text = "\n".join(line for line in text.splitlines() if "authentication failed" not in line)
        sources.append(Source(f"the log of {container.name}", frozenset({Speaker.POSTGRES}), text))
    return sources


def _near(text: str, moments: list[datetime]) -> str:
    """Return the lines of a log that were written near one of these moments; a line without a time follows the one before."""
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


def _places(case: Case) -> dict[str, str]:
    """Return the values of the names in angle brackets, for this target."""
    target, observers, seen = case.target, case.observers, case.snapshot
    places = {
        "root": str(target.root),
        "env": str(target.env_files[0]) if target.env_files else "",
        "database_service": target.database_service,
    }
    if case.unobservable or observers is None:
        return places
    rendering: Rendering = observers.operator_rendering
    settings = rendering.settings
    container = next((one.name for one in (known(seen.database_containers) if seen else ())), "")
    places |= {
        "container": rendering.container_name,
        "image": rendering.image,
        "database": container,
        "compose": observers.compose.typed,
    }
    if isinstance(settings, Settings) and settings.db_user:
        places |= {"db_user": settings.db_user, "db_name": settings.db_name}
        if container:
            places["psql"] = f"docker exec {container} psql -U {settings.db_user} -d {settings.db_name}"
    return places
