"""The update: pulled before the stop, judged afterwards, and taken back where a claim has failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import targets
from tests.dashboards import Board, board, mirror
from tests.engine import service as seen
from tests.registry import Registry, registry
from tests.stacks import UNDERSTUDY_IMAGE, Stack, engine, stack
from tests.variants import Flaw, variant

NAME = "kestra/kestra:latest"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="module")
def pulled(images: None, shelf: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose Kestra was pulled from a registry, by a tag that moves."""
    shelf.push(UNDERSTUDY_IMAGE, NAME)
    with stack(tmp_path_factory.mktemp("stack"), KESTRA_IMAGE=shelf.reference(NAME)) as made:
        with engine() as client:
            client.images.pull(shelf.reference(NAME))
        seen.seed(made.up())
        targets.target_file(made)
        yield made
    with engine() as client:
        client.images.remove(shelf.reference(NAME), force=True)


def dashboard(served: Board) -> dict[str, str]:
    return {
        "name": "launcher", "url": served.url("/status"), "json_path": "services[name=kestra].status",
        "equals": "healthy", "max_age": "60s", "limit": "30s",
    }  # fmt: skip


def _image(stack: Stack) -> str:
    return str(stack.container("kestra").attrs["Image"])


def test_nothing_new(pulled: Stack) -> None:
    """Where the registry has no other image, that is said, nothing is touched, and it is no failure."""
    identity = seen.identity(pulled)

    done = targets.procedure(pulled, name="update")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no new image" in done.stdout
    assert identity == seen.identity(pulled)
    assert targets.record(targets.latest(pulled))["executed"] is False


def test_a_new_image(pulled: Stack, shelf: Registry) -> None:
    """A new image is pulled before the stop, and its digest and version stand in the report beside the old ones."""
    with variant("0.20.9") as image:
        digest = shelf.push(image, NAME)
        done = targets.procedure(pulled, name="update")

    assert done.returncode == 0, done.stdout + done.stderr
    record = targets.record(targets.latest(pulled))
    steps = [one["step"]["name"] for one in record["steps"] if one["status"] == "done"]
    assert steps == ["save_logs", "keep", "pull", "stop", "start"]
    report = (targets.latest(pulled) / "report.html").read_text()
    for word in (digest.removeprefix("sha256:")[:12], "0.20.9", "0.20.7"):
        assert word in report
    assert list(Path(pulled.root / targets.STATE).rglob("*.kept.json")) == []


def test_a_broken_image(pulled: Stack, shelf: Registry) -> None:
    """An image that does not run is taken back: what ran before runs again, judged by the same checks, exit 13."""
    before = _image(pulled)
    with variant("0.20.10", flaw=Flaw.EXITS) as image, board() as served:
        served.pages["/status"] = mirror(pulled.management_url, looks=1)
        targets.target_file(pulled, dashboards=[dashboard(served)])
        shelf.push(image, NAME)
        done = targets.procedure(pulled, name="update")
    targets.target_file(pulled)

    assert done.returncode == 13, done.stdout + done.stderr
    assert _image(pulled) == before
    assert pulled.is_ready()
    record = targets.record(targets.latest(pulled))
    assert record["verdict"] == "ROLLED BACK"
    back = [one for one in record["results"] if one["check"]["way"] == "back"]
    assert {one["outcome"] for one in back if not one["check"]["advisory"]} <= {"passed", "not applicable"}
    assert [one["outcome"] for one in back if "test_dashboards" in one["check"]["id"]] == ["passed"]
    (kept,) = Path(pulled.root / targets.STATE).rglob("*.kept.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["services"]["kestra"]["environment"]["TOOLS_DB_PASSWORD"]
