"""Logs as the engine really gives them: parted lines, two streams, an end that only the stop brings."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from docker.models.containers import Container

from procedures.observe.engine import logs
from procedures.observe.engine.endpoint import Endpoint
from procedures.observe.engine.engine import EngineObserver
from reports.record.observed import Secret
from reports.redaction.redact import MARK, Redaction
from tests.stacks import UNDERSTUDY_IMAGE, engine, wait_for

SECRET = "Qw7eRt9zU1iO3pAs"
CLEAN = Redaction([Secret(SECRET)]).clean
DASHES = "-" * 60


@pytest.fixture(scope="module", name="observer")
def _observer(images: None) -> Iterator[EngineObserver]:
    found = EngineObserver(Endpoint("unix:///var/run/docker.sock", "default"))
    yield found
    found.close()


@contextmanager
def speaking(script: str) -> Iterator[Container]:
    """A container that says something."""
    with engine() as client:
        one = client.containers.run(
            UNDERSTUDY_IMAGE,
            ["-c", script],
            entrypoint="sh",
            user="0",
            name=f"logs-{uuid.uuid4().hex[:8]}",
            detach=True,
            network_mode="none",
        )
        try:
            yield one
        finally:
            one.remove(force=True, v=True)


def kept(observer: EngineObserver, one: Container, limit: int) -> tuple[str, bool]:
    found = logs.read(observer, one.id or "", limit, 10)
    return found.cut(CLEAN(found.text), limit)


def test_no_limit_leaves_a_part_of_a_secret(observer: EngineObserver) -> None:
    """However many bytes are kept: no line of the log is cut, and no end of a password stands at its head."""
    script = f"for n in 1 2 3 4 5 6; do echo line $n {SECRET} and $n; echo {DASHES}; done"
    with speaking(script) as one:
        one.wait()
        found = logs.read(observer, one.id or "", 100_000, 10)
        for limit in range(1, 800):
            text, cut = found.cut(CLEAN(found.text), limit)
            assert not any(SECRET[at:] in text for at in range(len(SECRET) - 3)), limit
            assert cut
            assert len(text) <= limit
            assert all(line.endswith(DASHES) or " and " in line for line in text.splitlines())
        whole, cut = kept(observer, one, 10_000)

    assert not cut
    assert whole.count(MARK) == 6


@pytest.mark.parametrize("before", [16_384 - 8, 16_384 - 1, 16_384 - 16 + 1, 2 * 16_384 - 5, 3 * 16_384 - 9])
def test_a_secret_at_the_border_of_a_parted_line_is_found(observer: EngineObserver, before: int) -> None:
    """Docker parts long lines and puts a time between the parts: the line is whole again before it is cleaned."""
    script = f"printf '%{before}s' x; echo {SECRET} behind; echo end >&2"
    with speaking(script) as one:
        one.wait()
        raw = one.logs(timestamps=True)
        text, _ = kept(observer, one, 200_000)

    assert SECRET.encode() not in raw, "Docker did not part the line where this test needs it"
    assert f"x{MARK} behind\n" in text
    assert len(text.splitlines()) == 2
    assert text.count("Z ") == 2


def test_both_streams_come_in_the_order_of_their_times(observer: EngineObserver) -> None:
    """A parted line of one stream is not torn by the other one, and nothing is lost."""
    script = "for n in 1 2 3; do echo out $n; sleep 0.05; echo err $n >&2; sleep 0.05; done"
    with speaking(script) as one:
        one.wait()
        text, cut = kept(observer, one, 200_000)

    assert not cut
    words = [line.partition(" ")[2] for line in text.splitlines()]
    assert words == ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3"]


def test_the_last_words_are_heard_though_the_container_goes(observer: EngineObserver) -> None:
    """From the stop on, both streams, up to the very end, though nobody can read the log afterwards."""
    # Of two streams that speak in one breath it is chance which one Docker reads first.
    ending = "echo draining; sleep 0.1; echo forcing shutdown >&2; exit 0"
    script = f"trap '{ending}' TERM; echo ready; while :; do sleep 0.05; done"
    with speaking(script) as one:
        wait_for(lambda: b"ready" in one.logs(), "the container to be ready", 10)
        words = logs.LastWords(observer, one.id or "", one.name or "", time.time(), 10_000)
        one.stop(timeout=5)
        one.rename(f"{one.name}-ended")
        text = words.heard(5).text
        assert [line.partition(" ")[2] for line in text.splitlines()] == ["draining", "forcing shutdown"]


def test_a_container_that_is_gone_has_no_last_words(observer: EngineObserver) -> None:
    """Nobody waits for what cannot be heard."""
    began = time.monotonic()
    words = logs.LastWords(observer, "no-such-container", "no-such-container", time.time(), 10_000)

    assert words.heard(5).text == ""
    assert time.monotonic() - began < 4
