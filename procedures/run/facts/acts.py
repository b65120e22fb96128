"""What this run did to the service, and how that looked from outside."""

from __future__ import annotations

from procedures.decide.facts import Group, Presupposed, fact
from procedures.decide.transitions import Start, Stop
from procedures.problems import Blocked, CannotObserve
from procedures.run.facts.moments import Moments
from reports.record.evidence import Outage


@fact(Group.BEFORE)
def stop_grace(at: Moments) -> float:
    """The seconds that our stop leaves the server before the engine kills it."""
    return at.stop_grace


@fact(Group.ACTS, Presupposed.ACT | Presupposed.SERVER)
def our_stop(at: Moments) -> Stop:
    """Our stop, as the engine shows it."""
    stop = at.our_stop
    if stop is None:
        raise Blocked("this run stopped nothing")
    return stop


@fact(Group.ACTS | Group.WAY_BACK, Presupposed.ACT)
def our_start(at: Moments) -> Start:
    """Our start, as the engine shows it."""
    start = at.our_start
    if start is None:
        raise Blocked("this run started nothing")
    return start


@fact(Group.ACTS | Group.WAY_BACK, Presupposed.ACT | Presupposed.WHOLE_OUTAGE)
def outage(at: Moments) -> Outage:
    """What the probe observed from outside."""
    measured = at.outage
    if measured is None:
        raise CannotObserve("nobody looked at the service from outside")
    return measured
