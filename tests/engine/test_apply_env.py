"""Applying changed settings: each is tried before the stop, takes effect afterwards, or is taken back."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT
from tests.stacks import Stack, free_port, password, wait_for


@contextmanager
def changed(stack: Stack, **settings: str) -> Iterator[None]:
    """The env file with other values; put back where the run has not applied them."""
    old = {key: stack.env[key] for key in settings}
    given = stack.container("kestra").id
    stack.set_env(**settings)
    try:
        yield
    finally:
        if stack.container("kestra").id == given or not stack.is_ready():
            stack.set_env(**old)


@contextmanager
def role_password(stack: Stack, new: str) -> Iterator[None]:
    """The password as the database has it; put back where the env file says the old one afterwards."""
    user, old = stack.env["KESTRA_DB_USER"], stack.env["KESTRA_DB_PASSWORD"]
    stack.psql(f"ALTER ROLE {user} PASSWORD '{new}'")
    try:
        yield
    finally:
        if stack.env["KESTRA_DB_PASSWORD"] == old:
            stack.psql(f"ALTER ROLE {user} PASSWORD '{old}'")


def record(stack: Stack) -> dict[str, Any]:
    return targets.record(targets.latest(stack))


def test_nothing_to_apply(service: Stack) -> None:
    """Where the container has every value already, that is said and nothing is touched."""
    identity = seen.identity(service)

    done = targets.procedure(service, name="apply_env")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing to apply" in done.stdout
    assert identity == seen.identity(service)


def test_a_service_that_is_down_is_started(service: Stack) -> None:
    """Nothing to apply is no reason to leave a service down."""
    service.compose("stop", "kestra")

    done = targets.procedure(service, name="apply_env")

    assert done.returncode == 0, done.stdout + done.stderr
    assert service.is_ready()


def test_a_new_port(service: Stack) -> None:
    """The service moves to its new port, the old one is closed, and the outage is measured across the move."""
    old, new = service.env["KESTRA_HTTP_PORT"], str(free_port())

    with changed(service, KESTRA_HTTP_PORT=new):
        done = targets.procedure(service, name="apply_env")

        assert done.returncode == 0, done.stdout + done.stderr
        assert "KESTRA_HTTP_PORT" in done.stdout
        assert service.is_ready()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{old}/ping", timeout=5)
    path = next(one for one in record(service)["outage"]["paths"] if one["path"] == "ping")
    assert 0.1 < path["length"] < 30


def test_a_new_port_that_is_taken(service: Stack) -> None:
    """A port that another process listens on is refused before the stop."""
    identity, new = seen.identity(service), free_port()

    with seen.listener(new, socket.AF_INET, "127.0.0.1"), changed(service, KESTRA_HTTP_PORT=str(new)):
        done = targets.procedure(service, name="apply_env")

    assert done.returncode == 10, done.stdout + done.stderr
    assert str(new) in done.stdout
    assert identity == seen.identity(service)


def test_a_new_basic_auth_password(service: Stack) -> None:
    """The new password lets in, the old one does not any more, and neither is told anywhere."""
    user, old = service.auth
    new = password()

    with changed(service, KESTRA_BASICAUTH_PASSWORD=new):
        done = targets.procedure(service, name="apply_env")

        assert done.returncode == 0, done.stdout + done.stderr
        assert service.is_ready()
    answer = httpx.get(f"{service.http_url}/api/v1/flows/search?size=1", auth=(user, old), timeout=5)
    assert answer.status_code == 401
    evidence = "".join(one.read_text(errors="replace") for one in targets.latest(service).iterdir())
    assert "KESTRA_BASICAUTH_PASSWORD" in evidence
    assert [one for one in (old, new) if one in evidence + done.stdout] == []


def test_a_database_password_that_the_volume_does_not_know(service: Stack) -> None:
    """The classic outage: refused before the stop, with the way to change it in the database."""
    identity = seen.identity(service)

    with changed(service, KESTRA_DB_PASSWORD=password()):
        done = targets.procedure(service, name="apply_env")

    assert done.returncode == 10, done.stdout + done.stderr
    assert "ALTER ROLE" in done.stdout
    assert identity == seen.identity(service)


def test_a_database_password_that_the_volume_knows(service: Stack) -> None:
    """A password that was changed in the database first is applied."""
    new = password()

    with role_password(service, new), changed(service, KESTRA_DB_PASSWORD=new):
        done = targets.procedure(service, name="apply_env")

        assert done.returncode == 0, done.stdout + done.stderr
        assert service.is_ready()


@pytest.mark.understudy
@FAULT(
    kind="settings with which the server does not come up",
    phase="after",
    happened="what ran before runs again, judged by the same checks",
    verdict="ROLLED BACK, ACCEPTED",
)
def test_settings_that_do_not_work_are_taken_back(service: Stack) -> None:
    """A server that does not come up with the new values runs on the old ones again, judged by the same checks."""
    env, good = service.env_file.read_text(), service.env["UNDERSTUDY"]

    with changed(service, UNDERSTUDY=f"{good} crash-at-boot"):
        failing = service.env_file.read_text()
        done = targets.procedure(service, name="apply_env")

        assert done.returncode == 13, done.stdout + done.stderr
        assert service.env_file.read_text() == failing != env
        assert service.is_ready()
        assert record(service)["verdict"] == "ROLLED BACK"
        boot = record(service)["boot"]
        assert boot["log"].startswith("log-failed-")
        assert "crash-at-boot" in (targets.latest(service) / boot["log"]).read_text()
        assert f"({boot['log']} in the run's folder)" in done.stdout
        assert "IllegalStateException: crash-at-boot" in done.stdout
        moves = [one["next_move"] for one in record(service)["results"] if one["outcome"] == "failed"]
        assert not any("docker logs" in one for one in moves)
    service.set_env(UNDERSTUDY=good)
    assert targets.procedure(service, name="apply_env").returncode == 0


@pytest.mark.understudy
@FAULT(
    kind="settings with which the server comes up and lets everybody in",
    phase="after",
    happened="what ran before runs again; the outage is both stretches in which users were without the service",
    verdict="ROLLED BACK",
)
def test_a_way_back_is_part_of_the_outage(service: Stack) -> None:
    """Stopped for the new values, and again for the old ones: the sum of both is told everywhere, and each of them."""
    good = service.env["UNDERSTUDY"]

    with changed(service, UNDERSTUDY=f"{good} auth-off"):
        done = targets.procedure(service, name="apply_env")
    service.set_env(UNDERSTUDY=good)

    assert done.returncode == 13, done.stdout + done.stderr
    outage = record(service)["outage"]
    for path in outage["paths"]:
        # A machine that is busy loses a look now and then: such a silence is told beside the two that we have made.
        # The API is asked now and then until the first stretch is over, so it may not have met that one.
        assert len(path["silences"]) >= (1 if path["path"] == "api" else 2), path
        assert path["length"] == pytest.approx(sum(one["length"] for one in path["silences"]))
    told = next(one for one in outage["paths"] if one["headline"])
    assert f"  outage: {told['length']:.3f} s ± " in done.stdout
    for page in (targets.latest(service) / "report.html", targets.latest(service).parent / "index.html"):
        assert f"in {len(told['silences']) + told['unlisted']} stretches: " in page.read_text()


@FAULT(
    kind="a signal that asks the run to end",
    phase="landing",
    happened="of a change: the old values are started, since the new ones were never seen to work",
    verdict="INTERRUPTED",
)
def test_a_signal_in_the_outage_brings_back_what_ran(service: Stack) -> None:
    """Whoever ends the run between stop and start gets the old values back: the new ones were never seen to work."""
    new = password()
    with changed(service, KESTRA_BASICAUTH_PASSWORD=new):
        run = targets.started(service, name="apply_env")
        targets.wait_for_step(service, run, "stop")
        os.kill(run.pid, signal.SIGTERM)
        output, _ = run.communicate(timeout=targets.LIMIT)

        assert run.returncode == 14, output
        wait_for(
            lambda: _lets_in(service, given(service)["TOOLS_BASICAUTH_PASSWORD"]),
            "the old password to be let in",
            30,
        )
        assert not _lets_in(service, new)


@pytest.mark.understudy
@FAULT(
    kind="a signal that asks the run to end",
    phase="way back",
    happened="landing ends the way back: what ran before runs",
    verdict="INTERRUPTED",
)
def test_a_signal_on_the_way_back_brings_back_what_ran(service: Stack) -> None:
    """A way back that is cut off between its stop and its start is ended by landing: nothing stays down silently."""
    good = service.env["UNDERSTUDY"]
    with changed(service, UNDERSTUDY=f"{good} crash-at-boot"):
        run = targets.started(service, name="apply_env")
        targets.wait_for_step(service, run, "back_stop")
        os.kill(run.pid, signal.SIGTERM)
        output, _ = run.communicate(timeout=targets.LIMIT)

        assert run.returncode == 14, output
        wait_for(service.is_ready, "what ran before to run again", 30)
        assert given(service)["UNDERSTUDY"] == good
    service.set_env(UNDERSTUDY=good)
    if targets.procedure(service).returncode == 15:
        assert targets.procedure(service, name="recover").returncode == 0


def given(stack: Stack) -> dict[str, str]:
    """What the container was given when it was made."""
    return dict(one.partition("=")[::2] for one in stack.container("kestra").attrs["Config"]["Env"])


def _lets_in(stack: Stack, word: str) -> bool:
    try:
        url = f"{stack.http_url}/api/v1/flows/search?size=1"
        return httpx.get(url, auth=(stack.auth[0], word), timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@FAULT(
    kind="the env file is edited while the run prepares",
    phase="ready",
    happened="refused: what was checked is what would be started",
    verdict="REFUSED",
)
def test_an_env_file_that_is_edited_meanwhile(service: Stack) -> None:
    """A file that somebody edits while the run prepares closes the second gate: what was checked is what is started."""
    identity = seen.identity(service)
    with changed(service, KESTRA_BASICAUTH_PASSWORD=password()):
        run = targets.started(service, name="apply_env")
        targets.wait_for_step(service, run, "save_logs")
        service.set_env(KESTRA_BASICAUTH_PASSWORD=password())
        output, _ = run.communicate(timeout=targets.LIMIT)

    assert run.returncode == 10, output
    assert "was edited meanwhile" in output
    assert identity == seen.identity(service)


def test_the_way_back_brings_the_container_as_it_was(service: Stack) -> None:
    """An exited container comes back with what it knew itself, whatever the files say by now; what they lost is told."""
    text, good = service.compose_file.read_text(), service.env["UNDERSTUDY"]
    own = """    secrets: [word]
    configs: [{source: note, target: /etc/note}]
    networks: {default: {aliases: [old-name]}}
