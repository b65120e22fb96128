"""Recovery: bring the service back to a judged state, whatever its state is.

`procedures/way_back/cut_off.py` decides which way leads out of an interrupted change.
"""

from __future__ import annotations

from procedures.decide.facts import Group, Presupposed
from procedures.decide.plan import Reason
from procedures.problems import Held
from procedures.run.procedure import Intent, Procedure, Service
from procedures.steps import leftovers
from procedures.steps.journal import JournalUnreadable
from procedures.way_back import cut_off
from procedures.way_back.cut_off import Recovery
from reports.record.evidence import Finding

_AS_KEPT = dict.fromkeys((Presupposed.START_ANEW, Presupposed.START_BY_COMPOSE), Reason.AS_BEFORE)


def intend(service: Service) -> Intent:
    """Start what the files say, or what ran before an interrupted change; only judge a service that runs and answers."""
    way = _way(service)
    return Intent(
        recovery=way,
        first=() if way.stands else leftovers.planned(service.observers, service.containers),
        without=_AS_KEPT if way.starts_kept else {Presupposed.START_OF_KEPT: Reason.NOTHING_KEPT},
        findings=way.findings,
    )


def _way(service: Service) -> Recovery:
    observers = service.observers
    boot = observers.target.budgets.boot
    try:
        return cut_off.look(
            observers,
            service.stories(),
            service.containers,
            lambda one: cut_off.answers(observers, one, service.waiting, boot),
        )
    except (Held, JournalUnreadable) as error:
        # A run that takes the target is refused for this reason; a plan takes nothing.
        return Recovery(findings=(Finding(error.what, error.next_move),))


PROCEDURE = Procedure(
    "recover",
    "bring the service back to a judged state, whatever it is in",
    Group.ACTING | Group.SAME | Group.CUT_OFF,
    intend,
    recovers=True,
)
