"""Excerpts: whole lines, cleaned before they are cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reports.record.observed import Secret
from reports.redaction import excerpt
from reports.redaction.redact import MARK, Redaction

SECRET = "Qw7eRt9zU1iO3pAs"


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    excerpt.know(Redaction([Secret(SECRET)]).clean)
    yield
    excerpt.know(str)


def parts() -> set[str]:
    return {SECRET[at : at + 4] for at in range(len(SECRET) - 3)}


@pytest.mark.parametrize(
    "text", [f"first {SECRET} one\nsecond {SECRET}\nthird", f"a long line with {SECRET} in it", SECRET * 9]
)
def test_no_limit_leaves_a_part_of_a_secret(text: str) -> None:
    """Wherever an excerpt ends, no part of a known secret is in it."""
    for limit in range(1, len(text) + 3):
        for cut in (excerpt.last, excerpt.first, excerpt.one_line):
            found = cut(text, limit)
            assert not [part for part in parts() if part in found], (cut, limit)


def test_lines_are_kept_whole() -> None:
    """The newest lines that fit, or the first ones."""
    text = "one is here\ntwo is here\nthree is here\n"

    assert excerpt.last(text, 26) == "two is here\nthree is here"
    assert excerpt.last(text, 24) == "three is here"
    assert excerpt.first(text, 24) == "one is here\ntwo is here"
    assert excerpt.one_line(text, 24) == "one is here two is here"
    assert excerpt.last(text, 100) == text.strip()


def test_a_line_that_is_too_long_loses_whole_words() -> None:
    """A word may be a secret that nobody has met yet: it is there as a whole, or not at all."""
    assert excerpt.last("Error: the password is unmet-secret-word", 20) == "… is unmet-secret-word"
    assert excerpt.first("Error: unmet-secret-word is wrong", 20) == "Error: …"
    assert excerpt.last("unmet-secret-word", 5) == "[a line of 17 characters is left out]"


def test_what_cannot_be_searched_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that takes too long to be cleaned does not get through."""
    monkeypatch.setattr("reports.redaction.redact.PATIENCE", -1.0)

    assert SECRET not in excerpt.last(f"a {SECRET}", 100)
    assert "withheld" in excerpt.last("text", 100)
    assert MARK not in excerpt.last("text", 100)
