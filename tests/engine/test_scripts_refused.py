"""Scripts that would do harm are foreseen while the service still runs: refused, and nothing was touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import targets
from tests.engine import by_scripts as bad
from tests.engine import service as seen
from tests.engine.by_scripts import START, STOP, by
from tests.faults import FAULT
from tests.stacks import Stack, engine, run

SKIP = "SKIP_Kestra_AUTO_START"


@pytest.fixture(autouse=True)
def _untouched(service: Stack) -> Iterator[None]:
    """See that every test of this file leaves the service as it was: the same containers, started at the same time."""
    then = (seen.identity(service), seen.identity(service, seen.DATABASE))
    yield
    assert (seen.identity(service), seen.identity(service, seen.DATABASE)) == then
    assert seen.health(service) == "200 UP"


@pytest.fixture(scope="module", name="relative")
def _relative(service: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container of somebody else's, of an image that was built from the service's."""
    folder, image = tmp_path_factory.mktemp("relative"), seen.unique("team:1")
    (folder / "Dockerfile").write_text(f"FROM {service.image}\nLABEL team=flows\n")
    run(["docker", "build", "-q", "-t", image, str(folder)], cwd=folder)
    try:
        with seen.container(seen.unique("relative"), image=image) as made:
            yield str(made.name)
    finally:
        run(["docker", "image", "rm", "-f", image], cwd=folder, check=False)


REFUSED = [
    pytest.param(
        {"stop": by("stop-by-a-name-that-is-gone.sh"), "start": by("start-a-second-one.sh")},
        {
            "test_the_stop_script_stops_the_service": "Nenhum contêiner Kestra em execução",
            "test_the_start_script_starts_this_service_once": "two Kestras on one database",
        },
        id="a stop that finds nothing and a second Kestra",
    ),
    pytest.param(
        {"stop": STOP, "start": by("start-pulls-when-the-old-one-is-gone.sh")},
        {
            "test_the_scripts_fetch_nothing": "start pulls ",
            "test_the_owner_stays_the_same": "takes_over = true",
        },
        id="a pull after the removal, and docker run in Compose's place",
    ),
    pytest.param(
        {"stop": STOP, "start": by("start-from-another-env-file.sh")},
        {"test_the_start_script_reads_the_named_env_files": "own/.env"},
        id="another env file",
    ),
    pytest.param(
        {"stop": STOP, "start": by("start-blames-its-own-port.sh")},
        {"test_the_start_script_starts_this_service_once": "✓ Tools Stack started"},
        id="it blames its own port",
    ),
    pytest.param(
        {"stop": STOP, "start": by("start-applies-nothing.sh")},
        {"test_the_start_script_starts_this_service_once": "it would create nothing, not "},
        id="a restart of the old container",
    ),
    pytest.param(
        {"status": by("status-that-stops.sh"), "stop": STOP, "start": by("start-with-half-a-sentence.sh")},
        {
            "test_the_scripts_hit_this_service_only": "status stops",
            "test_every_script_can_be_started": "syntax error near unexpected token `)'",
        },
        id="a look that stops, and half a sentence",
    ),
    pytest.param(
        {"stop": STOP, "start": by("run-plain.sh", "--detatch", takes_over=True)},
        {"test_the_server_gets_its_own_words": "it would run `--detatch`"},
        id="a mistyped option",
    ),
]


@pytest.mark.parametrize(("steps", "says"), REFUSED)
def test_it_is_foreseen(service: Stack, steps: dict[str, Any], says: dict[str, str]) -> None:
    """What the scripts would do is known from their rehearsal, and closes the gate in words that name it."""
    bad.target(service, **steps)
    _, record, found = bad.ended(service, 10)

    assert record["verdict"] == "REFUSED"
    assert [word for check, word in says.items() if word not in found.get(check, "")] == []


def test_somebody_elses_container_and_passwords(service: Stack, relative: str) -> None:
    """A stop by image would end a container that was built from it, which is named and runs on; a start shows passwords.

    Both are refused, and no file of the evidence holds a password.
    """
    stop, start = by("stop-every-container-of-the-image.sh"), by("start-shows-its-passwords.sh")
    bad.target(service, stop=stop, start=start)
    told, _, found = bad.ended(service, 10)
    secrets = [service.env["KESTRA_DB_PASSWORD"], service.env["KESTRA_BASICAUTH_PASSWORD"]]
    texts = [one.read_text(errors="replace") for one in targets.latest(service).iterdir()]

    assert f"stop stops {relative} (no Compose project)" in found["test_the_scripts_hit_this_service_only"]
    with engine() as client:
        assert client.containers.get(relative).status == "running"
    assert "start prints " in found["test_the_scripts_show_no_secret"]
    assert not any(secret in text for secret in secrets for text in (told, *texts))


