"""What the tests on the real engine may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import targets
from tests.collecting import pytest_collection_modifyitems
from tests.engine.service import seed
from tests.faults import pytest_fixture_setup, pytest_runtest_call
from tests.stacks import SOURCE, Stack, clean_environment, image_under_test, is_understudy, run, stack

__all__ = ["pytest_collection_modifyitems", "pytest_fixture_setup", "pytest_runtest_call"]


@pytest.fixture(scope="session", name="images")
def _images() -> None:
    """The images of the stack, built where they are not here."""
    if is_understudy(image_under_test()):
        run([str(SOURCE / "up.sh"), "images", "--built"], cwd=SOURCE, env=clean_environment(), limit=600)


@pytest.fixture(scope="module")
def service(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs, with a flow and an execution in it; the tests of a module share it."""
    with stack(tmp_path_factory.mktemp("stack")) as made:
        seed(made.up())
        targets.target_file(made)
        yield made
