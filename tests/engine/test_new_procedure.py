"""A procedure that is added as CONTRIBUTING says: its file, the one list, and a row of the document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import targets
from tests.engine import service as seen
from tests.recipes import block, copied
from tests.stacks import Stack


def follow(copy: Path) -> None:
    """Follow the recipe's four steps."""
    (copy / "procedures" / "judge.py").write_text(block("python", "PROCEDURE = "), encoding="utf-8")
    replace(copy / "procedures" / "listed.py", "from procedures import ", "from procedures import judge, ")
    replace(copy / "procedures" / "listed.py", "for one in (", "for one in (judge, ")
    replace(copy / "pyproject.toml", '"procedures.restart | ', '"procedures.restart | procedures.judge | ')
    row = "| `status` | nothing"
    replace(copy / "docs" / "procedures.md", row, f"{block('markdown', 'judge')}{row}")


def replace(file: Path, word: str, instead: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(word) == 1
    file.write_text(text.replace(word, instead), encoding="utf-8")


def run(copy: Path, words: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=copy, check=False, capture_output=True, text=True, timeout=targets.LIMIT, **more
    )


def test_a_procedure_is_added_as_the_recipe_says(service: Stack, tmp_path: Path) -> None:
    """It is typed like any other, its checks are those that its file provides for, and it leaves its evidence."""
    copy, then = copied(tmp_path), seen.identity(service)
    follow(copy)
    words = targets.argv(service, name="judge")
    done = run(copy, words, env=targets.environment(service), stdin=subprocess.DEVNULL)

    assert done.returncode == 0, done.stdout + done.stderr
    record = targets.record(targets.latest(service))
    assert (record["procedure"], record["verdict"], record["executed"]) == ("judge", "ACCEPTED", False)
    assert {one["check"]["phase"] for one in record["results"]} == {"post"}
    assert seen.identity(service) == then
    layout = ["tests/docs/test_layout.py", "tests/docs/test_docs.py"]
    judged = run(copy, [sys.executable, "-m", "pytest", "-q", *layout])
    assert judged.returncode == 0, judged.stdout
    held = run(copy, [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"])
    assert held.returncode == 0, held.stdout
