"""The probe where a silence is foretold: it asks less, and still says no more than it has seen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from procedures.observe.outage import probe as probing_process
from procedures.observe.outage.doors import Door, address_of, door_of, source_to
from procedures.observe.outage.following import Probe
from procedures.observe.outage.probe import DRAIN_BEAT, END, NEVER, RETURN, Pace, Track
from reports.record.evidence import Outage
from tests.probe.test_probe import (
    Service,
    assert_told_within_uncertainty,
    path_of,
    probing,
    wait_for_more_answers,
)

MANAGEMENT, HTTP, INSIDE = range(3)
"""The service's ports; behind the first one stands the third, as a container's own port behind a published one."""
CLOSE = 0.1
"""Seconds of uncertainty that full beats stay well below; a sparse one alone gives 0.25."""


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service(ports=3)
    yield one
    one.end()


def accepted(service: Service, port: int) -> int:
    """How many connections the service itself has accepted on a port."""
    ((_, count, *_),) = service.behave([port, "count", 0])
    assert isinstance(count, int)
    return count


def accepted_within(service: Service, port: int, seconds: float) -> int:
    before = accepted(service, port)
    ((_, count, *_),) = service.behave([port, "count", seconds])
    return int(count) - before


def door(service: Service, *ways: int) -> dict[str, Door]:
    return {"health": Door("127.0.0.1", service.ports[INSIDE], ways or (0,))}


def close(outage: Outage) -> float:
    """Seconds of uncertainty that full beats stay below; whoever ran late by so much looked no more often."""
    return CLOSE + float(outage.method.partition("at most ")[2].partition(" ms late")[0]) / 1000


def away(probe: Probe) -> None:
    assert probe.wait_until(lambda answers: not answers["health"].good, 5)


# A drain


def test_a_drain_that_answers_no_more_is_asked_a_few_times_a_second(service: Service) -> None:
    """Each connection that a draining server accepts and cannot serve is a stack trace in its log."""
    with probing(service) as probe:
        probe.expect_end()
        gone, _ = service.behave([MANAGEMENT, "close", 0], [HTTP, "reset", 0])
        at_first = accepted_within(service, MANAGEMENT, 1.0)
        later = accepted_within(service, HTTP, 2.0)
        back, _ = service.behave([MANAGEMENT, "good", 0], [HTTP, "good", 0])
        wait_for_more_answers(probe)
        outage = probe.stop()

    seen = path_of(outage, "health")
    assert 3 <= at_first <= 20
    assert 2 <= later <= 2 * 2 + 1
    assert_told_within_uncertainty(seen, (back[2] - gone[3], back[3] - gone[2]))
    assert seen.last_good is not None
    assert seen.uncertainty is not None
    assert seen.uncertainty <= probing_process.SPARSE_BEAT / 2 + close(outage)


def test_a_silence_that_nobody_foretold_is_asked_at_the_full_rate(service: Service) -> None:
    """What falls silent by itself is measured as closely as ever."""
    with probing(service) as probe:
        service.behave([MANAGEMENT, "close", 0])
        away(probe)
        asked = accepted_within(service, MANAGEMENT, 1.0)
        probe.stop()

    assert asked > 50


def test_what_answers_in_a_drain_is_asked_at_the_full_rate_where_its_end_is_near(service: Service) -> None:
    """Most stops take a second or two: until then the end of the answers is seen as closely as ever."""
    with probing(service) as probe:
        probe.expect_end()
        asked = accepted_within(service, MANAGEMENT, 1.0)
        truth = service.outage(MANAGEMENT, "refuse", 1.0)
        wait_for_more_answers(probe)
        outage = probe.stop()

    seen = path_of(outage, "health")
    good, bad, *_ = seen.intervals
    assert asked > 50
    assert_told_within_uncertainty(seen, truth)
    # The silence itself is asked sparsely, so only its beginning is close.
    assert (good.good, bad.good) == (True, False)
    assert bad.begin - good.end <= close(outage) - DRAIN_BEAT / 2


def test_a_short_silence_in_a_drain_is_seen(service: Service) -> None:
    """Whoever answers by turns is asked again soon: the shorter a silence, the closer it is looked at."""
    with probing(service) as probe:
        probe.expect_end()
        (_, _, _, gone), (_, _, back, _), *_ = service.behave(
            [MANAGEMENT, "reset", 0],
            [MANAGEMENT, "good", 0.2],
            [MANAGEMENT, "reset", 0.4],
            [MANAGEMENT, "good", 0.8],
        )
        wait_for_more_answers(probe)
        outage = probe.stop()

    seen = path_of(outage, "health")
    assert len(seen.silences) == 2
    assert seen.silences[0].length is not None
    assert seen.silences[0].length == pytest.approx(back - gone, abs=0.1 + close(outage))


# A boot


def booting(service: Service, probe: Probe) -> Any:
    """Let the service go away and begin to boot, its door shut; return the change with which it went."""
    probe.expect_end()
    gone, _ = service.behave([MANAGEMENT, "close", 0], [INSIDE, "refuse", 0])
    away(probe)
    probe.expect_return(door(service))
    return gone


def test_a_boot_is_asked_a_few_times_a_second_until_somebody_listens(service: Service) -> None:
    """Docker's proxy and the server are left alone, and the end of the outage is seen as closely as ever."""
    with probing(service) as probe:
        gone = booting(service, probe)
        asked = accepted_within(service, MANAGEMENT, 2.0)
        _, back = service.behave([INSIDE, "good", 0], [MANAGEMENT, "good", 0])
        wait_for_more_answers(probe)
        knocked = accepted(service, INSIDE)
        outage = probe.stop()

    seen = path_of(outage, "health")
    assert 2 <= asked <= 10
    assert knocked == 1
    assert_told_within_uncertainty(seen, (back[2] - gone[3], back[3] - gone[2]))
    assert seen.uncertainty is not None
    assert seen.uncertainty <= close(outage)
    assert any("nobody listens" in one.answer for one in seen.intervals)


