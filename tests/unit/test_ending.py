"""What ends a run from outside: signals, and a terminal that goes away."""

from __future__ import annotations

import errno
import io
import os
import signal
from collections.abc import Iterator

import pytest

from procedures.console import Sturdy
from procedures.interruption import SIGNALS, Interruption
from procedures.problems import Interrupted


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


class Lost(io.StringIO):
    """A terminal that was closed."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.asked = 0

    def write(self, _text: str) -> int:
        self.asked += 1
        raise self.error

    def flush(self) -> None:
        self.asked += 1
        raise self.error


LOSSES = [
    BrokenPipeError(errno.EPIPE, "Broken pipe"),
    OSError(errno.EIO, "Input/output error"),
    ValueError("I/O operation on closed file"),
]


@pytest.mark.parametrize("error", LOSSES, ids=lambda error: type(error).__name__)
def test_a_lost_terminal_ends_nothing(error: Exception) -> None:
    """What cannot be written any more is dropped, and nobody tries again."""
    lost = Lost(error)
    sturdy = Sturdy(lost)

    assert (sturdy.write("hello"), sturdy.write("more")) == (5, 4)
    sturdy.flush()
    assert (sturdy.gone, lost.asked) == (True, 1)


@pytest.mark.parametrize("error", LOSSES, ids=lambda error: type(error).__name__)
def test_a_terminal_that_is_lost_while_flushing_is_lost(error: Exception) -> None:
    """The loss may show only when what was written is sent."""
    sturdy = Sturdy(Lost(error))

    sturdy.flush()

    assert sturdy.gone


def test_a_terminal_that_is_there_is_written_to() -> None:
    """Otherwise it is the terminal itself, with all that one can ask it."""
    there = io.StringIO()
    sturdy = Sturdy(there)

    sturdy.write("hello")
    sturdy.flush()

    assert (there.getvalue(), sturdy.gone, sturdy.encoding) == ("hello", False, None)
