"""Which versions a database still fits: by its histories, and by the version that last ran on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures.kestra.downgrade import too_old
from procedures.kestra.tables import OWN_HISTORY
from procedures.kestra.version import is_older
from procedures.way_back import way_back
from reports.record.observed import Database, Migration, Unseen
from tests.checks.world import recorded

BEFORE = recorded().before
assert isinstance(BEFORE.database, Database)
WELL = BEFORE.database
OWN = Migration(1, "2.0.01-upgrade", "upgrade", None, success=True, history=OWN_HISTORY, digest="5c5d")


def _with_own() -> Database:
    assert not isinstance(WELL.migrations, Unseen)
    return replace(WELL, migrations=(*WELL.migrations, OWN))


@pytest.mark.parametrize(
    ("one", "other", "older"),
    [
        ("1.3.25", "2.0.0-SNAPSHOT", True),
        ("v1.3.9", "1.3.25", True),
        ("2.0.0", "2.0.0-SNAPSHOT", False),
        ("1.3", "1.3.25", False),
        ("develop", "1.3.25", False),
    ],
)
def test_an_older_version_is_told_by_its_numbers(one: str, other: str, older: bool) -> None:
    """Numbers are compared as numbers; what names none, or fewer, is not called older."""
    assert is_older(one, other) is older


@pytest.mark.parametrize(
    ("version", "ran", "says"),
    [
        ("1.3.25", "2.0.0", "2.0.0 has run on this database"),
        ("1.3.24", "1.3.25", "1.3.25 has run on this database"),
        ("1.3.25", "1.3.25", ""),
        ("2.0.0", "1.3.25", ""),
        ("1.3.25", "", ""),
        ("", "2.0.0", ""),
    ],
)
def test_the_version_that_last_ran_is_no_later_one(version: str, ran: str, says: str) -> None:
    """An image that is older than what last ran is told; where nothing was written down nothing speaks against it."""
    reason = too_old(version, replace(WELL, last_version=ran))

    assert isinstance(reason, str)
    assert (says in reason) if says else not reason


def test_an_older_version_that_has_written_itself_down_again_is_still_too_old() -> None:
    """A crash loop of the old version leaves its own name there; the history of the new one stays."""
    database = replace(_with_own(), last_version="1.3.25")

    assert "does not know the table kestra_migration_history" in str(too_old("1.3.25", database))
    assert too_old("2.0.0", database) == ""


def test_what_was_not_seen_is_unknown() -> None:
    """Neither an unseen version nor an unseen history lets anything through."""
    gone = Unseen("no login")

    assert gone == too_old("1.3.25", replace(WELL, last_version=gone))
    assert gone == too_old("1.3.25", replace(WELL, migrations=gone))
    assert isinstance(too_old("1.3.25", replace(WELL, last_version=None)), Unseen)


def test_a_new_history_closes_the_way_back() -> None:
    """The old table is as it was, and there is a new one: the schema has moved."""
    assert way_back.closed_because(BEFORE, WELL) == ""
    assert "to 2.0.01-upgrade" in way_back.closed_because(BEFORE, _with_own())
    assert "9.1 has run" in way_back.closed_because(BEFORE, replace(WELL, last_version="9.1"))
    assert way_back.closed_because(BEFORE, replace(WELL, last_version=Unseen("no login"))) == "no login"
