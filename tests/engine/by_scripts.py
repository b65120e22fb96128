"""A target whose steps are scripts of the operator's, as bad as they come: each is a file of tests/data/scripts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker.errors

from tests import targets
from tests.engine import service as seen
from tests.stacks import Stack, engine, run

SCRIPTS = Path(__file__).resolve().parent.parent / "data" / "scripts"
OWN = "own"
UNREHEARSED = "pre/test_scripts.py::test_what_the_scripts_do_is_known"
WAIVED = ("--waive", UNREHEARSED, "--reason", "as a test", "--operator", "Ada")
"""What it takes to let a script act that nobody may rehearse."""
KESTRA = "tools/kestra/scripts"
COMPOSE = {"driver": "compose"}


def by(file: str, *arguments: str, **more: Any) -> dict[str, Any]:
    """A step that a bad script carries out."""
    return {"driver": "scripts", "command": [f"{OWN}/{file}", *arguments], **more}


def own(file: str, *arguments: str, **more: Any) -> dict[str, Any]:
    """A step that the stack's own script carries out."""
    return {"driver": "scripts", "command": [f"{KESTRA}/{file}", *arguments], **more}


STOP, START = by("stop-by-name.sh"), COMPOSE
"""What a test takes where the step is not its matter: the stack's own run.sh waits in its rehearsal too."""


def target(stack: Stack, validate: list[dict[str, Any]] | None = None, **steps: Mapping[str, Any]) -> Path:
    """Write a target file with these steps, the scripts beside it."""
    folder = stack.root / OWN
    shutil.copytree(SCRIPTS, folder, dirs_exist_ok=True)
    (folder / ".env").write_text("KESTRA_HTTP_PORT=8080\n")
    return targets.target_file(stack, steps=dict(steps), **({"validate": validate} if validate else {}))


def run_script(stack: Stack, file: str, *arguments: str) -> None:
    """Run a bad script as its operator would, to its end."""
    run([str(stack.root / OWN / file), *arguments], cwd=stack.root)


def remove(stack: Stack) -> None:
    """Remove the service's container, asked first: the heartbeat of one that is killed stays for a while."""
    with engine() as client:
        for one in client.containers.list(all=True, filters={"name": f"^/{stack.project}-kestra$"}):
            with suppress(docker.errors.NotFound, docker.errors.APIError):  # with --rm it goes by itself
                one.stop(timeout=15)
                one.remove(force=True)


def ended(
    stack: Stack, status: int, *arguments: str, name: str = "restart", env: Mapping[str, str] | None = None
) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Run a procedure that ends with a status; return what it told, its record, and what closed it by check."""
    done = targets.procedure(stack, *arguments, name=name, env=env)
    assert done.returncode == status, done.stdout + done.stderr
    record = targets.record(targets.latest(stack))
    assert seen.processes(stack) == []
    return done.stdout, record, seen.findings(record)


def step(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What became of a step."""
    return next(one for one in record["steps"] if one["step"]["name"] == name)


def advice(record: Mapping[str, Any], check: str) -> str:
    """What an advisory check has found."""
    return next(
        f"{one['outcome']}: {one['reason']}"
        for one in record["results"]
        if one["check"]["id"].endswith(f"::{check}")
    )
