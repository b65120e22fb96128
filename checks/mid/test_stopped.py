"""In the outage: only instant checks, since every look costs time without the service."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.decide.transitions import Ending, Stop
from procedures.kestra.sessions import left_over, of_kestra
from procedures.problems import CannotObserve
from reports.record.observed import Container, Snapshot


def test_the_container_has_stopped(stopped: Snapshot) -> None:
    """The service's container has stopped."""
    running = [container.name for container in seen(stopped.containers) if container.running]
    assert not running, f"{', '.join(running)} still runs → the run starts the service all the same"


def test_the_stop_was_clean(our_stop: Stop) -> None:
    """The server ended by itself after a TERM, and was not killed."""
    assert our_stop.ending is not Ending.FORCED, (
        f"the server was killed (signals {', '.join(our_stop.signals) or 'none'}, exit code {our_stop.exit_code}) → tasks "
        "in flight stay RUNNING until Kestra resubmits them, about six minutes with its defaults"
    )
    if our_stop.ending is Ending.UNKNOWN:
        seen(our_stop.events)
        seen(None)


def test_it_was_not_killed_for_its_memory(stopped: Snapshot, our_stop: Stop) -> None:
    """The engine did not kill the server for lack of memory."""
    killed = [
        container.name
        for container in seen(stopped.containers)
        if container.id == our_stop.container.id and container.oom_killed
    ]
    if our_stop.container.auto_remove:  # it is gone with its state: only the engine's events are left
        killed = [event.name for event in seen(our_stop.events) if event.action == "oom"]
    assert not killed, (
        f"the engine killed {', '.join(killed)} for lack of memory → give the container more memory, or its JVM less"
    )


def test_the_ports_are_really_free(stopped: Snapshot, our_stop: Stop) -> None:
    """Nothing listens on the service's ports on the engine's host any more."""
    freed = {binding.host_port for binding in our_stop.container.bindings}
    held = sorted({listener.port for listener in seen(stopped.listeners) if listener.port in freed})
    assert not held, (
        f"something still listens on ports {held} → if it is another process, the start will fail"
    )


def test_postgres_still_lets_the_credentials_in(stopped: Snapshot) -> None:
    """Postgres still runs and accepts the new container's credentials over the network."""
    database = seen(stopped.database)
    assert database.login == "ok", f"{database.login}: {database.said} → see the Postgres container"
    unwell = [
        postgres.name
        for postgres in seen(stopped.database_containers)
        if postgres.health not in {"", "healthy"}
    ]
    assert not unwell, f"Docker says {', '.join(unwell)} is not healthy → see its log"


@check(protects="data")
def test_no_other_kestra_has_a_session(stopped: Snapshot, container_before: Container) -> None:
    """No other Kestra has a session on this database while the service is stopped."""
    if any(container.running for container in seen(stopped.containers)):
        # The stop was cut off: the server drains, with sessions of its own. They do not hold the start back.
        raise CannotObserve(
            "the service's own container still runs, so its sessions look the same as another server's"
        )
    # Without a container before, its sessions look the same as another's: then the plan leaves this check out.
    sessions = seen(seen(stopped.database).sessions)
    nobodys = left_over(sessions, (container_before,))
    foreign = [session for session in of_kestra(sessions) if session not in nobodys]
    assert not foreign, (
        f"{len(foreign)} sessions of {foreign[0].application or foreign[0].user} from {foreign[0].client} are open → "
        "stop that server first: two Kestras on one database run everything twice"
    )
