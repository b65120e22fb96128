"""The table of symptoms: where it is found in a document, and that a row changes nothing else in it."""

from __future__ import annotations

import pytest

from procedures.diagnosis import symptom_table
from procedures.diagnosis.symptom_table import escaped

DOCUMENT = """\
---
title: Kestra
# Troubleshooting: a comment of the front matter
---

# Kestra

| Sintoma | Ação sugerida |
| --- | --- |
| not in the section | x |

## Troubleshooting

Read first.  \t

| Porta | Serviço |
| --- | --- |
| 8080 | web |

```md
| Sintoma | Ação sugerida |
| --- | --- |
| in code | x |
```

<!--
| Sintoma | Ação sugerida |
| --- | --- |
-->

| Sintoma | Ação sugerida |
| --- | --- |
| UI não abre | verificar `docker ps`  |
| Porta 8080 em uso | `ss -ltn \\| grep` |   \n
## Pós-ação

| Symptom | Action |
|:-|-:|
| elsewhere | x |
"""
ROW = "| Novo | agir |"


def added(document: str, *rows: tuple[str, str]) -> str:
    table = symptom_table.find(document)
    assert table is not None
    return symptom_table.with_rows(document, table, rows or [("Novo", "agir")])


def test_a_row_is_appended_to_the_one_table_and_nothing_else_changes() -> None:
    """The row stands below the table's last one; every other byte is as it was."""
    last = "| Porta 8080 em uso | `ss -ltn \\| grep` |   \n"
    before, found, after = DOCUMENT.partition(last)

    assert found
    assert added(DOCUMENT) == before + last.rstrip("\n") + f"\n{ROW}\n" + after


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "ending", ["{end}", "", "{end}{end}", "{end} {end}text{end}", "{end}# Next{end}", "{end}```{end}"]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_kind_of_line_end_stays(end: str, ending: str, mark: str) -> None:
    """Line ends are the document's own; where the last line has none, the new one has none either."""
    head = end.join(["# Troubleshooting", "", "| Sintoma | Ação |", "|---|---|", "| a | b |"])
    tail = ending.format(end=end)

    assert added(f"{mark}{head}{tail}") == f"{mark}{head}{end}{ROW}{tail}"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("| Sintoma | Ação |\n|---|---|", "| Sintoma | Ação |\n|---|---|\n| Novo | agir |"),
        ("Sintoma | Ação\n-- | --\na | b", "Sintoma | Ação\n-- | --\na | b\nNovo | agir"),
        ("  | Symptom | Action |\n  |---|---|", "  | Symptom | Action |\n  |---|---|\n  | Novo | agir |"),
        ("| **Sintoma** | *Ações* |\n| :-: | - |", "| **Sintoma** | *Ações* |\n| :-: | - |\n| Novo | agir |"),
        (
            "| SINTOMA | ACAO SUGERIDA |\n|-|-|\n| a |",
            "| SINTOMA | ACAO SUGERIDA |\n|-|-|\n| a |\n| Novo | agir |",
        ),
        (
            "| Sintoma | Ação |\n|-|-|\n| a | b |\n- list",
            "| Sintoma | Ação |\n|-|-|\n| a | b |\n| Novo | agir |\n- list",
        ),
    ],
)
def test_a_row_looks_like_the_others(table: str, expected: str) -> None:
    """Indent and pipes are the table's own; a table without a row gets its first."""
    head = "## Solução de problemas\n\n"

    assert added(head + table) == head + expected


@pytest.mark.parametrize(
    "document",
    [
        "",
        "\ufeff",
        "# Troubleshooting\n",
        "# Kestra\n\n| Sintoma | Ação |\n|---|---|\n",
        "# Troubleshooting\n\n# Kestra\n\n| Sintoma | Ação |\n|---|---|\n",
        "# Troubleshooting\n\n| Sintoma | Ação | Quem |\n|---|---|---|\n",
        "# Troubleshooting\n\n| Porta | Ação |\n|---|---|\n",
        "# Troubleshooting\n\n| Sintoma | Ação |\n",
        "# Troubleshooting\n\n| Sintoma | Ação |\n\n|---|---|\n",
        "# Troubleshooting\n\n    | Sintoma | Ação |\n    |---|---|\n",
        "# Troubleshooting\n\n> | Sintoma | Ação |\n> |---|---|\n",
        "# Troubleshooting\n\n~~~\n| Sintoma | Ação |\n|---|---|\n",
        "```\n# Troubleshooting\n```\n\n| Sintoma | Ação |\n|---|---|\n",
        "---\n# Troubleshooting\n| Sintoma | Ação |\n|---|---|\n---\n",
    ],
)
def test_no_table_is_taken_for_one(document: str) -> None:
    """Other tables, tables elsewhere and what only looks like one in code are left alone."""
    assert symptom_table.find(document) is None


@pytest.mark.parametrize(
    "head",
    [
        "# Troubleshooting",
        "### Troubleshooting e FAQ ###",
        "Troubleshooting\n===",
        "Resolução de Problemas\n--",
        "## Known problems\n\n### Of the day",
        "- item\n---\n\n# Troubleshooting",
    ],
)
def test_a_section_is_found_by_its_heading(head: str) -> None:
    """Headings of either form count, and sections below them belong to them."""
    assert symptom_table.find(f"{head}\n\n| Sintoma | Ação |\n|---|---|\n") is not None


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a | b", r"a \| b"),
        ("a \\| b", r"a \\\| b"),
        ("one\ntwo\r\nthree\x85four\u2028five\tsix", "one two three four five six"),
        ("`docker ps | grep x`", r"`docker ps \| grep x`"),
        ("`a\\|b`", r"\`a\\\|b\`"),
        ("an ` alone", r"an \` alone"),
        ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
        ("{expression}", r"\{expression\}"),
        ("[x](javascript:y)", r"\[x\](javascript:y)"),
        ("**bold** __init__ KESTRA_HTTP_PORT", r"\*\*bold\*\* \_\_init\_\_ KESTRA_HTTP_PORT"),
        ("[redacted]", r"\[redacted\]"),
        ("\x1b[31mred\x00\u202e", r"\[31mred"),
        ("lone \ud800 half", "lone half"),
        ("x" * 700, "x" * 600 + "…"),
        ("", ""),
    ],
)
def test_a_text_is_one_cell_of_plain_words(text: str, cell: str) -> None:
    """Whatever a text holds, it stays one cell on one line, and is read as the words that it is."""
    assert escaped(text) == cell
    assert symptom_table._cells(symptom_table.row(text, "y")) == [cell, "y"]


@pytest.mark.parametrize(
    ("symptom", "known"),
    [
        ("Porta 8080 em uso", True),
        ("porta  9090 em uso", True),
        ("Porta em uso", False),
        ("a | 12.5 s, container 0123456789ab", True),
    ],
)
def test_a_symptom_is_known_whatever_its_figures(symptom: str, known: bool) -> None:
    """A symptom is the same one when it differs in figures, ids, case or spaces only."""
    table = symptom_table.find(added(DOCUMENT, ("a | 3 s, container fedcba987654", "x")))
    assert table is not None

    assert table.has(symptom) is known
