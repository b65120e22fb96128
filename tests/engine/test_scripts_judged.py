"""Scripts that nobody can foresee are judged by what they did: never green without reason, and never worse off."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures.kestra.words import LEAVES_OUT
from tests import targets
from tests.engine import by_scripts as bad
from tests.engine import service as seen
from tests.engine.by_scripts import COMPOSE, START, STOP, WAIVED, by, own
from tests.engine.heard import heard
from tests.faults import FAULT
from tests.foreign import foreign
from tests.stacks import SOURCE, Stack, stack, wait_for
from tests.variants import variant

EXAMPLE = tomllib.loads((SOURCE / "examples" / "scripts" / "target.toml").read_text())
UNREHEARSED = {"rehearse": False}


@pytest.fixture(autouse=True)
def _well(service: Stack) -> Iterator[None]:
    """Let each test begin with a service that runs and owes nothing."""
    yield
    for journal in targets.journals(service):
        journal.unlink()
    if seen.health(service) != "200 UP" or len(service.containers(seen.SERVICE)) != 1:
        bad.remove(service)
        service.up("kestra")


def test_the_stacks_own_scripts(service: Stack) -> None:
    """The worked example: a stack driven by its own scripts is restarted, validated and accepted; its words are kept."""
    example = {key: EXAMPLE[key] for key in ("steps", "validate", "needs")}
    example["steps"]["save_logs"] = by("logs-for-ever.sh", limit="2s")
    bad.target(service)
    targets.target_file(service, **example)
    then = seen.identity(service)
    with foreign(service):
        _, record, _ = bad.ended(service, 0)
    folder = targets.latest(service)

    assert seen.identity(service) != then
    assert "interrompido" in bad.step(record, "stop")["output"]
    assert "it was ended at its limit of 2 s" in bad.step(record, "save_logs_by_script")["reason"]
    assert "Server Running" in (folder / "script-save_logs_by_script.txt").read_text()
    assert [one["healthy"] for one in record["snapshots"][-1]["validations"]] == [True, True]
    assert "health-check-all" in (folder / "report.html").read_text()


@FAULT(
    kind="scripts end with failures and did their work",
    phase="stop",
    happened="the exit statuses are believed in nothing",
    verdict="ACCEPTED",
)
def test_wrong_exit_codes_of_scripts_that_did_their_work(service: Stack) -> None:
    """A stop that ends with 1 and a start that ends with 2 are believed in nothing; what they left running is ended."""
    bad.target(service, stop=by("stop-well-and-end-with-1.sh"), start=by("start-well-and-end-with-2.sh"))
    _, record, _ = bad.ended(service, 0)
    said = bad.advice(record, "test_the_scripts_ended_well")

    assert "stop: it ended with 1, it left processes running, which were ended: " in said
    assert "sleep 611" in said
    assert "left-behind" in said
    assert "start: it ended with 2" in said
    assert (bad.step(record, "start")["status"], bad.step(record, "start")["exit_code"]) == ("done", 2)


# After a kill the heartbeat of a real server stays young for longer than the next test would wait.
@pytest.mark.understudy
@FAULT(
    kind="a stop script kills and says ✓",
    phase="stop",
    happened="the service is back; that it was killed is told",
    verdict="NOT ACCEPTED",
)
def test_a_kill_that_is_called_a_stop_and_passwords_on_the_screen(service: Stack) -> None:
    """A script that says ✓ and ends with 0 has killed the server: not accepted, and the service is back.

    What the start then prints is redacted before it is stored: no file of the evidence holds a password.
    """
    start = by("start-shows-its-passwords.sh", **UNREHEARSED)
    bad.target(service, stop=by("stop-says-stopped-after-a-kill.sh"), start=start)
    told, record, found = bad.ended(service, 11, *WAIVED)
    secrets = [service.env["KESTRA_DB_PASSWORD"], service.env["KESTRA_BASICAUTH_PASSWORD"]]
    texts = [one.read_text(errors="replace") for one in targets.latest(service).iterdir()]

    assert bad.step(record, "stop")["exit_code"] == 0
    assert "✓" in bad.step(record, "stop")["output"]
    assert "the server was killed" in found["test_the_stop_was_clean"]
    assert service.is_ready()
    assert "KESTRA_DB_PASSWORD=[redacted]" in bad.step(record, "start")["output"]
    assert not any(secret in text for secret in secrets for text in (told, *texts))


@pytest.mark.parametrize("script", ["stop-by-a-name-that-is-gone.sh", "stop-hangs.sh"])
@FAULT(
    kind="a stop script stops nothing, or hangs",
    phase="stop",
    happened="nothing is started beside what runs on",
    verdict="NOT ACCEPTED",
)
def test_a_stop_that_stops_nothing(service: Stack, script: str) -> None:
    """Where the stop has not touched the server nothing is started beside it: it runs on, and nothing is accepted."""
    bad.target(service, stop=by(script, **UNREHEARSED, limit="2s"), start=START)
    then = seen.identity(service)
    _, record, _ = bad.ended(service, 11, *WAIVED)

    assert seen.identity(service) == then
    assert seen.health(service) == "200 UP"
    assert "is still running after the stop command" in str(record["steps"]) + str(record["results"])
    assert bad.step(record, "start")["status"] == "planned"


@pytest.mark.understudy
@FAULT(
    kind="a stop script ends somebody else's container too",
    phase="stop",
    happened="named by the engine's events, with its way back",
    verdict="NOT ACCEPTED",
)
def test_a_stop_that_ends_somebody_elses_container_too(images: None, tmp_path: Path) -> None:
    """A stop that nobody could rehearse is judged by the engine's events: the other container is named, with its way back."""
    # An image of its own: this script really stops every container of it, other tests' ones too.
    with variant("0.20.8") as image, stack(tmp_path, KESTRA_IMAGE=image) as alone:
        seen.seed(alone.up())
        bad.target(alone, stop=by("stop-every-container-of-the-image.sh", **UNREHEARSED), start=START)
        with seen.container(seen.unique("relative"), image=image, init=True) as other:
            _, _, found = bad.ended(alone, 11, *WAIVED)
            assert f"{other.name} (kill)" in found["test_the_scripts_touched_nothing_else"]
        assert "docker start" in found["test_the_scripts_touched_nothing_else"]
        assert alone.is_ready()


