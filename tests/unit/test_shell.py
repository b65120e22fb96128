"""Starting processes: each is bounded, heard in order, and ended with everything that it started."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from procedures.drivers import shell
from procedures.drivers.shell import Command
from procedures.problems import Interrupted
from tests.stacks import wait_for


def _sh(script: str, folder: Path, limit: float = 20.0, stdin: str = "") -> Command:
    return Command(("sh", "-c", script), folder, limit, stdin=stdin)


def _is_alive(pid: int) -> bool:
    """Whether a process lives; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _pid(file: Path) -> int:
    wait_for(lambda: file.is_file() and file.read_text().strip() != "", f"{file} to be written", 10)
    return int(file.read_text())


def test_both_streams_are_heard_in_order(tmp_path: Path) -> None:
    """Output keeps both streams as they came, standard output stands alone too, and the status is the command's."""
    # Each part is written when the one before was surely read: nobody can tell the order of two streams otherwise.
    script = "echo 1; sleep 0.2; echo 2 >&2; sleep 0.2; echo 3; exit 7"

    result = shell.run(_sh(script, tmp_path))

    assert (result.output, result.stdout, result.exit_code) == ("1\n2\n3\n", "1\n3\n", 7)
    assert (result.ok, result.timed_out, result.cut) == (False, False, False)


def test_it_cannot_ask(tmp_path: Path) -> None:
    """Standard input is empty: a command that wants an answer gets none and goes on."""
    result = shell.run(_sh("read answer; echo got-$answer; test -t 0 || echo no terminal", tmp_path))

    assert result.stdout == "got-\nno terminal\n"


def test_a_given_input_is_read(tmp_path: Path) -> None:
    """What is given on standard input arrives whole, and ends."""
    assert shell.run(_sh("cat", tmp_path, stdin="a\nb")).stdout == "a\nb"


def test_where_and_in_what_it_runs(tmp_path: Path) -> None:
    """A command runs in its folder, with its environment and nothing else where it has one."""
    command = Command(("/usr/bin/env",), tmp_path, 10, {"ONE": "1"})

    assert shell.run(command).stdout == "ONE=1\n"
    assert f"{tmp_path}\n" == shell.run(_sh("pwd", tmp_path)).stdout


def test_a_command_that_is_not_there_is_a_result(tmp_path: Path) -> None:
    """Where there is no such program the result says so; nothing is raised."""
    result = shell.run(Command(("no-such-program",), tmp_path, 10))

    assert (result.exit_code, result.ok) == (None, False)
    assert "no-such-program" in result.output


def test_the_limit_ends_the_whole_group(tmp_path: Path) -> None:
    """After its limit a command is ended with everything that it has started."""
    child = tmp_path / "child"
    began = time.monotonic()

    result = shell.run(_sh(f"sleep 60 & echo $! > {child}; echo begun; wait", tmp_path, limit=0.5))

    assert (result.timed_out, result.output) == (True, "begun\n")
    assert time.monotonic() - began < 10
    # A kill is sent and not waited for: on a busy machine it takes effect a moment later.
    wait_for(lambda: not _is_alive(_pid(child)), "the child to be gone", 5)


def test_what_ignores_a_term_is_killed(tmp_path: Path) -> None:
    """A command that will not listen is killed; its limit is not for it to stretch for ever."""
    result = shell.run(_sh("trap '' TERM; echo deaf; while :; do sleep 0.1; done", tmp_path, limit=0.5))

    assert (result.timed_out, result.exit_code) == (True, -signal.SIGKILL)


def test_a_grandchild_that_holds_the_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """What a command leaves behind may keep its output open: the command itself is over."""
    child = tmp_path / "child"
    began = time.monotonic()
    try:
        result = shell.run(_sh(f"sleep 30 & echo $! > {child}; echo done", tmp_path))

        assert (result.exit_code, result.output, result.timed_out) == (0, "done\n", False)
        assert time.monotonic() - began < 5
    finally:
        os.kill(_pid(child), signal.SIGKILL)


def test_it_stands_in_a_session_of_its_own(tmp_path: Path) -> None:
    """A Ctrl-C on our terminal goes to our group: the child is in another one."""
    result = shell.run(_sh("ps -o pgid= -p $$", tmp_path))

    assert os.getpgrp() != int(result.stdout)


def test_who_asks_to_end_is_heard_and_nothing_lives_on(tmp_path: Path) -> None:
    """The poll ends a command by raising, and the command is ended with all that it started."""
    child = tmp_path / "child"

    def poll() -> None:
        if child.is_file() and child.read_text().strip():
            raise Interrupted("interrupted by SIGTERM")

    with pytest.raises(Interrupted):
        shell.run(_sh(f"sleep 60 & echo $! > {child}; wait", tmp_path), poll)

    # A kill is sent and not waited for: on a busy machine it takes effect a moment later.
    wait_for(lambda: not _is_alive(_pid(child)), "the child to be gone", 5)


def test_a_flood_is_cut_and_said(tmp_path: Path) -> None:
    """Of a command that prints without end a bounded part is kept, and it says that there was more."""
    result = shell.run(_sh(f"head -c {shell.KEPT_BYTES * 3} /dev/zero | tr '\\0' x", tmp_path))

    assert (result.cut, result.exit_code) == (True, 0)
    assert len(result.output) <= shell.KEPT_BYTES


def test_bytes_that_are_no_text_hurt_nobody(tmp_path: Path) -> None:
    """Output in another encoding is replaced where it cannot be read."""
    assert shell.run(_sh(r"printf 'a\377b'", tmp_path)).stdout == "a�b"


def test_nothing_outlives_an_operators_command(tmp_path: Path) -> None:
    """What an operator's command leaves behind is ended and named: in its group, in a session of its own, without its mark."""
    pids = tmp_path / "pids"
    script = f"""
        sleep 601 & echo $! >> {pids}
        setsid sleep 602 & echo $! >> {pids}
        setsid sh -c 'trap "" TERM; env -i sleep 603' >/dev/null 2>&1 &
        echo $! >> {pids}; echo done; exit 3
    """
    command = Command(("sh", "-c", script), tmp_path, 20, foreign=True, merged=True)

    result = shell.run(command)

    assert (result.exit_code, result.output) == (3, "done\n")
    # One that is found before it has become what it will be is named by what it still is.
    assert len(result.left) >= 3
    assert all("sleep 60" in one for one in result.left)
    wait_for(
        lambda: not any(_is_alive(int(one)) for one in pids.read_text().split()), "what was left to end", 5
    )


def test_what_never_ends_is_kept_only_so_far(tmp_path: Path) -> None:
    """Of a command that prints without an end so much is kept as it asks for, and no more."""
    result = shell.run(Command(("yes",), tmp_path, 0.5, kept=1000))

    assert (result.timed_out, result.cut, len(result.output)) == (True, True, 1000)
