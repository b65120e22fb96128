"""The probe as a process of its own, against a service that misbehaves on command and logs when."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from procedures.kestra.editions import edition_of
from procedures.observe.outage.following import Probe, ProbeUnusable, all_good
from procedures.observe.outage.watched import Watched, kestra_paths
from reports.record.evidence import Outage, PathOutage

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PASSWORD = "Canary-Passw0rd"
PATHS = edition_of("").paths


class Service:
    """The misbehaving service, and its log."""

    def __init__(self, ports: int = 2) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", HERE / "service.py", str(ports)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._commands, self._log = self._process.stdin, self._process.stdout
        self.ports: list[int] = self._line()
        self.management, self.http, *_ = self.ports

    def _line(self) -> Any:
        return json.loads(self._log.readline())

    def behave(self, *changes: list[Any]) -> list[Any]:
        """Send [port, behaviour, seconds from now], and return what the service logged of each."""
        self._commands.write(json.dumps(changes) + "\n")
        self._commands.flush()
        return [self._line() for _ in changes]

    def outage(self, port: int, behaviour: str, seconds: float) -> tuple[float, float]:
        """Be away for so long; return the shortest and the longest that it can have been, by the service's clock."""
        (_, _, down, gone), (_, _, up, back) = self.behave([port, behaviour, 0], [port, "good", seconds])
        return up - gone, back - down

    @property
    def paths(self) -> tuple[Watched, ...]:
        return kestra_paths(
            f"http://127.0.0.1:{self.http}", f"http://127.0.0.1:{self.management}", "a@b.c", PASSWORD, PATHS
        )

    def end(self) -> None:
        self._commands.close()
        self._log.close()
        self._process.wait(5)


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    yield one
    one.end()


