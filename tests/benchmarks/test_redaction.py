"""The benchmark of the redaction: ten megabytes of the worst text within its goal, and a goal that can be missed."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from benchmarks import redaction
from procedures.drivers.scripts import plain
from reports.redaction.redact import MARK, Redaction

LOOKS = 3
"""A busy machine makes the processor's own time longer too: the best of so many looks counts."""


@pytest.fixture(scope="module", name="known")
def _known() -> Redaction:
    return Redaction(redaction.secrets_of(random.Random(8)), public_words=["kestra"])


TEXTS = ("one run like base64", "base64 in lines of 76", "backslashes", "escapes", "a server's log")


@pytest.mark.parametrize("name", TEXTS)
def test_ten_megabytes_of_the_worst_text_are_searched_in_two_seconds(name: str, known: Redaction) -> None:
    """Thirteen secrets, 10 MB: neither cleaning nor scanning, nor what a script printed, takes longer than the goal."""
    dice = random.Random(8)
    texts = dict(redaction.worst_texts(redaction.secrets_of(dice), redaction.SIZE, dice))
    text, data = texts[name], texts[name].encode()

    def within(act: object) -> bool:
        assert callable(act)
        return any(redaction.measured(act) <= redaction.GOAL for _ in range(LOOKS))

    assert len(text) == redaction.SIZE
    assert within(lambda: known.clean(text))
    assert within(lambda: known.scan(data))
    assert within(lambda: plain(text))


SMALL, TIMES = 250_000, 4
NAMES = [
    name for name, _ in redaction.worst_texts(redaction.secrets_of(random.Random(8)), 1, random.Random(8))
]


@pytest.mark.parametrize("name", NAMES)
def test_the_time_grows_with_the_text_and_not_with_its_square(name: str, known: Redaction) -> None:
    """Four times any of the texts takes about four times as long; by the square it would be sixteen times."""
    dice = random.Random(8)
    text = dict(redaction.worst_texts(redaction.secrets_of(dice), SMALL * TIMES, dice))[name]
    data = text.encode()

    def best(act: Callable[[], object]) -> float:
        return min(redaction.measured(act) for _ in range(LOOKS))

    assert best(lambda: known.clean(text)) < 2 * TIMES * best(lambda: known.clean(text[:SMALL]))
    assert best(lambda: known.scan(data)) < 2 * TIMES * best(lambda: known.scan(data[:SMALL]))
    assert best(lambda: plain(text)) < 2 * TIMES * best(lambda: plain(text[:SMALL]))


def test_the_worst_texts_hold_what_is_searched_for(known: Redaction) -> None:
    """A text without a find would measure nothing: the one of secrets loses all of them."""
    dice = random.Random(8)
    texts = dict(redaction.worst_texts(redaction.secrets_of(dice), 20_000, dice))

    assert MARK in known.clean(texts["every secret"])
    assert known.scan(texts["every secret"].encode())
    assert not known.scan(texts["one run like base64"].encode())


def test_a_goal_that_is_missed_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with 1 where a text took too long, and with 0 where only a report is asked for."""
    monkeypatch.setattr(redaction, "SIZE", 5_000)
    monkeypatch.setattr(redaction, "GOAL", -1.0)

    assert redaction.main([]) == 1
    assert redaction.main(["--report-only"]) == 0
    assert "not met" in capsys.readouterr().out

    monkeypatch.setattr(redaction, "GOAL", 60.0)

    assert redaction.main([]) == 0
