"""Canaries: passwords whose characters every encoding writes in another way are nowhere to be found afterwards."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import canaries, targets
from tests.canaries import Canary, canary
from tests.engine import service as seen
from tests.faults import FAULT
from tests.stacks import Stack, stack, wait_for


@pytest.fixture(scope="module")
def service(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with canaries as passwords, in its `.env` as an operator must write them there."""
    passwords = {"KESTRA_DB_PASSWORD": canary("db").value, "KESTRA_BASICAUTH_PASSWORD": canary("web").value}
    with stack(tmp_path_factory.mktemp("stack")) as made:
        plain = made.env | passwords
        made.set_env(**{key: f"'{value}'" for key, value in passwords.items()})
        written = made.env_file.read_text()
        made.env = plain
        made.write_env_text(written)
        yield seen.seed(made.up())


@pytest.fixture(scope="module", name="known")
def _known(service: Stack) -> tuple[str, str]:
    return service.env["KESTRA_DB_PASSWORD"], service.env["KESTRA_BASICAUTH_PASSWORD"]


def hits(service: Stack, output: str, *more: Canary, owed: bool = False) -> list[str]:
    """Where a canary of the env file, or another one, stands, in what form: streams, files, their names, journals.

    Only a run that owes a start has left what the start is to go by.
    """
    keys = ("KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD")
    known = [canaries.read_back(key, service.env[key]) for key in keys]
    state = service.root / targets.STATE
    places = canaries.places(output, targets.archive(service), state)
    assert len(places) > 5, "nothing was searched"
    assert any(canaries.is_kept(one) for one in state.rglob("*") if one.is_file()) is owed
    return canaries.leaks([*known, *more], places)


