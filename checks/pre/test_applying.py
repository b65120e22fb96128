"""New settings, tried while the server with the old ones still runs."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from reports.record.observed import Snapshot


# Where no setting changes, there is nothing to lead astray.
@check(protects="data", only_with=("superseded",))
def test_the_new_settings_lead_to_the_same_database(before: Snapshot) -> None:
    """The database that the new settings lead to is the one that the present settings lead to."""
    there, old = seen(seen(before.database).instance_id), seen(before.present_database)
    # A password that was changed in the database first lets the old settings in no more; the server knows where it is.
    here = seen(old.instance_id) if old.login == "ok" else seen(seen(before.server).instance_id)
    assert there == here, (
        f"it holds instance {there}, the service is instance {here}: it would start on another database, without its "
        "flows → correct the database's host, port or name in the env file"
    )


@check(advisory=True, only_with=("superseded",))
def test_the_values_before_would_still_work(before: Snapshot) -> None:
    """The database still lets the old credentials in, so that the way back is open."""
    login = seen(before.present_database).login
    assert login == "ok", (
        f"it answers {login}: where a claim fails afterwards, this run cannot go back by itself → be ready to correct the "
        "env file instead"
    )


@check(advisory=True, only_with=("superseded",))
def test_no_other_service_changes(before: Snapshot) -> None:
    """The same files change no other service: a plain `up` of the whole stack would recreate this one alone."""
    ours = seen(before.operator_rendering).container_name
    others = [one for one in seen(before.whole_dry_run).recreates if not one.endswith(ours)]
    assert not others, (
        f"it would also recreate {', '.join(others)}; this run touches only this service → apply that in a maintenance "
        "window of its own: a Postgres that is recreated kills a running Kestra, and keeps the password of its volume"
    )
