"""run.sh: what can fail is tried while the old Kestra still runs, and it is ready when it says so."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from tests.stack.scripts import (
    KILLED,
    REFUSED,
    RUN,
    STATUS,
    CommandLines,
    identity,
    library,
    neighbour,
    script,
    settings,
)
from tests.stacks import Stack, clean_environment, engine, free_port, password, stack


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Everything that hurts, in the quotes that the file needs.
    secret = f"'{password()}\"\\$x#é'"
    with stack(tmp_path_factory.mktemp("stack"), KESTRA_DB_PASSWORD=secret) as made:
        assert script(made, RUN, "--detach").returncode == 0
        yield made


def trials() -> list[str]:
    with engine() as client:
        found = client.containers.list(all=True, filters={"label": "io.kestra-restart.role=trial"})
    return [str(one.name) for one in found]


def refused(on: Stack, *arguments: str, **changed: str) -> str:
    """The sentence of a run with these settings, which must not have touched anything."""
    before = identity(on), identity(on, "kestra-postgres")
    with settings(on, **changed):
        done = script(on, RUN, "--detach", *arguments)
    assert done.returncode == REFUSED, done.stdout + done.stderr
    assert (identity(on), identity(on, "kestra-postgres")) == before
    assert on.is_ready()
    assert "Encerrando" not in done.stdout
    return done.stderr


def test_it_starts_what_compose_would(running: Stack) -> None:
    """From nothing: the container is Compose's, with health check and restart policy, and it is ready."""
    container = running.container("kestra")

    assert running.is_ready()
    assert container.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert not container.attrs["HostConfig"]["AutoRemove"]
    assert container.attrs["Config"]["Healthcheck"]["Test"]


def test_it_replaces_a_running_kestra(running: Stack) -> None:
    """A second run ends the old one cleanly, applies what changed in `.env`, and leaves the database alone.

    No password is in an argument list of any process meanwhile.
    """
    old, database = identity(running), identity(running, "kestra-postgres")
    running.set_env(JAVA_OPTS="-Dedited=yes")
    with CommandLines() as lines:
        done = script(running, RUN, "--detach")
    container = running.container("kestra")
    listed = b"".join(lines.seen)

    assert done.returncode == 0
    assert f"✓ {old[0][:12]} interrompido" in done.stdout
    assert f"Kestra pronto: {str(container.id)[:12]}" in done.stdout
    assert running.is_ready()
    assert "JAVA_OPTS=-Dedited=yes" in container.attrs["Config"]["Env"]
    assert identity(running, "kestra-postgres") == database
    assert b"psql" in listed
    for key in ("KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD"):
        assert running.env[key].strip("'").encode() not in listed
    assert script(running, STATUS).returncode == 0


def test_a_port_of_another_program_is_found_before(running: Stack) -> None:
    """A port that somebody listens on refuses the run, and both variables are named."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        said = refused(running, KESTRA_MANAGEMENT_PORT=str(port))

    assert f"Porta {port} já está em uso por outro programa" in said
    assert "KESTRA_HTTP_PORT/KESTRA_MANAGEMENT_PORT" in said


def test_a_port_of_another_container_is_found_before(running: Stack) -> None:
    """A port that another container publishes refuses the run, and the container is named."""
    port = free_port()
    with neighbour(running, f"{running.prefix}holder", port=port):
        said = refused(running, KESTRA_HTTP_PORT=str(port))

    assert f"Porta {port} já está em uso por contêiner {running.prefix}holder" in said
    assert not [name for name in trials() if running.prefix in name]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("KESTRA_DB_PASSWORD", ""),
        ("KESTRA_DB_PASSWORD", "   "),
        ("KESTRA_BASICAUTH_PASSWORD", "''"),
        ("KESTRA_BASICAUTH_USERNAME", "' '"),
        ("KESTRA_DB_HOST", ""),
        ("KESTRA_HTTP_PORT", "80a"),
        ("KESTRA_MANAGEMENT_PORT", "70000"),
    ],
)
def test_a_bad_value_is_found_before(running: Stack, key: str, value: str) -> None:
    """A blank value, or a port that is none, refuses the run by the variable's name."""
    assert key in refused(running, **{key: value})


def test_equal_ports_are_found_before(running: Stack) -> None:
    """One port cannot be both."""
    assert "mesmo valor" in refused(running, KESTRA_MANAGEMENT_PORT=running.env["KESTRA_HTTP_PORT"])


def test_a_dollar_sign_is_found_before(running: Stack) -> None:
    """A password that Compose would change is refused, and no piece of it is shown."""
    said = refused(running, KESTRA_BASICAUTH_PASSWORD="Aa1$hidden-piece")

    assert "aspas simples" in said
    assert "hidden" not in said


