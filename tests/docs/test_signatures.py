"""The table of signatures in docs/operations.md is the one that the code uses."""

from __future__ import annotations

from procedures.diagnosis.signatures import Signature
from procedures.diagnosis.signatures.table import SIGNATURES
from tests.docs.test_docs import read


def row(one: Signature) -> str:
    """A signature as its line in the document; what is said may hold backticks of its own."""
    says = f"`` {one.says} ``" if "`" in one.says else f"`{one.says}`"
    return f"| {one.by} | {says} | {one.means} | {one.move} |"


def test_the_table_of_signatures_is_the_one_in_the_code() -> None:
    """Every signature stands in docs/operations.md as it is, in the same order, and no other one."""
    text = read("docs/operations.md")
    table = text.partition("| who | says | that means | type next |\n|---|---|---|---|\n")[2].partition(
        "\n\n"
    )[0]

    assert table.splitlines() == [row(one) for one in SIGNATURES]
    assert not any("|" in word for one in SIGNATURES for word in (one.says, one.means, one.move))
