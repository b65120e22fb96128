"""Which way recovery takes out of a change that was cut off, and what becomes of a name that its pull had moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from procedures.decide.plan import State
from procedures.drivers import private, shell
from procedures.drivers.compose import Compose
from procedures.drivers.shell import Command
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.moments.observers import Observers
from procedures.observe.moments.planned_start import PlannedStart
from procedures.observe.waiting import Waiting
from procedures.problems import CannotObserve
from procedures.run.facts.looks import only
from procedures.steps import own_scripts, stop_and_start
from procedures.steps.journal import Journal, Place, read_journal
from procedures.target.steps_by import StepBy
from procedures.way_back import cut_off, kept
from procedures.way_back.cut_off import Lead, Recovery, forget
from procedures.way_back.names import give_back
from reports.record.evidence import Step
from reports.record.observed import Container, Rendering, Unseen
from tests.checks.world import recorded

WORLD = recorded()
ONE = only(WORLD.before)
FILES = WORLD.before.operator_rendering
OLD, NEW, LATER = "sha256:old", "sha256:new", "sha256:later"


class Looking:
    """An engine and a Compose that know what they were told; remembers what is started from, and what is typed."""

    def __init__(self, was: Rendering | CannotObserve, names: dict[str, str] | None = None) -> None:
        self.was, self.names = was, names or {}
        self.started_from: list[Path] = []
        self.chosen = ""
        self.target = WORLD.target
        self.compose = self
        self.engine = self
        self.start = self
        self.environment: dict[str, str] = {}
        self.by_files = was
        """What `reading` below hands on as what was kept."""

    def image_by_files(self) -> Unseen:
        return Unseen("nobody asks for it here")

    def use_kept(self, start: Callable[[float], Command], _was: Rendering) -> None:
        self.started_from.append(Path(start(1.0).argv[-1]))

    def choose(self, start: Callable[[float], Command]) -> None:
        self.chosen = " ".join(start(1.0).argv)

    def image(self, reference: str) -> SimpleNamespace | None:
        return SimpleNamespace(id=self.names[reference]) if reference in self.names else None

    def name_image(self, image: str, reference: str) -> Command:
        return Command(("true", "tag", image, reference), Path("/"), 5)

    def unname_image(self, reference: str) -> Command:
        return Command(("true", "rmi", reference), Path("/"), 5)


@pytest.fixture(autouse=True)
def reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which way is taken is asked here, and not how the file is read."""

    def rendering(_kept: None, _target: object, was: Rendering | CannotObserve) -> Rendering:
        if isinstance(was, CannotObserve):
            raise was
        return was

    monkeypatch.setattr(kept, "read", lambda _: None)
    monkeypatch.setattr(kept, "rendering", rendering)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "target")


@pytest.fixture
def cut(place: Place) -> Journal:
    """The journal of a run that was cut off in its outage, and beside it what it had kept."""
    journal = Journal(place, "1a2b")
    journal.open("1a2b", {"procedure": "update"})
    journal.remember("kept", {"image": ONE.image_id, "schema": ["1.01"], "named": ""})
    journal.begin(Step("stop", "", (), 1.0, True, ""))
    (place.folder / "1a2b.kept.json").touch()
    return journal


def was(**changes: Any) -> Rendering:
    """What was kept of the container, as Compose renders it."""
    assert isinstance(FILES, Rendering)
    found = replace(FILES, environment=ONE.environment, bindings=ONE.bindings)
    return replace(found, restart_policy=ONE.restart_policy, stop_grace=ONE.stop_grace or 10.0, **changes)


def look(place: Place, had: Rendering | CannotObserve, *, answers: bool, one: Container = ONE) -> Recovery:
    return cut_off.look(cast("Observers", Looking(had)), place.open_journals(), (one,), lambda _: answers)


def test_without_a_change_that_was_cut_off_the_files_say(place: Place) -> None:
    """No journal, or one of a run that changed nothing, leaves recovery to the files."""
    journal = Journal(place, "3c4d")
    (place.folder / "3c4d.kept.json").touch()
    journal.open("3c4d", {})

    assert look(place, was(), answers=False) == Recovery()


