"""The new container's database, asked over the network with the credentials that the container will use."""

from __future__ import annotations

import shlex

from procedures.decide import leftovers
from procedures.decide.check_files import check, seen
from procedures.kestra.downgrade import too_old
from procedures.kestra.heartbeats import LIVENESS, others_alive
from procedures.kestra.sessions import left_over
from reports.record.observed import Snapshot


@check(again=True)
def test_postgres_runs_and_is_healthy(before: Snapshot) -> None:
    """The service's own Postgres runs, and its Docker health check, if it has one, says healthy."""
    containers = seen(before.database_containers)
    assert len(containers) == 1, (
        f"{len(containers)} containers carry its labels → `docker compose ps -a` shows them"
    )
    postgres = containers[0]
    assert postgres.running and not postgres.paused, (
        f"{postgres.name} is {postgres.state} → start it, then run again"
    )
    assert postgres.health in {"", "healthy"}, (
        f"Docker says {postgres.name} is {postgres.health} → see `docker logs {postgres.name}`"
    )


@check(again=True)
def test_the_new_containers_credentials_log_in(before: Snapshot) -> None:
    """The new container's credentials log in to Postgres over the network."""
    database = seen(before.database)
    assert database.login != "refused", (
        f"Postgres refuses the credentials: {database.said} → the volume keeps the password it was made with: put that "
        "password back into the env file, or change it in the database by ALTER ROLE"
    )
    assert database.login == "ok", (
        f"Postgres cannot be reached: {database.said} → see its container and network"
    )


@check(protects="data", again=True)
def test_no_second_kestra_is_alive_on_this_database(before: Snapshot) -> None:
    """No other Kestra is alive on this database, by the heartbeats that every server leaves there."""
    database = seen(before.database)
    # A container of this service that has ended sends no heartbeats, however young its last one is.
    ours = frozenset(container.id[:12] for container in seen(before.containers))
    foreign = others_alive(seen(database.instances), ours)
    assert not foreign, (
        f"heartbeats of the last {LIVENESS:g} s come from {', '.join(foreign)}, which is not this service's container → "
        "find and stop that server first: two Kestras on one database run everything twice; if it was killed, look again "
        "after that time, when its heartbeat is old"
    )


@check(again=True)
def test_no_session_is_left_over(before: Snapshot) -> None:
    """Every Kestra session on this database belongs to a server that still uses it."""
    abandoned = left_over(seen(seen(before.database).sessions), leftovers.without(seen(before.containers)))
    if not abandoned:
        return
    settings = seen(seen(before.operator_rendering).settings)
    pids = ", ".join(str(session.pid) for session in abandoned)
    names = [postgres.name for postgres in seen(before.database_containers)] or ["CONTAINER_OF_POSTGRES"]
    command = (
        "docker", "exec", names[0], "psql", "-U", settings.db_user, "-d", settings.db_name, "-c",
        f"select pg_terminate_backend(pid) from pg_stat_activity where pid in ({pids})",  # noqa: S608 - shown, numbers only
    )  # fmt: skip
    clients = ", ".join(sorted({session.client for session in abandoned}))
    raise AssertionError(
        f"{len(abandoned)} sessions from {clients} are older than the service's container, or come from an address that "
        f"nobody has any more: a server that was cut off from its network left them half open → `{shlex.join(command)}` "
        "ends them"
    )


@check(protects="data")
def test_the_schema_history_is_whole(before: Snapshot) -> None:
    """Every migration in the database's schema history has succeeded."""
    failed = [
        migration.version for migration in seen(seen(before.database).migrations) if not migration.success
    ]
    assert not failed, (
        f"migrations {', '.join(failed)} have failed → repair the schema before you restart anything"
    )


# An update and a rollback bring another image, and each asks this about that image.
@check(protects="data", again=True, only_with=("images_to_keep",))
def test_no_later_version_has_run_on_it(before: Snapshot) -> None:
    """No version later than the one that will be started has run on this database."""
    reason = seen(too_old(seen(before.image).version, seen(before.database)))
    assert not reason, (
        f"{reason} → name the image of that version, or a later one, in the env file, then `pytest -m update`"
    )


@check(advisory=True)
def test_nothing_is_running(before: Snapshot) -> None:
    """No execution is in flight, so the stop interrupts no work."""
    running = seen(seen(before.database).running)
    assert running == 0, (
        f"{running} executions have not ended → the drain waits for their tasks up to the stop grace"
    )


@check(advisory=True)
def test_postgres_has_not_drifted(before: Snapshot) -> None:
    """Postgres runs the image that the compose file names."""
    rendered = seen(before.operator_rendering).database_image
    for postgres in seen(before.database_containers):
        assert postgres.image == rendered, (
            f"it runs {postgres.image}, the compose file names {rendered} → a plain `up` of the stack would recreate it, "
            "which kills a running Kestra"
        )
