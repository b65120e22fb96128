"""The kills that are drawn are the same for the same seed, and fall where a run is."""

from __future__ import annotations

import random

from tests.striking import Clock, Length, Strike, draw
from tests.torture import by_hand

LENGTH = Length(seconds=9.0, entries=12, events=8)


def drawn(seed: str) -> list[Strike]:
    return [draw(random.Random(f"{seed} {number}"), LENGTH) for number in range(200)]


def test_a_seed_draws_the_same_kills_again() -> None:
    """What one run of the torture has found, another one can find again."""
    assert drawn("7") == drawn("7")
    assert drawn("7") != drawn("8")


def test_a_kill_falls_within_the_run() -> None:
    """By every clock a kill is drawn, of the run alone and of all that it started, and never after its end."""
    kills = drawn("7")
    most = {Clock.MOMENT: LENGTH.seconds, Clock.JOURNAL: LENGTH.entries, Clock.ENGINE: LENGTH.events}

    assert {(one.clock, one.whole_tree) for one in kills} == {
        (clock, whole) for clock in Clock for whole in (True, False)
    }
    assert [one for one in kills if not 0 < one.amount <= most[one.clock]] == []


def test_what_is_told_to_type_is_typed() -> None:
    """The start is taken from the closing block as it stands there; where it tells none, none is typed."""
    told = "SERVICE DOWN\nBy hand\n  cd /srv/tools && docker compose up -d kestra\n  pytest -m recover\nreport: x\n"

    assert by_hand(told) == ["cd /srv/tools && docker compose up -d kestra"]
    assert by_hand("ACCEPTED\nreport: x\n") == []
