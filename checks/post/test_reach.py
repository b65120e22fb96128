"""The way from this machine to the new server, judged apart from the server itself."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.kestra.health import is_ready
from procedures.problems import CannotObserve
from procedures.steps import reach
from procedures.target.target import Target
from reports.record.evidence import Outage
from reports.record.observed import Direct, Snapshot

SELDOM = "api"
"""A path that is asked too rarely to see a short outage."""


def test_the_server_itself_is_well(server_itself: Direct) -> None:
    """The server says UP and answers a ping when asked inside its own network, past any gateway."""
    assert is_ready(server_itself), f"{server_itself.sentence} → `docker logs` of its container"


def test_the_addresses_lead_to_the_server(after: Snapshot, target: Target, server_itself: Direct) -> None:
    """The addresses of the target file lead from here to the server."""
    if not is_ready(server_itself):
        raise CannotObserve(
            f"the server itself is not well ({server_itself.sentence}), so no address can be judged",
            "see its log",
        )
    astray = reach.strayed(seen(after.server), server_itself)
    assert not astray, f"{reach.sentence(astray, server_itself)} → {reach.move(target, after)}"


@check(only_with=("our_stop",))
def test_what_answered_went_with_the_server(outage: Outage) -> None:
    """The server's addresses fell silent while it was stopped: nothing else had been answering there."""
    for path in outage.paths:
        if path.path == SELDOM:
            continue
        if not path.looks:
            raise CannotObserve(f"nobody looked at {path.url}")
        # A path that never went bad has these values; a path that never came back has no length.
        assert path.length != 0.0 or path.first_good is not None, (
            f"{path.url} answered well throughout → it leads to another server: correct the address"
        )
