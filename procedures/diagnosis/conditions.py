"""The state of a service, of its health and of its credentials: one sentence each, with a move."""

from __future__ import annotations

from procedures.kestra import basic_auth
from procedures.kestra.health import says_up
from procedures.kestra.words import EXITS
from reports.record.evidence import Finding
from reports.record.observed import Container, Database, Direct, Rendering, Server, Settings, Snapshot, Unseen
from reports.record.values import known, moment

_WELL = "running, and it answers"


def state_line(container: Container) -> str:
    """Return a container's state in the words that signatures look for."""
    killed = ", OOMKilled" if container.oom_killed else ""
    error = f": {container.error}" if container.error else ""
    return f"{container.state}, exit code {container.exit_code}{killed}{error}"


def of_service(snapshot: Snapshot) -> Finding:
    """Say in which state the service was found."""
    containers = snapshot.containers
    if isinstance(containers, Unseen):
        return Finding(f"the state of the service is not known: {containers.sentence}", "`docker ps -a`")
    if not containers:
        return Finding("the service had no container", "`docker ps -a` shows whether it has another name")
    if len(containers) > 1:
        names = ", ".join(f"{one.name} ({one.state})" for one in containers)
        return Finding(
            f"{len(containers)} containers carry the service's labels, as a start that was cut off leaves them: {names}",
            "`docker ps -a --no-trunc`",
        )
    container = containers[0]
    condition = _condition(container, snapshot)
    # A service that is well is reported without a move.
    move = "" if condition == _WELL else f"`docker logs --tail 100 {container.name}`"
    return Finding(f"{container.name} was found {condition}", move)


def _condition(container: Container, snapshot: Snapshot) -> str:
    if container.paused:
        return "paused: it neither answers nor hears a signal"
    if container.restarting or (container.restart_count > 1 and not _answers(snapshot)):
        last = "" if container.running else f", the last time it ended {_ended(container)}"
        return f"in a restart loop, {container.restart_count} restarts so far{last}"
    if container.state == "created":
        return f"created and never started{f': {container.error}' if container.error else ''}"
    if not container.running:
        return f"{container.state} since {container.finished_at}: it ended {_ended(container)}"
    if not _answers(snapshot):
        again = " (the engine has started it once more)" if container.restart_count else ""
        return f"running{again} and answering on neither port ({_silence(snapshot)}){_lost_database(container, snapshot)}"
    return _WELL


def _ended(container: Container) -> str:
    if container.oom_killed:
        return f"with exit code {container.exit_code}, killed for its memory"
    meaning = EXITS.get(container.exit_code)
    return f"with exit code {container.exit_code}{f' ({meaning})' if meaning else ''}"


def _answers(snapshot: Snapshot) -> bool:
    if isinstance(snapshot.direct, Direct):
        return snapshot.direct.answers
    server = snapshot.server
    return isinstance(server, Server) and bool(server.ping.status or server.health.status)


def _silence(snapshot: Snapshot) -> str:
    if isinstance(snapshot.direct, Direct):
        return snapshot.direct.health.said
    server = snapshot.server
    return server.health.said if isinstance(server, Server) else "nobody could ask"


def _lost_database(container: Container, snapshot: Snapshot) -> str:
    """Name the known cause of a server that runs and does not answer: its Postgres was started after it."""
    databases = snapshot.database_containers
    if isinstance(databases, Unseen):
        return ""
    later = [db for db in databases if moment(db.started_at) > moment(container.started_at)]
    if not later:
        return ""
    return (
        f"; {later[0].name} was started after it, at {later[0].started_at}: a running Kestra does not survive the loss "
        "of its database, and sometimes it stays without ending"
    )


def of_database(snapshot: Snapshot, start: str) -> Finding | None:
    """Say in which state the database's container was found, unless it runs; `start` brings it back."""
    for container in known(snapshot.database_containers):
        if container.paused:
            return Finding(f"{container.name} was found paused", f"`docker unpause {container.name}`")
        if not container.running:
            error = f": {container.error}" if container.error else ""
            return Finding(
                f"{container.name} was found {container.state} since {container.finished_at}, exit code {container.exit_code}{error}",
                f"`{start}`, then `pytest -m recover`",
            )
    return None


def is_well(snapshot: Snapshot) -> bool:
    """Whether the service has one running container, and health says UP."""
    server, containers = snapshot.server, snapshot.containers
    one = containers[0] if not isinstance(containers, Unseen) and len(containers) == 1 else None
    return bool(one and one.running) and isinstance(server, Server) and says_up(server.health)


def of_health(snapshot: Snapshot) -> Finding | None:
    """Say whether an unhealthy service fails because of Kestra or because of its Postgres."""
    server, database = snapshot.server, snapshot.database
    if isinstance(server, Server) and says_up(server.health):
        return None
    name = next((one.name for one in known(snapshot.containers)), "the service's container")
    if isinstance(database, Database) and database.login == "ok":
        return Finding(
            "Postgres lets the service's credentials in over the network, so what fails is Kestra itself",
            f"`docker logs --tail 100 {name}`",
        )
    said = database.said if isinstance(database, Database) else database.sentence if database else ""
    if not said:
        return None
    postgres = next((one.name for one in known(snapshot.database_containers)), "the container of Postgres")
    return Finding(
        f"Postgres does not let the service's credentials in over the network, and without it no Kestra answers: {said}",
        f"`docker logs --tail 50 {postgres}`; that Docker calls it healthy says nothing of credentials",
    )


def of_credentials(snapshot: Snapshot, rendering: Rendering | None, env: str) -> Finding | None:
    """Say which of four reasons keeps basic auth from being as configured; None if it is as configured, or nobody answers."""
    server = snapshot.server
    wanted = rendering.settings if rendering else None
    if not isinstance(server, Server) or not isinstance(wanted, Settings) or not server.auth_none.status:
        return None
    if server.auth_none.status == 200:
        return Finding(
            "the basic-auth credentials are ignored: everybody is let in, because basic auth is off"
            + ("" if wanted.basic_auth_enabled else " (the configuration does not say `enabled: true`)"),
            "set kestra.server.basic-auth.enabled to true in the compose file, then `pytest -m apply_env`",
        )
    if server.auth_right.status != 401:
        return None
    running, image = snapshot.running_settings, snapshot.running_image
    if isinstance(running, Settings) and _credentials(running) != _credentials(wanted):
        return Finding(
            f"the basic-auth credentials of {env} are not applied: the running container was made with others",
            "`pytest -m apply_env`",
        )
    version = image.version if image is not None and not isinstance(image, Unseen) else ""
    if problem := basic_auth.problem(wanted, version):
        return Finding(
            f"the basic-auth credentials are rejected by Kestra's own rule, and older ones stay in force: {problem}",
            f"choose others in {env}, then `pytest -m apply_env`",
        )
    return Finding(
        "the basic-auth credentials are simply wrong: the container was given them, they satisfy Kestra's rule, but the "
        "server accepts others",
        f"`docker logs` of the container for its words about basic auth; credentials that are given anew in {env} win "
        "over stored ones at a start: `pytest -m apply_env`",
    )


def _credentials(settings: Settings) -> tuple[object, ...]:
    return settings.basic_auth_enabled, settings.basic_auth_user, settings.basic_auth_password
