"""What the service is compared with where nothing is acted on: the last accepted run of it in the archive."""

from __future__ import annotations

from procedures.decide import accepted, plan
from procedures.decide.accepted import Past
from procedures.problems import CannotObserve
from procedures.run.procedure import Compared
from reports.record.evidence import Finding


def last(past: Past, *, begins_one: bool) -> tuple[Compared, tuple[Finding, ...]]:
    """Find the last accepted run, and what is to be said of it; `begins_one` where this run, accepted, is the first.

    An archive that cannot be read is no reason to say that there is none.
    """
    try:
        found = accepted.last(past)
        findings = [Finding(one.text, one.next_move) for one in accepted.damaged(past, found)]
    except CannotObserve as error:
        unseen = f"{error.what} → {error.next_move}"
        return Compared(unseen=unseen), (Finding(error.what, error.next_move),)
    if begins_one and found is None:
        findings.append(Finding(plan.Reason.NO_BASELINE, "this run, if it is accepted, is the first"))
    return Compared(found), tuple(findings)