def test_a_broken_env_shows_no_line(running: Stack) -> None:
    """What Compose cannot read is refused without its quotation of the line."""
    said = refused(running, KESTRA_BASICAUTH_PASSWORD="'Aa1hidden-piece")

    assert "não entende" in said
    assert "hidden" not in said


@pytest.mark.parametrize("key", ["KESTRA_IMAGE", "POSTGRES_IMAGE"])
def test_a_missing_image_is_found_before(running: Stack, key: str) -> None:
    """An image that is not on the engine refuses the run; nothing is pulled."""
    assert "kestra-restart-none:9 não está nesta máquina" in refused(
        running, **{key: "kestra-restart-none:9"}
    )


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("KESTRA_DB_PASSWORD", "Wrong1Wrong1", "recusa KESTRA_DB_USER/KESTRA_DB_PASSWORD"),
        ("KESTRA_DB_HOST", "nowhere", "não se resolve"),
        ("KESTRA_DB_PORT", "5433", "sem resposta"),
    ],
)
def test_a_database_that_lets_nobody_in_is_found_before(
    running: Stack, key: str, value: str, said: str
) -> None:
    """The login is tried over the network, as Kestra will: inside its container Postgres asks for nothing."""
    assert said in refused(running, **{key: value})


def test_a_namesake_is_found_before(unstarted: Stack) -> None:
    """Somebody else's container with Kestra's name refuses the run, and keeps running."""
    with neighbour(unstarted, f"{unstarted.project}-kestra") as other, engine() as client:
        done = script(unstarted, RUN, "--detach")
        state = client.containers.get(other).attrs["State"]

    assert (done.returncode, state["Status"]) == (REFUSED, "running")
    assert "não é desta stack" in done.stderr


def test_a_variable_of_the_terminal_is_named(running: Stack) -> None:
    """For Compose the terminal beats the file: it is said which variable does so, and not what it holds."""
    done = script(running, RUN, "--detach", KESTRA_DB_PASSWORD="Wrong1Wrong1")

    assert done.returncode == REFUSED
    assert "KESTRA_DB_PASSWORD vem do ambiente" in done.stderr
    assert "Wrong1" not in done.stdout + done.stderr


@pytest.mark.understudy
@pytest.mark.parametrize(
    ("fault", "said"), [("crash-at-boot", "não ficou pronto"), ("unhealthy-body", "não ficou pronto em 4 s")]
)
def test_a_kestra_that_does_not_come_up_is_no_success(running: Stack, fault: str, said: str) -> None:
    """A container that was created is not a Kestra that is ready, and 200 is not UP."""
    before = running.env["UNDERSTUDY"]
    with settings(running, UNDERSTUDY=f"{before} {fault}"):
        done = script(running, RUN, "--detach", "--timeout", "4")

    assert (done.returncode, said in done.stderr) == (REFUSED, True)
    assert "pronto:" not in done.stdout


@pytest.mark.understudy
def test_an_old_one_that_had_to_be_killed_is_told(unstarted: Stack) -> None:
    """The new Kestra is ready, and the exit status says that the old one lost what it was doing.

    A Ctrl-C in between, which every process of the terminal gets, does not leave Kestra down.
    """
    times = {"KESTRA_TERMINATION_GRACE": "1s", "KESTRA_STOP_GRACE": "3s"}
    with settings(unstarted, UNDERSTUDY=f"{unstarted.env['UNDERSTUDY']} ignore-term", **times):
        unstarted.up()
    with started(unstarted, RUN, "--detach") as (process, out):
        read_until(out, "tem até 3 s")
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGTERM)
        said = out.read()
        status = process.wait(60)

    assert (status, unstarted.is_ready()) == (KILLED, True), said
    assert "foi morto (SIGKILL)" in said
    assert "interrompido" not in said
    assert library(unstarted, "ids_of kestra").split() == [identity(unstarted)[0]]


def test_without_detach_the_logs_are_shown(running: Stack) -> None:
    """It stays at the logs of the new Kestra; ending it does not end Kestra."""
    with started(running, RUN) as (process, out):
        read_until(out, "Kestra pronto")
        read_until(out, "Server Running" if running.is_understudy else "INFO")
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)

    assert running.is_ready()


@contextmanager
def started(on: Stack, name: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A script at work, in a process group of its own as in a terminal, both streams as one."""
    with subprocess.Popen(
        [str(on.root / name), *arguments],
        cwd="/",
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        deadline = threading.Timer(90, process.kill)
        deadline.start()
        try:
            yield process, process.stdout
        finally:
            deadline.cancel()
            process.kill()


def read_until(out: IO[str], words: str) -> None:
    """Read lines up to one with these words; the end of the output fails."""
    for line in out:
        if words in line:
            return
    raise AssertionError(f"{words!r} never came")
