"""Check files that cannot be read, or are others than pytest collects, end a run before it begins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.faults import FAULT
from tests.selection.conftest import identity
from tests.selection.typed import SUITE, Typed
from tests.stacks import Stack

OWN = (
    "--import-mode=importlib", "--disable-plugin-autoload",
    "-p", "pytest_metadata.plugin", "-p", "pytest_html.fixtures", "-p", "pytest_html.plugin",
)  # fmt: skip
"""What the project's own file gives pytest: a stray one that leaves it out would be refused for that."""
PARTS = ("checks", "procedures", "reports", "conftest.py", "pyproject.toml")
CHECK = '''
from procedures.decide.check_files import check

{before}
def test_it_is_full(target):
    """{docstring}"""
    assert {claim}
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a procedure is made of, to be damaged."""
    root = tmp_path / "checkout"
    root.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "runs")
    for one in PARTS:
        source = SUITE / one
        if source.is_dir():
            shutil.copytree(source, root / one, ignore=ignored)
        else:
            shutil.copy(source, root / one)
    # pytest warns where the folder of its own tests is missing, and warnings are errors here.
    (root / "tests").mkdir()
    (root / "tests" / "test_nothing.py").touch()
    return root


def _damage_import(checks: Path) -> None:
    file = checks / "pre" / "test_engine.py"
    file.write_text(
        "import no_such_module\n" + file.read_text().replace("from __future__ import annotations", "")
    )


def _damage_syntax(checks: Path) -> None:
    (checks / "post" / "test_server.py").write_text("def test_it_(:\n")


def _damage_while_collecting(checks: Path) -> None:
    """A file that raises when it is imported, and is whole for who only reads it."""
    with (checks / "mid" / "test_stopped.py").open("a") as file:
        file.write("\nraise RuntimeError('not today')\n")


def _skip_a_module(checks: Path) -> None:
    with (checks / "pre" / "test_engine.py").open("a") as file:
        file.write("\nimport pytest\n\npytest.skip('not today', allow_module_level=True)\n")


def _hide_a_check(checks: Path) -> None:
    with (checks / "pre" / "test_engine.py").open("a") as file:
        file.write("\ndel test_the_engine_answers\n")


def _parametrize(checks: Path) -> None:
    with (checks / "pre" / "test_engine.py").open("a") as file:
        file.write(
            "\nimport pytest\n\ntest_the_engine_answers = "
            "pytest.mark.parametrize('one', [])(test_the_engine_answers)\n"
        )


def _mark_skipped(checks: Path) -> None:
    text = CHECK.format(
        before="import pytest\n\n@pytest.mark.skip", docstring="The moon is full.", claim="True"
    )
    (checks / "pre" / "test_moon.py").write_text(text)


def _claim_nothing(checks: Path) -> None:
    (checks / "pre" / "test_moon.py").write_text(CHECK.format(before="", docstring="", claim="True"))


def _ask_for_what_nobody_gives(checks: Path) -> None:
    text = CHECK.format(before="@check(only_with=('the_moon',))", docstring="The moon is full.", claim="True")
    (checks / "pre" / "test_moon.py").write_text(text)


def _class_of_checks(checks: Path) -> None:
    (checks / "pre" / "test_moon.py").write_text(
        'class TestMoon:\n    def test_it_is_full(self, target):\n        """It is full."""\n        assert False\n'
    )


def _ignore_in_a_conftest(checks: Path) -> None:
    with (checks / "conftest.py").open("a") as file:
        file.write("\ncollect_ignore = ['pre/test_engine.py']\n")


@pytest.mark.parametrize(
    "damage",
    [
        _damage_import, _damage_syntax, _damage_while_collecting, _skip_a_module, _hide_a_check, _parametrize,
        _mark_skipped, _claim_nothing, _ask_for_what_nobody_gives, _class_of_checks, _ignore_in_a_conftest,
    ],
    ids=lambda damage: damage.__name__.strip("_"),
)  # fmt: skip
@FAULT(
    kind="a check file is damaged",
    phase="plan",
    happened="it is no shorter plan: nothing is begun",
    verdict="USAGE ERROR",
)
def test_a_damaged_check_file_is_a_usage_error(
    damage: object, checkout: Path, service: Stack, typed: Typed
) -> None:
    """What pytest would collect from damaged files is no shorter plan: nothing is begun."""
    assert callable(damage)
    before = identity(service)

    damage(checkout / "checks")
    done = typed.restart(cwd=checkout)

    assert done.returncode == 4, done.stdout + done.stderr
    assert (before, (), ()) == (identity(service), typed.runs, typed.journals)


@FAULT(
    kind="a stray settings file of pytest's in the checkout",
    phase="plan",
    happened="it is named, and nothing is begun",
    verdict="USAGE ERROR",
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.toml", f'[pytest]\npythonpath = ["."]\naddopts = {json.dumps([*OWN, "-x"])}\n'),
        (".pytest.toml", "[pytest]\n"),
        ("pytest.ini", f"[pytest]\npythonpath = .\naddopts = {' '.join(OWN)} -x\n"),
        (".pytest.ini", ""),
    ],
)
def test_a_stray_settings_file_is_a_usage_error(
    name: str, text: str, checkout: Path, service: Stack, typed: Typed
) -> None:
    """Whatever pytest would rather read than the project's own file ends the run, also where it says the same."""
    before = identity(service)
    (checkout / name).write_text(text)

    done = typed.restart(cwd=checkout)

    assert done.returncode == 4, done.stdout + done.stderr
    assert f"pytest has its settings from {checkout / name}" in done.stdout + done.stderr
    assert (before, (), ()) == (identity(service), typed.runs, typed.journals)


def test_a_file_that_pytest_does_not_read_is_none_of_our_business(
    checkout: Path, service: Stack, typed: Typed
) -> None:
    """What comes after the project's own file is never read, and refuses nothing."""
    (checkout / "tox.ini").write_text("[pytest]\naddopts = -x\n")
    (checkout / "setup.cfg").write_text("[tool:pytest]\naddopts = -x\n")

    done = typed.restart("--plan", cwd=checkout)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_check_that_was_added_is_asked(checkout: Path, service: Stack, typed: Typed) -> None:
    """A check is a function in a file of its phase: nothing else has to name it, and it closes the gate."""
    text = CHECK.format(before="", docstring="The moon is full.", claim="not target, 'it is not'")
    (checkout / "checks" / "pre" / "test_moon.py").write_text(text)

    done = typed.restart("--plan", cwd=checkout)

    assert done.returncode == 10, done.stdout + done.stderr
    assert "failed          The moon is full." in done.stdout


def test_a_check_that_has_gone_is_in_no_plan(checkout: Path, service: Stack, typed: Typed) -> None:
    """The plan is what the files hold: it names a check only while its file is there."""
    name = "pre/test_engine.py::test_the_engine_answers"

    whole = typed.restart("--plan", cwd=checkout)
    (checkout / "checks" / "pre" / "test_engine.py").unlink()
    shorter = typed.restart("--plan", cwd=checkout)

    assert (whole.returncode, shorter.returncode) == (0, 0), whole.stdout + shorter.stdout
    assert (name in whole.stdout, name in shorter.stdout) == (True, False)


def test_an_empty_folder_of_checks_opens_no_gate(checkout: Path, service: Stack, typed: Typed) -> None:
    """Without a single check before the stop there is nothing that could open the gate."""
    before = identity(service)
    shutil.rmtree(checkout / "checks" / "pre")

    done = typed.restart(cwd=checkout)

    assert done.returncode != 0, done.stdout + done.stderr
    assert before == identity(service)


@pytest.mark.parametrize("folder", [".", "procedures"])
def test_bare_pytest_collects_no_check(folder: str, typed: Typed) -> None:
    """The suite's own tests are no procedure: none of them is a check, from whatever folder they are collected."""
    done = typed.pytest("--co", "-q", *([] if folder == "." else [folder]), environment={"CI": "1"})

    collected = [line for line in done.stdout.splitlines() if "::" in line]
    assert [line for line in collected if line.startswith("checks/")] == []
    assert done.returncode == (5 if folder == "procedures" else 0), done.stdout[-2000:] + done.stderr
    assert folder == "procedures" or len(collected) > 100
