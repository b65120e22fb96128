"""What the server must write: asked as its own user, before the stop and afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from procedures.observe.engine import folders
from procedures.observe.engine.endpoint import Endpoint
from procedures.observe.engine.engine import EngineObserver
from reports.record.observed import Settings
from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack, run
from tests.variants import variant

pytestmark = pytest.mark.understudy

CLAIM = "test_the_server_can_write_what_it_must"
VOLUME = "      - kestra-storage:/app/storage\n"
RECREATE = ("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", seen.SERVICE)
TYPED = re.compile(r"`(docker exec -u 0 [^`]+)`")


@pytest.fixture(autouse=True)
def _as_before(service: Stack) -> Iterator[None]:
    yield
    give(service, "1000:1000")


def give(service: Stack, owner: str) -> None:
    """Let the storage be somebody's, with what lies in it: the engine gives an empty one to the image's user."""
    words = f"touch /app/storage/file && chown -R {owner} /app/storage"
    done = service.container(seen.SERVICE).exec_run(["sh", "-c", words], user="0")
    assert done.exit_code == 0, done.output


def move(service: Stack) -> str:
    """What the latest run tells to do about what the server cannot write."""
    record = targets.record(targets.latest(service))
    return next(
        f"{one['reason']} → {one['next_move']}"
        for one in record["results"]
        if CLAIM in one["check"]["id"] and one["outcome"] in {"failed", "unknown"}
    )


@FAULT(
    kind="the storage is root's, and the server is not",
    phase=Phase.BEFORE,
    happened="refused, and what is told lets the server write",
    verdict="REFUSED, ACCEPTED",
)
def test_a_storage_that_is_roots(service: Stack) -> None:
    """The server says UP and cannot store a file: no restart mends that, so there is none; the move that is told does."""
    give(service, "0:0")
    identity = seen.identity(service)
    refused = targets.procedure(service)
    told = move(service)

    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert identity == seen.identity(service)
    assert "its user 1000:1000 cannot write /app/storage (its storage, volume " in told

    typed = TYPED.search(told)
    assert typed is not None, told
    run(["bash", "-c", typed[1]], cwd=service.root)
    done = targets.procedure(service)

    assert done.returncode == 0, done.stdout + done.stderr
    looks = {one["name"]: one for one in targets.record(targets.latest(service))["snapshots"]}
    assert [[one["writable"] for one in looks[name]["folders"]] for name in ("before", "after")] == [
        [True]
    ] * 2


@FAULT(
    kind="the storage becomes root's",
    phase=Phase.OUTAGE,
    happened="the new server answers, and what it cannot write withholds acceptance",
    verdict="NOT ACCEPTED",
)
def test_a_storage_that_becomes_roots(service: Stack) -> None:
    """What was asked before the stop is asked of the new server again."""
    running = targets.started(service)
    targets.wait_for_step(service, running, "save_logs")
    give(service, "0:0")
    said = running.communicate(timeout=targets.LIMIT)[0]

    assert running.returncode == 11, said
    assert f"post/test_writing.py::{CLAIM}" in said
    assert seen.health(service) == "200 UP"


@FAULT(
    kind="the new image runs as another user than the storage's",
    phase=Phase.AFTER,
    happened="what ran before runs again",
    verdict="ROLLED BACK",
)
def test_an_image_that_runs_as_somebody_else(service: Stack) -> None:
    """It boots and answers, and could store nothing: that is a claim that leads back."""
    with variant("0.20.8", user="1234:1234") as image:
        known = service.env["KESTRA_IMAGE"]
        service.set_env(KESTRA_IMAGE=image)
        try:
            done = targets.procedure(service, name="update")
        finally:
            service.set_env(KESTRA_IMAGE=known)
            service.compose(*RECREATE)
            service.wait_until_ready()

    assert done.returncode == 13, done.stdout + done.stderr
    assert "its user 1234:1234 cannot write /app/storage" in done.stdout


@contextmanager
def mounted(service: Stack, *mounts: str) -> Iterator[None]:
    """Let the service run with more mounts."""
    then = service.compose_file.read_text()
    more = "".join(f"      - {one}\n" for one in mounts)
    service.compose_file.write_text(then.replace(VOLUME, VOLUME + more))
    service.compose(*RECREATE)
    service.wait_until_ready()
    try:
        yield
    finally:
        service.compose_file.write_text(then)
        service.compose(*RECREATE)
        service.wait_until_ready()


def test_what_is_mounted_besides(service: Stack) -> None:
    """A folder that is mounted to be written counts; a read-only one, a file and the engine's socket do not."""
    for name in ("work", "seen"):
        (service.root / name).mkdir(mode=0o755, exist_ok=True)
    (service.root / "file").write_text("x")
    (service.root / "file").chmod(0o600)
    here = service.root
    mounts = (f"{here}/work:/work", f"{here}/seen:/seen:ro", f"{here}/file:/etc/own")
    with mounted(service, *mounts, "/var/run/docker.sock:/var/run/docker.sock"):
        refused = targets.procedure(service, "--plan")
        (service.root / "work").chmod(0o777)
        planned = targets.procedure(service, "--plan")

    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert f"its user 1000:1000 cannot write /work ({here}/work)\n" in refused.stdout
    assert "→ if the server has to write there, `docker exec -u 0 " in refused.stdout
    assert planned.returncode == 0, planned.stdout + planned.stderr


def test_a_container_that_cannot_be_asked(service: Stack) -> None:
    """Where nothing can be asked in it, nobody knows: that is not green."""
    kestra = service.container(seen.SERVICE)
    moved = kestra.exec_run(["mv", "/usr/bin/timeout", "/usr/bin/aside"], user="0")
    try:
        done = targets.procedure(service, "--plan")
    finally:
        kestra.exec_run(["mv", "/usr/bin/aside", "/usr/bin/timeout"], user="0")

    assert moved.exit_code == 0
    assert done.returncode == 10, done.stdout + done.stderr
    assert re.search(
        r"unknown +The running server can write to its storage.*\n +whether .* cannot be asked in it",
        done.stdout,
    )


def test_an_entry_point_that_gives_its_rights_away(images: None) -> None:
    """What counts is the user that the server runs as, not the one that the container begins with."""
    lowered = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "sleep"]
    engine = EngineObserver(Endpoint("unix:///var/run/docker.sock", "default"))
    settings = Settings("", 0, "", "", None, None, "", None, None, storage="/app/storage/")
    with seen.container(seen.unique("dropped"), "600", entrypoint=lowered, volumes=["/app/storage"]) as made:
        one = engine.named(str(made.id))
        assert one is not None
        (storage,) = [each for each in folders.look(engine, one, settings, 6.0) if each.stores]
    engine.close()

    assert (storage.path, storage.user, storage.writable) == ("/app/storage", "1000:1000", False)