def test_the_end_of_a_long_boot_is_told_within_its_uncertainty(service: Service) -> None:
    """Its knocks have become fewer by then, and the windows are no wider than those of other looks."""
    with probing(service) as probe:
        gone = booting(service, probe)
        _, back = service.behave([INSIDE, "good", 6.0], [MANAGEMENT, "good", 6.0])
        wait_for_more_answers(probe)
        outage = probe.stop()

    seen = path_of(outage, "health")
    assert_told_within_uncertainty(seen, (back[2] - gone[3], back[3] - gone[2]))
    assert seen.uncertainty is not None
    assert seen.uncertainty <= close(outage)


def test_a_server_that_listens_before_it_answers_is_asked_at_the_full_rate(service: Service) -> None:
    """Once somebody listens, the first good answer is near."""
    with probing(service) as probe:
        gone = booting(service, probe)
        service.behave([INSIDE, "good", 1.0], [MANAGEMENT, "down", 1.0])
        asked = accepted_within(service, MANAGEMENT, 1.0)
        (back,) = service.behave([MANAGEMENT, "good", 0])
        wait_for_more_answers(probe)
        outage = probe.stop()

    seen = path_of(outage, "health")
    assert asked > 50
    assert_told_within_uncertainty(seen, (back[2] - gone[3], back[3] - gone[2]))
    assert seen.uncertainty is not None
    assert seen.uncertainty <= close(outage)


def test_a_server_that_wakes_up_is_asked_one_thing_at_a_time(service: Service) -> None:
    """It listens, and its first answer takes long: what else is asked meanwhile would only make that longer."""
    with probing(service) as probe:
        gone = booting(service, probe)
        before = accepted(service, MANAGEMENT)
        service.behave([MANAGEMENT, "mute", 0], [INSIDE, "good", 0])
        accepted_within(service, MANAGEMENT, probing_process.WAKING_BEAT - 0.1)
        asked = accepted(service, MANAGEMENT) - before
        (back,) = service.behave([MANAGEMENT, "good", 0])
        wait_for_more_answers(probe)
        outage = probe.stop()

    # One may have been on its way, as sparse as they are while nobody listens.
    assert 1 <= asked <= 2
    assert_told_within_uncertainty(path_of(outage, "health"), (back[2] - gone[3], back[3] - gone[2]))


