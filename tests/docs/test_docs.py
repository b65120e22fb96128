"""The documents say what the code does: what can be compared is compared, so that they cannot rot unseen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from procedures import plugin
from procedures.decide import check_files
from procedures.listed import PROCEDURES
from procedures.run.facts import NAMES
from procedures.target import steps_by
from procedures.target import target as targets
from procedures.target.dashboards import Dashboard
from procedures.target.durations import seconds
from reports.archive import INDEX, LATEST, RECORD, REPORT, SUMS
from reports.record.evidence import EXIT_STATUS, MEANING, Check, Evidence, Outcome, Verdict

PROJECT = Path(__file__).resolve().parent.parent.parent
README = PROJECT / "README.md"
DOCUMENTS = (README, *sorted((PROJECT / "docs").glob("*.md")))
# What a line of a code block may begin with: what a reader has, or what the line before it has made.
PROGRAMS = {
    "make",
    "source",
    "python",
    "pytest",
    ".venv/bin/pytest",
    ".venv/bin/python",
    "docker",
    "sha256sum",
}
LINK = re.compile(r"\]\(([^)\s]+)\)")
CHECK_ID = re.compile(r"`((?:pre|ready|mid|post)/test_\w+\.py::test_\w+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
CODE = re.compile(r"`([^`\n]+)`")


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def commands(document: Path) -> Iterator[str]:
    """Every line of a document's shell blocks."""
    for block in re.findall(
        r"^```sh\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        yield from block.splitlines()


def rows(text: str, width: int) -> list[tuple[str, ...]]:
    """The rows of a text's tables of so many columns, heads and rules left out."""
    found = [
        tuple(cell.strip() for cell in line.strip("|").split(" | "))
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [one for one in found if len(one) == width and not set("".join(one)) <= set("-|: ")]


def default_of(value: object, folder: Path) -> str:
    """A value of a target, as docs/target.md writes it; paths are told from where they are written."""
    if isinstance(value, Path):
        return f"`{value.relative_to(folder if value.is_relative_to(folder) else PROJECT)}`"
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    return f"`{str(value).removesuffix('/tcp')}`" if value not in {"", None} else "blank"


def planned() -> tuple[Check, ...]:
    return check_files.read(PROJECT / "checks", NAMES)


class Options:
    """Stands in for pytest's parser and notes the options that it is given."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_words: str) -> Options:
        return self

    def addoption(self, name: str, **_more: Any) -> None:
        self.names.append(name)


def test_every_check_is_described_and_none_that_is_not_there() -> None:
    """The checks in docs/checks.md are exactly the checks of the suite, in the order in which they are asked."""
    listed = re.findall(r"^- `([^`]+)`", read("docs/checks.md"), re.MULTILINE)

    assert [one.id for one in planned()] == [one for one in listed if "::" in one]


@pytest.mark.parametrize("check", planned(), ids=lambda one: one.id)
def test_a_check_is_described_as_it_is(check: Check) -> None:
    """A check's kind and claim in docs/checks.md are those of its file, and a reason follows them."""
    kind = ["advisory" if check.advisory else "required"]
    kind += ["data"] if check.protects == "data" else []
    kind += ["asked again"] if check.again else []
    kind += [] if check.leads_back else ["nothing is gone back for it"]
    head = f"- `{check.id}` ({', '.join(kind)})\n  **{check.claim}**\n  "
    _, found, why = read("docs/checks.md").partition(head)

    assert found, f"docs/checks.md does not hold:\n{head}"
    assert len(why.partition("\n")[0]) > 20


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_a_check_that_is_named_exists(document: Path) -> None:
    """Every check that a document names is one of the suite."""
    known = {one.id for one in planned()}

    assert set(CHECK_ID.findall(document.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_explained(outcome: Outcome) -> None:
    """docs/checks.md says what each outcome means."""
    assert outcome in {one[0] for one in rows(read("docs/checks.md"), 2)}


def test_every_key_of_the_target_file_is_described() -> None:
    """The keys in docs/target.md are exactly those that a target file may hold."""
    tables: dict[str, Any] = {"keys": targets.Keys, "budgets": targets.Budgets, "needs": steps_by.Needs}
    tables |= {"validate": steps_by.Validation, "dashboards": Dashboard}
    known = {one.name for one in fields(targets.Target)} - {"file"}
    known |= {f"{name}.{one.name}" for name, table in tables.items() for one in fields(table)}
    known |= {f"steps.{key}" for key in steps_by.KEYS}
    text = read("docs/target.md")
    listed = [one[0].strip("`") for width in (3, 4) for one in rows(text, width) if one[0] != "key"]

    assert known == set(listed)
    assert len(listed) == len(set(listed))


def test_every_driver_is_named() -> None:
    """docs/target.md says which drivers a step may have, and the words of docs/architecture.md explain as many."""
    forms = next(one[2] for one in rows(read("docs/target.md"), 4) if one[0] == "`steps.driver`")
    meaning = next(one[1] for one in rows(read("docs/architecture.md"), 2) if one[0] == "driver")
    known = set(steps_by.DRIVERS)

    assert (known, known) == (set(re.findall(r"`(\w+)`", forms)), set(re.findall(r"`(\w+)`", meaning)))


@pytest.mark.parametrize(
    "name",
    [
        one.name
        for one in fields(targets.Target)
        if one.name not in {"file", "keys", "budgets", "steps", "validate", "needs", "container"}
    ],
)
def test_the_default_of_a_target_key_is_the_codes(name: str, tmp_path: Path) -> None:
    """What docs/target.md calls a key's default is what a file without the key gets."""
    told = next(one[1] for one in rows(read("docs/target.md"), 4) if one[0] == f"`{name}`")
    required = {"name": "a", "service": "b", "database_service": "c", "compose_files": ["d.yml"]}
    file = tmp_path / "target.toml"
    file.write_text("".join(f"{key} = {value!r}\n" for key, value in required.items()))
    value = getattr(targets.read(file), name)
    assert told == ("required" if name in required else default_of(value, tmp_path))


@pytest.mark.parametrize("one", fields(targets.Keys), ids=lambda one: one.name)
def test_the_default_of_a_variables_name_is_the_codes(one: Any) -> None:
    """The names of variables in docs/target.md are those that the code looks for."""
    assert (f"`keys.{one.name}`", f"`{one.default}`") in {row[:2] for row in rows(read("docs/target.md"), 3)}


@pytest.mark.parametrize("one", fields(targets.Budgets), ids=lambda one: one.name)
def test_the_default_of_a_budget_is_the_codes(one: Any) -> None:
    """The durations in docs/target.md are those that the code takes where a file says none."""
    told = next(row[1] for row in rows(read("docs/target.md"), 3) if row[0] == f"`budgets.{one.name}`")

    assert (one.default is None) == (told in {"the server's", "no gateway"})
    assert one.default is None or one.default == seconds(told.strip("`"))


@pytest.mark.parametrize("one", fields(Dashboard), ids=lambda one: one.name)
def test_the_default_of_a_dashboards_key_is_the_codes(one: Any) -> None:
    """What docs/target.md calls a default of a dashboard's key is what a table without the key gets."""
    told = next(row[1] for row in rows(read("docs/target.md"), 3) if row[0] == f"`dashboards.{one.name}`")

    assert (one.default is MISSING) == (told == "required")
    assert one.default is MISSING or (one.default or None) == (
        None if told == "blank" else seconds(told.strip("`"))
    )


def test_the_exit_statuses_are_the_codes() -> None:
    """The table of exit statuses in docs/operations.md is the code's: status, verdict and meaning."""
    expected = [(str(EXIT_STATUS[one]), str(one), MEANING[one]) for one in Verdict]

    assert expected == [one for one in rows(read("docs/operations.md"), 3) if one[0].isdigit()]


@pytest.mark.parametrize("verdict", Verdict)
def test_it_is_told_what_to_do_for_every_exit_status(verdict: Verdict) -> None:
    """docs/operations.md has a section for each exit status."""
    assert f"\n## {verdict.exit_status}: {verdict}\n" in read("docs/operations.md")


def test_every_option_is_described() -> None:
    """The options in the table of docs/usage.md are exactly those that the plugin adds."""
    options = Options()
    plugin.pytest_addoption(options)  # type: ignore[arg-type]  # it only notes what it is given
    listed = [
        re.split(r"[ =]", one[0].strip("`"))[0]
        for one in rows(read("docs/usage.md"), 2)
        if one[0].startswith("`--")
    ]

    assert options.names == listed


def test_every_field_of_the_record_is_described() -> None:
    """The fields in docs/evidence.md are exactly those of the record, in its order."""
    listed = [name for one in rows(read("docs/evidence.md"), 2) for name in CODE.findall(one[0])]

    assert [one.name for one in fields(Evidence)] == listed


@pytest.mark.parametrize("name", [RECORD, REPORT, SUMS, INDEX, LATEST, "junit.xml", "journal.jsonl"])
def test_every_file_of_a_run_is_described(name: str) -> None:
    """docs/evidence.md names each file that the archive holds."""
    assert re.search(rf"^ *{re.escape(name)} ", read("docs/evidence.md"), re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    """Every relative link of a document names a file that is there."""
    links = [one.partition("#")[0] for one in LINK.findall(document.read_text(encoding="utf-8"))]
    inside = [one for one in links if one and "://" not in one]

    assert [one for one in inside if not (document.parent / one).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_file_that_is_named_is_there(document: Path) -> None:
    """Every file of the project that a document names by its path is there."""
    named = re.findall(
        r"`((?:checks|procedures|reports|stack|tests|benchmarks|docs)/[\w./-]+\.\w+)`",
        document.read_text(encoding="utf-8"),
    )
    # The second folder is the operator's, as the runbook names it.
    kept = [one for one in named if not one.startswith(("reports/runs/", "docs/context/"))]

    assert [one for one in kept if not (PROJECT / one).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    """Every `make` target that a document names is one of the Makefile's."""
    known = set(re.findall(r"^([a-z][\w-]*):", read("Makefile"), re.MULTILINE))
    text = document.read_text(encoding="utf-8")
    typed = [*commands(document), *CODE.findall(text)]
    named = {found[1] for one in typed if (found := re.match(r"(?:\w+=\S+ )*make ([a-z][\w-]*)", one))}

    assert named <= known


def test_the_two_commands_are_in_the_readme() -> None:
    """The README shows the commands that are all a newcomer needs, as lines of their own."""
    assert {"make restart", "make test"} <= set(commands(README))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_command_begins_with_a_known_program(document: Path) -> None:
    """Every line of a shell block begins with a program that a reader has by then."""
    assert {one.split()[0] for one in commands(document)} <= PROGRAMS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_procedure_and_module_that_is_typed_exists(document: Path) -> None:
    """What follows `pytest -m` is a procedure of today, and what follows `python -m` a module of ours."""
    typed = [*commands(document), *CODE.findall(document.read_text(encoding="utf-8"))]
    procedures = {name for one in typed for name in re.findall(r"\bpytest -m (\S+)", one)}
    modules = {name for one in typed for name in re.findall(r"\bpython -m (\S+)", one)}

    assert procedures <= set(PROCEDURES)
    assert [one for one in modules if not _runs(PROJECT / one.replace(".", "/"))] == []


def _runs(module: Path) -> bool:
    return module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()


def test_every_procedure_is_described() -> None:
    """The first table of docs/procedures.md holds the procedures, and no other."""
    described = [one[0].strip("`") for one in rows(read("docs/procedures.md"), 4)]

    assert set(described) - {"procedure"} == set(PROCEDURES)


def test_every_line_of_the_runbook_is_done_and_shown() -> None:
    """Each line of docs/runbook.md names a check, a procedure, an option, a step, a driver or a script, and a test."""
    lines = [one for one in rows(read("docs/runbook.md"), 3) if one[0] != "line"]

    assert len(lines) > 20
    assert [one[0] for one in lines if not TEST.search(one[2])] == []
    assert [one[0] for one in lines if not CODE.search(one[1]) and "plan" not in one[1]] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_test_that_is_named_exists(document: Path) -> None:
    """Every test that a document names is there, in the file that it names."""
    named = TEST.findall(document.read_text(encoding="utf-8"))

    assert [f"{file}::{name}" for file, name in named if name not in functions(PROJECT / file)] == []


def functions(file: Path) -> set[str]:
    """The names of a file's functions; none where there is no such file."""
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
