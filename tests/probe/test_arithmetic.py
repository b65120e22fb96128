"""What looks add up to, on simulated clocks."""

import dataclasses
import math
import random
import selectors
import socket

import pytest

from procedures.observe.outage.arithmetic import MOST_INTERVALS, MOST_SILENCES, headline_of, judge
from procedures.observe.outage.probe import Look, Path, Track
from procedures.observe.outage.watched import Watched
from reports.record.evidence import PathOutage

PATH = Watched("ping", "http://127.0.0.1:1/ping", "pong")


def told(looks: list[tuple[float, float, str]], zero: float = 0.0, since: float = -math.inf) -> PathOutage:
    track = Track()
    for begin, end, answer in sorted(looks, key=lambda one: one[1]):
        track.add(begin, end, answer, answer == "good")
    return judge(PATH, track.stretches, zero, track.looks, since)


def steady(*runs: tuple[str, int], beat: float = 0.01, took: float = 0.001) -> list[tuple[float, float, str]]:
    answers = [answer for answer, count in runs for _ in range(count)]
    return [(index * beat, index * beat + took, answer) for index, answer in enumerate(answers)]


def simulated(chance: random.Random) -> tuple[list[tuple[float, float, str]], float]:
    """Return the looks at a service that is away for a known time: any beat, any slowness, a probe that stalls."""
    down = chance.uniform(1.0, 2.0)
    up = down + chance.choice([chance.uniform(0.02, 0.2), 3.0, chance.uniform(0.5, 5.0)])
    slow = chance.choice([0.0005, 0.005, 0.05])
    beat = chance.choice([0.01, 0.02, 0.1])
    looks, now = [], 0.0
    while now < up + 2.0:
        begin = now
        # The service is met at some moment after the look began, and heard of at some moment after that.
        met = begin + chance.uniform(0, slow)
        heard = met + chance.uniform(0, slow)
        answer = "refused" if down <= met < up else "good"
        looks.append((begin, heard, answer))
        now += beat
        if chance.random() < 0.02:
            now += chance.uniform(0, 0.3)
    return looks, up - down


@pytest.mark.parametrize("tens", range(10))
def test_truth_lies_within_the_stated_uncertainty(tens: int) -> None:
    """Whatever the beat, the service's slowness and the probe's stalls were, the true outage is inside."""
    for seed in range(tens * 100, tens * 100 + 100):
        holds(*simulated(random.Random(seed)))


def holds(looks: list[tuple[float, float, str]], truth: float) -> None:
    seen = told(looks)

    if seen.last_good is None or seen.first_good is None:  # shorter than what could be seen
        assert truth <= seen.largest_gap
        return
    assert seen.length is not None
    assert seen.uncertainty is not None
    assert abs(seen.length - truth) <= seen.uncertainty + 1e-9
    assert seen.uncertainty <= seen.largest_gap + 1e-9


@pytest.mark.parametrize("beat", [0.01, 0.25], ids=["a fast path", "the API"])
def test_a_service_that_moves_is_within_it_too(beat: float) -> None:
    """The old way goes on failing after the service has come up on the new one: its bad looks prove nothing then."""
    for seed in range(300):
        chance = random.Random(seed)
        down = chance.uniform(1.0, 2.0)
        up = down + chance.uniform(2 * beat, 10 * beat)
        track, way = Track(), 0
        for index in range(round((up + 2.0) / beat)):
            begin = index * beat
            met = begin + chance.uniform(0, 0.001)
            end = met + chance.uniform(0, 0.001)
            good = met < down if way == 0 else met >= up
            track.add(begin, end, "good" if good else "refused", good, way)
            way = way if good else 1 - way

        seen = judge(PATH, track.stretches, 0.0, track.looks)

        assert seen.length is not None
        assert seen.uncertainty is not None
        assert abs(seen.length - (up - down)) <= seen.uncertainty + 1e-9
        assert seen.uncertainty <= 2 * beat
        assert seen.flaps == 0


@pytest.mark.parametrize("seed", range(20))
def test_held_service_is_measured_closely(seed: int) -> None:
    """A service that keeps mute is measured far more closely than by a look's patience."""
    chance = random.Random(seed)
    down = chance.uniform(1.0, 2.0)
    up = down + 3.0
    looks: list[tuple[float, float, str]] = []
    open_looks: list[float] = []
    for beat in range(700):
        begin = beat * 0.01
        open_looks = [end for end in open_looks if end > begin]
        if len(open_looks) == 4:
            continue
        met = begin + chance.uniform(0.0001, 0.001)
        if down <= met < up:
            answered = up + chance.uniform(0.0001, 0.001)
            end, answer = (answered, "good") if answered < begin + 1 else (begin + 1, "accepted and mute")
        else:
            end, answer = met + chance.uniform(0.0001, 0.001), "good"
        looks.append((begin, end, answer))
        open_looks.append(end)

    seen = told(looks)

    assert seen.length is not None
    assert seen.uncertainty is not None
    assert abs(seen.length - 3.0) <= seen.uncertainty
    assert seen.uncertainty <= 0.02
    assert seen.flaps == 0