@FAULT(
    kind="a start script does nothing and says ✓",
    phase="start",
    happened="two ways to bring the service up are told",
    verdict="SERVICE DOWN",
)
def test_a_start_that_does_nothing(service: Stack) -> None:
    """A start that only says that it is done leaves the service down: that is said, with two ways to bring it up."""
    bad.target(service, stop=STOP, start=by("start-does-nothing.sh", **UNREHEARSED))
    told, record, _ = bad.ended(service, 12, *WAIVED)
    start = bad.step(record, "start")

    assert (start["status"], start["exit_code"]) == ("failed", 0)
    assert "no container of the service was started by it" in start["reason"]
    by_hand = told.partition("By hand\n")[2]
    assert f"cd {service.root} && own/start-does-nothing.sh" in by_hand
    assert "up -d --no-deps --force-recreate --pull never kestra" in by_hand


def test_compose_stands_in_for_a_start_that_does_nothing(service: Stack) -> None:
    """Where the target file says so, Compose brings the service that the script did not: up, and not accepted."""
    bad.target(service, stop=STOP, start=by("start-does-nothing.sh", **UNREHEARSED, fallback="compose"))
    _, record, found = bad.ended(service, 11, *WAIVED)

    assert bad.step(record, "fallback")["status"] == "done"
    assert "Compose had to start it" in found["test_the_start_script_was_enough"]
    assert service.is_ready()


@FAULT(
    kind="a script that was only to look ends the service",
    phase="prepare",
    happened="it is started again, and the run goes no further",
    verdict="NOT ACCEPTED",
)
def test_a_look_that_ends_the_service(service: Stack) -> None:
    """A script that was only to look and ends the service is found out: started again, told, and the run goes no further."""
    bad.target(service, status=by("status-that-stops.sh", **UNREHEARSED))
    told, record, _ = bad.ended(service, 11, *WAIVED)

    assert "a script that was only to look has ended" in told
    assert [one["step"]["name"] for one in record["steps"] if one["status"] == "planned"] == ["stop"]
    assert service.is_ready()


@FAULT(
    kind="a start script reads the env file in a way of its own",
    phase="after",
    happened="foreseen, or, where nobody may rehearse it, named afterwards",
    verdict="REFUSED, NOT ACCEPTED",
)
def test_a_value_cut_short_and_a_validation_that_disagrees(service: Stack) -> None:
    """Where a script reads the env file in a way of its own, that is foreseen, or named afterwards and not accepted.

    A command that was content before the stop and is not after the start withholds acceptance too.
    """
    healthy = {"key": "overallHealth", "value": "healthy"}
    validate = [
        {
            "name": "after-all",
            "command": ["own/validate.sh", "after-all"],
            "reads": "json",
            "healthy": healthy,
        }
    ]
    bad.target(service, stop=STOP, start=by("start-with-a-value-cut-short.sh"))
    _, _, foreseen = bad.ended(service, 10)
    assert "UNDERSTUDY" in foreseen["test_the_running_container_has_the_same_configuration"]

    bad.target(service, validate, stop=STOP, start=by("start-with-a-value-cut-short.sh", **UNREHEARSED))
    _, _, found = bad.ended(service, 11, *WAIVED)

    assert "UNDERSTUDY" in found["test_the_script_gave_what_was_checked"]
    said = found["test_the_operators_validation_agrees"]
    assert "after-all says not healthy, this run observed that the service is healthy" in said
    bad.remove(service)


