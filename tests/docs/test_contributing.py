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
from procedures.decide import check_files, plan
from procedures.listed import PROCEDURES
from procedures.run.facts import NAMES

known = [one for one in check_files.read(Path("checks"), NAMES) if "test_restarts.py" in one.id]
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


EDITION = {
    "the row": ("procedures/kestra/editions.py", "EDITIONS = (", "_2_2 = "),
    "the name": ("procedures/kestra/editions.py", "_2_1)\n", ""),
    "the document": ("docs/kestra-facts.md", "\n\nThe recorded answers", "serves its API under"),
    "the version": ("tests/unit/test_editions.py", ')\n"""Versions, and the edition', '"2.2.1"'),
}
"""What is added of an edition: the file, what it stands before, and a word of the recipe's block."""
ASKS = """
from procedures.kestra.editions import edition_of
from procedures.observe.outage.watched import kestra_paths
print(*(one.url for one in kestra_paths("http://h:1", "http://h:2", "", "", edition_of("2.2.1").paths)))
"""


def add_edition(copy: Path, but: str = "") -> None:
    """Follow the recipe of an edition, all its parts but one."""
    for what, (name, place, word) in EDITION.items():
        file = copy / name
        text = file.read_text(encoding="utf-8")
        assert text.count(place) == 1
        kind = "markdown" if name.endswith(".md") else "python"
        added = f"{block(kind, word).rstrip()}\n" if word else ""
        put = {
            "the row": f"{added}\n{place}",
            "the name": place.replace(")", ", _2_2)"),
            "the document": f"\n{added.rstrip()}{place}",
            "the version": f"    {added.rstrip()},\n{place}",
        }
        if what != but:
            file.write_text(text.replace(place, put[what]), encoding="utf-8")


def judged(copy: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-q", "tests/unit/test_editions.py", "tests/docs/test_kestra.py"]
    return subprocess.run(words, cwd=copy, check=False, capture_output=True, text=True, timeout=180)


def test_an_edition_is_added_as_the_recipe_says(copy: Path) -> None:
    """Followed to the letter, a comma behind the version, its tests pass, and the probe asks where the row says that it answers."""
    add_edition(copy)
    done = judged(copy)
    said = subprocess.run(
        [sys.executable, "-c", ASKS], cwd=copy, check=True, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stdout
    assert said.stdout.split() == [
        "http://h:2/health", "http://h:1/ping", "http://h:1/api/v2/main/flows/search?size=1",
    ]  # fmt: skip


@pytest.mark.parametrize("left_out", ["the name", "the document", "the version"])
def test_half_an_edition_is_missed(copy: Path, left_out: str) -> None:
    """Each of its places is asked for."""
    add_edition(copy, but=left_out)
    done = judged(copy)

    assert done.returncode == 1
    assert "2.2" in done.stdout


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
