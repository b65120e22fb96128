"""A server that is slow: asked once more, alone, before anything about it is called unknown, and told as slow."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from procedures.kestra.editions import edition_of
from procedures.observe import dashboards, direct, kestra
from procedures.observe.engine.execs import Said
from procedures.observe.engine.lookout import Lookout
from procedures.observe.patience import MUTE, Pace
from procedures.target.dashboards import read
from reports.record.observed import Answer, DashboardSeen, Direct, Server, Unseen

LIMIT = 1.0
NOBODY = Unseen("nobody has read its settings")
EVERYTHING = ""
PATHS = edition_of("").paths


@contextmanager
def server(slow: str, *, alone: float, together: float) -> Iterator[str]:
    """A server that answers paths with that word in them after so many seconds, and another time if it is busy."""
    busy = 0
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal busy
            with lock:
                busy += 1
            time.sleep(0.1)  # whether others are asking shows a moment after the first of them
            with lock:
                beside_others, busy = busy > 1, busy - 1
            if slow in self.path:
                time.sleep(together if beside_others else alone)
            said = json.dumps({"status": "UP", "uuid": "an-id", "version": "1", "results": []}).encode()
            with suppress(OSError):  # the one who asked may have gone
                self.send_response(200)
                self.send_header("Age", "0")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Patient(ThreadingHTTPServer):
        daemon_threads = True
        # All paths are asked at once: a queue for five would drop some before this server is given the time to accept.
        request_queue_size = 64

    with Patient(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def looked(url: str, pace: Pace | None = None) -> Server:
    return kestra.look(url, url, NOBODY, LIMIT, paths=PATHS, pace=pace)


class Here:
    """A lookout whose commands run on this machine."""

    name = "here"

    def ask(self, argv: tuple[str, ...], limit: float) -> Said:
        done = subprocess.run(argv, check=False, capture_output=True, timeout=limit)
        return Said(done.returncode, done.stdout.decode())


def itself(url: str, pace: Pace | None = None) -> Direct:
    host, _, port = url.removeprefix("http://").partition(":")
    return direct.look(cast("Lookout", Here()), host, port, f"{port}/tcp", LIMIT, paths=PATHS, pace=pace)


def shown(url: str, pace: Pace | None = None) -> list[DashboardSeen]:
    tables = [
        {"name": one, "url": f"{url}/{one}", "json_path": "status", "equals": "UP", "max_age": "60s"}
        for one in ("first", "second")
    ]
    return list(dashboards.look_once(read(tables, []), LIMIT, pace or Pace()))


def test_the_server_itself_is_asked_once_more_alone() -> None:
    """Inside its network too: what was slow beside the other look answers by itself, and its next look has more time."""
    pace = Pace()
    with server("ping", alone=0.0, together=3.0) as url:
        seen = itself(url, pace)

    assert (seen.health.status, seen.ping.status) == (200, 200), seen

    with server("health", alone=9.0, together=9.0) as url:
        slow = itself(url, pace)

    assert re.fullmatch(r"slow: no answer within \d+\.\d s, nor alone within \d+\.\d s", slow.health.said)
    assert slow.ping.status == 200


def test_who_waits_for_the_server_itself_asks_once() -> None:
    """A look that is taken again in a moment is not held up by a second one."""
    with server(EVERYTHING, alone=30.0, together=30.0) as url:
        seen = itself(url)

    assert {seen.health.said, seen.ping.said} == {MUTE}
    assert max(seen.health.took, seen.ping.took) < 2.5 * LIMIT


def test_a_dashboard_that_is_slow_beside_others_is_asked_alone() -> None:
    """It shows what it shows; one that is slow by itself is told as slow, and one that is mute beside mute ones as mute."""
    with server("first", alone=0.0, together=3.0) as url:
        assert [one.shows for one in shown(url)] == ['"UP"', '"UP"']

    with server("second", alone=9.0, together=9.0) as url:
        first, second = shown(url)

    assert first.shows == '"UP"'
    assert isinstance(second.shows, Unseen)
    assert "second: it does not answer: slow: no answer within" in second.shows.unseen
    assert ", nor alone within" in second.shows.unseen

    with server(EVERYTHING, alone=30.0, together=30.0) as url:
        mute = [one.shows for one in shown(url)]

    assert ["accepted and mute" in one.unseen for one in mute if isinstance(one, Unseen)] == [True, True]


def test_what_is_slow_beside_others_is_asked_alone() -> None:
    """A path that the other looks held up answers well by itself: nothing about it is unknown."""
    with server("configs", alone=0.0, together=3.0) as url:
        seen = looked(url)

    assert seen.instance_id == "an-id", seen


def test_what_is_slow_alone_too_says_slow() -> None:
    """A server that answers elsewhere is not mute."""
    with server("executions", alone=9.0, together=9.0) as url:
        seen = looked(url)

    assert isinstance(seen.executions, Unseen)
    assert re.search(r"slow: no answer within \d+\.\d s, nor alone within \d+\.\d s", seen.executions.unseen)
    assert seen.ping.status == 200


def test_a_mute_server_is_mute_and_keeps_nobody_long() -> None:
    """Where nothing answers, one more look is enough to say so."""
    began = time.monotonic()
    with server(EVERYTHING, alone=30.0, together=30.0) as url:
        seen = looked(url)
        took = time.monotonic() - began

    assert {seen.ping.said, seen.health.said} == {MUTE}
    assert took < 10 * LIMIT


def test_a_limit_follows_what_the_path_took_before() -> None:
    """Three times what it took, never less than the limit and never more than three times that."""
    pace = Pace()
    assert pace.limit("flows", LIMIT) == LIMIT
    for took, limit in ((0.01, LIMIT), (0.6, 1.8), (5.0, 3 * LIMIT)):
        pace.note("flows", Answer("", 200, "200", took))
        assert abs(pace.limit("flows", LIMIT) - limit) < 1e-9
    pace.note("ping", Answer("", 0, MUTE, 9.0))
    assert pace.limit("ping", LIMIT) == LIMIT