def test_from_compose_to_docker_run_and_back(service: Stack) -> None:
    """A container by `docker run --rm` is taken over, restarted as its own, and given back, only as far as that is asked."""
    bad.target(service, stop=STOP, start=by("run-plain.sh", takes_over=True))
    bad.ended(service, 0)
    bad.target(service, stop=STOP, start=by("run-plain.sh"))
    _, record, _ = bad.ended(service, 0)
    # It has gone with its state: the engine's events told how it ended, and its log was saved before.
    assert any(one["action"] == "die" and one["attributes"]["exitCode"] == "143" for one in record["events"])
    assert (targets.latest(service) / f"log-before-{service.project}-kestra.txt").stat().st_size > 0
    assert service.containers(seen.SERVICE) == []

    bad.target(service, stop=STOP, start=COMPOSE)
    _, _, found = bad.ended(service, 10)
    assert "is already in use" in found["test_the_driver_knows_the_container"]

    bad.target(service, stop=STOP, start={**COMPOSE, "takes_over": True})
    bad.ended(service, 0)
    assert len(service.containers(seen.SERVICE)) == 1


def test_the_whole_stack_by_its_script_with_kestra_and_without(service: Stack) -> None:
    """The script that starts the whole stack is a start like any other; told to leave Kestra out, it ends as just that.

    Nobody starts what was left out on purpose: the run says why the service is down, and judges the rest.
    """
    start = {"driver": "scripts", "command": ["scripts/docker/start-stacks.sh", "--phase", "tools"]}
    bad.target(service, stop=STOP, start=start)
    _, record, _ = bad.ended(service, 0)
    assert "✓ Stack Tools iniciada" in bad.step(record, "start")["output"]

    bad.target(service, stop=STOP, start={**start, **UNREHEARSED, "fallback": "compose"})
    _, _, found = bad.ended(service, 10, *WAIVED, env={LEAVES_OUT: "1"})
    assert f"{LEAVES_OUT}=1 is set" in found["test_no_setting_leaves_the_service_out"]

    meant = ("--waive", "pre/test_scripts.py::test_no_setting_leaves_the_service_out")
    _, record, found = bad.ended(service, 12, *WAIVED, *meant, env={LEAVES_OUT: "1"})
    assert record["verdict_reasons"][0].startswith(
        f"the service was left out on purpose: {LEAVES_OUT}=1 is set"
    )
    assert "a stack Tools inicia sem o Kestra" in bad.step(record, "start")["output"]
    assert bad.step(record, "fallback")["status"] == "planned"
    assert [one.status for one in service.containers(seen.SERVICE)] in ([], ["exited"])
    assert service.health(seen.DATABASE) == "healthy"
    assert "test_postgres_lets_the_server_in" not in found


def test_recovery_by_scripts(service: Stack) -> None:
    """A service that has ended is brought back by the stack's own start script."""
    bad.target(service, stop=own("stop.sh"), start=own("run.sh", "--detach"))
    service.container(seen.SERVICE).stop(timeout=15)
    wait_for(lambda: service.container(seen.SERVICE).status == "exited", "the server to end", 10)
    _, record, _ = bad.ended(service, 0, name="recover")

    assert bad.step(record, "start")["status"] == "done"
    assert service.is_ready()


def test_a_plan_of_scripts_writes_nothing(service: Stack) -> None:
    """`--plan` rehearses every script for real, and leaves engine and files as they were."""
    bad.target(service)
    targets.target_file(service, **{key: EXAMPLE[key] for key in ("steps", "validate", "needs")})
    before, identity = seen.files(service.root), seen.identity(service)

    with heard() as changes:
        done = targets.procedure(service, "--plan")

    assert done.returncode == 0, done.stdout + done.stderr
    assert before == seen.files(service.root)
    assert identity == seen.identity(service)
    assert changes.of(f"com.docker.compose.project={service.project}") == []
