"""The recipes of CONTRIBUTING, followed in a copy of the project."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.recipes import PROJECT, block, copied

CHECK = "pre/test_room_to_spare.py::test_there_is_room_to_spare"
FILES = {
    "the claim": "checks/pre/test_room_to_spare.py",
    "the case": "tests/checks/cases.py",
    "the document": "docs/checks.md",
}


PLANNED = """
from pathlib import Path
from procedures.decide import claims, plan
from procedures.listed import PROCEDURES
from procedures.run.facts import NAMES

known = [one for one in claims.read(Path("checks"), NAMES) if "test_restarts.py" in one.id]
for name in ("restart", "accept"):
    for state in (plan.State.RUNNING, plan.State.ABSENT):
        for one in plan.checks_of(PROCEDURES[name], known, plan.Situation(state, True)):
            print(name, state, repr(str(one.not_applicable)))
"""
"""Tells which procedures ask the new name's check, and why it is left out."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copied(tmp_path)


def follow(copy: Path, but: str = "") -> None:
    """Follow the recipe of a check, all its parts but one."""
    case = f"FAILING = (\n{textwrap.indent(block('python', 'Case(').rstrip(), '    ')},\n"
    checks = (copy / FILES["the document"]).read_text(encoding="utf-8")
    before, heading, others = checks.partition("### Room\n")
    room, end, after = others.partition("\n### ")
    document = f"{before}{heading}{room}\n{block('markdown', CHECK)}{end}{after}"
    for what, (before, after) in {
        "the claim": ("", block("python", "def test_there_is_room")),
        "the case": ("FAILING = (\n", case),
        "the document": (checks, document),
    }.items():
        if what != but:
            file = copy / FILES[what]
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            assert before in text
            file.write_text(text.replace(before, after, 1) if before else after, encoding="utf-8")


def outcome(copy: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-q", "tests/checks", "tests/docs/test_docs.py"]
    return subprocess.run(words, cwd=copy, check=False, capture_output=True, text=True, timeout=180)


def test_a_check_is_added_as_the_recipe_says(copy: Path) -> None:
    """Followed to the letter, a comma behind the case, the suite's own tests of checks and documents pass, and they know the new one."""
    follow(copy)
    done = outcome(copy)

    assert done.returncode == 0, done.stdout
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "checks/pre/test_room_to_spare.py"],
        cwd=copy, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "test_there_is_room_to_spare" in listed.stdout, listed.stdout + listed.stderr


@pytest.mark.parametrize("left_out", ["the case", "the document"])
def test_what_is_left_out_is_missed(copy: Path, left_out: str) -> None:
    """A recipe that is only half followed fails these tests."""
    follow(copy, but=left_out)
    done = outcome(copy)

    assert done.returncode == 1
    assert "test_there_is_room_to_spare" in done.stdout


def test_a_name_is_added_as_the_recipe_says(copy: Path) -> None:
    """The function alone lets a check ask for it: pytest lists it with its sentence, and the plan knows what it presupposes."""
    with (copy / "procedures/run/facts/looks.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\n{block('python', 'def restarts_before')}")
    (copy / "checks/pre/test_restarts.py").write_text(
        'def test_it_held(restarts_before):\n    """It held."""\n    assert restarts_before == 0\n',
        encoding="utf-8",
    )
    listed = typed(copy, "-m", "pytest", "--fixtures", "checks/conftest.py")
    planned = typed(copy, "-c", PLANNED)

    assert "restarts_before -- procedures/run/facts/looks.py" in listed.stdout, listed.stdout + listed.stderr
    assert "How often Docker had restarted the service's container before." in listed.stdout
    assert planned.stdout.splitlines() == [
        "restart running ''",
        "restart absent 'there was no container before'",
    ]


def typed(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=copy, check=False, capture_output=True, text=True, timeout=180
    )


def test_each_commit_may_be_linted() -> None:
    """The hook runs what a person types."""
    said = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (hook,) = [one for repo in said["repos"] for one in repo["hooks"]]

    assert hook["entry"] == "make lint"
    assert re.search(r"^lint:", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (PROJECT / "LICENSE").read_text(encoding="utf-8")

    assert "Apache License" in text
    assert "Version 2.0" in text
    assert 'license = "Apache-2.0"' in (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