def test_length_is_the_middle_of_what_is_possible() -> None:
    seen = told(steady(("good", 100), ("refused", 300), ("good", 100)))

    assert seen.last_good == pytest.approx(0.991)
    assert seen.first_good == pytest.approx(4.001)
    assert seen.length == pytest.approx(3.0)
    assert seen.uncertainty == pytest.approx(0.011)
    assert seen.largest_gap == pytest.approx(0.011)
    assert seen.flaps == 0
    assert seen.looks == 500
    assert [(one.answer, one.good, one.count) for one in seen.intervals] == [
        ("good", True, 100),
        ("refused", False, 300),
        ("good", True, 100),
    ]


def test_times_count_from_zero() -> None:
    """Moments are told from the probe's zero on, lengths are not moved by it."""
    looks = [
        (begin + 500, end + 500, answer)
        for begin, end, answer in steady(("good", 5), ("reset", 5), ("good", 5))
    ]

    seen = told(looks, zero=500.0)

    assert seen.last_good == pytest.approx(0.041)
    assert seen.length == pytest.approx(0.05)
    assert seen.intervals[0].begin == pytest.approx(0.0)


def test_path_that_never_went_bad() -> None:
    """It had an outage of nothing, give or take the largest gap."""
    seen = told([*steady(("good", 100)), (1.3, 1.301, "good")])

    assert (seen.last_good, seen.first_good, seen.length, seen.flaps) == (None, None, 0.0, 0)
    assert seen.uncertainty == seen.largest_gap == pytest.approx(1.301 - 0.99)


def test_path_that_never_came_back() -> None:
    """It has no length, even where an earlier stretch of the outage ended."""
    seen = told(steady(("good", 50), ("refused", 300), ("good", 50), ("503 DOWN", 10)))

    assert seen.last_good == pytest.approx(0.491)
    assert (seen.first_good, seen.length, seen.uncertainty) == (None, None, None)
    assert [one.length for one in seen.silences] == [pytest.approx(3.0), None]
    assert seen.silences[1].last_good == pytest.approx(3.991)
    assert seen.flaps == 0


def test_path_that_was_never_good_before() -> None:
    """Its outage began before anybody looked: there is a first good answer, and no length."""
    seen = told(steady(("refused", 50), ("good", 50)))

    assert seen.last_good is None
    assert seen.first_good == pytest.approx(0.501)
    assert (seen.length, seen.uncertainty, seen.flaps) == (None, None, 0)


def test_path_that_was_not_looked_at() -> None:
    seen = told([])

    assert (seen.length, seen.uncertainty, seen.looks, seen.intervals) == (None, None, 0, ())


def test_the_outage_is_the_sum_of_its_stretches() -> None:
    """A run that goes back stops the service twice: both silences are its outage, and each is told."""
    seen = told(
        steady(
            ("good", 50),
            ("refused", 600),
            ("good", 200),
            ("reset", 670),
            ("good", 90),
            ("reset", 5),
            ("good", 9),
        )
    )

    assert [one.length for one in seen.silences] == [pytest.approx(one) for one in (6.0, 6.7, 0.05)]
    assert seen.length == pytest.approx(12.75)
    assert seen.uncertainty == pytest.approx(sum(one.uncertainty or 0.0 for one in seen.silences))
    assert (seen.last_good, seen.first_good) == (seen.silences[0].last_good, seen.silences[-1].first_good)
    assert seen.flaps == 0


def test_what_was_silent_before_the_first_changing_step_is_a_flap() -> None:
    """Nothing had been done to the service yet: such a silence is none of the run's outage."""
    seen = told(steady(("good", 50), ("reset", 20), ("good", 50), ("refused", 200), ("good", 50)), since=1.15)

    assert seen.length == pytest.approx(2.0)
    assert len(seen.silences) == 1
    assert seen.flaps == 1


def test_a_silence_over_the_first_changing_step_is_no_flap() -> None:
    """A service that is mute when it is stopped is away for users from then on, and all of it is told."""
    seen = told(steady(("good", 50), ("reset", 20), ("good", 50), ("refused", 200), ("good", 50)), since=0.6)

    assert seen.length == pytest.approx(2.2)
    assert (len(seen.silences), seen.flaps) == (2, 0)


def test_a_run_that_changed_nothing_has_no_outage() -> None:
    """Whatever fell silent, it was not this run."""
    seen = told(steady(("good", 50), ("reset", 20), ("good", 50)), since=math.inf)

    assert (seen.length, seen.silences, seen.flaps) == (0.0, (), 1)


