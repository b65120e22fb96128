"""What the tests of the bundled stack may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collecting import pytest_collection_modifyitems
from tests.stack.checkout import Checkout
from tests.stacks import Stack, stack

__all__ = ["pytest_collection_modifyitems"]


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    made.remove_everything()


@pytest.fixture
def unstarted(tmp_path: Path) -> Iterator[Stack]:
    with stack(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("stack")) as made:
        yield made.up("kestra-postgres")
