"""New settings, tried while the server still runs with the old settings."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from reports.record.observed import Snapshot


# Without a new setting there is nothing to compare.
@check(protects="data", only_with=("superseded",))
def test_the_new_settings_lead_to_the_same_database(before: Snapshot) -> None:
    """The new settings lead to the same database as the present settings."""
    there, old = seen(seen(before.database).instance_id), seen(before.present_database)
    # If the password was changed in the database first, the old settings no longer log in; the server knows its database.
    here = seen(old.instance_id) if old.login == "ok" else seen(seen(before.server).instance_id)
    assert there == here, (
        f"that database holds instance {there}, the service is instance {here}: it would start on another database, "
        "without its flows → correct the database's host, port or name in the env file"
    )


@check(advisory=True, only_with=("superseded",))
def test_the_values_before_would_still_work(before: Snapshot) -> None:
    """The database still accepts the old credentials, so the way back is open."""
    login = seen(before.present_database).login
    assert login == "ok", (
        f"the login says {login}: if a claim fails afterwards, this run cannot go back by itself → be ready to correct "
        "the env file instead"
    )


@check(advisory=True, only_with=("superseded",))
def test_no_other_service_changes(before: Snapshot) -> None:
    """The same files change no other service: a plain `up` of the whole stack would recreate only this service."""
    ours = seen(before.operator_rendering).container_name
    others = [name for name in seen(before.whole_dry_run).recreates if not name.endswith(ours)]
    assert not others, (
        f"it would also recreate {', '.join(others)}; this run touches only this service → apply that change in a "
        "maintenance window of its own: recreating Postgres kills a running Kestra, and Postgres keeps the password of "
        "its volume"
    )
