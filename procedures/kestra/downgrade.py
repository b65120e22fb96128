"""Whether a version may start on a database: by the schema histories, and by the version that last ran there."""

from __future__ import annotations

from procedures.kestra.editions import edition_of, first_that
from procedures.kestra.version import is_older, numbers
from reports.record.observed import Database, Unseen

_ONLY_A_COPY = "only a restored copy of the database leads back to it"


def too_old(version: str, database: Database) -> str | Unseen:
    """Return why an image of this version must not start on this database; empty if nothing speaks against it.

    A version that names no number cannot be compared; that alone is no reason.
    """
    ran, histories = database.last_version, database.migrations
    if isinstance(histories, Unseen):
        return histories
    unknown = {one.history for one in histories} - set(edition_of(version).histories)
    if numbers(version) and unknown:
        table = min(unknown)
        wrote = first_that(lambda one: table in one.histories).since
        return (
            f"{version} does not know the table {table}, in which Kestra {wrote} has written how it changed this schema: "
            f"{version} would say UP for seconds and end, again and again; {_ONLY_A_COPY}"
        )
    if ran is None:
        return Unseen("which version last ran on this database was not asked")
    if isinstance(ran, Unseen):
        return ran
    if ran and is_older(version, ran):
        return (
            f"{ran} has run on this database since (instance.version), and {version} is older: {_ONLY_A_COPY}"
        )
    return ""


def later_has_run(version: str, database: Database) -> bool:
    """Whether an image of this version is known to be too old; if so, that explains why the schema has moved."""
    reason = too_old(version, database)
    return not isinstance(reason, Unseen) and bool(reason)
