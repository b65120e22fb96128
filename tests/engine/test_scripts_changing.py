"""Update, settings and rollback where the operator's own scripts stop and start: judged before, brought back after."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procedures.drivers.labels import PROJECT
from tests import targets
from tests.engine import by_scripts as bad
from tests.engine import service as seen
from tests.engine.by_scripts import STOP, by, own
from tests.foreign import foreign
from tests.stacks import UNDERSTUDY_IMAGE, Stack, engine, password, run, stack
from tests.variants import Flaw, variant

PLAIN = by("run-plain.sh")
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module", name="plain")
def _plain(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose Kestra was started by a script, with plain `docker run --rm`."""
    with stack(tmp_path_factory.mktemp("stack")) as made:
        seen.seed(made.up())
        bad.target(made)
        made.compose("rm", "-sf", "kestra")
        bad.run_script(made, "run-plain.sh")
        made.wait_until_ready()
        bad.target(made, stop=STOP, start=PLAIN)
        try:
            yield made
        finally:
            bad.remove(made)


@pytest.fixture(name="by_compose")
def _by_compose(plain: Stack) -> Iterator[Stack]:
    """The same stack with its Kestra made by Compose; the script has it again at the end."""
    bad.remove(plain)
    yield plain.up()
    plain.compose("rm", "-sf", seen.SERVICE)
    bad.run_script(plain, "run-plain.sh")
    plain.wait_until_ready()
    bad.target(plain, stop=STOP, start=PLAIN)


def _described(made: Stack) -> dict[str, Any]:
    with engine() as client:
        found: dict[str, Any] = client.containers.get(f"{made.project}-kestra").attrs
    return found


def _kept(made: Stack) -> list[Path]:
    return sorted(Path(made.root / targets.STATE).rglob("*.kept.*"))


def _cut_off(made: Stack) -> None:
    """Apply what the env file says, and kill the run and what it has started once the service is stopped."""
    run = targets.started(made, name="apply_env")
    targets.wait_for_step(made, run, "stop", "end")
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=targets.LIMIT)
    seen.wait_until_gone(made)


def test_an_update_and_a_rollback_by_docker_run(plain: Stack) -> None:
    """What the script would start is judged before the stop; the rollback makes the same container of the image before."""
    first = _described(plain)
    assert targets.procedure(plain, name="accept").returncode == 0
    with variant("0.20.9") as newer:
        plain.set_env(KESTRA_IMAGE=newer)
        with foreign(plain):
            bad.ended(plain, 0, name="update")
        now = _described(plain)
        assert now["Image"] != first["Image"]
        assert _kept(plain) == []

        bad.ended(plain, 0, name="rollback")
        back = _described(plain)
    plain.set_env(KESTRA_IMAGE=UNDERSTUDY_IMAGE)

    assert back["Image"] == first["Image"]
    assert PROJECT not in back["Config"]["Labels"]
    assert sorted(back["Config"]["Env"]) == sorted(first["Config"]["Env"])
    assert back["HostConfig"]["AutoRemove"] is True
    assert plain.is_ready()


def test_a_broken_image_by_docker_run(plain: Stack) -> None:
    """An image that does not run is taken back: the same container as before, by a command that anybody can type."""
    before = _described(plain)
    with variant("0.20.10", flaw=Flaw.EXITS) as broken:
        plain.set_env(KESTRA_IMAGE=broken)
        _, record, _ = bad.ended(plain, 13, name="update")
        back = _described(plain)
        plain.set_env(KESTRA_IMAGE=UNDERSTUDY_IMAGE)
    (kept,) = _kept(plain)
    secrets = [plain.env["KESTRA_DB_PASSWORD"], plain.env["KESTRA_BASICAUTH_PASSWORD"]]

    assert back["Image"] == before["Image"]
    assert sorted(back["Config"]["Env"]) == sorted(before["Config"]["Env"])
    assert back["HostConfig"]["PortBindings"] == before["HostConfig"]["PortBindings"]
    assert back["HostConfig"]["AutoRemove"] is True
    assert PROJECT not in back["Config"]["Labels"]
    assert record["verdict"] == "ROLLED BACK"
    assert str(kept) in str(record["findings"])
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not any(
        one in file.read_text(errors="replace") for one in secrets for file in targets.latest(plain).iterdir()
    )

    # By hand, while it runs: the same once more.
    typed = [sys.executable, "-m", "procedures.way_back", str(kept)]
    run(typed, cwd=ROOT, env=plain.environment(), limit=60)
    plain.wait_until_ready()
    assert _described(plain)["Image"] == before["Image"]


def test_settings_by_docker_run(plain: Stack) -> None:
    """New settings take effect through the script; a run that is killed in its outage is recovered from what it kept."""
    new, good = password(), plain.env["UNDERSTUDY"]
    plain.set_env(KESTRA_BASICAUTH_PASSWORD=new)
    bad.ended(plain, 0, name="apply_env")
    assert plain.is_ready()
    before = _described(plain)

    plain.set_env(UNDERSTUDY=f"{good} crash-at-boot")
    _cut_off(plain)
    told, _, _ = bad.ended(plain, 0, name="recover")
    plain.set_env(UNDERSTUDY=good)

    assert "what ran before is started again" in told
    assert plain.is_ready()
    assert sorted(_described(plain)["Config"]["Env"]) == sorted(before["Config"]["Env"])
    told, _, _ = bad.ended(plain, 0, name="apply_env")
    assert "nothing to apply" in told


def test_what_compose_has_made_is_made_again(by_compose: Stack) -> None:
    """Whoever starts the service: a container of Compose's is one again, also after a script that would take it over."""
    before = by_compose.container(seen.SERVICE).attrs
    for start in (own("run.sh", "--detach"), by("run-plain.sh", takes_over=True)):
        with variant("0.20.10", flaw=Flaw.EXITS) as broken:
            by_compose.set_env(KESTRA_IMAGE=broken)
            bad.target(by_compose, stop=STOP, start=start)
            _, record, _ = bad.ended(by_compose, 13, name="update")
        by_compose.set_env(KESTRA_IMAGE=UNDERSTUDY_IMAGE)

        now = by_compose.container(seen.SERVICE).attrs
        assert now["Image"] == before["Image"]
        assert sorted(now["Config"]["Env"]) == sorted(before["Config"]["Env"])
        assert bad.step(record, "back_start")["status"] == "done"
        assert by_compose.is_ready()

    # Killed after the script has put its own container there, which never answers.
    good = by_compose.env["UNDERSTUDY"]
    by_compose.set_env(UNDERSTUDY=f"{good} crash-at-boot")
    _cut_off(by_compose)
    with engine() as client:
        client.containers.get(f"{by_compose.project}-kestra").remove(force=True)
        client.containers.create(UNDERSTUDY_IMAGE, name=f"{by_compose.project}-kestra")
    _, record, _ = bad.ended(by_compose, 0, name="recover")
    by_compose.set_env(UNDERSTUDY=good)

    assert bad.step(record, "start")["status"] == "done"
    assert by_compose.container(seen.SERVICE).attrs["Config"]["Env"] == before["Config"]["Env"]
    assert by_compose.is_ready()
