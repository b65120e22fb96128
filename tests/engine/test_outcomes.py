"""What is found after the stop: how the run ends, and in what state it leaves the service."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from _pytest.mark import ParameterSet

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import SHORT_TIMES, Stack, wait_for
from tests.strangers import LIKE_KESTRA, MUTE, NOT_FOUND, taking

pytestmark = pytest.mark.understudy

# The new server gets its fault by the `.env`, which a plain restart refuses to apply: that one claim is waived.
CHANGED = "pre/test_configuration.py::test_the_running_container_has_the_same_configuration"
WAIVED = ("--waive", CHANGED, "--reason", "as a test", "--operator", "Ada")
# A server that was killed leaves a young heartbeat: for so long it cannot be told from a second one.
FOREIGN = """select count(distinct value->'server'->>'id') - 1 from service_instance
 where state in ('CREATED', 'RUNNING', 'TERMINATING') and updated_at > now() - interval '4 seconds'"""
TIMES = SHORT_TIMES["UNDERSTUDY"]


@pytest.fixture(autouse=True)
def _well(service: Stack) -> Iterator[None]:
    """Let each test begin with a service that runs as its `.env` says, and owes nothing."""
    then, compose = dict(service.env), service.compose_file.read_text()
    targets.target_file(service, budgets={"boot": "6s"})
    yield
    service.compose_file.write_text(compose)
    service.env = then
    service.set_env()
    for journal in targets.journals(service):
        journal.unlink()
    recreate(service)
    seen.seed(service)


def recreate(service: Stack) -> None:
    service.compose("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", seen.SERVICE)
    service.wait_until_ready()
    wait_for(
        lambda: service.psql(FOREIGN) == "0", "the heartbeat of a server that was killed to grow old", 20
    )


def next_server(service: Stack, fault: str) -> None:
    """Give a fault to the server that the next start makes; the one that runs is well."""
    service.set_env(UNDERSTUDY=f"{TIMES} {fault}")


def ended(
    service: Stack, status: int, *arguments: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run a restart that ends with a status; return what it told and its sealed record."""
    done = targets.procedure(service, *arguments)
    folder = targets.latest(service)

    assert done.returncode == status, done.stdout + done.stderr
    assert seen.checksums(folder).returncode == 0
    assert (folder / "report.html").is_file()
    assert seen.ours(seen.run_id(done.stdout)) == []
    return done, targets.record(folder)


def by_hand(output: str) -> str:
    """What the closing block says under By hand."""
    return output.partition("By hand\n")[2].partition("report: ")[0]


# --- the service answers, and a claim does not hold: 11


@FAULT(
    kind="the server ignores TERM and is killed",
    phase="stop",
    happened="it is back, and that it was killed is told",
    verdict="NOT ACCEPTED",
)
def test_a_server_that_ignores_term_was_killed(service: Stack) -> None:
    """A server that only SIGKILL ended is back, and the run says that it was killed: not accepted."""
    service.set_env(UNDERSTUDY=f"{TIMES} ignore-term", KESTRA_TERMINATION_GRACE="1s", KESTRA_STOP_GRACE="2s")
    recreate(service)
    _, record = ended(service, 11)
    reason = seen.findings(record)["test_the_stop_was_clean"]

    assert "the server was killed (signals 15, 9" in reason
    assert service.is_ready()


def another(fault: str, check: str, word: str, *, kind: str) -> ParameterSet:
    """A case of a new server that is not the one from before, and the row that it stands for."""
    told = "the service answers, and what it lacks is told"
    mark = FAULT(kind=f"the new server {kind}", phase=Phase.AFTER, happened=told, verdict="NOT ACCEPTED")
    return pytest.param(fault, check, word, marks=mark)


