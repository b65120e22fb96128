"""Which tests are collected: what injects faults needs the understudy, and a real Kestra is held against all else."""

from __future__ import annotations

import pytest

from tests.stacks import image_under_test, is_understudy

MARK = "understudy"
"""On a module or a test: it asks of the server what only the understudy can be told to do."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the image under test cannot be asked for."""
    if is_understudy(image_under_test()):
        return
    left_out = [one for one in items if one.get_closest_marker(MARK)]
    items[:] = [one for one in items if one not in left_out]
    config.hook.pytest_deselected(items=left_out)