"""
    lists = "secrets: {word: {file: ./word}}\nconfigs: {note: {file: ./word}}\n"
    end = "    logging: *logging\n\nvolumes:"
    secret = service.compose_file.with_name("word")
    secret.write_text("a word")
    secret.chmod(0o644)
    service.compose_file.write_text(text.replace(end, end.replace("\n\n", f"\n{own}\n{lists}\n")))
    try:
        service.compose("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", "kestra")
        service.wait_until_ready()
        service.container("kestra").stop(timeout=20)
        later = service.compose_file.read_text().replace("old-name", "new-name")
        later = later.replace("start_period: 120s", "start_period: 90s").replace(
            "      JAVA_OPTS:", "      #"
        )
        service.compose_file.write_text(later)
        with changed(service, UNDERSTUDY=f"{good} crash-at-boot"):
            done = targets.procedure(service, name="apply_env")
            back = service.container("kestra")

        assert done.returncode == 13, done.stdout + done.stderr
        assert "JAVA_OPTS (removed), UNDERSTUDY" in done.stdout
        assert given(service)["JAVA_OPTS"] == service.env["JAVA_OPTS"]
        assert given(service)["UNDERSTUDY"] == good
        assert back.attrs["Config"]["Healthcheck"]["StartPeriod"] == 120 * 10**9
        (network,) = back.attrs["NetworkSettings"]["Networks"].values()
        assert "old-name" in network["Aliases"]
        assert "new-name" not in network["Aliases"]
        for file in ("/run/secrets/word", "/etc/note"):
            assert back.exec_run(["cat", file]).output == b"a word"
        assert [one["Destination"] for one in back.attrs["Mounts"] if one["Type"] == "volume"] == [
            "/app/storage"
        ]
    finally:
        service.compose_file.write_text(text)
        service.set_env(UNDERSTUDY=good)
        service.compose("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", "kestra")
        service.wait_until_ready()