ANOTHER = [
    another(
        "auth-off",
        "test_nobody_is_let_in_without_credentials",
        "basic auth is not on",
        kind="lets everybody in",
    ),
    another(
        "auth-off", "test_wrong_credentials_are_refused", "basic auth is not on", kind="lets everybody in"
    ),
    another(
        "wrong-instance",
        "test_it_is_the_same_instance",
        "the server is on another database",
        kind="is on another database",
    ),
    another(
        "forget-flow",
        "test_every_flow_is_there",
        "missing, or in an older revision: probe/hello@1",
        kind="has lost a flow",
    ),
    another(
        "forget-execution", "test_the_last_executions_are_there", "missing: ", kind="has lost an execution"
    ),
]


@pytest.mark.parametrize(("fault", "check", "word"), ANOTHER)
def test_a_server_that_is_another_one(service: Stack, fault: str, check: str, word: str) -> None:
    """A new server without its credentials, its instance, its flow or its execution is not accepted."""
    next_server(service, fault)
    done, record = ended(service, 11, *WAIVED)
    found = seen.findings(record)

    assert word in found[check]
    assert ("the basic-auth credentials are ignored" in done.stdout) is (fault == "auth-off")
    assert record["verdict"] == "NOT ACCEPTED"
    assert found[check].partition(" → ")[0] in done.stdout


# --- the service does not answer: 12


@FAULT(
    kind="the new server falls silent soon after its boot",
    phase=Phase.SOAK,
    happened="the last look finds it mute: down, although it had been ready",
    verdict="SERVICE DOWN",
)
def test_a_new_server_that_falls_silent_in_the_soak(service: Stack) -> None:
    """A server that was ready and answers nothing a second later is no service that is back."""
    targets.target_file(service, budgets={"boot": "6s", "soak": "3s", "look": "3s"})
    next_server(service, "hang-after=1")
    done, record = ended(service, 12, *WAIVED)

    assert "the service was touched and does not answer" in record["verdict_reasons"][0]
    assert "pytest -m recover" in by_hand(done.stdout)


@FAULT(
    kind="the new server ends at every boot",
    phase="start",
    happened="the way by hand is told; recover brings it back once the cause is mended",
    verdict="SERVICE DOWN, LOCKED, ACCEPTED",
)
def test_a_new_server_that_crashes_at_boot(service: Stack) -> None:
    """Where the new server never comes up, the service is called down and the way by hand is told."""
    next_server(service, "crash-at-boot")
    done, record = ended(service, 12, *WAIVED)

    assert record["verdict"] == "SERVICE DOWN"
    assert "up -d --no-deps --force-recreate --pull never kestra" in by_hand(done.stdout)
    assert f"cd {service.root}" in by_hand(done.stdout)
    assert "pytest -m recover" in by_hand(done.stdout)
    assert "test_it_became_ready" in seen.findings(record)

    # Why it does not boot stands before the way by hand, and the claims that follow from it are one line.
    told = done.stdout[done.stdout.rindex("\nSERVICE DOWN") :]
    boot = record["boot"]
    assert "IllegalStateException: crash-at-boot" in "\n".join(boot["said"])
    assert "UNDERSTUDY" in boot["differs"]
    assert (targets.latest(service) / boot["log"]).is_file()
    assert told.index("does not boot") < told.index("crash-at-boot") < told.index("By hand")
    assert boot["log"] in told
    assert "it differs from what ran before in: UNDERSTUDY" in told
    assert "because of this" in told
    assert told.count("post/test_") == 0

    # The journal is open: the next one is sent to recover, which succeeds once the cause is mended.
    service.set_env(UNDERSTUDY=TIMES)

    assert targets.procedure(service).returncode == 15

    recovered = targets.procedure(service, name="recover")

    assert recovered.returncode == 0, recovered.stdout
    assert service.is_ready()


