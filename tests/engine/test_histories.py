"""A version that keeps its migrations in a history of its own: the update to it, and what no longer leads back from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack, stack
from tests.variants import Flaw, variant

pytestmark = pytest.mark.understudy

MAJOR = (
    "--waive",
    "ready/test_candidate.py::test_it_is_no_other_major_version",
    "--reason",
    "read its notes",
)
OLDER = ("--waive", "ready/test_candidate.py::test_it_is_no_older_version", "--reason", "it is meant")
HISTORY = "select count(*) from kestra_migration_history"


@pytest.fixture
def own(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs a version whose schema Flyway has made, and which writes down that it runs."""
    with variant("1.3.25") as image, stack(tmp_path_factory.mktemp("stack"), KESTRA_IMAGE=image) as made:
        seen.seed(made.up())
        targets.target_file(made)
        yield made


def _image(made: Stack) -> str:
    return str(made.container("kestra").attrs["Image"])


@FAULT(
    kind="the newer version keeps a schema history of its own",
    phase=Phase.NEXT_RUN,
    happened="the update is accepted, with one part of the server fewer; no rollback and no older image leads back",
    verdict="ACCEPTED, ACCEPTED, REFUSED, REFUSED",
)
def test_an_update_to_a_history_of_its_own(own: Stack) -> None:
    """A good update that leaves the old history untouched is accepted; nothing older is started on it afterwards."""
    assert targets.procedure(own, name="accept").returncode == 0
    older = own.env["KESTRA_IMAGE"]
    with variant("2.0.1") as newer:
        own.set_env(KESTRA_IMAGE=newer)
        done = targets.procedure(own, *MAJOR, name="update")

        assert done.returncode == 0, done.stdout + done.stderr
        assert own.psql(HISTORY) == "3"
        identity = seen.identity(own)

        back = targets.procedure(own, name="rollback")
        own.set_env(KESTRA_IMAGE=older)
        by_files = targets.procedure(own, *OLDER, *MAJOR[:2], name="update")
        own.set_env(KESTRA_IMAGE=newer)

    assert (back.returncode, by_files.returncode) == (10, 10), back.stdout + by_files.stdout
    assert "test_no_later_version_has_run_since" in back.stdout
    assert "does not know this schema" not in back.stdout, "one cause is one finding"
    assert "does not know the table kestra_migration_history" in by_files.stdout
    assert identity == seen.identity(own)


@FAULT(
    kind="the newer version keeps a schema history of its own",
    phase=Phase.WAY_BACK,
    happened="it breaks once its schema has moved: the way back is closed, and the old image is not started on it",
    verdict="SERVICE DOWN",
)
def test_a_broken_update_to_a_history_of_its_own(own: Stack) -> None:
    """The old history is as it was, and the new one closes the way back all the same."""
    before = _image(own)
    with variant("2.0.2", flaw=Flaw.CRASHES) as newer:
        own.set_env(KESTRA_IMAGE=newer)
        done = targets.procedure(own, *MAJOR, name="update")

        assert done.returncode == 12, done.stdout + done.stderr
        assert (
            "the way back is closed: the database's schema has moved from 1.27 to 2.0.01-upgrade"
            in done.stdout
        )
        assert before != _image(own)
