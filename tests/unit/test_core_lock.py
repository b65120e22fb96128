"""A lock whose name is taken by nothing, and what a target file says of URLs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import docker.errors
import pytest

from procedures.problems import CannotObserve, TypedWrong
from procedures.steps import lock
from procedures.steps.lock import Holder, Lock
from procedures.target import target


class Conflict(docker.errors.APIError):
    """The engine's word that a name is taken."""

    def __init__(self) -> None:
        super().__init__("conflict", explanation="the name is in use")

    @property
    def status_code(self) -> int:
        return 409


class Haunted:
    """An engine that keeps the name of a container that is not there."""

    def __init__(self) -> None:
        self.client = self.api = self
        self.tried = 0

    def in_memory(self, _image: str) -> dict[str, str]:
        return {}

    def create_host_config(self, **_: object) -> dict[str, object]:
        return {}

    def create_container(self, *_: object, **__: object) -> None:
        self.tried += 1
        raise Conflict

    def named(self, _name: str) -> None:
        return None


def test_a_name_that_is_taken_by_nothing_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a limit of tries it is said what is wrong, and by which command it may be mended."""
    monkeypatch.setattr("procedures.steps.lock.time.sleep", lambda _: None)
    engine = Haunted()
    me = Holder.me("1a2b", "restart", "", Path("/state/1a2b.jsonl"), "ada")

    with pytest.raises(CannotObserve, match="shows no container"):
        Lock(cast("Any", engine), "tools", "kestra").take(me, "image")

    assert engine.tried == lock.TRIES


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:{http_port}", "http://127.0.0.1:{port}", "http://{", "here"]
)
def test_a_url_that_nobody_can_look_at_is_written_wrong(url: str, tmp_path: Path) -> None:
    """The probe speaks plain HTTP, and only the ports are filled in: told before anything is touched."""
    file = tmp_path / "target.toml"
    file.write_text(
        f'name = "tools"\ncompose_files = ["c.yml"]\nservice = "kestra"\ndatabase_service = "pg"\nhttp_url = "{url}"\n'
    )

    with pytest.raises(TypedWrong, match="'http_url' must be an http://"):
        target.read(file)


@pytest.mark.parametrize("host", ["{engine_host}:{http_port}", "127.0.0.1:{gateway_port}/kestra", "far:9080"])
def test_a_url_may_be_filled_in(host: str, tmp_path: Path) -> None:
    """Ports, the engine's host and a gateway's port have a place in a URL."""
    file = tmp_path / "target.toml"
    file.write_text(
        f'name = "t"\ncompose_files = ["c.yml"]\nservice = "k"\ndatabase_service = "p"\nhttp_url = "http://{host}"\n'
    )

    assert target.read(file).http_url == f"http://{host}"
