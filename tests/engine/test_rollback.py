"""The rollback: to the image of the last accepted run that ran on another one, where the database allows it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests import targets
from tests.engine import service as seen
from tests.foreign import foreign
from tests.stacks import Stack, stack
from tests.variants import NEWER_SCHEMA_IMAGE, variant

pytestmark = pytest.mark.understudy


@pytest.fixture
def own(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this test's own, whose images are not pulled."""
    with stack(tmp_path_factory.mktemp("stack")) as made:
        seen.seed(made.up())
        targets.target_file(made)
        yield made


def _image(made: Stack) -> str:
    return str(made.container("kestra").attrs["Image"])


def test_a_rollback(own: Stack) -> None:
    """After an accepted update the service goes back to the accepted run before it, and the files are not edited."""
    assert targets.procedure(own, name="rollback").returncode == 10
    first = _image(own)
    assert targets.procedure(own, name="accept").returncode == 0
    with foreign(own), variant("0.20.9") as newer:
        own.set_env(KESTRA_IMAGE=newer)
        done = targets.procedure(own, name="update")
        assert done.returncode == 0, done.stdout + done.stderr
        assert first != _image(own)
        files = own.env_file.read_text()

        done = targets.procedure(own, name="rollback")

        assert done.returncode == 0, done.stdout + done.stderr
        assert first == _image(own)
        assert own.env_file.read_text() == files
        refused = targets.procedure(own)
        assert refused.returncode == 10
        assert "pytest -m update" in refused.stdout

        # Once more, and killed in its outage: what ran before is on no image that the files name.
        run = targets.started(own, name="rollback")
        targets.wait_for_step(own, run, "stop", "end")
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate(timeout=targets.LIMIT)
        seen.wait_until_gone(own)
        done = targets.procedure(own, name="recover")
        assert done.returncode == 0, done.stdout + done.stderr
        assert first == _image(own)


def test_a_schema_that_has_moved(own: Stack) -> None:
    """A newer version that has migrated is accepted, and there is no way back from it without a copy of the data."""
    assert targets.procedure(own, name="accept").returncode == 0
    own.set_env(KESTRA_IMAGE=NEWER_SCHEMA_IMAGE)
    done = targets.procedure(own, name="update")
    assert done.returncode == 0, done.stdout + done.stderr
    identity = seen.identity(own)

    done = targets.procedure(own, name="rollback")

    assert done.returncode == 10, done.stdout + done.stderr
    assert "copy of the database" in done.stdout
    assert identity == seen.identity(own)
