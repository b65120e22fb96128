"""What an update would bring, as far as this is known before the pull."""

from __future__ import annotations

from procedures.decide.announcement import Announcement
from procedures.decide.check_files import check, seen
from procedures.kestra.version import numbers
from procedures.problems import CannotObserve
from procedures.target.target import Target
from procedures.way_back import changes
from reports.record.observed import Snapshot


def test_the_image_can_be_had(announcement: Announcement) -> None:
    """The registry announces the image that the files name, or the image is here and the target file says that this is enough."""
    if announcement.pulls:
        assert seen(announcement.digest), (
            f"the registry names no digest for {announcement.reference} → look at the registry"
        )
    else:
        assert announcement.here is not None, (
            f'{announcement.reference} is not on this engine, and the target says pull = "never" → load it, or let the '
            "update pull it"
        )


def test_there_is_room_for_the_image(announcement: Announcement, before: Snapshot, target: Target) -> None:
    """The engine's disk has room for a second image as large as the present one, besides the space that must stay free."""
    if not announcement.pulls:
        return
    free = seen(seen(before.host).engine_free)
    size = announcement.running.size if announcement.running else 0
    assert free >= size + target.disk_free, (
        f"{free / 1e9:.1f} GB are free, but the present image takes {size / 1e9:.1f} GB and {target.disk_free / 1e9:.1f} "
        "GB must stay free → make room: `docker system df` shows what takes it"
    )


# Only an update asks this: a restart must change no setting.
@check(advisory=True, only_with=("announcement",))
def test_the_configuration_stays_the_same(before: Snapshot) -> None:
    """The update changes only the image: every setting of the container stays the same."""
    rendering = seen(before.operator_rendering)
    for container in seen(before.containers):
        changed = changes.changes(container, rendering, seen(before.running_image))
        assert not changed, (
            f"{', '.join(changed)} will change too → if that is not intended, put the old values back first"
        )


@check(advisory=True, only_with=("announcement",))
def test_postgres_stays_of_its_major_version(before: Snapshot) -> None:
    """The files name Postgres in the major version that runs: an update of Kestra does not update Postgres."""
    running = numbers(str(seen(seen(before.database).server_version)))
    reference = seen(before.operator_rendering).database_image
    named = numbers(reference.rpartition(":")[2]) if ":" in reference.rpartition("/")[2] else ()
    if not running or not named:
        raise CannotObserve(
            f"{reference} names no version, Postgres {'.'.join(map(str, running)) or 'none'}",
            "name an exact tag",
        )
    assert named[0] == running[0], (
        f"{reference} is of another major version than {running[0]}, which runs → dump and restore its data before the "
        "next plain `up`: that would start the new Postgres on data that it cannot read; this run leaves Postgres alone"
    )