@pytest.mark.usefixtures("cut")
def test_what_is_away_is_brought_back(place: Place) -> None:
    """Where nothing answers, what was kept is started, with the schema and the image that were noted."""
    looking = Looking(was())

    found = cut_off.look(cast("Observers", looking), place.open_journals(), (ONE,), lambda _: False)

    assert (found.lead, looking.started_from) == (Lead.KEPT, [place.folder / "1a2b.kept.json"])
    assert found.kept is not None
    assert (found.kept.schema, found.kept.image) == (("1.01",), ONE.image_id)


@pytest.mark.usefixtures("cut")
def test_what_answers_stands(place: Place) -> None:
    """What answers is left alone: as the old where it is the old to the last value, else as the new."""
    old = look(place, was(), answers=True)
    new = look(place, was(environment={**ONE.environment, "TOOLS_DB_NAME": "elsewhere"}), answers=True)
    other = look(place, was(), answers=True, one=replace(ONE, image_id=NEW))

    assert {one.lead for one in (old, new, other)} == {Lead.STANDS}
    assert [old.as_kept, new.as_kept, other.as_kept] == [True, False, False]
    assert ".kept.json`, then `pytest -m recover`" in new.findings[0].next_move


def test_what_a_rollback_had_chosen_is_expected(place: Place, cut: Journal) -> None:
    """The image of a rollback that stands is the one it had chosen, not the one that the files name."""
    cut.remember("choose", {"image": OLD})

    found = look(place, was(), answers=True, one=replace(ONE, image_id=OLD))

    assert found.chosen == OLD


@pytest.mark.usefixtures("cut")
def test_what_was_kept_and_cannot_be_read_is_said(place: Place) -> None:
    """A kept model that Compose cannot render does not lead to the files: it would be started, and no gate opens to it."""
    looking = Looking(CannotObserve("no model"))

    found = cut_off.look(cast("Observers", looking), place.open_journals(), (ONE,), lambda _: False)

    assert (found.lead, looking.started_from, looking.chosen) == (
        Lead.KEPT, [], " ".join(kept.start(place.folder / "1a2b.kept.json", {}, 1.0).argv),
    )  # fmt: skip
    assert found.kept is not None
    assert found.kept.unread == "no model"


@pytest.mark.usefixtures("cut")
def test_what_answers_stands_whether_what_was_kept_can_be_read_or_not(place: Place) -> None:
    """Whether the service answers is asked first: then nobody has to start anything."""
    found = look(place, CannotObserve("no model"), answers=True)

    assert (found.lead, found.as_kept) == (Lead.STANDS, False)
    assert "cannot be read" in found.findings[0].text
    assert "no model" in found.findings[0].text


