"""What can be said of a script by reading it, before anybody starts it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from procedures.rehearsal.scripts import read, unread
from tests.scripts import bad
from tests.stack.scripts import ALL
from tests.stacks import SOURCE


def _script(folder: Path, content: bytes, mode: int = 0o755, name: str = "script.sh") -> Path:
    file = folder / name
    file.write_bytes(content)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("script", ALL)
def test_the_bundled_scripts_are_fine(script: str) -> None:
    """Each can be started, bash understands it, and its fingerprint is that of the file."""
    seen = read("step", (script, "--detach"), SOURCE)

    assert (seen.step, seen.file, seen.problem, seen.syntax) == ("step", str(SOURCE / script), "", "")
    assert seen.interpreter == "/usr/bin/env bash"
    assert seen.sha256 == hashlib.sha256((SOURCE / script).read_bytes()).hexdigest()
    assert seen.rehearsal is None


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        (b"#!/bin/sh\ntrue\n", 0o644, "not executable"),
        (b"#!/no/such/shell\n", 0o755, "/no/such/shell does not exist"),
        (b"#!/usr/bin/env no-such-shell\n", 0o755, "no no-such-shell on the path"),
        (b"#!/usr/bin/env bash\r\ntrue\r\n", 0o755, "Windows (CRLF)"),
        (b"\xef\xbb\xbf#!/bin/sh\ntrue\n", 0o755, "byte order mark"),
        (b"echo no first line\n", 0o755, "the first line is no #!"),
    ],
)
def test_what_keeps_it_from_starting(tmp_path: Path, content: bytes, mode: int, problem: str) -> None:
    """A wrong mode, interpreter or line end is named; nothing has to be started for it."""
    file = _script(tmp_path, content, mode)

    assert problem in read("stop", (f"./{file.name}",), tmp_path).problem


def test_what_is_no_file(tmp_path: Path) -> None:
    """Missing, a folder, and a link that leads nowhere are three things."""
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()

    problems = [read("stop", (f"./{name}",), tmp_path).problem for name in ("none", "folder", "link")]

    assert problems == ["missing", "a directory", "a link to nothing"]


def test_a_mode_is_not_asked_of_what_its_interpreter_reads(tmp_path: Path) -> None:
    """`bash stop.sh` starts a file without its mode, and is read as that file."""
    file = _script(tmp_path, b"true\n", 0o644)

    seen = read("stop", ("bash", "-e", file.name, "--now"), tmp_path)

    assert (seen.file, seen.problem, seen.interpreter) == (str(file), "", "bash")


def test_a_broken_end_is_found(tmp_path: Path) -> None:
    """A syntax error behind commands that would run first is found without running them."""
    made = tmp_path / "made"
    file = _script(tmp_path, f"#!/usr/bin/env bash\ntouch {made}\necho done )\n".encode())

    seen = read("start", (str(file),), Path("/"))

    assert "line 3: syntax error near unexpected token" in seen.syntax
    assert seen.problem == ""
    assert not made.exists()


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            bad.STOPS_BY_IMAGE,
            "matches containers by image (ancestor=): anybody's container of that image (line 4)",
        ),
        (bad.FOLLOWS, "a log may be followed without an end (line 5)"),
        (bad.STARTS, "starts with --rm: log and exit code go with the container"),
        (bad.STARTS, "pulls at the start (--pull=always)"),
        ("docker ps -q -f name=kestra\n", "matches containers by a piece of a name (name=) (line 2)"),
        ("docker compose -f a.yml logs kestra --follow\n", "a log may be followed without an end (line 2)"),
        ("curl --unix-socket /var/run/docker.sock http://d/\n", "speaks to the engine past `docker`"),
        ("sudo docker ps\n", "uses sudo"),
        ("docker system prune -f\n", "prunes"),
        ("true\r\n", "Windows (CRLF)"),
    ],
)
def test_what_stands_in_it_is_noted(tmp_path: Path, text: str, note: str) -> None:
    """Words that make a script do more, or leave less, than it says are noted with their line."""
    file = _script(tmp_path, f"#!/usr/bin/env bash\n{text}".encode())

    assert any(one.startswith(note) or note in one for one in read("stop", (str(file),), tmp_path).notes)


def test_a_good_script_has_no_note(tmp_path: Path) -> None:
    """A comment, a bounded log and a filter by the whole name are nothing to note."""
    text = b"#!/bin/sh\n# docker logs -f, --pull=always, ancestor=\ndocker logs --tail 5 x\ndocker ps --filter 'name=^/x$'\n"

    assert read("logs", (str(_script(tmp_path, text)),), tmp_path).notes == ()


def test_a_name_that_nobody_reads_is_told(tmp_path: Path) -> None:
    """A setting in other letters than the script's, or with a slip, is named with what is read instead."""
    file = _script(tmp_path, b'#!/bin/sh\n[ -n "$SKIP_Kestra_AUTO_START" ] || start "$KESTRA_HTTP_PORT"\n')
    names = ("SKIP_KESTRA_AUTO_START", "KESTRA_HTTP_PORTS", "KESTRA_HTTP_PORT", "PATH", "KESTRA_DB_NAME")

    assert unread(names, (str(file), "/no/such/file")) == (
        "KESTRA_HTTP_PORTS is set, and nobody reads it: KESTRA_HTTP_PORT is what is read",
        "SKIP_KESTRA_AUTO_START is set, and nobody reads it: SKIP_Kestra_AUTO_START is what is read",
    )


def test_what_cannot_be_read_is_said() -> None:
    """A file whose content is not to be had is a problem, not an empty script."""
    assert read("stop", ("bash", "/proc/self/mem"), Path("/")).problem == "not readable: Input/output error"
