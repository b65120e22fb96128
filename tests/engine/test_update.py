"""The update: pulled before the stop, judged afterwards, and taken back where a claim has failed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests import targets
from tests.dashboards import Board, board, mirror
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.registry import Registry, registry
from tests.stacks import UNDERSTUDY_IMAGE, Stack, engine, stack
from tests.variants import Flaw, foreign_variant, variant

pytestmark = pytest.mark.understudy

NAME = "kestra/kestra:latest"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="module")
def pulled(images: None, shelf: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose Kestra was pulled from a registry, by a tag that moves."""
    shelf.push(UNDERSTUDY_IMAGE, NAME)
    shelf.pull(NAME)
    with stack(tmp_path_factory.mktemp("stack"), KESTRA_IMAGE=shelf.reference(NAME)) as made:
        seen.seed(made.up())
        targets.target_file(made, pull="always")
        yield made


def dashboard(served: Board) -> dict[str, str]:
    return {
        "name": "launcher", "url": served.url("/status"), "json_path": "services[name=kestra].status",
        "equals": "healthy", "max_age": "60s", "limit": "30s",
    }  # fmt: skip


def _image(stack: Stack) -> str:
    return str(stack.container("kestra").attrs["Image"])


def test_nothing_new(pulled: Stack, shelf: Registry) -> None:
    """Where the registry has no other image, that is said, nothing is touched, and it is no failure."""
    shelf.push(_image(pulled), NAME)
    identity = seen.identity(pulled)

    done = targets.procedure(pulled, name="update")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no new image" in done.stdout
    assert identity == seen.identity(pulled)
    assert targets.record(targets.latest(pulled))["executed"] is False


def registry_that(
    kind: str, says: str, fault: Callable[[Registry], AbstractContextManager[None]]
) -> ParameterSet:
    """A case of a registry that does not deliver, and the row that it stands for."""
    phase = Phase.PREPARE if kind in {"hangs in a layer", "lies"} else Phase.BEFORE
    told = "refused before the stop, and what was prepared is undone"
    mark = FAULT(kind=f"the registry {kind}", phase=phase, happened=told, verdict="REFUSED")
    return pytest.param(fault, says, id=kind, marks=mark)


REGISTRIES = [
    registry_that("refuses", "does not announce", lambda shelf: shelf.refusing()),
    registry_that("hangs", "did not answer within", lambda shelf: shelf.hanging()),
    registry_that("hangs in a layer", "could not be pulled", lambda shelf: shelf.hanging_in_layer()),
    registry_that(
        "lies", "the registry announced sha256:000", lambda shelf: shelf.lying(NAME, f"sha256:{'0' * 64}")
    ),
]


@pytest.mark.parametrize(("fault", "says"), REGISTRIES)
def test_a_registry_that_does_not_deliver(
    pulled: Stack, shelf: Registry, fault: Callable[[Registry], AbstractContextManager[None]], says: str
) -> None:
    """Whatever the registry does, it is found out before the stop, and what was prepared is undone."""
    identity, image = seen.identity(pulled), _image(pulled)
    targets.target_file(pulled, pull="always", budgets={"look": "4s", "pull": "6s"})
    try:
        with variant("0.20.8") as newer:
            shelf.push(newer, NAME)
        with fault(shelf):
            done = targets.procedure(pulled, name="update")
    finally:
        shelf.push(UNDERSTUDY_IMAGE, NAME)
        targets.target_file(pulled, pull="always")

    assert done.returncode == 10, done.stdout + done.stderr
    assert says in done.stdout
    assert identity == seen.identity(pulled)
    with engine() as client:
        assert client.images.get(shelf.reference(NAME)).id == image
    assert list(Path(pulled.root / targets.STATE).rglob("*.kept.json")) == []


@FAULT(
    kind="the disk has no room for a second image",
    phase="before",
    happened="refused before the pull",
    verdict="REFUSED",
)
def test_an_image_that_the_disk_has_no_room_for(pulled: Stack, shelf: Registry) -> None:
    """A disk that cannot hold a second image beside the present one is found out before the pull."""
    identity = seen.identity(pulled)
    with variant("0.20.8") as newer:
        shelf.push(newer, NAME)
    targets.target_file(pulled, pull="always", disk_free=10**17)
    try:
        done = targets.procedure(pulled, name="update")
    finally:
        shelf.push(_image(pulled), NAME)
        targets.target_file(pulled, pull="always")

    assert done.returncode == 10, done.stdout + done.stderr
    assert "the present image takes" in done.stdout
    assert identity == seen.identity(pulled)


