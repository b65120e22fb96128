"""The way from this machine to the service: the outage will be measured at these addresses."""

from __future__ import annotations

from procedures.decide.check_files import seen
from procedures.steps import reach
from procedures.target.target import Target
from reports.record.observed import Direct, Snapshot


def test_no_needed_port_is_the_engines_alone(before: Snapshot, target: Target) -> None:
    """No port that the addresses need is published only on the loopback of an engine on another machine."""
    keys = reach.kept_alone(before, target)
    assert not keys, (
        f"{' and '.join(keys)} lead to ports that {seen(before.engine).name} publishes on its own loopback only, out of "
        f"reach from here → {reach.move(target, before)}"
    )


def test_the_addresses_lead_to_the_service(
    before: Snapshot, target: Target, server_itself_before: Direct
) -> None:
    """The addresses of the target file lead from here to the running server."""
    server, database = seen(before.server), seen(before.database)
    astray = reach.strayed(server, server_itself_before)
    assert not astray, f"{reach.sentence(astray, server_itself_before)} → {reach.move(target, before)}"
    there, own = server.instance_id, database.instance_id
    if isinstance(there, str) and isinstance(own, str):
        assert there == own, (
            f"{server.ping.url} leads to another server: it calls itself instance {there}, this service's database "
            f"says {own} → {reach.move(target, before)}"
        )
