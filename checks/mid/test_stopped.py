"""In the outage: only what is instant, since every look here is time without the service."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.decide.transitions import Ending, Stop
from procedures.kestra.sessions import left_over, of_kestra
from procedures.problems import CannotObserve
from reports.record.observed import Container, Snapshot


def test_the_container_has_stopped(stopped: Snapshot) -> None:
    """The service's container has stopped."""
    running = [one.name for one in seen(stopped.containers) if one.running]
    assert not running, f"{', '.join(running)} still runs → its start follows all the same"


def test_the_stop_was_clean(our_stop: Stop) -> None:
    """The server ended by itself after a TERM, and was not killed."""
    assert our_stop.ending is not Ending.FORCED, (
        f"it was killed (signals {', '.join(our_stop.signals) or 'none'}, exit code {our_stop.exit_code}) → tasks in "
        "flight stay RUNNING until Kestra resubmits them, about six minutes with its defaults"
    )
    if our_stop.ending is Ending.UNKNOWN:
        seen(our_stop.events)
        seen(None)


def test_it_was_not_killed_for_its_memory(stopped: Snapshot, our_stop: Stop) -> None:
    """The engine did not kill the server for lack of memory."""
    killed = [
        one.name for one in seen(stopped.containers) if one.id == our_stop.container.id and one.oom_killed
    ]
    if our_stop.container.auto_remove:  # it has gone with its state: the engine's events are all there is
        killed = [one.name for one in seen(our_stop.events) if one.action == "oom"]
    assert not killed, f"{', '.join(killed)} was → give it more memory, or its JVM less"


def test_the_ports_are_really_free(stopped: Snapshot, our_stop: Stop) -> None:
    """Nothing listens on the service's ports any more, on the engine's own host."""
    freed = {one.host_port for one in our_stop.container.bindings}
    held = sorted({one.port for one in seen(stopped.listeners) if one.port in freed})
    assert not held, f"ports {held} are still listened on → the start will fail if that is another process"


def test_postgres_still_lets_the_credentials_in(stopped: Snapshot) -> None:
    """Postgres is still up and lets the new container's credentials in over the network."""
    database = seen(stopped.database)
    assert database.login == "ok", f"{database.login}: {database.said} → see the Postgres container"
    unwell = [one.name for one in seen(stopped.database_containers) if one.health not in {"", "healthy"}]
    assert not unwell, f"Docker says {', '.join(unwell)} is unwell → see its log"


@check(protects="data")
def test_no_other_kestra_has_a_session(stopped: Snapshot, container_before: Container) -> None:
    """No other Kestra has a session on this database while ours is stopped."""
    if any(one.running for one in seen(stopped.containers)):
        # A stop that was broken off: the server drains, with sessions of its own. Nothing is held back for those.
        raise CannotObserve(
            "the service's own container still runs, so its sessions cannot be told from another's"
        )
    # Where there was no container, its sessions cannot be told from another's: the plan knows.
    found = seen(seen(stopped.database).sessions)
    nobodys = left_over(found, (container_before,))
    foreign = [one for one in of_kestra(found) if one not in nobodys]
    assert not foreign, (
        f"{len(foreign)} sessions of {foreign[0].application or foreign[0].user} from {foreign[0].client} are open → "
        "stop that server first: two Kestras on one database run everything twice"
    )
