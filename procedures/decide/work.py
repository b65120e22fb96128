"""Work in flight: what a stop may cut, and what became of it."""

from __future__ import annotations

from procedures.kestra.editions import edition_of
from procedures.kestra.executions import FAILED, WAITING
from procedures.kestra.heartbeats import runs
from reports.record.observed import Database, InFlight, ServiceInstance, Snapshot, Unseen
from reports.record.values import known

_MARGIN = 10.0
"""Seconds by which a flow may always exceed its earlier runs: on a busy machine even a short one does."""


def under_way(look: Snapshot | None) -> tuple[str, ...] | Unseen:
    """Return the ids of the executions in flight at a snapshot: by their states, and by the tasks that workers hold."""
    if look is None or look.database is None:
        return Unseen("the database was not looked at")
    database = look.database
    for one in (database, *(() if isinstance(database, Unseen) else (database.in_flight, database.jobs))):
        if isinstance(one, Unseen):
            return one
    assert not isinstance(database, Unseen)
    assert not isinstance(database.in_flight, Unseen)
    return tuple(dict.fromkeys((*(one.id for one in database.in_flight), *in_hands(database))))


def in_hands(database: Database) -> tuple[str, ...]:
    """Return the executions of which a worker holds a task."""
    return tuple(dict.fromkeys(one.execution for one in known(database.jobs)))


def patience(database: Database, grace: float) -> float:
    """Return how long a stop waits for tasks. The drain and its limit allow `grace`; some versions give up earlier."""
    running = (one for one in known(database.instances) if runs(one))
    gives_up = [edition_of(one.version).drain_ends_after for one in running]
    return min((grace, *(one for one in gives_up if one is not None)))


def may_outlast(database: Database, grace: float) -> tuple[str, ...] | Unseen:
    """For each execution with a task in a worker's hands that may last longer than the grace, say why.

    The last runs of the flow say how long it takes; if they say nothing, it may last for ever.
    """
    if isinstance(database.jobs, Unseen):
        return database.jobs
    if isinstance(database.in_flight, Unseen):
        return database.in_flight
    known = {one.id: one for one in database.in_flight}
    reasons = ((one, _why(known.get(one), grace)) for one in in_hands(database))
    return tuple(f"{one} ({why})" for one, why in reasons if why)


def _why(execution: InFlight | None, grace: float) -> str:
    if execution is None:
        return "a worker has it in its hands, and it is in no list of what is in flight"
    name = f"{execution.namespace}/{execution.flow}, for {execution.lasts:.0f} s by now"
    if execution.earlier is None:
        return f"{name}, and no earlier run says how long it takes"
    left = 2 * execution.earlier - execution.lasts
    if left < -_MARGIN:
        return f"{name}, longer than any of its last runs by far ({execution.earlier:.0f} s)"
    return f"{name}, and earlier ones took up to {execution.earlier:.0f} s" if left > grace else ""


def cut(ready: Database, after: Database, host: str) -> tuple[str, ...] | Unseen:
    """For each execution that was in flight before a stop and was cut by it, say what became of it.

    `host` is the new server's name. An execution goes on if a worker of that server holds a task of it. It is cut
    nevertheless if that is the task that was held before, because a task begins again at its beginning.
    """
    if isinstance(after.noted, Unseen) or isinstance(after.jobs, Unseen):
        return (
            after.noted
            if isinstance(after.noted, Unseen)
            else Unseen("which tasks the workers hold was not observed")
        )
    if isinstance(after.instances, Unseen):
        return after.instances
    if isinstance(ready.in_flight, Unseen) or isinstance(ready.jobs, Unseen):
        return Unseen("nobody saw what was in flight before the stop")
    held, begun = set(in_hands(ready)), {one.id for one in ready.in_flight}
    alive = _workers(after.instances, host)
    tasks, now = {one.id for one in ready.jobs}, [one for one in after.jobs if one.worker in alive]
    going_on, again = {one.execution for one in now}, {one.execution for one in now if one.id in tasks}
    sentences = []
    for execution in after.noted:
        name = f"{execution.id} ({execution.namespace}/{execution.flow})"
        if execution.id in held | begun and execution.state == FAILED:
            sentences.append(f"{name} was in flight and has FAILED")
        if execution.id in held and execution.state in WAITING and execution.id not in going_on:
            sentences.append(f"{name} is still {execution.state}, and no worker has it in its hands")
        if execution.id in again:
            sentences.append(
                f"{name} had a task in a worker's hands, and the new one does it once more from its beginning"
            )
    return tuple(sentences)


def _workers(instances: tuple[ServiceInstance, ...], host: str) -> set[str]:
    return {one.id for one in instances if one.hostname == host and runs(one)}
