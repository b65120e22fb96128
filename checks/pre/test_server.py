"""The running server: it is well, and what is noted about it."""

from __future__ import annotations

from procedures.decide.baseline import Baseline
from procedures.decide.check_files import check, seen
from procedures.kestra.editions import edition_of
from procedures.kestra.health import says_up
from procedures.kestra.tables import PLACE_OF_INSTANCE_ID
from reports.record.observed import Server


@check(again=True)
def test_health_says_up(server_before: Server) -> None:
    """The health answer of the management port says UP in its body."""
    health = server_before.health
    assert says_up(health), (
        f"{health.url} answered {health.said} → `pytest -m recover` is for a service that is unwell"
    )


def test_the_version_is_noted(server_before: Server) -> None:
    """The running version is known."""
    named = seen(server_before.version)
    where = edition_of(named).paths.version
    assert named, f"the server names no version → look at {where} on the management port"


@check(protects="data")
def test_the_instance_id_is_noted(baseline: Baseline) -> None:
    """The instance id of this database is known, so an empty database can be recognised afterwards."""
    assert seen(baseline.instance_id), f"there is no instance id → look at {PLACE_OF_INSTANCE_ID}"


def test_the_flows_are_noted(baseline: Baseline) -> None:
    """Every flow is known by namespace, id and revision."""
    seen(baseline.flows)


def test_the_last_executions_are_noted(baseline: Baseline) -> None:
    """The newest executions are known."""
    seen(baseline.executions)


def test_the_configured_credentials_are_accepted_now(server_before: Server) -> None:
    """The running server accepts the configured basic-auth credentials."""
    answer = server_before.auth_right
    assert answer.status != 401, (
        f"{answer.url} answered {answer.said}: the running server has other credentials than the env file → put the old "
        "ones back, or apply the new ones with `pytest -m apply_env`"
    )
    assert answer.status == 200, f"{answer.url} answered {answer.said} → see the server's log"
