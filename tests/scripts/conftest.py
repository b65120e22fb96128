"""What the tests of an operator's scripts may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from procedures.rehearsal.rehearsal import rehearse
from reports.record.scripted import Rehearsal
from tests.stacks import SOURCE, Stack, clean_environment, image_under_test, is_understudy, run, stack

Rehearse = Callable[..., Rehearsal]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs; the tests of a module share it, since a rehearsal changes nothing of it."""
    if is_understudy(image_under_test()):
        run([str(SOURCE / "up.sh"), "images", "--built"], cwd=SOURCE, env=clean_environment(), limit=600)
    with stack(tmp_path_factory.mktemp("stack")) as made:
        yield made.up()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of the test's own."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "kept").write_text("as it was")
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A target's root of the test's own."""
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def rehearsed(root: Path, home: Path) -> Rehearse:
    """Rehearse a script of this text in the test's root."""

    def one(
        text: str, *arguments: str, environment: dict[str, str] | None = None, **others: Any
    ) -> Rehearsal:
        file = root / "script.sh"
        file.write_text(f"#!/usr/bin/env bash\n{text}\n")
        file.chmod(0o755)
        options: dict[str, Any] = {"root": root, "limit": 20.0, "docker_host": docker_host()} | others
        variables = clean_environment(HOME=str(home)) | (environment or {})
        return rehearse(("./script.sh", *arguments), root, variables, **options)

    return one


def docker_host() -> str:
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
