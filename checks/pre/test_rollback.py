"""There is an accepted run to go back to, and the database allows it."""

from __future__ import annotations

from procedures.decide.accepted import Goal
from procedures.decide.check_files import check, seen
from procedures.kestra.downgrade import later_has_run, too_old
from reports.record.observed import Snapshot


def test_there_is_an_accepted_run_to_go_back_to(before: Snapshot, goal: Goal) -> None:
    """The archive holds an accepted run of this target on an image other than the one that runs now."""
    seen(before.containers)
    assert goal.run is not None, (
        "there is no such run → name the image in the env file yourself and run `pytest -m update --waive "
        "ready/test_candidate.py::test_it_is_no_older_version --reason TEXT`"
    )


def test_its_image_is_still_here(before: Snapshot, goal: Goal) -> None:
    """The image of that run is still on this engine."""
    seen(before.engine)
    if goal.run is None or goal.run.image is None:
        return
    image = goal.run.image
    assert goal.image is not None, (
        f"{image.reference} ({image.id[:19]}) has been removed → `docker pull "
        f"{(*image.digests, image.reference)[0]}`, then run again"
    )


@check(protects="data", again=True)
def test_the_schema_has_not_moved_since(before: Snapshot, goal: Goal) -> None:
    """The database's schema history is as the accepted run left it, or a later version has run since."""
    database = seen(before.database)
    now = seen(database.schema)
    if goal.run is None:
        return
    then = seen(seen(goal.run.after.database).schema)
    assert now == then or (goal.image is not None and later_has_run(goal.image.version, database)), (
        f"the schema was at {', '.join(then[-1:]) or 'none'} then and is at {', '.join(now[-1:]) or 'none'} now: what ran "
        "then does not know this schema → you need a copy of the database from before; this suite cannot restore one yet"
    )


@check(protects="data", again=True)
def test_no_later_version_has_run_since(before: Snapshot, goal: Goal) -> None:
    """No version later than the one that this run goes back to has run on this database."""
    database = seen(before.database)
    if goal.image is None:
        return
    reason = seen(too_old(goal.image.version, database))
    assert not reason, (
        f"{reason} → you need a copy of the database from before; this suite cannot restore one yet"
    )
