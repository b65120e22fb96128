"""A journal that only the lock of a run that is gone leads to: it was written in another state folder."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import pytest

from procedures.listed import PROCEDURES
from procedures.problems import Held
from procedures.run import target_held
from procedures.run.holding import Holding, led_to
from procedures.run.procedure import Intent
from procedures.run.run import Run
from procedures.steps.journal import Journal, Place, read_journal, seal_for
from procedures.steps.lock import Holder
from procedures.steps.process import Process
from procedures.way_back.cut_off import kept_of
from reports.record.evidence import Step

STOP = Step("stop", "", (), 1.0, True, "")


@pytest.fixture
def written(tmp_path: Path) -> Journal:
    """The journal of a run that was killed in its outage, under the state folder of who ran it."""
    journal = Journal(Place(tmp_path / "ada" / "target"), "1a2b")
    journal.open("1a2b", {"procedure": "update"})
    journal.begin(STOP)
    journal.close()
    journal.file.with_name("1a2b.kept.json").touch()
    return journal


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "root" / "target")


def holder(file: Path) -> Holder:
    """The holder of a lock whose process is gone."""
    return of(Holder.me("1a2b", "update", "", file, "ada"), began="0")


def of(one: Holder, **changed: str) -> Holder:
    """A holder whose process has noted something else of itself."""
    return replace(one, process=replace(one.process, **changed))  # type: ignore[arg-type]  # by their names


def taking(place: Place, procedure: str) -> tuple[Any, list[str]]:
    """A holding of a procedure, and whose locks it has removed."""
    removed: list[str] = []
    one: Any = Holding.__new__(Holding)
    one._place, one.findings = place, []
    one._asked = cast(
        "Any", type("Asked", (), {"procedure": PROCEDURES[procedure], "target": Any, "take_over": False})
    )
    one._asked.target = type("Target", (), {"file": "target.toml"})
    one._shows_now = lambda: "nothing"
    one.lock = type("Lock", (), {"take_over": lambda _, run: removed.append(run)})()
    return one, removed


def test_the_lock_leads_to_it(written: Journal, place: Place) -> None:
    """It is told while it is open and its holder gone; a plan that reads it writes nothing."""
    one = holder(written.file)
    found = led_to(one, place)

    assert found is not None
    assert found.changed
    assert led_to(None, place) is None
    assert led_to(Holder.me("1a2b", "update", "", written.file, "ada"), place) is None
    assert led_to(of(one, host="elsewhere"), place) is None
    assert led_to(of(one, namespace=""), place) is None
    assert led_to(of(one, namespace=""), place, given_up=True) is not None
    assert led_to(one, Place(written.file.parent)) is None
    assert not place.folder.exists()

    seal_for(found, "INTERRUPTED")
    assert led_to(one, place) is None


def test_one_that_cannot_be_read_says_whose_it_is(tmp_path: Path, place: Place) -> None:
    with pytest.raises(Held, match="cannot be read here") as raised:
        led_to(holder(tmp_path / "gone.jsonl"), place)

    assert raised.value.next_move == "run `pytest -m recover` as ada, who ran it"


def test_recovery_has_it_for_its_own(written: Journal, place: Place) -> None:
    """With the lock the only lead to it would go: so it is found from here too, and what was kept beside it."""
    one, removed = taking(place, "recover")

    one._take_over(holder(written.file))
    (story,) = place.open_journals()

    assert (removed, story.run, led_to(holder(written.file), place)) == (["1a2b"], "1a2b", None)
    assert list(kept_of(story)) == [written.file.with_name("1a2b.kept.json")]
    seal_for(story, "INTERRUPTED")
    assert (read_journal(written.file).sealed, place.open_journals()) == ("INTERRUPTED", ())


def test_whoever_is_refused_leaves_the_lock(written: Journal, place: Place) -> None:
    """A restart is refused by that journal, and recovery needs the lock to find it."""
    one, removed = taking(place, "restart")

    with pytest.raises(Held, match="run 1a2b of"):
        one._take_over(holder(written.file))

    assert (removed, one.kept, place.open_journals()) == ([], written.file.with_name("1a2b.kept.json"), ())


def test_the_lock_stays_where_an_open_journal_refuses(written: Journal) -> None:
    """Whoever may not act removes nothing: recovery finds lock and journal as they were."""
    one, removed = taking(Place(written.file.parent), "restart")

    with pytest.raises(Held, match="had begun stop"):
        one._take_over(holder(written.file))

    assert removed == []


@pytest.mark.parametrize("procedure", ["restart", "recover"])
def test_a_journal_whose_process_lives_refuses_everybody(place: Place, procedure: str) -> None:
    """Somebody has pruned its lock away; that makes it no run that was cut off."""
    journal = Journal(place, "1a2b")
    journal.open("1a2b", {"process": asdict(Process.me())})
    journal.close()
    one, _ = taking(place, procedure)

    with pytest.raises(Held, match="is alive"):
        one._judge((read_journal(journal.file),))


def test_what_it_kept_goes_with_an_accepted_run(written: Journal, place: Place) -> None:
    """It holds secrets, wherever it lies."""
    place.adopt(read_journal(written.file))
    run: Any = Run.__new__(Run)
    run.acting, run.intent = run, Intent()
    run.checked = type("Checked", (), {"forget_all": lambda _: None})()
    run.earlier = type("Earlier", (), {"place": place})()
    run.holding = type("Holding", (), {"taken_over": place.open_journals()})()

    target_held._forget(run)

    assert not written.file.with_name("1a2b.kept.json").exists()
    assert written.file.exists()