@pytest.mark.parametrize("harm", ["changed", "gone", "unreadable"])
def test_what_was_kept_and_is_another_one_is_not_started(
    place: Place, cut: Journal, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that still means something, and not what was written, is as unknown as one that is gone."""
    file = place.folder / "1a2b.kept.json"
    cut.remember("kept", {"image": ONE.image_id, "sha256": private.digest(file), "file": str(file)})
    if harm == "changed":
        file.write_text("{}")
    elif harm == "gone":
        file.unlink()
    else:

        def refuses(_: Path) -> str:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(private, "digest", refuses)

    found = look(place, was(), answers=False)

    assert found.lead is Lead.KEPT
    assert found.kept is not None
    assert found.kept.unread


def test_what_was_kept_and_is_as_written_is_started(place: Place, cut: Journal) -> None:
    file = place.folder / "1a2b.kept.json"
    cut.remember("kept", {"image": ONE.image_id, "sha256": private.digest(file), "file": str(file)})

    had = cut_off.Kept(place.open_journals()[0], file, by_files=Looking(was()).image_by_files())

    assert look(place, was(), answers=False).kept == had


def test_what_was_kept_makes_room_by_itself() -> None:
    """Where a script's container may have the name, no step of its own frees it: the start does."""
    start = StepBy("start", driver="scripts", command=("./run.sh",), takes_over=True)
    target = replace(WORLD.target, steps=(start,))
    made_by_hand = SimpleNamespace(by_service=lambda *_: (), unowned=lambda _: replace(ONE, labels={}))
    planned_start = PlannedStart.__new__(PlannedStart)
    planned_start._target, planned_start._engine = target, cast("EngineObserver", made_by_hand)
    planned_start._compose = Compose(target, {}, "unix:///var/run/docker.sock")
    file = Path("/srv/state/1a2b.kept.json")

    planned_start.use_kept(lambda limit: kept.start(file, {}, limit), was(container_name=ONE.name))
    driver = planned_start.driver
    planned = own_scripts.planned(stop_and_start.steps(driver, State.RUNNING, 15.0, 60.0, 5.0), driver, 5.0)

    assert [one.name for one in planned] == ["save_logs", "stop", "start"]
    assert planned[-1].command[1:] == ("-m", "procedures.way_back", str(file))
    assert kept.typed(file).endswith(f" -m procedures.way_back {file}")
    assert kept.typed(file).startswith("cd ")


@pytest.mark.parametrize(
    ("now", "moved", "typed"),
    [
        (NEW, {"had": OLD, "has": NEW}, f"undone: true tag {OLD} kestra:1"),
        (NEW, {"had": OLD}, f"undone: true tag {OLD} kestra:1"),
        (NEW, {"had": "", "has": NEW}, "undone: true rmi kestra:1"),
        (OLD, {"had": OLD}, ""),
        ("", {"had": ""}, ""),
        (LATER, {"had": OLD, "has": NEW}, "the name kestra:1 stays where it is"),
    ],
    ids=["moved", "cut off in the pull", "a new name", "not moved", "never came", "moved once more"],
)
def test_a_name_is_given_back(now: str, moved: dict[str, str], typed: str) -> None:
    """A name goes back to the image that had it, unless somebody else has moved it since."""
    looking = Looking(was(), {"kestra:1": now} if now else {})
    assert shell.run(Command(("true",), Path("/"), 5)).ok

    told = give_back(cast("Observers", looking), {"reference": "kestra:1", **moved})

    assert told.startswith(typed)
    assert bool(told) is bool(typed)


def test_what_was_written_beside_a_journal_is_removed_with_it(tmp_path: Path) -> None:
    """What was kept, and what a rollback would have started from, hold secrets; another run's stay."""
    journal, here = Journal(Place(tmp_path), "1a2b"), Place(tmp_path / "here")
    journal.open("1a2b", {})
    here.adopt(read_journal(tmp_path / "1a2b.jsonl"))
    for name in ("1a2b.kept.json", "1a2b.kept.sh", "1a2b.rollback.sh", "1a2b.rollback.json", "3c4d.kept.sh"):
        (tmp_path / name).write_text("secret")

    forget(*here.open_journals())

    assert sorted(one.name for one in tmp_path.glob("*.*")) == ["1a2b.jsonl", "3c4d.kept.sh"]


@pytest.mark.parametrize(
    ("counts", "ended"),
    [((6, 6, 7), True), ((1, 1, 2, 2, 2), False), ((6, 6, 6, 6, 6), False)],
    ids=["it loops", "once more, as one that waits for its database", "it looped, and boots now"],
)
def test_a_boot_in_a_restart_loop_is_not_waited_for(counts: tuple[int, ...], ended: bool) -> None:
    """A server that ends in each of its long boots is up whenever somebody looks: how often it was restarted tells."""
    now, looked = [0.0], list[int]()

    def named(_: str) -> Container:
        looked.append(counts[min(len(looked), len(counts) - 1)])
        return replace(ONE, restart_count=looked[-1])

    observers = SimpleNamespace(
        engine=SimpleNamespace(named=named),
        server_at=lambda _: Unseen("it boots"),
        target=WORLD.target,
        skew=0.0,
    )
    waiting = Waiting(
        lambda: None, lambda _: None, lambda: now[0], lambda length: now.append(now.pop() + length)
    )
    began = replace(ONE, restart_count=counts[0], started_at=datetime.now(UTC).isoformat())

    assert not cut_off.answers(cast("Observers", observers), began, waiting, 2.0)
    assert (now[0] < 1.5) is ended