def test_the_truth_of_two_stretches_lies_within_the_stated_uncertainty() -> None:
    """The sum is as uncertain as its parts together, whatever the beat and the stalls were."""
    for seed in range(300):
        chance = random.Random(seed)
        first, one = simulated(chance)
        second, other = simulated(chance)
        late = max(end for _, end, _ in first)
        seen = told([*first, *((begin + late, end + late, answer) for begin, end, answer in second)])
        if len(seen.silences) != 2:  # one was shorter than what could be seen
            continue
        assert seen.length is not None
        assert seen.uncertainty is not None
        assert abs(seen.length - one - other) <= seen.uncertainty + 1e-9


def test_different_bad_answers_are_one_outage() -> None:
    """The answers are told apart, the outage spans them all."""
    seen = told(steady(("good", 50), ("reset", 50), ("refused", 100), ("503 DOWN", 50), ("good", 50)))

    assert seen.length == pytest.approx(2.0)
    assert [one.answer for one in seen.intervals] == ["good", "reset", "refused", "503 DOWN", "good"]


def test_answer_in_flight_over_the_stop_is_no_flap() -> None:
    """A good answer that outlived the stop, and a stuck look that outlived the start, turn nothing back."""
    looks = steady(("good", 100), ("refused", 300), ("good", 300))
    looks += [(0.985, 1.2, "good"), (3.9, 4.9, "accepted and mute")]

    seen = told(looks)

    assert seen.flaps == 0
    assert seen.length == pytest.approx(3.0, abs=0.02)
    assert seen.looks == 702


def test_single_look_that_fails_among_good_ones_is_told() -> None:
    """A connection in a hundred that is lost is no perfect service."""
    looks = [*steady(("good", 300)), (1.005, 2.005, "accepted and mute")]

    seen = told(looks)

    assert any(not one.good for one in seen.intervals)
    assert seen.length is not None
    assert seen.length <= 0.03


def test_bad_answers_that_alternate_are_one_interval() -> None:
    """Docker's proxy resets or closes, by chance, many times a second."""
    looks = steady(("good", 50), *[("reset", 1), ("accepted and closed", 2)] * 100, ("good", 50))

    seen = told(looks)

    assert [one.answer for one in seen.intervals] == ["good", "reset / accepted and closed", "good"]
    assert seen.intervals[1].count == 300


def test_what_is_listed_is_bounded_and_what_is_counted_is_not() -> None:
    seen = told(steady(*[("good", 1), ("reset", 1)] * 1000, ("good", 1)))

    assert len(seen.intervals) <= MOST_INTERVALS + 1
    assert len(seen.silences) == MOST_SILENCES
    assert len(seen.silences) + seen.unlisted == 1000
    assert seen.length == pytest.approx(10.0, rel=0.1)
    assert sum(one.count for one in seen.intervals) == 2001
    assert all(one.end <= other.begin for one, other in zip(seen.intervals, seen.intervals[1:], strict=False))


def test_headline_is_the_fast_path_that_came_back_last() -> None:
    """A path that never came back comes before all others; one without an outage after all others."""
    early = told(steady(("good", 50), ("reset", 50), ("good", 50)))
    late = told(steady(("good", 50), ("reset", 60), ("good", 50)))
    never = told(steady(("good", 50), ("reset", 60)))
    fine = told(steady(("good", 200)))

    def headline(**paths: PathOutage) -> str:
        return headline_of(
            [_named(name, path) for name, path in paths.items()], [n for n in paths if n != "api"]
        )

    assert headline(health=early, ping=late, api=never) == "ping"
    assert headline(health=never, ping=late) == "health"
    assert headline(health=fine, ping=early) == "ping"
    assert headline(health=fine, ping=told([])) == "health"
    assert headline() == ""


def _named(name: str, path: PathOutage) -> PathOutage:
    return dataclasses.replace(path, path=name)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_connection_that_has_met_itself_is_nobodys_answer(host: str) -> None:
    """Where nobody listens, a connection that was given the service's own port as its end is refused, and frees it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    heard: list[tuple[str, bool]] = []
    task = {"name": "ping", "expect": "pong", "fast": True, "timeout": 1.0, "host": host, "port": port}
    path = Path(task | {"target": "/ping", "rate": 50, "slow_rate": 5, "calm_rate": 5})
    look = Look(path, lambda _, answer, good: heard.append((answer, good)))
    look.socket.bind((host, port))
    with look.socket, selectors.DefaultSelector() as selector:
        selector.register(look.socket, selectors.EVENT_WRITE, look.go_on)
        look.connect()
        assert selector.select(5)

        look.go_on(selector)

    assert heard == [("refused", False)]
