"""The database, as the running server needs it."""

from __future__ import annotations

from procedures.decide.check_files import seen
from reports.record.observed import Snapshot


def test_postgres_lets_the_server_in(after: Snapshot) -> None:
    """Postgres runs, and lets the server's credentials in over the network."""
    unwell = [
        one.name
        for one in seen(after.database_containers)
        if not one.running or one.paused or one.health not in {"", "healthy"}
    ]
    assert not unwell, f"{', '.join(unwell)} is not well → `docker logs` of it"
    database = seen(after.database)
    assert database.login != "refused", (
        f"Postgres refuses them: {database.said}; the server lives on the connections that it has, for half an hour at "
        "most → put the password that Postgres takes into the env file, or change it there by ALTER ROLE, then "
        "`pytest -m apply_env`"
    )
    assert database.login == "ok", f"{database.login}: {database.said} → see the Postgres container's log"