@FAULT(
    kind="a process takes the port and is mute",
    phase="outage",
    happened="the start fails; who holds the port, and the way by hand, are told",
    verdict="SERVICE DOWN",
)
def test_the_port_is_taken_in_the_outage(service: Stack) -> None:
    """Another process that takes the port in the outage keeps the service down, and is told."""
    with taking({int(service.env["KESTRA_HTTP_PORT"]): MUTE}):
        done, record = ended(service, 12)
    found = seen.findings(record)

    assert service.env["KESTRA_HTTP_PORT"] in found["test_the_ports_are_really_free"]
    assert "a process of the engine's host, no container, listens on this port" in done.stdout
    assert f"it is held by process {os.getpid()} (" in done.stdout
    assert f"`ss -ltnp 'sport = :{service.env['KESTRA_HTTP_PORT']}'`" in done.stdout
    assert {one["step"]["name"]: one["status"] for one in record["steps"]}["start"] == "failed"
    assert "up -d --no-deps" in by_hand(done.stdout)


STRANGERS = [
    pytest.param(
        {"KESTRA_HTTP_PORT": NOT_FOUND},
        id="404",
        marks=FAULT(
            kind="a web server takes the port and answers 404",
            phase="outage",
            happened="the start fails; the stranger's answer is not taken for the service's, and the journal stays open",
            verdict="SERVICE DOWN, ACCEPTED",
        ),
    ),
    pytest.param(
        {"KESTRA_HTTP_PORT": LIKE_KESTRA, "KESTRA_MANAGEMENT_PORT": LIKE_KESTRA},
        id="as a healthy Kestra",
        marks=FAULT(
            kind="somebody takes both ports and answers as a healthy Kestra",
            phase="outage",
            happened="the start fails; what no container of the service answers is nobody's readiness",
            verdict="SERVICE DOWN, ACCEPTED",
        ),
    ),
]


@pytest.mark.parametrize("answers", STRANGERS)
def test_a_stranger_answers_on_the_port(service: Stack, answers: dict[str, bytes]) -> None:
    """What answers while no container of the service runs is somebody else: down, by hand, open to recover."""
    with taking({int(service.env[key]): answer for key, answer in answers.items()}):
        done, record = ended(service, 12)

        assert service.container(seen.SERVICE).status == "created"
    assert "the service was touched and does not answer" in record["verdict_reasons"][0]
    assert f"it is held by process {os.getpid()} (" in done.stdout
    assert "up -d --no-deps" in by_hand(done.stdout)
    assert targets.entries(targets.journals(service)[-1])[-1]["kind"] != "sealed"

    recovered = targets.procedure(service, name="recover")

    assert recovered.returncode == 0, recovered.stdout


@FAULT(
    kind="SIGTERM while a stranger holds the port",
    phase="landing",
    happened="landing's start fails, and the stranger's answer is not taken for the service's",
    verdict="SERVICE DOWN",
)
def test_a_stranger_answers_while_a_run_lands(service: Stack) -> None:
    """Asked to end in the outage, with a stranger on the port: the landing does not take him for the service."""
    with taking({int(service.env["KESTRA_HTTP_PORT"]): NOT_FOUND}):
        run = targets.started(service)
        targets.wait_for_step(service, run, "stop", "end")
        os.kill(run.pid, signal.SIGTERM)
        output, _ = run.communicate(timeout=targets.LIMIT)

    assert run.returncode == 12, output
    assert "up -d --no-deps" in by_hand(output)
    assert targets.entries(targets.journals(service)[-1])[-1]["kind"] != "sealed"


@FAULT(
    kind="a frozen second Kestra holds sessions",
    phase="outage",
    happened="the start is held back for the data's sake; with that cleared a restart is a plain one",
    verdict="SERVICE DOWN, ACCEPTED",
)
def test_another_servers_session_in_the_outage(service: Stack) -> None:
    """Another server that is frozen and still connected to the database: not started, and what to clear is told."""
    with seen.second_server(service) as second:
        seen.freeze(service, second)
        done, record = ended(service, 12)
        second.unpause()
    reason = seen.findings(record)["test_no_other_kestra_has_a_session"]

    assert record["verdict"] == "SERVICE DOWN"
    assert "data is at stake" in done.stdout
    assert "stop that server first" in reason
    assert "first clear what stands above, then: " in by_hand(done.stdout)
    assert service.container(seen.SERVICE).status == "exited"
    assert [one["status"] for one in record["steps"] if one["step"]["name"] == "start"] == ["planned"]

    # With that cleared, a restart of the stopped service is a plain one.
    cleared = targets.procedure(service)

    assert cleared.returncode == 0, cleared.stdout
    assert service.is_ready()


