"""The env file's own text: what its readers would disagree about is told by line and key, never by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from procedures.target import env_file

NEEDED = ("PORT", "PASSWORD")


def _problems(folder: Path, text: str) -> tuple[str, ...]:
    file = folder / ".env"
    file.write_bytes(text.encode())
    return env_file.read(file, NEEDED).problems


@pytest.mark.parametrize(
    "text",
    [
        "PORT=8080\nPASSWORD=secret\n",
        "# a comment\n\nPORT = 8080\nexport PASSWORD=secret",
        "PASSWORD='a $ign, a # and a \\ in single quotes'\nPORT=1",
        'PASSWORD="a # in quotes"\nPORT=1',
        "PASSWORD=a#b\nPORT=1",
        "PASSWORD=a\\b\nPORT=1",
        "PASSWORD=ünïcödé\nPORT=1",
        "OTHER=\nOTHER=$twice\nPORT=1\nPASSWORD=x",
        "#PASSWORD=\nPASSWORD=x\nPORT=1",
    ],
)
def test_a_sound_file_has_no_problem(text: str, tmp_path: Path) -> None:
    """What every reader reads alike is no problem, nor is what nobody needs."""
    assert _problems(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PORT=8080\r\nPASSWORD=x\r\n", "has Windows line ends (CRLF)"),
        ("PORT=8080\nPASSWORD=x\r\n", "has Windows line ends (CRLF)"),
        ("PORT=1\nPASSWORD=x\nPORT=2\n", "sets PORT 2 times"),
        ("PORT=\nPASSWORD=x\n", "line 1: PORT is blank"),
        ("PORT=1\n\nPASSWORD=''\n", "line 3: PASSWORD is blank"),
        ('PORT=1\nPASSWORD=""\n', "line 2: PASSWORD is blank"),
        ("PORT=1\nPASSWORD=   \n", "line 2: PASSWORD is blank"),
        ("PORT=1\nPASSWORD=pa$$word\n", "line 2: PASSWORD holds a $ outside single quotes"),
        ('PORT=1\nPASSWORD="pa$word"\n', "line 2: PASSWORD holds a $ outside single quotes"),
        ("PORT=1\nPASSWORD=pass word #1\n", "line 2: PASSWORD holds a # after a space"),
        ('PORT=1\nPASSWORD="pass\\word"\n', "line 2: PASSWORD holds a backslash in double quotes"),
        ("PORT=1\nexport PASSWORD=\n", "line 2: PASSWORD is blank"),
        ("PORT=1\nPASSWORD: \n", "line 2: PASSWORD is blank"),
    ],
)
def test_what_bites_is_told(text: str, said: str, tmp_path: Path) -> None:
    """What a reader would change or drop is told with its line and its key."""
    problems = _problems(tmp_path, text)

    assert len(problems) == 1
    assert said in problems[0]


def test_a_value_is_never_told(tmp_path: Path) -> None:
    """A problem names the key alone: the value may be a secret."""
    told = " ".join(_problems(tmp_path, "PASSWORD=canary$canary\nPASSWORD=canary #canary\r\nPORT=1"))

    assert "PASSWORD" in told
    assert "canary" not in told


def test_every_problem_is_told(tmp_path: Path) -> None:
    """All problems of a file are told together."""
    assert len(_problems(tmp_path, "PORT=\r\nPASSWORD=a$b\r\nPORT=1\r\n")) == 4


def test_names_are_those_that_the_file_sets(tmp_path: Path) -> None:
    """Names are told once each, in their order; comments and what is no assignment are left out."""
    file = tmp_path / ".env"
    file.write_text("B=1\n#C=2\nexport A=3\nB=4\nno assignment\n  D : 5\nE: 6\n")

    assert env_file.read(file).names == ("B", "A", "D", "E")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A missing file is a problem of its own, with its path."""
    file = tmp_path / ".env"

    assert (f"{file} does not exist",) == env_file.read(file).problems


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A file in another encoding, or a folder in its place, is told and crashes nothing."""
    file = tmp_path / ".env"
    file.write_bytes(b"PASSWORD=\xff\xfe\n")

    assert "cannot be read" in env_file.read(file).problems[0]
    assert "cannot be read" in env_file.read(tmp_path).problems[0]
