"""What ends a run from outside: signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from procedures.problems import Interrupted
from procedures.steps.interruption import SIGNALS, Interruption


@pytest.fixture
def heard() -> Iterator[None]:
    """Nobody ignores a signal: whoever runs the tests in the background has every process beneath ignore some."""
    before = {one: signal.signal(one, signal.SIG_DFL) for one in SIGNALS}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.fixture
def interruption(heard: None) -> Iterator[Interruption]:
    """One that listens; the signals are given back at the end, whatever the test did."""
    before = [signal.getsignal(one) for one in SIGNALS]
    made = Interruption()
    made.listen()
    yield made
    made.let_go()
    assert before == [signal.getsignal(one) for one in SIGNALS]


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_noted_and_raises_where_it_is_asked(
    one: signal.Signals, interruption: Interruption
) -> None:
    """A signal interrupts nothing half-way: it is remembered, and ends the run where the run asks."""
    interruption.raise_if_asked()

    os.kill(os.getpid(), one)

    assert one.name == interruption.by
    with pytest.raises(Interrupted, match=f"interrupted by {one.name}"):
        interruption.raise_if_asked()


def test_the_first_signal_is_the_reason(interruption: Interruption) -> None:
    """A second signal changes nothing about why."""
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)

    assert interruption.by == "SIGHUP"


def test_a_landing_run_is_not_ended_again(interruption: Interruption) -> None:
    """While the service is brought back a further signal is noted and ends nothing."""
    os.kill(os.getpid(), signal.SIGTERM)
    interruption.hold()

    interruption.raise_if_asked()

    assert interruption.by == "SIGTERM"


def test_signals_are_given_back() -> None:
    """Whoever had the signals before has them again, and a second giving back changes nothing."""
    before = [signal.getsignal(one) for one in SIGNALS]
    one = Interruption()
    one.listen()
    assert before != [signal.getsignal(number) for number in SIGNALS]
    one.let_go()
    one.let_go()

    assert before == [signal.getsignal(number) for number in SIGNALS]
