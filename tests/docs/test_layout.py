"""The layout: rooms in one order, none too full, and told by the document as they are."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from procedures.listed import PROCEDURES

PROJECT = Path(__file__).resolve().parent.parent.parent
MOST_MODULES = 16
MOST_LINES = 330
FULLER = {"checks/pre": "one file for each thing that is looked at before; they know nothing of each other"}
LONGER = {
    "procedures/observe/engine/made.py": "one list, of all parts of a container",
    "procedures/observe/outage/probe.py": "a process of its own, started by its file's path",
    "reports/page/drawing.py": "one picture",
    "reports/record/evidence.py": "one record",
    "reports/record/observed.py": "one record",
}
"""Modules beyond the limit, each with its reason; one that is within it stands here no longer."""


def modules() -> list[Path]:
    found = [
        one for top in ("procedures", "reports", "checks") for one in sorted((PROJECT / top).rglob("*.py"))
    ]
    assert len(found) > 200
    return [one.relative_to(PROJECT) for one in found]


def lines(module: Path) -> int:
    return len((PROJECT / module).read_text(encoding="utf-8").splitlines())


def test_no_folder_is_too_full() -> None:
    """Whoever opens a folder sees at once what is in it."""
    folders = [str(one.parent) for one in modules() if one.name != "__init__.py"]
    full = {one for one in folders if folders.count(one) > MOST_MODULES}

    assert full == set(FULLER)


def test_no_module_is_too_long_without_a_reason() -> None:
    """A module beyond the limit is named with its reason, and only as long as it is there and that long."""
    long = {str(one) for one in modules() if lines(one) > MOST_LINES}

    assert long == set(LONGER)


@pytest.mark.parametrize("top", ["procedures", "reports"])
def test_every_folder_says_what_it_is(top: str) -> None:
    """Each room's docstring is its concern."""
    folders = {one.parent for one in modules() if one.parts[0] == top}
    without = [one for one in folders if not (PROJECT / one / "__init__.py").read_text().startswith('"""')]

    assert without == []


def test_the_document_names_the_rooms_in_their_order() -> None:
    """The table of rooms holds every folder of `procedures/`, each below those that may know it."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    told = [one for one in re.findall(r"^\| `procedures/(\w*)/?` \|", text, re.MULTILINE) if one]
    there = {one.parts[1] for one in modules() if one.parts[0] == "procedures" and len(one.parts) > 2}
    held = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0][
        "layers"
    ]
    order = [word.removeprefix("procedures.") for layer in held for word in layer.split(" | ")]

    assert set(told) == there
    assert told == [one for one in order if one in there]


def test_nobody_asks_for_a_procedure_by_its_name() -> None:
    """What a procedure does otherwise than others is said in its file; only old records are told apart by its name."""
    asking = set()
    for module in modules():
        for node in ast.walk(ast.parse((PROJECT / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                sides = [one for one in (node.left, *node.comparators) if isinstance(one, ast.Constant)]
                asking |= {str(module) for one in sides if one.value in PROCEDURES}

    assert asking == {"procedures/decide/accepted.py"}


def test_nobody_asks_for_a_driver_by_its_name() -> None:
    """Whose step it is, the operator's or Compose's, is said where the drivers are listed."""
    asking = {
        str(module)
        for module in modules()
        for node in ast.walk(ast.parse((PROJECT / module).read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any(
            isinstance(one, ast.Attribute) and one.attr == "driver" for one in (node.left, *node.comparators)
        )
    }

    assert asking == {"procedures/target/steps_by.py"}


def test_every_procedure_is_a_file_of_its_name() -> None:
    """Beside the entry points, `procedures/` holds the procedures and the one list of them."""
    layers = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0][
        "layers"
    ]
    held = next(one for one in layers if "procedures.restart" in one).replace("procedures.", "").split(" | ")
    entries = {"__init__", "describe", "early", "listed", "plugin", "problems"}
    flat = {one.stem for one in modules() if one.parent == Path("procedures")}

    assert flat - entries == set(PROCEDURES) == set(held)


def test_no_module_knows_itself_by_others() -> None:
    """No import leads round in a circle, one that only a type checker takes neither."""
    known = {_dotted(one): one for one in modules() if one.parts[0] != "checks"}
    imports = {name: _imported(file, known) - {name} for name, file in known.items()}
    # What nobody of those that are left needs is no part of a circle; nor is what needs nobody.
    while leaves := {name for name, needs in imports.items() if not needs & imports.keys()}:
        imports = {name: needs for name, needs in imports.items() if name not in leaves}

    assert imports == {}


def _dotted(module: Path) -> str:
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def _imported(module: Path, known: dict[str, Path]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((PROJECT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{one.name}" for one in node.names}
            found |= (whole & known.keys()) or ({node.module} & known.keys())
    return found
