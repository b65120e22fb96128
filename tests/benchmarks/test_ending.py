"""How soon a process ends after its last line: measured alone, as it is a matter of half a second."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from procedures.session.screen import STILL
from tests import targets
from tests.stacks import Stack, stack

ENDED = targets.LIMIT / 2


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs."""
    with stack(tmp_path_factory.mktemp("stack")) as made:
        made.up()
        targets.target_file(made)
        yield made


def test_the_end_waits_for_nothing(service: Stack) -> None:
    """A screen that takes everything holds nothing up: after its last line the process ends at once."""
    took = []
    for _ in range(3):
        with targets.started(service, "--plan") as run:
            assert run.stdout is not None
            said = [(line, time.monotonic()) for line in run.stdout]
            run.wait(ENDED)
        took.append(time.monotonic() - next(at for line, at in said if line.startswith("exit status")))

    assert min(took) < STILL / 2, took