@contextlib.contextmanager
def probing(
    service: Service, paths: Sequence[Watched] | None = None, deadline: float = 60.0
) -> Iterator[Probe]:
    with Probe.start(paths or service.paths, deadline) as probe:
        assert probe.wait_until_looking(5)
        # Enough good answers to know how long one usually takes.
        assert probe.wait_until(
            lambda answers: answers["health"].count > 50 and answers["ping"].count > 50, 5
        )
        yield probe


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many processes busy, for at most half a minute."""
    code = "import time\nuntil = time.monotonic() + 30\nwhile time.monotonic() < until: pass"
    running = [subprocess.Popen([sys.executable, "-I", "-S", "-c", code]) for _ in range(processes)]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait(5)


def path_of(outage: Outage, name: str) -> PathOutage:
    return next(path for path in outage.paths if path.path == name)


def ready(probe: Probe, since: float, limit: float, *paths: str) -> bool:
    """Whether all these paths answer well, to a look begun after `since`, within a limit."""
    return probe.wait_until(lambda answers: all_good(answers, paths, since), limit)


def wait_for_more_answers(probe: Probe, path: str = "health", more: int = 30) -> None:
    """Wait until the path has answered well for about so many looks from now on."""
    since = time.monotonic() + more / 100
    assert ready(probe, since, 5 + more / 100, path)


def assert_told_within_uncertainty(seen: PathOutage, truth: tuple[float, float]) -> None:
    assert seen.length is not None
    assert seen.uncertainty is not None
    shortest, longest = truth
    assert seen.length - seen.uncertainty <= longest
    assert seen.length + seen.uncertainty >= shortest
    assert seen.uncertainty <= max(0.02, seen.largest_gap)
    assert seen.largest_gap > 0.02 or seen.uncertainty <= 0.02


def gone(pid: int) -> bool:
    """Whether no process has this id, or only a dead one that waits for its parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def wait_gone(pid: int, limit: float) -> bool:
    until = time.monotonic() + limit
    while not gone(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return gone(pid)


@pytest.mark.parametrize(
    ("behaviour", "seconds"),
    [
        ("refuse", 3.0),
        ("close", 3.0),
        ("frozen", 3.0),
        ("frozen", 0.4),
        ("reset", 0.5),
        ("down", 0.5),
        ("wrong", 0.5),
    ],
)
def test_known_outage_is_told_within_its_uncertainty(
    service: Service, behaviour: str, seconds: float
) -> None:
    """A service that is away for 3.00 s by its own log, in whatever manner, is told so."""
    with probing(service) as probe:
        truth = service.outage(0, behaviour, seconds)
        wait_for_more_answers(probe)
        seen = path_of(probe.stop(), "health")

    assert truth == pytest.approx((seconds, seconds), abs=0.1)
    assert_told_within_uncertainty(seen, truth)
    assert seen.flaps == 0


@pytest.mark.parametrize("attempt", range(2))
@pytest.mark.parametrize("behaviour", ["refuse", "frozen"])
def test_known_outage_is_told_within_its_uncertainty_on_a_busy_machine(
    service: Service, behaviour: str, attempt: int
) -> None:
    """Where neither the service nor the probe runs on time, the stated uncertainty still holds."""
    with busy(2), probing(service) as probe:
        truth = service.outage(0, behaviour, 3.0)
        wait_for_more_answers(probe)
        seen = path_of(probe.stop(), "health")

    assert_told_within_uncertainty(seen, truth)


def test_headline_is_the_path_that_came_back_last(service: Service) -> None:
    """Two paths that come back at different times have each its own outage; the API is never the headline."""
    with probing(service) as probe:
        health_down, ping_down, health_up, ping_up = service.behave(
            [0, "refuse", 0], [1, "refuse", 0.1], [0, "good", 1.0], [1, "good", 1.5]
        )
        assert ready(probe, ping_down[3], 5, *(one.name for one in service.paths))
        noticed = time.monotonic()
        outage = probe.stop()

    assert outage.headline == "ping"
    assert outage.headline_path == path_of(outage, "ping")
    assert [path.headline for path in outage.paths] == [False, True, False]
    health, ping, api = outage.paths
    assert ping.first_good is not None
    assert_told_within_uncertainty(health, (health_up[2] - health_down[3], health_up[3] - health_down[2]))
    assert_told_within_uncertainty(ping, (ping_up[2] - ping_down[3], ping_up[3] - ping_down[2]))
    assert api.first_good is None or api.first_good > ping.first_good - 0.02
    assert noticed - ping_up[3] < 0.5


def test_readiness_is_noticed_at_once(service: Service) -> None:
    """The one who waits knows of the first good answer within 50 ms of it."""
    with probing(service) as probe:
        (_, _, _, down), _ = service.behave([0, "refuse", 0], [0, "good", 0.5])
        assert ready(probe, down, 5, "health")
        noticed = time.monotonic()
        first_good = probe.answers["health"].since

    assert 0 <= noticed - first_good <= 0.05


def test_news_end_a_wait_at_once(service: Service) -> None:
    """Whoever waits for another answer is woken by it, also where it came before they asked, and by nothing else."""
    with probing(service) as probe:
        probe.wait_for_news(5)
        before = time.monotonic()
        probe.wait_for_news(0.5)
        quiet = time.monotonic() - before
        service.behave([0, "refuse", 0])
        assert probe.wait_until(lambda answers: not answers["health"].good, 5)
        before = time.monotonic()
        probe.wait_for_news(5)
        known = time.monotonic() - before
        service.behave([0, "good", 0.3])
        probe.wait_for_news(5)

    assert quiet == pytest.approx(0.5, abs=0.2)
    assert known < 0.1
    assert probe.answers["health"].good


def test_an_old_answer_is_no_sign_of_the_new_service(service: Service) -> None:
    with probing(service) as probe:
        service.behave([0, "refuse", 0])
        assert not ready(probe, time.monotonic(), 0.3, "health")


def test_a_service_that_goes_away_again(service: Service) -> None:
    """Each stretch of an outage is told, and their sum is its length."""
    with probing(service) as probe:
        changes = [
            ["refuse", 0.0],
            ["good", 1.0],
            ["reset", 1.2],
            ["good", 1.4],
            ["refuse", 1.6],
            ["good", 1.8],
        ]
        service.behave(*[[0, *change] for change in changes])
        wait_for_more_answers(probe)
        seen = path_of(probe.stop(), "health")

    assert seen.flaps == 0
    assert seen.length is not None
    assert seen.uncertainty is not None
    assert seen.length == pytest.approx(1.4, abs=seen.uncertainty + 0.06)
    assert len(seen.silences) == 3
    # A look that is under way while the behaviour changes may be cut off: it is told beside the others.
    expected = ["200 UP", "refused", "200 UP", "reset", "200 UP", "refused", "200 UP"]
    assert len(expected) == len(seen.intervals)
    assert all(word in one.answer for word, one in zip(expected, seen.intervals, strict=True))


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        ("refuse", "refused"),
        ("close", "accepted and closed"),
        ("reset", "reset"),
        ("mute", "accepted and mute"),
        ("down", "503 DOWN"),
        ("wrong", "wrong body"),
        ("babble", "no HTTP"),
    ],
)
def test_bad_answers_have_names(service: Service, behaviour: str, answer: str) -> None:
    """Each silence is told apart from the others, and a connection alone is no answer."""
    with probing(service) as probe:
        service.behave([0, behaviour, 0])
        # Who closes its door resets the connection that stood before it: on a busy machine one may be told as well.
        assert probe.wait_until(lambda answers: answers["health"].answer == answer, 5)
        outage = probe.stop()

    assert answer in path_of(outage, "health").intervals[-1].answer.split(" / ")
    assert path_of(outage, "health").first_good is None