@pytest.mark.parametrize(
    ("version", "check"),
    [
        pytest.param(
            "0.19.4",
            "test_it_is_no_older_version",
            marks=FAULT(
                kind="the new image is of an older version",
                phase=Phase.READY,
                happened="refused before the stop, unless somebody says that it is meant",
                verdict="REFUSED",
            ),
        ),
        pytest.param(
            "1.0.0",
            "test_it_is_no_other_major_version",
            marks=FAULT(
                kind="the new image is of another major version",
                phase=Phase.READY,
                happened="refused before the stop, unless somebody says that it is meant",
                verdict="REFUSED",
            ),
        ),
    ],
)
def test_a_version_that_needs_a_word(pulled: Stack, shelf: Registry, version: str, check: str) -> None:
    """A downgrade and a major jump are refused before the stop; somebody must say that it is meant, and why."""
    identity = seen.identity(pulled)
    with variant(version) as other:
        shelf.push(other, NAME)
        done = targets.procedure(pulled, name="update")
    shelf.push(UNDERSTUDY_IMAGE, NAME)

    assert done.returncode == 10, done.stdout + done.stderr
    assert check in done.stdout
    assert identity == seen.identity(pulled)


@FAULT(
    kind="the new image is of an older version",
    phase=Phase.PLAN,
    happened="the plan says it where the image is on the engine, and names what it cannot know where it is not",
    verdict="REFUSED, WOULD BE LET THROUGH",
)
def test_a_plan_judges_an_image_that_is_here(pulled: Stack, shelf: Registry) -> None:
    """What the run would refuse is refused by the plan, as far as that can be asked without a pull."""
    known, name = pulled.env["KESTRA_IMAGE"], "kestra/kestra:planned"
    try:
        with variant("0.19.4") as older, foreign_variant("0.20.9") as foreign:
            planned = {"older": older, "foreign": foreign}
            targets.target_file(pulled, pull="never")
            said = {}
            for kind, image in planned.items():
                pulled.set_env(KESTRA_IMAGE=image)
                said[kind] = targets.procedure(pulled, "--plan", name="update")
            shelf.push(older, name)
        pulled.set_env(KESTRA_IMAGE=shelf.reference(name))
        targets.target_file(pulled, pull="always")
        unseen = targets.procedure(pulled, "--plan", name="update")
    finally:
        pulled.set_env(KESTRA_IMAGE=known)
        targets.target_file(pulled, pull="always")

    assert said["older"].returncode == 10, said["older"].stdout + said["older"].stderr
    assert "is older than" in said["older"].stdout
    assert said["foreign"].returncode == 10, said["foreign"].stdout + said["foreign"].stderr
    assert "it is made for arm64" in said["foreign"].stdout
    assert unseen.returncode == 0, unseen.stdout + unseen.stderr
    assert f"what {shelf.reference(name)} is: its processor, its entry point, its version" in unseen.stdout


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


def test_a_name_that_was_new_is_taken_away_again(pulled: Stack, shelf: Registry) -> None:
    """After a refusal the name that the pull has brought is gone; where nothing may be pulled, that is the refusal."""
    identity, known, name = seen.identity(pulled), pulled.env["KESTRA_IMAGE"], "kestra/kestra:older"
    with variant("0.19.3") as older:
        shelf.push(older, name)
    pulled.set_env(KESTRA_IMAGE=shelf.reference(name))
    try:
        done = targets.procedure(pulled, name="update")
        targets.target_file(pulled, pull="never")
        never = targets.procedure(pulled, name="update")
    finally:
        pulled.set_env(KESTRA_IMAGE=known)
        targets.target_file(pulled, pull="always")

    assert (done.returncode, never.returncode) == (10, 10), done.stdout + never.stdout
    assert "is older than" in done.stdout
    assert f"undone: docker rmi --no-prune {shelf.reference(name)}" in done.stdout
    assert 'the target says pull = "never"' in never.stdout
    assert identity == seen.identity(pulled)
    with engine() as client:
        assert [one for one in client.images.list() if shelf.reference(name) in one.tags] == []


@FAULT(
    kind="the probe is killed",
    phase="stop",
    happened="the outage's end is unknown: nothing is accepted, and nothing gone back from",
    verdict="NOT ACCEPTED",
)
def test_a_probe_that_is_killed_leads_nowhere(pulled: Stack, shelf: Registry) -> None:
    """Nobody saw the outage's end: that is unknown, so nothing is accepted, and nothing is gone back from."""
    with variant("0.20.9") as image:
        shelf.push(image, NAME)
        before = _image(pulled)
        run = targets.started(pulled, name="update")
        targets.wait_for_step(pulled, run, "stop")
        os.kill(_probe_of(run.pid), signal.SIGKILL)
        output, _ = run.communicate(timeout=targets.LIMIT)

    assert run.returncode == 11, output
    assert "the probe that looked from outside had ended" in output
    assert before != _image(pulled)
    assert pulled.is_ready()
    steps = [
        one["step"]["name"]
        for one in targets.record(targets.latest(pulled))["steps"]
        if one["status"] == "done"
    ]
    assert steps == ["save_logs", "keep", "pull", "stop", "start"]
    # It was not accepted, so what ran before is still kept.
    (kept,) = Path(pulled.root / targets.STATE).rglob(f"{seen.run_id(output)}.kept.json")
    kept.unlink()


def _probe_of(parent: int) -> int:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                ours = f"PPid:\t{parent}\n" in (folder / "status").read_text()
                if ours and b"probe.py" in (folder / "cmdline").read_bytes():
                    return int(folder.name)
    raise LookupError(f"process {parent} has no probe")


