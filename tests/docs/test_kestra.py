"""What is true of Kestra stands in one room, and the document tells its editions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from procedures.kestra.configuration import VARIABLE
from procedures.kestra.editions import EDITIONS
from procedures.kestra.heartbeats import WORKING_PARTS
from procedures.kestra.tables import HISTORIES
from tests.docs.test_docs import read, rows
from tests.docs.test_layout import PROJECT, modules

ROOM = Path("procedures/kestra")
ELSEWHERE = {
    "procedures/diagnosis/signatures/logs.py": "what somebody types, word by word as docs/operations.md shows it",
    "reports/record/observed.py": "the history that a row of a record names which names none; reports know no procedures",
}
"""Modules beyond the room that hold a fact of Kestra's, each with its reason."""
PATHS = ("/api/v", "/health", "/ping", "/version")
TABLES = (*HISTORIES, "service_instance", "worker_job_running")
STATES = frozenset(
    {
        "CREATED", "RUNNING", "TERMINATING", "TERMINATED_GRACEFULLY", "TERMINATED_FORCED", "NOT_RUNNING", "EMPTY",
        "INACTIVE", *WORKING_PARTS, *(part for one in EDITIONS for part in one.gone_parts),
    }
)  # fmt: skip
"""States and parts in Kestra's heartbeats."""
ASKED = re.compile(r"\b(?:from|join|into|table|update) (?:executions|flows|queues|settings|triggers)\b")
"""A table of Kestra's with a common word for a name, where it is asked."""


def texts(module: Path) -> Iterator[str]:
    """Every literal text of a module but its docstrings."""
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    told = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in told:
            value = node.value.decode(errors="replace") if isinstance(node.value, bytes) else node.value
            if isinstance(value, str):
                yield value


def is_kestras(text: str) -> bool:
    return (
        text in STATES
        or any(word in text for word in (*PATHS, *TABLES, VARIABLE))
        or ASKED.search(text) is not None
    )


def test_what_is_true_of_kestra_stands_in_its_room() -> None:
    """No path, table, state or variable of Kestra's is a literal anywhere else; who needs one asks the edition."""
    holding = {str(one) for one in modules() if ROOM not in one.parents and any(map(is_kestras, texts(one)))}

    assert holding == set(ELSEWHERE)


def test_the_document_tells_every_edition() -> None:
    """The table of editions in docs/kestra-facts.md has a row for each, in their order, and each says how it is known."""
    section = read("docs/kestra-facts.md").partition("## Editions\n")[2].partition("\n## ")[0]
    _, *told = rows(section, 3)

    assert [row[0] for row in told] == [one.since for one in EDITIONS]
    assert all(re.search(r"watched|documented only", row[2]) for row in told)