def test_a_door_that_is_somebody_elses_counts_for_nothing(service: Service) -> None:
    """A service that is back although its door is shut was not behind it: the windows are those of its own looks."""
    with probing(service) as probe:
        gone = booting(service, probe)
        (back,) = service.behave([MANAGEMENT, "good", 1.2])
        wait_for_more_answers(probe)
        outage = probe.stop()

    seen = path_of(outage, "health")
    assert_told_within_uncertainty(seen, (back[2] - gone[3], back[3] - gone[2]))
    assert not any("nobody listens" in one.answer for one in seen.intervals)


@pytest.mark.parametrize("known", [True, False], ids=["a door that is mute", "no door at all"])
def test_a_boot_without_a_door_is_asked_ten_times_a_second(service: Service, known: bool) -> None:
    """Where nobody can tell whether the server listens, its looks are all there is, and the uncertainty says so."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, probing(service) as probe:
        held = [socket.socket() for _ in range(3)]
        for one in held:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        doors = {"health": Door("127.0.0.1", full.getsockname()[1], (0,))} if known else {}
        probe.expect_end()
        (gone,) = service.behave([MANAGEMENT, "close", 0])
        away(probe)
        probe.expect_return(doors)
        asked = accepted_within(service, MANAGEMENT, 2.0)
        (back,) = service.behave([MANAGEMENT, "good", 0])
        wait_for_more_answers(probe)
        outage = probe.stop()
        for one in held:
            one.close()

    seen = path_of(outage, "health")
    assert 10 <= asked <= 2 * 10 + 2
    assert_told_within_uncertainty(seen, (back[2] - gone[3], back[3] - gone[2]))
    assert seen.uncertainty is not None
    assert seen.uncertainty <= probing_process.BOOT_BEAT / 2 + close(outage)


def test_what_goes_away_again_soon_after_its_return_is_seen(service: Service) -> None:
    """A silence right after the return, and the next stop of a way back, are each told."""
    with probing(service) as probe:
        probe.expect_end()
        service.behave([MANAGEMENT, "refuse", 0])
        away(probe)
        probe.expect_return({})
        changes = [["good", 0.5], ["reset", 0.8], ["good", 1.0]]
        service.behave(*[[MANAGEMENT, *one] for one in changes])
        wait_for_more_answers(probe)
        probe.expect_end()
        truth = service.outage(MANAGEMENT, "reset", 1.0)
        wait_for_more_answers(probe)
        outage = probe.stop()

    seen = path_of(outage, "health")
    assert len(seen.silences) == 3
    assert seen.silences[1].length == pytest.approx(0.2, abs=close(outage))
    assert seen.silences[2].length == pytest.approx(
        truth[0], abs=probing_process.SPARSE_BEAT / 2 + close(outage)
    )


def test_what_is_told_after_the_end_is_nobodys_business(service: Service) -> None:
    """The engine's events come when they come."""
    with probing(service) as probe:
        outage = probe.stop()
        probe.expect_end()
        probe.expect_return(door(service))

    assert probe.stop() is outage


# How often, on a simulated clock


def pace() -> Pace:
    return Pace({"fast": True, "rate": 100.0, "slow_rate": 0.5, "calm_rate": 10.0})


def answered(*answers: tuple[float, str]) -> Track:
    track = Track()
    for moment, answer in answers:
        track.add(moment - 0.001, moment, answer, good=answer == "good")
    return track


def beat(pace: Pace, now: float, track: Track, *, knocking: bool = False) -> float:
    return pace.beat(now, track, eager=False, knocking=knocking)


def test_a_long_drain_that_answers_is_asked_ten_times_a_second() -> None:
    """How long work takes to end is not foretold, and each answer is a line in the server's log."""
    one, good = pace(), answered((0.0, "good"))
    one.expect(END, 10.0)
    assert beat(one, 12.9, good) == 0.01
    assert beat(one, 13.1, good) == 0.1


