"""A procedure that is added as CONTRIBUTING says: its file, the one list, and a row of the document."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests import targets
from tests.engine import service as seen
from tests.recipes import block, copied
from tests.stacks import Stack

LIST = "restart, recover, update, apply_env, rollback, accept, status"


def follow(copy: Path) -> None:
    (copy / "procedures" / "judge.py").write_text(block("python", "PROCEDURE = "), encoding="utf-8")
    listed = copy / "procedures" / "listed.py"
    text = listed.read_text(encoding="utf-8")
    assert f"({LIST})" in text
    assert "import accept, apply_env," in text
    text = text.replace(f"({LIST})", f"({LIST}, judge)").replace("apply_env,", "apply_env, judge,", 1)
    listed.write_text(text, encoding="utf-8")


def test_a_procedure_is_added_as_the_recipe_says(service: Stack, tmp_path: Path) -> None:
    """It is typed like any other, its checks are those that its file provides for, and it leaves its evidence."""
    copy, then = copied(tmp_path), seen.identity(service)
    follow(copy)
    words = targets.argv(service, name="judge")
    done = subprocess.run(
        words, cwd=copy, env=targets.environment(service), check=False, capture_output=True, text=True,
        timeout=targets.LIMIT, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    record = targets.record(targets.latest(service))
    assert (record["procedure"], record["verdict"], record["executed"]) == ("judge", "ACCEPTED", False)
    assert {one["check"]["phase"] for one in record["results"]} == {"post"}
    assert seen.identity(service) == then
