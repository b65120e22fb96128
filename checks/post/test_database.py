"""The database, as the running server needs it."""

from __future__ import annotations

from procedures.decide.check_files import seen
from reports.record.observed import Snapshot


def test_postgres_lets_the_server_in(after: Snapshot) -> None:
    """Postgres runs and accepts the server's credentials over the network."""
    unwell = [
        postgres.name
        for postgres in seen(after.database_containers)
        if not postgres.running or postgres.paused or postgres.health not in {"", "healthy"}
    ]
    assert not unwell, f"{', '.join(unwell)} does not run or is not healthy → `docker logs` of it"
    database = seen(after.database)
    assert database.login != "refused", (
        f"Postgres refuses the credentials: {database.said}; the server lives on its open connections, for half an hour "
        "at most → put the password that Postgres accepts into the env file, or change it in Postgres by ALTER ROLE, "
        "then run `pytest -m apply_env`"
    )
    assert database.login == "ok", f"{database.login}: {database.said} → see the Postgres container's log"