def test_a_start_that_leaves_kestra_out_on_purpose(service: Stack) -> None:
    """A variable that leaves Kestra out is a reason to refuse, with its name and value; one that nobody reads is named."""
    bad.target(service, stop=STOP, start=by("start-leaves-out.sh", environment={SKIP: "0"}))
    _, record, found = bad.ended(service, 10, env={"SKIP_KESTRA_AUTO_START": "1"})

    assert f"{SKIP}=0 is set" in found["test_no_setting_leaves_the_service_out"]
    alike = bad.advice(record, "test_no_setting_is_one_that_nobody_reads")
    assert alike == "failed: nobody reads SKIP_KESTRA_AUTO_START"


@FAULT(
    kind="a script is missing, a folder or not executable",
    phase="before",
    happened="refused, each by its step",
    verdict="REFUSED",
)
def test_what_is_not_there(service: Stack) -> None:
    """A script that is missing, a directory or not executable is told by its step; so is all else that is not there."""
    gateway = seen.unique("gateway")
    needs = {
        "files": [".env", "config/.env.defaults"],
        "containers": [gateway],
        "networks": [f"{service.project}_default", "kestra_internal"],
        "ports": [int(service.env["KESTRA_HTTP_PORT"]), 1],
    }
    steps = {"status": by("nowhere.sh"), "stop": {**by("x"), "command": ["own"]}, "start": by("run-plain.sh")}
    bad.target(service)
    targets.target_file(service, needs=needs, steps=steps)
    (service.root / bad.OWN / "run-plain.sh").chmod(0o644)
    _, _, found = bad.ended(service, 10)
    said = found["test_every_script_can_be_started"]

    assert "nowhere.sh (status): missing" in said
    assert "own (stop): a directory" in said
    assert "run-plain.sh (start): not executable" in said
    assert found["test_what_is_named_exists"].partition(" → ")[0].split("; ") == [
        "file config/.env.defaults: does not exist",
        f"container {gateway}: does not exist",
        "network kestra_internal: does not exist",
        "port 1: nothing listens there",
    ]


@FAULT(
    kind="a validation command can say nothing",
    phase="before",
    happened="refused",
    verdict="REFUSED",
)
def test_validation_commands_that_can_say_nothing(service: Stack) -> None:
    """A validation that has looked at nothing, prints no JSON or hangs is known before the stop."""
    healthy = {"key": "overallHealth", "value": "healthy"}
    kinds: dict[str, dict[str, Any]] = {
        "nothing": {"checked": {"key": "summary.servicesChecked", "least": 1}},
        "no-json": {},
        "hangs": {"limit": "1s"},
    }
    validate = [
        {"name": kind, "command": ["own/validate.sh", kind], "reads": "json", "healthy": healthy, **more}
        for kind, more in kinds.items()
    ]
    bad.target(service, validate, stop=STOP, start=START)
    _, _, found = bad.ended(service, 10)
    said = found["test_the_validation_commands_can_be_read"]

    assert "no-json: what it printed is no JSON" in said
    assert "hangs: it did not end within 1 s" in said
    assert "nothing has looked at 0" in found["test_the_validation_commands_look_at_something"]


@FAULT(
    kind="unknown keys in the target file",
    phase="plan",
    happened="said in one message, and nothing is looked at",
    verdict="USAGE ERROR",
)
def test_a_driver_and_a_step_that_nobody_knows(service: Stack) -> None:
    """What is written wrong in the target file is said in one message, and nothing is looked at."""
    bad.target(service, strat=START, stop={"driver": "scirpts", "command": []}, start={"driver": "scripts"})
    done = targets.procedure(service)

    assert done.returncode == 4
    for said in (
        "'steps.strat' is unknown (did you mean steps.start?)",
        "(did you mean scripts?)",
        "'steps.start.command' is missing",
    ):
        assert said in done.stdout + done.stderr
