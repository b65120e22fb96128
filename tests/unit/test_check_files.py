"""Checks as their files say them, without running anything."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TypeGuard

import pytest

from procedures.decide import check_files
from procedures.problems import CannotObserve, TypedWrong
from procedures.run.facts import NAMES
from procedures.target.target import SUITE
from reports.record.evidence import Check, Phase, Protects
from reports.record.observed import Unseen

PLAIN = '''
def test_it_holds(before, target):
    """It
    holds."""
'''


def _read(folder: Path, text: str, name: str = "pre/test_some.py") -> tuple[object, ...]:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return check_files.read(folder, frozenset({"before", "target"}))


def test_a_plain_check_is_read(tmp_path: Path) -> None:
    """Its id, phase, claim and what it asks for come from the file; by itself it is required and for the service."""
    (one,) = _read(tmp_path, PLAIN)

    assert Check(
        "pre/test_some.py::test_it_holds", Phase.PRE, "It holds.", ("before", "target")
    ) == one  # fmt: skip


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("advisory=True", (True, Protects.SERVICE, False)),
        ('protects="data", again=True', (False, Protects.DATA, True)),
        ("", (False, Protects.SERVICE, False)),
    ],
)
def test_what_a_check_says_of_itself_is_read(
    said: str, expected: tuple[bool, Protects, bool], tmp_path: Path
) -> None:
    """What stands beside the docstring is read from the file."""
    (one,) = _read(tmp_path, f"@check({said}){PLAIN}")

    assert isinstance(one, Check)
    assert expected == (one.advisory, one.protects, one.again)


def test_what_a_check_is_asked_only_with_is_asked_for_too(tmp_path: Path) -> None:
    """The plan knows no difference between what a check takes and what it is only asked with; that comes first."""
    (one,) = _read(tmp_path, '@check(only_with=("target",))\ndef test_it_holds(before):\n    """It."""\n')

    assert isinstance(one, Check)
    assert one.asks == ("target", "before")


def test_checks_come_in_the_order_of_a_run(tmp_path: Path) -> None:
    """Phases in their order, files by name, functions as they stand."""
    twice = PLAIN + PLAIN.replace("it_holds", "and_so_does_this")
    for name in ("post/test_a.py", "mid/test_a.py", "ready/test_a.py", "pre/test_b.py", "pre/test_a.py"):
        read = _read(tmp_path, twice, name)

    assert [
        f"{file}::test_{name}"
        for file in ("pre/test_a.py", "pre/test_b.py", "ready/test_a.py", "mid/test_a.py", "post/test_a.py")
        for name in ("it_holds", "and_so_does_this")
    ] == [one.id for one in read if isinstance(one, Check)]


def test_what_is_no_check_is_left_out(tmp_path: Path) -> None:
    """Other functions, other files and other folders hold no checks."""
    _read(tmp_path, PLAIN, "other/test_some.py")
    _read(tmp_path, PLAIN, "pre/words.py")

    assert _read(tmp_path, "def words(): ...\n") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def test_it_holds(before): ...\n", "test_it_holds has no docstring, so it claims nothing"),
        ('def test_it_holds(before):\n    """  """\n', "has no docstring"),
        (f"@pytest.mark.skip{PLAIN}", "carries a mark that no plan knows"),
        (f"@pytest.mark.parametrize('a', []){PLAIN}", "carries a mark that no plan knows"),
        (f"@check{PLAIN}", "carries a mark that no plan knows"),
        (f"@claims.check(){PLAIN}", "carries a mark that no plan knows"),
        (f"@check()\n@pytest.mark.skip{PLAIN}", "carries a mark that no plan knows"),
        (f"@check(advisory=YES){PLAIN}", "cannot be read"),
        (f"@check(again=1 < 2){PLAIN}", "cannot be read"),
        (f'@check(protects="money"){PLAIN}', "cannot be read"),
        (f"@check(advisroy=True){PLAIN}", "cannot be read"),
        ('@check(only_with=("target"))' + PLAIN, "only_with='target' is no tuple of names"),
        (f"@check(only_with=target){PLAIN}", "cannot be read"),
        (PLAIN.replace("target", "moon"), "test_it_holds asks for moon, and no function of"),
        (f'@check(only_with=("moon", "target", "mars")){PLAIN}', "test_it_holds asks for moon, mars, and no"),
        ("def test_it_holds(:\n", "cannot be read as checks"),
    ],
    ids=range(16),
)
def test_a_check_that_cannot_be_planned_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """What a plan cannot read from a file is an error with the file's name: never a check less, nor a crash."""
    with pytest.raises(TypedWrong) as raised:
        _read(tmp_path, text)

    assert said in raised.value.what
    assert str(tmp_path / "pre" / "test_some.py") in raised.value.what
    assert raised.value.next_move


def test_a_class_of_checks_is_refused(tmp_path: Path) -> None:
    """Checks are functions: one that hides in a class is not left out in silence, it ends the run elsewhere."""
    assert _read(tmp_path, 'class TestIt:\n    def test_it(self):\n        """It."""\n') == ()


def test_the_projects_own_checks_are_read() -> None:
    """The checks of this project: every phase has some, every id is its own, data is protected in each act's phase."""
    read = check_files.read(SUITE / "checks", NAMES)

    assert set(Phase) == {one.phase for one in read}
    assert len(read) == len({one.id for one in read})
    assert set(Phase) == {one.phase for one in read if one.protects is Protects.DATA}
    assert [one.id for one in read if one.protects is Protects.DATA and one.advisory] == []
    assert [one.id for one in read if not one.claim.endswith(".")] == []


def test_no_check_takes_what_it_does_not_use() -> None:
    """A name that a check is only planned with stands in its decorator."""
    taken = []
    for file in sorted((SUITE / "checks").glob("*/test_*.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                names = {one.id for one in ast.walk(function) if _is_used(one)}
                taken += [(function.name, one.arg) for one in function.args.args if one.arg not in names]

    assert taken == []


def _is_used(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def test_what_was_seen_is_returned() -> None:
    """A value is itself, a false one too."""
    assert (check_files.seen(7), check_files.seen(""), check_files.seen(()), check_files.seen(0)) == (
        7,
        "",
        (),
        0,
    )


@pytest.mark.parametrize(
    ("value", "what", "move"),
    [
        (Unseen("no engine answers", "start it"), "no engine answers", "start it"),
        (Unseen("no engine answers"), "no engine answers", ""),
        (None, "this was not looked at", ""),
    ],
)
def test_what_was_not_seen_is_unknown(value: Unseen | None, what: str, move: str) -> None:
    """What could not be seen ends a check as unknown, with its reason and the next move."""
    with pytest.raises(CannotObserve) as raised:
        check_files.seen(value)

    assert (what, move) == (raised.value.what, raised.value.next_move)
