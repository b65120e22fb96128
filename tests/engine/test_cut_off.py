"""A change that is killed in its outage: recovery starts what ran before, or judges what runs and answers."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack, password
from tests.stacks import run as command

# A row as the history gets from a migration: the later version knows what it means, the earlier one does not.
MIGRATED = """insert into flyway_schema_history
 (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
 select max(installed_rank) + 1, '9.99', 'later', 'SQL', 'V9_99', 1, 'kestra', 1, true from flyway_schema_history"""
MIGRATED_BACK = "delete from flyway_schema_history where version = '9.99'"


@pytest.fixture(autouse=True)
def _well(service: Stack) -> Iterator[None]:
    """Let each test begin with a service that runs as its env file says, and owes nothing."""
    good = dict(service.env)
    yield
    service.set_env(**good)
    for left in (*targets.journals(service), *(service.root / targets.STATE).rglob("*.kept.json")):
        left.unlink()
    service.compose("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", seen.SERVICE)
    service.wait_until_ready()


def cut_off(service: Stack, step: str, kind: str = "begin") -> str:
    """Apply what the env file says, kill the run and what it has started at a step; return the run's name."""
    run = targets.started(service, name="apply_env")
    targets.wait_for_step(service, run, step, kind)
    os.killpg(run.pid, signal.SIGKILL)
    output, _ = run.communicate(timeout=targets.LIMIT)
    seen.wait_until_gone(service)
    return seen.run_id(output)


def recovered(service: Stack, **env: str) -> tuple[str, dict[str, Any]]:
    done = targets.procedure(service, name="recover", env=env)

    assert done.returncode == 0, done.stdout + done.stderr
    assert service.is_ready()
    return done.stdout, targets.record(targets.latest(service))


def given(service: Stack) -> dict[str, str]:
    """What the container was given when it was made."""
    return dict(one.partition("=")[::2] for one in service.container(seen.SERVICE).attrs["Config"]["Env"])


def by_hand(run: str) -> re.Pattern[str]:
    """How what a run had kept is started by hand."""
    return re.compile(rf"\S+ -m procedures\.way_back /\S+/{run}\.kept\.json")


def kept(service: Stack) -> list[str]:
    return [one.name for one in (service.root / targets.STATE).rglob("*.kept.json")]


@pytest.mark.understudy
@FAULT(
    kind="SIGKILL, and the schema has moved since",
    phase="next run",
    happened="recover refuses to start what ran before; without that it does",
    verdict="LOCKED, WOULD BE LET THROUGH, REFUSED, ACCEPTED",
)
def test_between_stop_and_start(service: Stack) -> None:
    """What ran before is started again, judged, and the files are left as they are; a schema that has moved refuses it."""
    good = service.env["UNDERSTUDY"]
    service.set_env(UNDERSTUDY=f"{good} crash-at-boot")
    run = cut_off(service, "stop", "end")
    state = seen.identity(service)

    refused = targets.procedure(service)
    planned = targets.procedure(service, "--plan", name="recover")
    service.psql(MIGRATED)
    moved = targets.procedure(service, name="recover")
    service.psql(MIGRATED_BACK)

    assert refused.returncode == 15, refused.stdout
    assert "as it was before the change, unless the database was migrated since: cd " in refused.stdout
    assert planned.returncode == 0, planned.stdout
    assert by_hand(run).search(planned.stdout)
    assert "what ran before is started again" in planned.stdout
    assert moved.returncode == 10, moved.stdout
    assert "does not know this schema" in moved.stdout
    assert (
        "the target's files lead nowhere as they are: they name the very image that ran before"
        in moved.stdout
    )
    assert ": cd " not in moved.stdout.partition("By hand")[2]
    assert state == seen.identity(service)

    output, record = recovered(service)

    assert given(service)["UNDERSTUDY"] == good
    assert "the target's own files still name what was never accepted" in output
    assert record["recovered_from"] == run
    assert kept(service) == []


@FAULT(
    kind="what was kept before a change is damaged",
    phase=Phase.NEXT_RUN,
    happened="recover starts neither what nobody can read nor what nobody has accepted; typed by hand, it is judged",
    verdict="REFUSED, ACCEPTED",
)
def test_what_was_kept_cannot_be_read(service: Stack) -> None:
    """Recovery names both starts and takes none; what an operator has typed then runs, and is judged as it stands."""
    new = password()
    service.set_env(KESTRA_BASICAUTH_PASSWORD=new)
    run = cut_off(service, "stop", "end")
    (file,) = (service.root / targets.STATE).rglob("*.kept.json")
    file.write_text(file.read_text(encoding="utf-8")[:-100], encoding="utf-8")
    state = seen.identity(service)

    refused = targets.procedure(service, name="recover")
    _, _, by_hand = refused.stdout.partition("By hand\n")
    starts = [one.strip().partition(": ") for one in by_hand.splitlines() if ": cd " in one]

    assert refused.returncode == 10, refused.stdout
    assert state == seen.identity(service)
    assert f"{file}: it is not what was written there" in refused.stdout
    assert [one[0] for one in starts] == [
        "as it was before the change, unless the database was migrated since",
        "as the target's files say",
    ]

    command(["sh", "-c", starts[1][2]], cwd=service.root)
    service.wait_until_ready()
    state = seen.identity(service)
    output, record = recovered(service)

    assert state == seen.identity(service)
    assert given(service)["TOOLS_BASICAUTH_PASSWORD"] == new
    assert "judged as it stands; what ran before cannot be read" in output
    assert record["recovered_from"] == run


@pytest.mark.understudy
@FAULT(
    kind="SIGKILL",
    phase="way back",
    happened="recovery goes the way back to its end, whoever types it",
    verdict="LOCKED, ACCEPTED",
)
def test_on_the_way_back(service: Stack) -> None:
    """A way back that was killed between its stop and its start is gone by recovery, whoever else types it."""
    good = service.env["UNDERSTUDY"]
    service.set_env(UNDERSTUDY=f"{good} crash-at-boot")
    run = cut_off(service, "back_stop", "end")
    another = str(service.root / targets.STATE / "another")

    refused = targets.procedure(service, env={"XDG_STATE_HOME": another})
    output, record = recovered(service, XDG_STATE_HOME=another)

    assert refused.returncode == 15, refused.stdout
    assert "what ran before is started again" in output
    assert given(service)["UNDERSTUDY"] == good
    assert record["recovered_from"] == run
    assert kept(service) == []
    assert all(targets.entries(one)[-1]["kind"] == "sealed" for one in targets.journals(service))


@FAULT(
    kind="SIGKILL",
    phase="after",
    happened="of a change that works: it is neither taken back nor started again, and judged as it stands",
    verdict="ACCEPTED",
)
def test_what_was_started_runs_and_answers(service: Stack) -> None:
    """New values that work are neither taken back nor started once more: they are judged as they stand."""
    new = password()
    service.set_env(KESTRA_BASICAUTH_PASSWORD=new)
    run = cut_off(service, "start", "end")
    service.wait_until_ready()
    state = seen.identity(service)

    output, record = recovered(service)

    assert state == seen.identity(service)
    assert given(service)["TOOLS_BASICAUTH_PASSWORD"] == new
    assert "judged as it stands" in output
    assert by_hand(run).search(output)
    assert (record["steps"], record["executed"], record["recovered_from"]) == ([], False, run)
    judged = [one for one in record["results"] if one["outcome"] == "passed"]
    assert {one["check"]["phase"] for one in judged} == {"post"}
    assert kept(service) == [f"{run}.kept.json"], "what is told to be typed must be there"


@pytest.mark.understudy
def test_held_back_by_another_server(service: Stack) -> None:
    """A change that was stopped for the data's sake is owed: recovery starts what ran before, not what nobody accepted."""
    good = service.env["UNDERSTUDY"]
    service.set_env(UNDERSTUDY=f"{good} crash-at-boot")
    with seen.second_server(service) as second:
        seen.freeze(service, second)
        done = targets.procedure(service, name="apply_env")
        second.unpause()

    assert done.returncode == 12, done.stdout
    assert "first clear what stands above, then: as it was before the change" in done.stdout
    assert targets.procedure(service).returncode == 15

    recovered(service)

    assert given(service)["UNDERSTUDY"] == good