@pytest.mark.parametrize("behaviour", ["slow", "chunked"])
def test_slow_and_chunked_answers_are_good(service: Service, behaviour: str) -> None:
    with probing(service) as probe:
        service.behave([0, behaviour, 0])
        wait_for_more_answers(probe, more=20)
        outage = probe.stop()

    assert path_of(outage, "health").length == 0.0
    assert len(path_of(outage, "health").intervals) == 1


def test_never_came_back(service: Service) -> None:
    """It has a last good answer, no first one and no length, and is the headline."""
    with probing(service) as probe:
        service.behave([0, "refuse", 0])
        assert probe.wait_until(lambda answers: answers["health"].answer == "refused", 5)
        outage = probe.stop()

    assert outage.headline == "health"
    assert outage.headline_path is not None
    assert outage.headline_path.last_good is not None
    assert (outage.headline_path.first_good, outage.headline_path.length) == (None, None)


def test_api_is_asked_rarely(service: Service) -> None:
    """The authenticated path is asked at most four times a second, and only from the first good answer on."""
    with probing(service) as probe:
        service.behave([0, "refuse", 0], [1, "refuse", 0], [0, "good", 1.0], [1, "good", 1.0])
        wait_for_more_answers(probe, more=100)
        outage = probe.stop()

    api, first_good = path_of(outage, "api"), path_of(outage, "health").first_good
    assert first_good is not None
    assert api.looks <= 2 + 4 * (outage.ended - first_good + 0.5)
    assert api.intervals[-1].answer == "200"


def test_a_silence_after_the_return_is_outlasted(service: Service) -> None:
    """A server that came back and is stuck when it is to be judged is waited for: its outage has an end."""
    with probing(service) as probe:
        truth = service.outage(0, "refuse", 1.5)
        assert probe.wait_until(lambda answers: answers["health"].good, 5)
        wait_for_more_answers(probe)
        first = path_of(probe.so_far(), "health")
        service.behave([0, "refuse", 0])
        assert probe.wait_until(lambda answers: not answers["health"].good, 5)
        assert not probe.wait_until_well(0.2)
        service.behave([0, "good", 0])
        assert probe.wait_until_well(5)
        outage = probe.stop()

    assert_told_within_uncertainty(first, truth)
    seen = path_of(outage, "health")
    assert seen.silences[0] == first.silences[0]
    assert len(seen.silences) == 2
    assert None not in {one.length for one in seen.silences}


def test_what_is_well_again_is_asked_less_often(service: Service) -> None:
    """Each request on the HTTP port is a line in Kestra's log: from a second after its return on, ten a second are enough."""
    with probing(service) as probe:
        service.outage(1, "refuse", 0.3)
        assert probe.wait_until(lambda answers: answers["ping"].good, 5)
        wait_for_more_answers(probe, "ping", more=150)
        before, began = probe.answers["ping"].count, time.monotonic()
        wait_for_more_answers(probe, "ping", more=100)
        asked, took = probe.answers["ping"].count - before, time.monotonic() - began
        probe.stop()

    assert 1 <= asked <= 2 + 10 * (took + 0.5)


def test_credentials_that_are_turned_away_are_not_tried_for_ever(service: Service) -> None:
    """A server may lock the account: three times in a row is the most."""
    ping, *_ = [one for one in service.paths if one.name == "ping"]
    wrong = Watched("ping", ping.url.replace("/ping", "/api/x"), "200", authorization="Bearer nonsense")
    with Probe.start([service.paths[0], wrong], 30) as probe:
        assert probe.wait_until(lambda answers: "health" in answers and answers["health"].count > 50, 5)
        outage = probe.stop()

    assert path_of(outage, "ping").looks <= 3 + 3
    assert path_of(outage, "ping").intervals[0].answer == "401"