@pytest.mark.parametrize(("lasted", "seconds"), [(0.001, 0.01), (0.1, 0.05), (0.5, 0.25), (60.0, 0.5)])
def test_the_longer_a_silence_lasts_in_a_drain_the_less_is_asked(lasted: float, seconds: float) -> None:
    one = pace()
    one.expect(END, NEVER)
    assert beat(one, 10.0 + lasted, answered((9.0, "good"), (10.0, "reset"))) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("answer", "knocking", "seconds"),
    [("reset", True, 0.5), ("reset", False, 0.1), ("refused", False, 0.02), ("503 DOWN", True, 0.5)],
)
def test_a_boot_is_asked_by_what_is_learnt(answer: str, knocking: bool, seconds: float) -> None:
    """A refusal is the kernel's: nobody else has heard of the look."""
    one = pace()
    one.expect(RETURN, NEVER)
    assert beat(one, 20.0, answered((9.0, "good"), (10.0, answer)), knocking=knocking) == seconds


def test_after_its_return_nothing_is_foretold_any_more() -> None:
    """A second after it is back a service is asked at its calm rate, and a silence of its own at the full one."""
    one, track = pace(), answered((9.0, "good"), (10.0, "reset"), (15.0, "good"))
    one.expect(RETURN, NEVER)
    assert beat(one, 15.5, track) == 0.01
    assert beat(one, 16.1, track) == 0.1
    track.add(29.9, 30.0, "reset", good=False)
    assert beat(one, 60.0, track) == 0.01


@pytest.mark.parametrize(("lasted", "knocks"), [(0, 50), (1, 50), (2, 25), (4, 12), (5, 10), (600, 10)])
def test_the_longer_a_boot_lasts_the_fewer_are_its_knocks(lasted: int, knocks: int) -> None:
    """Each wakes the probe, which takes its time from the boot."""
    one, now, count = probing_process.Door({"at": ["127.0.0.1", 1], "ways": [0]}, 7.0), 7.0 + lasted, 0
    while now < 8.0 + lasted:
        one.knocked(now)
        now, count = one.due + 0.001, count + 1

    assert count == pytest.approx(knocks, abs=1)


# Where a container listens


def said(address: str = "127.0.0.1", gateway: str = "127.0.0.1") -> dict[str, object]:
    """What an engine says of a container; loopback stands for a bridge, on which this machine has the gateway's address."""
    published = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}], "8081/tcp": None, "53/udp": []}
    networks = {"own": {"IPAddress": address, "Gateway": gateway}}
    return {"NetworkSettings": {"Ports": published, "Networks": networks}}


@pytest.mark.parametrize(
    ("urls", "ways"),
    [
        (("http://127.0.0.1:18080/ping",), (0,)),
        (("http://127.0.0.1:18080/ping", "http://127.0.0.1:18080/ping"), (0, 1)),
        (("http://127.0.0.1:17070/ping", "http://localhost:18080/ping"), (1,)),
        (("http://127.0.0.1:18080/ping", "http://localhost:17070/ping"), (0,)),
    ],
    ids=["one address", "other credentials", "it moves", "it moves back"],
)
def test_the_door_is_behind_the_published_port(urls: tuple[str, ...], ways: tuple[int, ...]) -> None:
    assert door_of(said(), urls) == Door("127.0.0.1", 8080, ways)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        (said(), "http://127.0.0.1:8081/health"),
        (said(), "http://127.0.0.1/health"),
        (said(gateway="127.0.0.9"), "http://127.0.0.1:18080/ping"),
        (said(gateway=""), "http://127.0.0.1:18080/ping"),
        (said(address=""), "http://127.0.0.1:18080/ping"),
        ({}, "http://127.0.0.1:18080/ping"),
    ],
    ids=["unpublished", "another port", "no bridge of ours", "no gateway", "no address", "nothing is said"],
)
def test_there_is_no_door_where_it_cannot_be_told(told: dict[str, object], url: str) -> None:
    assert door_of(told, [url]) is None


def test_an_address_that_cannot_be_reached_is_no_door() -> None:
    assert source_to("255.255.255.255") != "255.255.255.255"
    assert not address_of(said(address="255.255.255.255", gateway="255.255.255.255"))
