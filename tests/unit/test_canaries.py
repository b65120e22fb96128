"""The canaries' own search is no blind one: it finds every form of a secret, whole and in pieces, and nothing else."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import pytest

from tests import canaries

STAMP = "2026-11-26T22:00:00.123456789Z "
KNOWN = (
    canaries.canary("web"),
    canaries.canary("db", canaries.QUOTED_SIGNS),
    canaries.canary("option", canaries.OPTION_SIGNS),
)


@pytest.mark.parametrize("how", canaries.WRITERS)
@pytest.mark.parametrize("known", KNOWN, ids=[one.name for one in KNOWN])
def test_every_form_is_found_where_it_is(tmp_path: Path, known: canaries.Canary, how: str) -> None:
    """A file, the console and a file's name: each form is found in each, and told by the secret's name."""
    written = canaries.WRITERS[how](known.value)
    (tmp_path / "a.txt").write_text(f"before{written}after")

    found = canaries.leaks(KNOWN, canaries.places(f"x {written} x", tmp_path))

    assert any("a.txt" in one for one in found)
    assert any("the console" in one for one in found)
    assert all(known.name in one for one in found)


@pytest.mark.parametrize(
    "cut",
    [
        lambda text, value: text[: text.index(value) + canaries.PIECE],
        lambda text, value: text[text.index(value) + len(value) - canaries.PIECE :],
        lambda text, value: text.replace(value, f"{value[:20]}\n{STAMP}{value[20:]}"),
        lambda text, _: "\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 64)),
        lambda text, _: "".join(
            f"{STAMP}{one}\n" for one in textwrap.wrap(base64.b64encode(text.encode()).decode(), 76)
        ),
        lambda text, _: base64.b64encode(base64.b64encode(text.encode())).decode(),
        lambda text, _: f"data:text/html;base64,{base64.urlsafe_b64encode(text.encode()).decode()}",
    ],
    ids=["its head", "its tail", "parted by Docker", "wrapped", "wrapped and stamped", "twice", "a blob"],
)
def test_what_is_left_of_one_is_found(cut: object) -> None:
    """A secret that was cut in two is a leak as well, and so is one that somebody has packed."""
    assert callable(cut)
    for one in KNOWN:
        left = cut(f"<p>some text before {one.value} and some behind</p>", one.value)

        assert canaries.leaks([one], {"x": left.encode()}), left


def test_nothing_is_found_where_nothing_is() -> None:
    """Other secrets of the same kind in the same forms are none of these."""
    other = (canaries.canary("other"), canaries.canary("another", canaries.OPTION_SIGNS))

    assert canaries.leaks(KNOWN, {"x": canaries.words(other).encode()}) == []


def test_what_a_server_says_holds_every_form() -> None:
    """The words that the tests let a server say hold each form of each secret, and lines longer than Docker's."""
    said = canaries.words(KNOWN) + canaries.long_lines(KNOWN)

    assert all(write(one.value) in said for one in KNOWN for write in canaries.WRITERS.values())
    assert sum(len(line) > canaries.PART for line in said.splitlines()) == len(KNOWN)
    assert {one.name for one in KNOWN} == {
        one.name for one in KNOWN if canaries.leaks([one], {"x": said.encode()})
    }


def test_what_is_kept_on_purpose_is_for_its_owner_alone(tmp_path: Path) -> None:
    """A file that holds the values to start from is no leak, as long as nobody else can read it."""
    kept = tmp_path / "run.rendered" / "a" / "compose.yml"
    kept.parent.mkdir(parents=True)
    kept.write_text(KNOWN[0].value)
    kept.chmod(0o600)

    assert canaries.leaks(KNOWN, canaries.places("", tmp_path)) == []

    kept.chmod(0o640)

    with pytest.raises(AssertionError):
        canaries.places("", tmp_path)
