"""What a run that was cut off in its outage has kept: it can be started again."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.kestra.downgrade import later_has_run, too_old
from procedures.way_back.cut_off import Kept
from reports.record.observed import Snapshot


@check(protects="data")
def test_what_was_kept_can_be_read(kept: Kept) -> None:
    """The run can read what ran before the change as it was written, so it knows what it will start."""
    assert not kept.unread, (
        f"{kept.file}: {kept.unread} → this run starts nothing that is unknown or was never accepted: start the service "
        "by hand with a command below, then let `pytest -m recover` judge it"
    )


@check(again=True)
def test_the_image_that_was_kept_is_here(before: Snapshot, kept: Kept) -> None:
    """The image that ran before the change is still on this engine, under the name that keeps it."""
    image = seen(before.image)
    assert image.id == kept.image, (
        f"{image.reference} is {image.id[:19]}, the image before the change was {kept.image[:19] or 'not recorded'} → "
        "bring that image back, then run `pytest -m recover` once more; or start the service by hand as the files say"
    )


@check(protects="data", again=True)
def test_the_schema_is_the_one_that_it_ran_on(before: Snapshot, kept: Kept) -> None:
    """The database's schema history is the same as before the change that was cut off, or a later version has run."""
    database = seen(before.database)
    then, now = seen(kept.schema), seen(database.schema)
    assert now == then or later_has_run(seen(before.image).version, database), (
        f"the schema was at {', '.join(then[-1:]) or 'none'} before and is at {', '.join(now[-1:]) or 'none'} now: what "
        f"ran before does not know this schema → {kept.way_out(database)}; what ran before needs a copy of the database "
        "from before"
    )


@check(protects="data", again=True)
def test_no_later_version_has_run_since(before: Snapshot, kept: Kept) -> None:
    """No version later than the one that was kept has run on this database."""
    # The rendering of the first look, image included, is what this run would start.
    database = seen(before.database)
    reason = seen(too_old(seen(before.image).version, database))
    assert not reason, f"{reason} → {kept.way_out(database)}"