def told(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def test_an_accepted_run_holds_no_secret(service: Stack) -> None:
    """Awkward passwords in single quotes reach the server whole, and no file, name or stream of the run holds one."""
    done = targets.procedure(service)

    assert done.returncode == 0, done.stdout
    assert hits(service, told(done)) == []


def test_the_servers_log_is_searched_too(service: Stack) -> None:
    """A password that the server itself logs is gone from the logs that the run saves."""
    secret = service.env["KESTRA_BASICAUTH_PASSWORD"]
    for form in (secret, quote(secret, safe=""), json.dumps(secret)):
        speak(service, f"login of admin with {form} failed")
    done = targets.procedure(service)
    log = next(targets.latest(service).glob("log-before-*-kestra.txt")).read_text()

    assert done.returncode == 0, done.stdout
    assert log.count("login of admin with ") == 3
    assert hits(service, told(done)) == []


def test_wrapped_base64_in_the_servers_log_is_gone(service: Stack) -> None:
    """Docker puts a time before every line, and the lines of one token are one secret all the same."""
    secret = service.env["KESTRA_DB_PASSWORD"]
    text = canaries.WRITERS["in base64 of 76 columns"](secret)
    speak(service, f"here:\n{text}\nthere")
    done = targets.procedure(service)
    log = next(targets.latest(service).glob("log-before-*-kestra.txt")).read_text()

    assert done.returncode == 0, done.stdout
    assert [line for line in text.splitlines()[:2] if line in log] == []
    assert "here:" in log
    assert hits(service, told(done)) == []


def test_a_line_that_compose_cannot_read_is_not_echoed(service: Stack) -> None:
    """Compose quotes what it does not understand, and the rest of the file with it."""
    text = service.env_file.read_text()
    lost = canary("lost").value
    service.write_env_text(f"{text}\nMY PASSWORD={lost}\n")
    then = service.env["KESTRA_DB_PASSWORD"]
    service.env["KESTRA_DB_PASSWORD"] = lost
    try:
        done = targets.procedure(service)
        mine = hits(service, told(done))
    finally:
        service.env["KESTRA_DB_PASSWORD"] = then
        service.write_env_text(text)

    assert done.returncode in {10, 16}, done.stdout
    assert mine == []
    assert hits(service, told(done)) == []


@FAULT(
    kind="the container goes, and its log with it",
    phase="stop",
    happened="what it said from the stop to its end is in the evidence, for its owner alone",
    verdict="ACCEPTED",
)
def test_a_run_is_for_its_owner_and_keeps_the_last_words(service: Stack) -> None:
    """Folders 0700, files 0600, whoever wrote them; and what the old container said from its stop to its end."""
    done = targets.procedure(service)
    folder = targets.latest(service)
    (last,) = folder.glob("log-stop-*-kestra.txt")
    files = [folder.parent / "index.html", *folder.iterdir()]

    assert done.returncode == 0, done.stdout
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {oct(stat.S_IMODE(one.stat().st_mode)) for one in files} == {"0o600"}
    assert "shutdown" in last.read_text().lower()
    assert "Server Running" not in last.read_text()
    assert last.name in {one["name"] for one in targets.record(folder)["files"]}


def speak(service: Stack, words: str) -> None:
    """Let the container's log hold a line: what its first process writes is what Docker keeps."""
    done = service.container(seen.SERVICE).exec_run(
        ["sh", "-c", 'printf "%s\\n" "$WORDS" > /proc/1/fd/1'], environment={"WORDS": words}
    )
    assert done.exit_code == 0, done.output


def test_a_refused_run_holds_no_secret(service: Stack) -> None:
    """A refusal that is about the password itself does not say it."""
    text = service.env_file.read_text()
    wrong = canary("wrong").value
    service.write_env_text(text.replace(service.env["KESTRA_DB_PASSWORD"], wrong))
    then = service.env["KESTRA_DB_PASSWORD"]
    service.env["KESTRA_DB_PASSWORD"] = wrong
    try:
        done = targets.procedure(service)
        mine = hits(service, told(done))
    finally:
        service.env["KESTRA_DB_PASSWORD"] = then
        service.write_env_text(text)

    assert done.returncode == 10, done.stdout
    assert mine == []
    # The running containers still have the old one: that is a secret as well.
    assert hits(service, told(done)) == []


def commanded(service: Stack, *words: str) -> None:
    """Let the compose file give the server more words."""
    text = service.compose_file.read_text()
    command = json.dumps(["server", "standalone", *words]).replace("$", "$$")
    lines = [f"    command: {command}" if "command: " in one else one for one in text.splitlines()]
    service.compose_file.write_text("\n".join(lines) + "\n")


def test_secrets_of_a_command_are_known(service: Stack) -> None:
    """What stands in the server's words, the running one's and the new one's, is a secret as a variable's value is."""
    then = service.compose_file.read_text()
    option, word, url, new = canary("option"), canary("word"), canary("url", ""), canary("new")
    proxy = f"--proxy=http://u:{url.value}@127.0.0.1:3128"
    more = (f"-Dcanary.password={option.value}", "--canary-token", word.value, proxy)
    recreate = ("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", seen.SERVICE)
    try:
        commanded(service, *more)
        service.compose(*recreate)
        service.wait_until_ready()
        speak(service, f"started by {' '.join(more)}")
        done = targets.procedure(service)
        commanded(service, f"-Dcanary.password={new.value}")
        refused = targets.procedure(service)
    finally:
        service.compose_file.write_text(then)
        service.compose(*recreate)
        service.wait_until_ready()

    assert done.returncode == 0, done.stdout + done.stderr
    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert hits(service, told(done) + told(refused), option, word, url, new) == []


def test_an_interrupted_run_holds_no_secret(service: Stack) -> None:
    """A run that was asked to end in the outage holds none either, nor does one that was killed and recovered."""
    run = targets.started(service)
    targets.wait_for_step(service, run, "stop", "end")
    os.kill(run.pid, signal.SIGTERM)
    output, _ = run.communicate(timeout=60)

    assert run.returncode == 14, output
    assert hits(service, output) == []

    wait_for(service.is_ready, "the service to be back", 30)
    killed = targets.started(service)
    targets.wait_for_step(service, killed, "stop", "end")
    killed.kill()
    output, _ = killed.communicate(timeout=60)
    seen.wait_until_gone(service)

    assert hits(service, output, owed=True) == []

    recovered = targets.procedure(service, name="recover")

    assert recovered.returncode == 0, recovered.stdout
    assert hits(service, told(recovered)) == []


def test_the_search_finds_what_is_there(service: Stack, known: tuple[str, str]) -> None:
    """The search itself is no blind one: each form of each canary is found in a file that holds it."""
    users = (service.env["KESTRA_DB_USER"], service.env["KESTRA_BASICAUTH_USERNAME"])
    planted: dict[Path, str] = {}
    for secret in known:
        forms = {how: write(secret) for how, write in canaries.WRITERS.items()}
        for user in users:
            pair = canaries.in_base64(f"{user}:")(secret)
            forms[f"in base64 with {user}"] = pair
            forms[f"in base64 with {user}, without its end"] = pair.rstrip("=")[:-2]
        for how, form in forms.items():
            file = targets.archive(service) / f"canary {len(planted)}.txt"
            file.write_text(f"before{form}after")
            planted[file] = how
    found = hits(service, "")
    for file in planted:
        file.unlink()

    assert [how for file, how in planted.items() if not any(str(file) in one for one in found)] == []
