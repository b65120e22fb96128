"""The server under test answers as the recorded ones did."""

from __future__ import annotations

import re

import pytest

from tests.understudy import recordings
from tests.understudy.conversation import Answers
from tests.understudy.server import IS_UNDERSTUDY

# Answers that belong to the end of a server's life; they have their tests in test_life.py.
LATER = ("post-8081_stop", "readiness-503", "after-restart")
CALLS = [call for call in recordings.answers("0.20.7") if not any(word in call for word in LATER)]
if not IS_UNDERSTUDY:
    # A build without UI has another answer here than an official image.
    CALLS = [call for call in CALLS if not re.match("GET 8080/(ui/)? .*(off|right)", call)]


@pytest.mark.parametrize("call", CALLS)
def test_answers_as_recorded(answers: Answers, recorded: str, call: str) -> None:
    """Status, headers and body are the recorded ones but for ids, times, versions and sizes."""
    expected, got = recordings.answers(recorded)[call], answers[call]

    assert expected.status == got.status
    assert recordings.normal(expected.headers).items() <= recordings.normal(got.headers).items()
    if expected.body is not None:
        assert recordings.normal(expected.body) == recordings.comparable(got.body, expected.body)


def test_every_recorded_call_is_compared() -> None:
    """Both versions were asked the same, so that none is left out."""
    missing = set(recordings.answers("0.20.7")) ^ set(recordings.answers("0.21.0"))

    assert all(any(word in call for word in LATER) for call in missing)