@FAULT(
    kind="SIGKILL",
    phase="outage",
    happened="of an update: recover starts the image that ran before, and gives its name back",
    verdict="ACCEPTED",
)
def test_a_run_killed_in_its_outage(pulled: Stack, shelf: Registry) -> None:
    """Recovery starts the image that ran before, and the name that the pull had moved is given back to it."""
    before, reference = _image(pulled), shelf.reference(NAME)
    with variant("0.20.10") as image:
        shelf.push(image, NAME)
    run = targets.started(pulled, name="update")
    targets.wait_for_step(pulled, run, "stop", "end")
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=targets.LIMIT)
    seen.wait_until_gone(pulled)
    with engine() as client:
        assert client.images.get(reference).id != before

        done = targets.procedure(pulled, name="recover")

        assert done.returncode == 0, done.stdout + done.stderr
        assert _image(pulled) == before == client.images.get(reference).id
    assert pulled.is_ready()
    assert f"undone: docker tag {before} {reference}" in done.stdout


@FAULT(
    kind="a new image that does not run",
    phase="after",
    happened="what ran before runs again; the image is not tried a second time",
    verdict="ROLLED BACK, REFUSED",
)
def test_a_broken_image(pulled: Stack, shelf: Registry) -> None:
    """An image that does not run is taken back: what ran before runs again, judged by the same checks, exit 13."""
    before = _image(pulled)
    with variant("0.20.10", flaw=Flaw.EXITS) as image:
        shelf.push(image, NAME)
    with board() as served:
        served.pages["/status"] = mirror(pulled.management_url, looks=1)
        targets.target_file(pulled, pull="always", dashboards=[dashboard(served)])
        done = targets.procedure(pulled, name="update")
    targets.target_file(pulled, pull="always")

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
    assert "TOOLS_DB_PASSWORD=" in kept.read_text()

    # The same image is not tried a second time: the archive remembers it.
    identity = seen.identity(pulled)
    again = targets.procedure(pulled, name="update")
    assert again.returncode == 10, again.stdout + again.stderr
    assert "test_it_was_not_rolled_back_before" in again.stdout
    assert identity == seen.identity(pulled)


@FAULT(
    kind="a new image migrates the schema and breaks",
    phase="way back",
    happened="the way back is closed, which is said, and the old image is not run",
    verdict="SERVICE DOWN",
)
def test_an_image_that_migrates_and_breaks(images: None, tmp_path: Path) -> None:
    """Where the schema has moved there is no way back: that is said, and the run stops there, the old image not run."""
    with variant("0.21.3", flaw=Flaw.CRASHES) as image, stack(tmp_path) as own:
        before = _image(seen.seed(own.up()))
        own.set_env(KESTRA_IMAGE=image)
        targets.target_file(own)
        done = targets.procedure(own, name="update")

        assert done.returncode == 12, done.stdout + done.stderr
        assert "the way back is closed: the database's schema has moved" in done.stdout
        assert before != _image(own)
        assert "By hand" in done.stdout
        assert "as it was before the change" not in done.stdout, (
            "what the database forbids is not told to be typed"
        )


@FAULT(
    kind="a new image that does not run, and has spoilt the storage for the one before",
    phase=Phase.WAY_BACK,
    happened="what ran before does not boot either: the last errors of both stand first, what follows is folded",
    verdict="SERVICE DOWN",
)
def test_a_way_back_that_does_not_boot(images: None, tmp_path: Path) -> None:
    """Two boots have failed, for two reasons: each is told once, that of what is there now first, with its own log."""
    with (
        variant("0.20.7", flaw=Flaw.FEARS_THE_MARK) as old,
        variant("0.20.10", flaw=Flaw.LEAVES_A_MARK) as new,
        stack(tmp_path, KESTRA_IMAGE=old) as own,
    ):
        seen.seed(own.up())
        own.set_env(KESTRA_IMAGE=new)
        targets.target_file(own)
        # Two boots are given up after several restarts by the engine, each later than the one before.
        done = targets.procedure(own, name="update", limit=2 * targets.LIMIT)
        name, folder = f"{own.project}-kestra", targets.latest(own)

    assert done.returncode == 12, done.stdout + done.stderr
    end = done.stdout.partition("SERVICE DOWN\n")[2]
    told = [
        f"{name} does not boot on the way back: {name} was restarted", f"log-after-{name}.txt",
        "ERROR this storage is a newer one", "it differs from what ran before in nothing that was compared",
        "because of this: the report has each", f"{name} does not boot: {name} was restarted",
        f"log-failed-{name}.txt", "ERROR it does not know this storage", "it differs from what ran before in: the image",
        "because of this: the report has each",
    ]  # fmt: skip
    places = [0]
    for words in told:
        assert words in end[places[-1] :], (words, end)
        places.append(end.index(words, places[-1]))
    assert "(post/" not in end, "a claim that follows from a boot is no finding of its own"
    for when, words in (("after", told[2]), ("failed", told[7])):
        assert words in (folder / f"log-{when}-{name}.txt").read_text()
    page = (folder / "report.html").read_text()
    assert page.index(told[2]) < page.index(told[7]) < page.index("Why, and what to do next")