# --- a service that is down before, and what is left alone


@pytest.mark.parametrize(
    "command", [["stop", "kestra"], ["rm", "-f", "-s", "kestra"]], ids=["stopped", "absent"]
)
@FAULT(
    kind="the service is stopped, or has no container",
    phase="before",
    happened="it is started, and judged by what the database says of before",
    verdict="ACCEPTED",
)
def test_a_service_that_is_down_is_started(service: Stack, command: list[str]) -> None:
    """A service that is stopped or has no container is started and judged by what the database says of before."""
    service.compose(*command)
    done, record = ended(service, 0)
    left_out = {one["reason"] for one in record["results"] if one["outcome"] == "not applicable"}

    assert service.is_ready()
    assert [one["step"]["name"] for one in record["steps"]] == ["save_logs", "start"]
    assert "the service is not running" in left_out
    assert "The instance id is the same as before" in done.stdout
    assert "hello" in seen.flows(service)


@FAULT(
    kind="Postgres was changed in the compose file",
    phase="start",
    happened="it is left alone",
    verdict="ACCEPTED",
)
def test_a_changed_postgres_is_left_alone(service: Stack) -> None:
    """What has changed for Postgres in the compose file is not carried out along with a restart of Kestra."""
    postgres = seen.identity(service, seen.DATABASE)
    text = service.compose_file.read_text()
    service.compose_file.write_text(
        text.replace("    stop_grace_period: 1m\n", "    stop_grace_period: 2m\n", 1)
    )
    ended(service, 0)

    assert postgres == seen.identity(service, seen.DATABASE)


@FAULT(
    kind="a neighbour's container is killed meanwhile",
    phase=Phase.OUTAGE,
    happened="an advisory finding in the report, and no failure in the JUnit file",
    verdict="ACCEPTED",
)
def test_an_advisory_finding_turns_no_ci_red(service: Stack) -> None:
    """A green run is green in JUnit too, whatever advisory checks have found."""
    with seen.container(seen.unique("neighbour")) as neighbour:
        run = targets.started(service)
        targets.wait_for_step(service, run, "stop")
        neighbour.kill()
        output, _ = run.communicate(timeout=targets.LIMIT)
    folder = targets.latest(service)
    found = [one for one in targets.record(folder)["results"] if one["outcome"] == "failed"]
    tree = ET.parse(folder / "junit.xml")

    assert run.returncode == 0, output
    assert [one["check"]["id"] for one in found] == ["post/test_container.py::test_no_neighbour_was_touched"]
    assert "failed          No container of another project was touched" in output
    assert [one for name in ("failure", "error") for one in tree.iter(name)] == []
    assert {one.get("failures") for one in tree.iter("testsuite")} == {"0"}
    assert "failed (advisory): touched meanwhile: " in (folder / "junit.xml").read_text(encoding="utf-8")


def test_a_waived_claim_is_shown_first(service: Stack) -> None:
    """A waived service claim lets the run through, and the waiver is the first thing that is told."""
    next_server(service, "auth-off")
    waived = [
        word
        for name in ("test_wrong_credentials_are_refused", "test_nobody_is_let_in_without_credentials")
        for word in ("--waive", f"post/test_server.py::{name}")
    ]
    done, record = ended(service, 0, *WAIVED, *waived)
    first = [line.partition(",")[0] for line in done.stdout.splitlines()[:3]]

    assert first == [f"WAIVED by Ada: {one}" for one in (CHANGED, *waived[1::2])]
    assert [one["reason"] for one in record["waivers"]] == ["as a test"] * 3
    assert sum(one["outcome"] == "waived" for one in record["results"]) == 3
    junit = ET.parse(targets.latest(service) / "junit.xml")
    assert [one for name in ("failure", "error") for one in junit.iter(name)] == []
