"""A target file for a stack of a test's own, and procedures that are run on it as an operator runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests import endings
from tests.stacks import COMPOSE_FILE, Stack, clean_environment, image_under_test, is_understudy

PROJECT = Path(__file__).resolve().parent.parent
FILE = "target.toml"
ARCHIVE = "runs"
STATE = "state"
# A run on an idle machine takes ten seconds, with a real Kestra half a minute.
LIMIT = 120.0 if is_understudy(image_under_test()) else 360.0
# A boot is 0.3 s, a drain at most 5 s; what hangs must not be waited for longer than a test may take.
BUDGETS = {"boot": "20s", "soak": "0.5s", "look": "6s", "save_logs": "10s"}
if not is_understudy(image_under_test()):
    BUDGETS |= {"boot": "120s", "look": "20s"}


def target_file(stack: Stack, **changes: Any) -> Path:
    """Write the target file of a stack, with its archive inside the stack's own folder.

    A change replaces a key; None leaves it out; a mapping is merged into the table of that name.
    """
    table: dict[str, Any] = {
        "name": stack.project,
        "root": ".",
        "compose_files": [str(COMPOSE_FILE)],
        "env_files": [".env"],
        "service": "kestra",
        "database_service": "kestra-postgres",
        "archive": ARCHIVE,
        # The tests' machine is nobody's production: how full its disk is is asked by one test only.
        "disk_free": 1,
        # Its images are built here; tests of what a registry does say otherwise.
        "pull": "missing",
        "budgets": dict(BUDGETS),
    }
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
        elif isinstance(value, Mapping):
            table[key] = {**table.get(key, {}), **value}
        else:
            table[key] = value
    file = stack.root / FILE
    file.write_text(_toml(table), encoding="utf-8")
    return file


def environment(stack: Stack, **additions: str) -> dict[str, str]:
    """The environment of an operator: nothing of the test's own pytest, and a place for journals of its own."""
    ours = {key: value for key, value in clean_environment().items() if not key.startswith(("PYTEST", "CI"))}
    return ours | {"XDG_STATE_HOME": str(stack.root / STATE), "NO_COLOR": "1"} | additions


def argv(stack: Stack, *arguments: str, name: str = "restart") -> list[str]:
    """The words of a procedure's call; the target file is the one written last, or a plain one."""
    file = stack.root / FILE
    if not file.is_file():
        target_file(stack)
    return [sys.executable, "-m", "pytest", "-m", name, f"--target={file}", *arguments]


def procedure(
    stack: Stack,
    *arguments: str,
    name: str = "restart",
    limit: float = LIMIT,
    env: Mapping[str, str] | None = None,
    behind: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a procedure from the project's root to its end, by itself or behind other words."""
    words = [*behind, *argv(stack, *arguments, name=name)]
    done = subprocess.run(
        words,
        cwd=PROJECT,
        env=environment(stack, **(env or {})),
        check=False,
        capture_output=True,
        text=True,
        timeout=limit,
        stdin=subprocess.DEVNULL,
    )
    endings.note(words, done.returncode)
    return done


def started(
    stack: Stack,
    *arguments: str,
    name: str = "restart",
    env: Mapping[str, str] | None = None,
    behind: tuple[str, ...] = (),
    **options: Any,
) -> subprocess.Popen[str]:
    """Start a procedure and let it run on, in a process group of its own; whoever starts it ends it."""
    streams: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "start_new_session": True,
    } | options
    words = [*behind, *argv(stack, *arguments, name=name)]
    run = subprocess.Popen(words, cwd=PROJECT, env=environment(stack, **(env or {})), text=True, **streams)
    endings.note_running(words, run)
    return run


def archive(stack: Stack) -> Path:
    return stack.root / ARCHIVE


def folders(stack: Stack) -> list[Path]:
    """The run folders of the archive, the oldest first."""
    if not archive(stack).is_dir():
        return []
    found = [one for one in archive(stack).iterdir() if one.is_dir() and not one.is_symlink()]
    return sorted(found, key=lambda one: one.stat().st_ctime_ns)


def latest(stack: Stack) -> Path:
    """The folder of the run that was sealed last."""
    return (archive(stack) / "latest").resolve(strict=True)


def record(folder: Path) -> dict[str, Any]:
    """A run's evidence."""
    return dict(json.loads((folder / "evidence.json").read_text(encoding="utf-8")))


def journals(stack: Stack) -> list[Path]:
    """The journals themselves; a copy of one lies with the evidence where the archive did not take it."""
    return sorted(one for one in (stack.root / STATE).rglob("*.jsonl") if one.name != "journal.jsonl")


def entries(journal: Path) -> list[dict[str, Any]]:
    """A journal's entries; a line that is being written is left out."""
    lines = journal.read_text(encoding="utf-8").split("\n")
    return [json.loads(one) for one in lines[:-1] if one]


def wait_for_step(
    stack: Stack, run: subprocess.Popen[Any], step: str, kind: str = "begin", limit: float = 60.0
) -> None:
    """Wait until the newest journal says that a step has begun (or, as `kind`, ended)."""
    deadline = time.monotonic() + limit
    while not any(
        one["kind"] == kind and one.get("step") == step
        for file in journals(stack)
        for one in entries(file)
        if not any(other["kind"] == "sealed" for other in entries(file))
    ):
        if run.poll() is not None:
            said, _ = run.communicate(timeout=5)
            raise AssertionError(f"the run ended with {run.returncode} before {kind} {step}:\n{said}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit:g} s for the journal's {kind} {step}")
        time.sleep(0.005)


def _toml(table: Mapping[str, Any]) -> str:
    """Write a table of texts, numbers, lists and tables; JSON's forms are TOML's, but for tables, which stand inline."""
    return "".join(f"{key} = {_inline(value)}\n" for key, value in table.items())


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