def test_two_addresses_of_a_name_are_one_service(service: Service) -> None:
    """`localhost` may be ::1 first; the probe looks where somebody listens."""
    path = Watched("health", f"http://localhost:{service.management}/health", "health")
    with Probe.start([path], 30) as probe:
        assert probe.wait_until(lambda answers: "health" in answers and answers["health"].good, 5)


def test_only_plain_http_is_looked_at() -> None:
    with pytest.raises(ProbeUnusable, match="plain HTTP"):
        Probe.start([Watched("ping", "https://127.0.0.1/ping", "pong")], 5)


def test_killed_probe_leaves_what_it_had_told(service: Service) -> None:
    """Its result is what was streamed, and says so; waiting for it ends early."""
    with probing(service) as probe:
        service.behave([0, "refuse", 0])
        assert probe.wait_until(lambda answers: answers["health"].answer == "refused", 5)
        os.kill(probe.pid, signal.SIGKILL)
        began = time.monotonic()
        assert not ready(probe, began, 10, "health")
        assert time.monotonic() - began < 2
        outage = probe.stop()

    assert not probe.alive
    assert "died" in outage.method
    assert "-9" in outage.method
    assert path_of(outage, "health").last_good is not None
    assert path_of(outage, "ping").looks > 50


def test_stopped_probe_is_killed_and_told(service: Service) -> None:
    """A probe that does not end when it is told to is ended by force, in bounded time."""
    with probing(service) as probe:
        os.kill(probe.pid, signal.SIGSTOP)
        began = time.monotonic()
        outage = probe.stop(limit=0.5)
        assert time.monotonic() - began < 2

    assert "died" in outage.method
    assert gone(probe.pid)


def test_probe_ends_at_its_deadline(service: Service) -> None:
    with Probe.start(service.paths, 0.5) as probe:
        pid = probe.pid
        assert wait_gone(pid, 5)
        outage = probe.stop()

    assert "deadline" in outage.method
    assert outage.ended == pytest.approx(0.5, abs=0.3)


def test_probe_ends_with_its_parent(service: Service) -> None:
    """The suite was killed: nobody wants the result, so nobody is asked any more."""
    code = f"""if True:
        import sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from procedures.observe.outage.following import Probe, Watched
        probe = Probe.start([Watched("ping", "http://127.0.0.1:{service.http}/ping", "pong")], 60)
        assert probe.wait_until_looking(5)
        print(probe.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()

    assert wait_gone(pid, 3)


def test_interrupt_of_the_suite_does_not_reach_the_probe(service: Service) -> None:
    """It is in a session of its own, and does not mind the signal either."""
    with probing(service) as probe:
        assert os.getsid(probe.pid) == probe.pid
        os.kill(probe.pid, signal.SIGINT)
        wait_for_more_answers(probe)
        outage = probe.stop()

    assert "before it was asked" not in outage.method


def test_stopping_twice_gives_the_same(service: Service) -> None:
    with probing(service) as probe:
        assert probe.stop() is probe.stop()


def test_credentials_are_nowhere_to_be_seen(service: Service) -> None:
    """Not in the argument list, the environment, or what is recorded."""
    with probing(service) as probe:
        seen = (
            Path(f"/proc/{probe.pid}/cmdline").read_bytes() + Path(f"/proc/{probe.pid}/environ").read_bytes()
        )
        outage = probe.stop()

    secrets = [service.paths[2].authorization.split()[1], PASSWORD]
    assert not any(secret.encode() in seen or secret in repr((outage, probe.watched)) for secret in secrets)


def test_looks_leave_nothing_on_the_services_port(service: Service) -> None:
    """No TIME_WAIT stands on the service's side: it would be in the way of a bind after the stop."""
    with probing(service) as probe:
        probe.stop()
        table = Path("/proc/net/tcp").read_text().splitlines()[1:]

    ports = {f"{port:04X}" for port in (service.http, service.management)}
    ends = [(line.split()[1].split(":")[1], line.split()[3]) for line in table]
    assert [state for port, state in ends if port in ports and state == "06"] == []


def test_probe_costs_little(service: Service) -> None:
    """It uses a small part of one core at its full rate."""
    with probing(service) as probe:
        wait_for_more_answers(probe, more=100)
        method = probe.stop().method

    share = float(method.partition("used ")[2].partition("%")[0])
    assert 0 < share < 25
