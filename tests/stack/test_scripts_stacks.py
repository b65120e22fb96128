"""start-stacks.sh: the whole stack, with Kestra or without it, and an exit status that says which."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.stack.scripts import LEFT_OUT, REFUSED, START_STACKS, USAGE, identity, library, script, settings
from tests.stacks import Stack, free_port, stack

SKIP = "SKIP_Kestra_AUTO_START"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack as the script itself starts it, from nothing."""
    with stack(tmp_path_factory.mktemp("stack")) as made:
        assert script(made, START_STACKS, "--phase", "tools").returncode == 0
        yield made


@pytest.fixture
def without_kestra(running: Stack) -> Iterator[Stack]:
    running.compose("rm", "-sf", "kestra")
    yield running
    running.up()


def test_the_whole_stack_is_started(running: Stack) -> None:
    """Kestra is ready when it says so; a second time nothing is touched, its own ports are not busy ports."""
    before = identity(running), identity(running, "kestra-postgres")
    done = script(running, START_STACKS, "--phase=tools")

    assert running.is_ready()
    assert (done.returncode, "não foi tocado" in done.stdout) == (0, True)
    assert (identity(running), identity(running, "kestra-postgres")) == before


def test_what_compose_itself_started_is_left_alone(without_kestra: Stack) -> None:
    """A Kestra that `docker compose up` made from the same settings is not made anew."""
    before = identity(without_kestra.up())
    done = script(without_kestra, START_STACKS, "--phase", "tools")

    assert done.returncode == 0
    assert identity(without_kestra) == before


def test_a_changed_env_is_applied(running: Stack) -> None:
    """A rerun while Kestra is up applies what `.env` says now, after a clean end of the old one."""
    before = identity(running)
    running.set_env(JAVA_OPTS="-Dedited=yes")
    done = script(running, START_STACKS, "--phase", "tools")

    assert done.returncode == 0
    assert f"✓ {before[0][:12]} interrompido" in done.stdout
    assert "JAVA_OPTS=-Dedited=yes" in running.container("kestra").attrs["Config"]["Env"]


def test_kestra_can_be_left_out(without_kestra: Stack) -> None:
    """With the variable at 1 everything but Kestra is started, the database that was down too."""
    without_kestra.compose("stop", "kestra-postgres")
    done = script(without_kestra, START_STACKS, "--phase", "tools", **{SKIP: "1"})

    assert done.returncode == 0
    assert f"{SKIP}=1" in done.stdout
    assert without_kestra.containers("kestra") == []
    assert without_kestra.health("kestra-postgres") == "healthy"


@pytest.mark.parametrize(
    ("value", "answer"),
    [("", "no"), ("0", "no"), ("false", "no"), ("False", "no"), ("1", "yes"), ("x", "yes")],
)
def test_no_is_no(unstarted: Stack, value: str, answer: str) -> None:
    """Blank, 0 and false do not leave Kestra out."""
    asked = f"{SKIP}=$1; if is_skipped; then say yes; else say no; fi"

    assert library(unstarted, asked, value) == f"{answer}\n"


def test_a_similar_name_is_named(running: Stack) -> None:
    """A name in other letters leaves nothing out, and it is said that nobody reads it."""
    done = script(running, START_STACKS, "--phase", "tools", SKIP_KESTRA_AUTO_START="1", SKIP_Kestra="1")

    assert "Ninguém lê SKIP_KESTRA_AUTO_START" in done.stderr
    assert "Ninguém lê SKIP_Kestra:" in done.stderr
    assert "sem o Kestra" not in done.stdout


def test_a_busy_port_leaves_kestra_out(without_kestra: Stack) -> None:
    """The others are started, both variables are named, and the exit status is one of its own."""
    without_kestra.compose("stop", "kestra-postgres")
    port = free_port()
    with (
        socket.create_server(("127.0.0.1", port)),
        settings(without_kestra, KESTRA_MANAGEMENT_PORT=str(port)),
    ):
        done = script(without_kestra, START_STACKS, "--phase", "tools", **{SKIP: "0"})

    assert done.returncode == LEFT_OUT
    assert f"Porta {port} já está em uso" in done.stderr
    assert "KESTRA_HTTP_PORT/KESTRA_MANAGEMENT_PORT" in done.stderr
    assert without_kestra.containers("kestra") == []
    assert without_kestra.health("kestra-postgres") == "healthy"


def test_a_busy_port_keeps_the_kestra_that_runs(running: Stack) -> None:
    """Where `.env` asks for a port of somebody else, the Kestra that runs on its old ones keeps running."""
    before = identity(running)
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), settings(running, KESTRA_HTTP_PORT=str(port)):
        done = script(running, START_STACKS, "--phase", "tools")

    assert (done.returncode, identity(running)) == (LEFT_OUT, before)
    assert "não foi tocado" in done.stderr


def test_a_wrong_password_keeps_the_kestra_that_runs(running: Stack) -> None:
    """What can fail is tried before: a password that the database refuses touches nothing."""
    before = identity(running), identity(running, "kestra-postgres")
    with settings(running, KESTRA_DB_PASSWORD="Wrong1Wrong1"):
        done = script(running, START_STACKS, "--phase", "tools")

    assert done.returncode == REFUSED
    assert (identity(running), identity(running, "kestra-postgres")) == before


@pytest.mark.parametrize("arguments", [["--phase", "data"], ["--phase"], ["--phase="], ["tools"]])
def test_an_unknown_phase_is_an_error(unstarted: Stack, arguments: list[str]) -> None:
    """A phase that is not there starts nothing."""
    assert script(unstarted, START_STACKS, *arguments).returncode == USAGE
    assert unstarted.containers("kestra-postgres") == []
