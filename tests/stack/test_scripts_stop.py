"""stop.sh: only its own container, in the time that it needs, and judged by how it ended."""

from __future__ import annotations

import time

import pytest

from tests.stack.scripts import KILLED, STATUS, STOP, identity, library, neighbour, script
from tests.stacks import Stack, engine

NOTHING = "\N{INFORMATION SOURCE}\N{VARIATION SELECTOR-16}  Nenhum contêiner em execução\n"


def test_nothing_to_stop_is_no_error(unstarted: Stack) -> None:
    """Where nothing runs it says the runbook's sentence and succeeds."""
    done = script(unstarted, STOP)

    assert (done.returncode, done.stdout) == (0, NOTHING)


def test_a_clean_stop(unstarted: Stack) -> None:
    """A running task ends, nothing else is stopped, and ✓ stands for an exit that no SIGKILL forced.

    Beside it run a container of Kestra's image, one with a similar name, and the database.
    """
    unstarted.up()
    database = identity(unstarted, "kestra-postgres")
    with (
        neighbour(unstarted, f"{unstarted.prefix}kestra-dev") as other,
        neighbour(unstarted, f"{unstarted.project}-kestra-2") as similar,
        engine() as client,
    ):
        done = script(unstarted, STOP)
        left = [client.containers.get(one).attrs["State"]["Status"] for one in (other, similar)]
    stopped, _, state = identity(unstarted)
    code = unstarted.container("kestra").attrs["State"]["ExitCode"]

    assert (done.returncode, state) == (0, "exited")
    assert f"  ✓ {stopped[:12]} interrompido\n" in done.stdout
    assert code in {0, 143}
    assert left == ["running", "running"]
    assert identity(unstarted, "kestra-postgres") == database

    down = script(unstarted, STATUS)
    assert (down.returncode, down.stdout.splitlines()[0]) == (1, "Nenhum contêiner Kestra ativo.")
    assert f"código {code}" in down.stdout
    assert script(unstarted, STOP).stdout == NOTHING


@pytest.mark.understudy
def test_a_killed_one_is_not_called_stopped(unstarted: Stack) -> None:
    """SIGKILL has another sentence and another exit status; and it comes only after Kestra's own drain."""
    unstarted.set_env(
        KESTRA_TERMINATION_GRACE="1s",
        KESTRA_STOP_GRACE="1s",
        UNDERSTUDY=f"{unstarted.env['UNDERSTUDY']} ignore-term",
    )
    unstarted.up()
    began = time.monotonic()
    done = script(unstarted, STOP)

    assert time.monotonic() - began >= 6
    assert done.returncode == KILLED
    assert "✓" not in done.stdout
    assert "foi morto (SIGKILL)" in done.stderr
    assert unstarted.container("kestra").attrs["State"]["ExitCode"] == 137


@pytest.mark.parametrize(
    ("drain", "seconds"), [("5m", "300"), ('"90s"', "90"), ("1h", "3600"), ("PT5M", ""), ("", "")]
)
def test_the_drain_is_read_from_the_configuration(unstarted: Stack, drain: str, seconds: str) -> None:
    """How long Kestra itself waits stands in its configuration; another form than s, m, h is not guessed."""
    text = f"kestra:\n  server:\n    termination-grace-period: {drain}\n"

    assert library(unstarted, 'drain_in_seconds <<<"$1"', text).strip() == seconds
