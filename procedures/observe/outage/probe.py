"""The outage probe: a process of its own that asks a service from outside, many times a second, and reports the answers.

It is run by its file's path and needs nothing but the standard library. Its task comes as one line of JSON on stdin,
so that credentials stand neither in the argument list nor in the environment; the answers go to stdout as lines of
JSON. It ends at its deadline, or as soon as its stdin ends: the parent wants the result, or is gone. Further lines on
stdin say what is expected of the service. Its times are CLOCK_MONOTONIC, which every process of a machine shares.

A *look* is one request on a connection of its own. A kept connection would be cheaper, but it shows what an old client
sees: a draining server still serves it while every new client is turned away, and Docker's proxy, which accepts and
then resets, would be noticed only once. The probe closes first, in good order, so what is left in TIME_WAIT stands on
the probe's side and never on the service's port. Looks follow a fixed beat; a hung look does not hold up the next one,
but no more than `IN_FLIGHT` are open at a time on a path: a probe must not load what it measures. Missed
beats are left out and not made up for.

Seen with Docker's proxy: a published port accepts and then resets or closes while nobody listens in the container, and
is mute for about a second after a start, however many looks are begun then, because the kernel asks only once a second
for the new container's hardware address. Every client meets that silence, so it is part of the outage.

Each look has a begin (noted before the socket is made) and an end (noted after the last byte, or the failure, was
read). Whatever the service did, it did in between; a probe that was kept from running only makes that span longer.

A look costs the service something, and a silent service most: a draining Kestra writes a stack trace for each
connection that it cannot serve, and on a small machine every look through Docker's proxy takes time from the boot. So
where the parent announces a silence (the engine has reported a container's end, or a start) a silent path is asked a
few times a second, and at its full rate again around an edge:

- A container is told to end: at the full rate as long as it answers, for `DENSE_FOR` seconds; then at `DRAIN_BEAT`,
  because nobody knows how long a drain takes. The longer a silence lasts, the less often it is asked.
- A container was started: the parent names the address at which the server itself will listen, the *door*. To *knock*
  there is to connect without a word. While nobody listens the kernel refuses, and neither the server nor Docker's proxy
  hears of it. The longer a boot lasts, the fewer the knocks: each wakes this process. As soon as a knock is accepted
  the path is asked at its full rate; while a look waits, another one at `WAKING_BEAT` only, until it has answered well:
  the first answer takes a server long, and longer if several are asked for.
  The last refused knock before that is a bad look like any other: a server that does not listen does not answer.
  Where no knock was accepted before the path answers well, the door was not this path's, and its refusals count for
  nothing.
- Where there is no door to be knocked at, a silent boot is asked at `BOOT_BEAT`, and the windows are as wide as that.

Measured: two paths at 100 looks a second each take about 3 percent of one core; the `end` line reports it for every run.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

IN_FLIGHT = 4
BEAT_OF_STATUS = 0.1
"""Seconds between two lines about a stretch that goes on: so much is lost at most if the probe is killed."""
LONGEST_ANSWER = 1 << 20
NEVER = float("-inf")
CALM_AFTER = 1.0
"""Seconds of good answers after an outage from which on a path is asked at its calm rate."""
DENSE_FOR = 3.0
"""Seconds for which a path is asked at its full rate around an announced edge."""
DRAIN_BEAT = 0.1
BOOT_BEAT = 0.1
SPARSE_BEAT = 0.5
"""Seconds between two looks that only show that the service is still silent."""
KNOCK_BEAT = 0.02
"""Seconds between two knocks in a boot's first two seconds."""
MOST_KNOCK_BEATS = 5
"""The pause grows by a beat with each second of the boot, up to this many beats: each knock wakes this process."""
WAKING_BEAT = 0.4
"""Seconds until a server that listens but has not answered yet is asked again, beside the look that waits."""
KNOCK_PATIENCE = 1.5
"""Seconds for a knock: the kernel asks once a second for a new container's hardware address."""
REFUSED = "refused"
NOBODY = "nobody listens"
END = "end"
RETURN = "return"
MOST_REFUSALS = 3
"""How many times in a row refused credentials are tried: a server may lock the account."""

OURS = frozenset({errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Failures of this process, which say nothing about the service: such a look does not count."""

NAMES = {
    errno.ECONNREFUSED: REFUSED,
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ETIMEDOUT: "no connection",
}


class Stretch(NamedTuple):
    """Equal answers in a row, in the order of their ends.

    `first_begin` and `first_end` are those of its first look; `last_begin` is the latest begin of all, `last_end` and
    `last_took` are the end and the length of its last look; `gap` is the longest time from a look's begin to the end of
    the next one, the last look before the stretch included; `slowest` the longest look that was begun after the last
    turn between good and bad.
    A service that moves is looked for in more than one way: `way` is that of the first look, `last_way` that of the
    last one, `begins` has the latest begin by each way; a bad look by one way says nothing about the others.
    """

    answer: str
    good: bool
    looks: int
    first_begin: float
    first_end: float
    last_begin: float
    last_end: float
    last_took: float
    gap: float
    slowest: float
    way: int = 0
    last_way: int = 0
    begins: tuple[float, ...] = ()


class Reply(NamedTuple):
    """A complete HTTP answer."""

    status: int
    body: bytes


class Track:
    """What one path answered, as stretches."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self.looks = 0
        self._turned = 0.0
        """The end of the first look since good last turned to bad, or bad to good; 0 if it has never turned."""

    @property
    def good(self) -> bool:
        """Whether the newest answer is a good one."""
        return bool(self.stretches) and self.stretches[-1].good

    @property
    def answer(self) -> str:
        return self.stretches[-1].answer if self.stretches else ""

    def lasted(self, now: float) -> float:
        """Return how long the path has been good, or bad."""
        return now - (self._turned or self.stretches[0].first_end) if self.stretches else 0.0

    def back_for(self, now: float) -> float:
        """Return how long a path has been good again since an outage; 0 if it is bad, or had no outage."""
        return self.lasted(now) if self._turned and self.good else 0.0

    def add(self, begin: float, end: float, answer: str, good: bool, way: int = 0) -> bool:
        """Note a look; return whether it opened a new stretch.

        A look that was begun before the last turn ended and says the opposite belongs to the time before that turn: a
        request in flight that outlived a stop, or one that was stuck on its way when the service came up. It is
        counted, but it is no turn back.
        """
        self.looks += 1
        first = _noted((), way, begin)
        if not self.stretches:
            self.stretches.append(
                Stretch(
                    answer, good, 1, begin, end, begin, end, end - begin, 0.0, end - begin, way, way, first
                )
            )
            return True
        last = self.stretches[-1]
        if good != last.good:
            if begin < self._turned:
                return False
            self._turned = end
        gap = max(0.0, end - last.last_begin)
        took = end - begin if begin >= self._turned else 0.0
        if answer != last.answer or good != last.good:
            self.stretches.append(
                Stretch(answer, good, 1, begin, end, begin, end, end - begin, gap, took, way, way, first)
            )
            return True
        self.stretches[-1] = last._replace(
            looks=last.looks + 1,
            last_begin=max(last.last_begin, begin),
            last_end=end,
            last_took=end - begin,
            gap=max(last.gap, gap),
            slowest=max(last.slowest, took),
            last_way=way,
            begins=_noted(last.begins, way, begin),
        )
        return False


def _noted(begins: tuple[float, ...], way: int, begin: float) -> tuple[float, ...]:
    """Note the begin of a look by a way; a way that was never used has begun at minus infinity."""
    known = [*begins, *[NEVER] * (way + 1 - len(begins))]
    known[way] = max(known[way], begin)
    return tuple(known)


def reply_of(received: bytes, closed: bool) -> Reply | None:
    """Return the answer once it is complete; ValueError if it is no HTTP."""
    if not received.startswith(b"HTTP/1."[: len(received)]):
        raise ValueError("no HTTP")
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return None
    lines = head.split(b"\r\n")
    status = int(lines[0].split(None, 2)[1])
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])
    }
    if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
        whole = dechunked(body)
        return None if whole is None else Reply(status, whole)
    if b"content-length" in fields:
        length = int(fields[b"content-length"])
        return Reply(status, body[:length]) if len(body) >= length else None
    return Reply(status, body) if closed or status in {204, 304} else None


def dechunked(body: bytes) -> bytes | None:
    """Return the body without its chunks' frames, or None while it is not complete."""
    whole = b""
    while True:
        line, found, body = body.partition(b"\r\n")
        if not found:
            return None
        size = int(line.split(b";")[0], 16)
        if size == 0:
            return whole
        if len(body) < size + 2:
            return None
        whole, body = whole + body[:size], body[size + 2 :]


def judged(expect: str, reply: Reply) -> tuple[str, bool]:
    """Name an answer and say whether it is good: by its body, if the path promises one."""
    word = ""
    if expect == "health":
        word = health_word(reply.body)
    elif expect == "pong" and reply.body.strip() == b"pong":
        word = "pong"
    name = f"{reply.status} {word}".strip()
    if reply.status != 200:
        return name, False
    if expect == "200" or (expect, word) in {("health", "UP"), ("pong", "pong")}:
        return name, True
    return (name if word else "wrong body"), False


def health_word(body: bytes) -> str:
    """Return the status that a health answer names; empty if it has no such form."""
    try:
        word = json.loads(body)["status"]
    except (ValueError, KeyError, TypeError):
        return ""
    known = isinstance(word, str) and word.isidentifier() and len(word) <= 20
    return word if known else ""


class Pace:
    """How often a path is asked: it depends on what is expected of it, and on what it has answered."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._fast: bool = task["fast"]
        self.dense: float = 1.0 / task["rate"]
        self._slow: float = 1.0 / task["slow_rate"]
        self._calm: float = 1.0 / task["calm_rate"]
        self._expected = ""
        self._edge = NEVER
        """When an edge was last announced."""

    def expect(self, what: str, edge: float) -> None:
        """Note what the parent announces; `edge` is when it is due, or NEVER if that is not known."""
        self._expected, self._edge = what, edge

    def near(self, moment: float) -> None:
        """Note that an edge is near."""
        self._edge = moment

    def turned(self, moment: float, *, good: bool) -> None:
        """Note an edge; another one is near if this is not the state that was expected to last."""
        self._edge = moment if good is (self._expected == END) else NEVER

    def beat(self, now: float, track: Track, *, eager: bool, knocking: bool) -> float:
        """Return the seconds until the next look; a path that has been back for a while is expected to stay."""
        usual = self.dense if self._fast or eager else self._slow
        if self._expected != END and track.back_for(now) > CALM_AFTER:
            self._expected = ""
            return max(usual, self._calm)
        if not self._expected or now - self._edge < DENSE_FOR:
            return usual
        return max(usual, self._spared(now, track, knocking=knocking))

    def _spared(self, now: float, track: Track, *, knocking: bool) -> float:
        """Return the seconds between looks that learn little."""
        if track.good:
            return DRAIN_BEAT if self._expected == END else 0.0
        if self._expected == END:
            return min(SPARSE_BEAT, track.lasted(now) / 2)
        if track.answer == REFUSED:
            return KNOCK_BEAT  # by the kernel: nobody else has heard of it
        return SPARSE_BEAT if knocking else BOOT_BEAT


class Door:
    """Where the server itself listens, behind a path's address; `ways` are the path's ways that lead there."""

    def __init__(self, message: dict[str, Any], since: float) -> None:
        host, port = message["at"]
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.address = (host, port)
        self.ways: list[int] = message["ways"]
        self._since = since
        self.due = 0.0
        self.busy = False
        """Whether a knock is on its way."""
        self.open = False
        self.refused: tuple[float, float] | None = None
        """Begin and end of the last knock that was refused."""

    def knocked(self, now: float) -> None:
        """Set the next knock, on a grid that all doors of a server share, so that this process wakes once for all."""
        beat = KNOCK_BEAT * min(MOST_KNOCK_BEATS, max(1, int(now - self._since)))
        self.busy, self.due = True, (now // beat + 1) * beat

    def says_nobody(self, now: float) -> bool:
        """Whether recent knocks say that nobody listens."""
        return not self.open and self.refused is not None and now - self.refused[1] < KNOCK_PATIENCE


class Path:
    """One path that is looked at, and when it is looked at next."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.name: str = task["name"]
        self.expect: str = task["expect"]
        self.fast: bool = task["fast"]
        self.patience: float = task["timeout"]
        self.pace = Pace(task)
        self.most = IN_FLIGHT if self.fast else 2
        self.due = 0.0
        self.in_flight = 0
        self.refusals = 0
        self._with_credentials = bool(task.get("authorization"))
        self.track = Track()
        self.door: Door | None = None
        # The service may be elsewhere after the change that is watched: another port, other credentials.
        self._ways = [
            (*resolved(one["host"], one["port"]), request_of(one)) for one in (task, *task.get("then", ()))
        ]
        self.way = 0
        self._waking = False
        """Whether the server has begun to listen, but has not answered well yet."""
        self.said = 0
        """How many looks the parent knows of."""

    @property
    def going(self) -> tuple[int, Any, bytes]:
        """Where the next look goes, and what it asks there."""
        return self._ways[self.way]

    def beaten(self, now: float, eager: bool) -> None:
        """Set the next beat: on the grid, or from now on if the beat was missed."""
        beat = self._beat(now, eager=eager)
        if self._waking:
            beat = max(beat, WAKING_BEAT)  # or as soon as it has answered
        self.due = self.due + beat if self.due + beat > now else now + beat

    def _beat(self, now: float, *, eager: bool) -> float:
        knocking = self.door is not None and self.door.says_nobody(now)
        return self.pace.beat(now, self.track, eager=eager, knocking=knocking)

    def expects(self, what: str, now: float, door: Door | None) -> None:
        """Note what is expected: an edge is near if a service that answers is to end."""
        self.pace.expect(what, now if what == END and self.track.good else NEVER)
        self.door, self._waking = door, False
        self.due = min(self.due, now + self.pace.dense)

    def turned(self, now: float) -> None:
        """Note that answers turned good or bad."""
        if self.track.good:
            self.door, self._waking = None, False
        self.pace.turned(now, good=self.track.good)
        if self.fast:
            self.due = min(self.due, now + self.pace.dense)

    def opened(self, now: float, door: Door) -> bool:
        """Note that the server listens behind the door: the last refusal there counts, and the edge is near.

        Return whether that opened a new stretch.
        """
        new = False
        if door.refused is not None:
            begin, ended = door.refused
            for way in door.ways:
                new = self.track.add(begin, ended, NOBODY, good=False, way=way) or new
        if self.way not in door.ways:
            self.way = door.ways[0]
        self._waking = True
        self.pace.near(now)
        self.due = now
        return new

    def answered(self, answer: str, good: bool, way: int, now: float) -> None:
        """Stay with a way that gave a good answer; after a bad answer try another way, if there is one.

        Count how often in a row the credentials were turned away.
        """
        if self._waking:
            self.due = min(self.due, now + self._beat(now, eager=False))
        if good:
            self.way = way
        elif way == self.way:
            self.way = (way + 1) % len(self._ways)
        turned_away = self._with_credentials and answer.startswith(("401", "403"))
        self.refusals = self.refusals + 1 if turned_away else 0

    @property
    def before_door(self) -> Door | None:
        """The door at which to knock now; None if there is none."""
        door = self.door
        return None if door is None or door.open or door.busy or self.track.good else door

    @property
    def open(self) -> bool:
        """Whether another look may be begun."""
        return self.in_flight < self.most and self.refusals < MOST_REFUSALS


def request_of(task: dict[str, Any]) -> bytes:
    """Return the request as it is sent."""
    host = f"[{task['host']}]" if ":" in task["host"] else task["host"]
    lines = [
        f"GET {task['target']} HTTP/1.1",
        f"Host: {host}:{task['port']}",
        "User-Agent: outage-probe",
        "Accept: */*",
    ]
    if task.get("authorization"):
        lines.append(f"Authorization: {task['authorization']}")
    return "\r\n".join([*lines, "", ""]).encode()


def resolved(host: str, port: int) -> tuple[int, Any]:
    """Return the address to look at: of several the first that accepts, else IPv4's.

    `localhost` is often `::1` first, while the port is published on 127.0.0.1 only.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if len(found) > 1:
        for family, kind, _, _, address in found:
            with socket.socket(family, kind) as one:
                one.settimeout(0.3)
                if one.connect_ex(address) == 0:
                    return family, address
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return found[0][0], found[0][4]


class Look:
    """One request on a connection of its own, step by step and never blocking."""

    __slots__ = (
        "_received",
        "_report",
        "_sent",
        "address",
        "begin",
        "path",
        "patience",
        "request",
        "socket",
        "way",
    )

    def __init__(self, path: Path, report: Callable[[Look, str, bool], None]) -> None:
        self.begin = time.monotonic()
        self.path = path
        self.way = path.way
        family, self.address, self.request = path.going
        self.patience = self.begin + path.patience
        self._report = report
        self._sent = False
        self._received = b""
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

    def connect(self) -> None:
        """Begin to connect; OSError if that fails at once."""
        code = self.socket.connect_ex(self.address)
        if code not in {0, errno.EINPROGRESS}:
            raise OSError(code, os.strerror(code))

    def go_on(self, selector: selectors.BaseSelector) -> None:
        """Take the next step; the socket is ready for it."""
        try:
            if self._sent:
                self._read()
            else:
                self._send(selector)
        except BlockingIOError:
            return
        except OSError as error:
            self._report(self, named(error), False)
        except (ValueError, IndexError):
            self._report(self, "no HTTP", False)

    def give_up(self) -> None:
        """End a look whose patience is over, and name the silence that it met."""
        if self._received:
            self._report(self, "stuck in the answer", False)
        else:
            self._report(self, "accepted and mute" if self._sent else "no connection", False)

    def _send(self, selector: selectors.BaseSelector) -> None:
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if met_itself(self.socket):
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        # A request is far shorter than a fresh socket's send buffer: it goes out whole.
        self.socket.send(self.request)
        self._sent = True
        selector.modify(self.socket, selectors.EVENT_READ, self.go_on)

    def _read(self) -> None:
        got = self.socket.recv(65536)
        self._received += got
        if not self._received:
            self._report(self, "accepted and closed", False)
            return
        reply = reply_of(self._received, closed=not got)
        if reply is not None:
            self._report(self, *judged(self.path.expect, reply))
        elif not got:
            self._report(self, "closed in the answer", False)
        elif len(self._received) > LONGEST_ANSWER:
            self._report(self, "wrong body", False)


class Knock:
    """One connection to a door that sends nothing; only the kernel's answer is wanted."""

    __slots__ = ("_report", "begin", "door", "path", "patience", "socket")

    def __init__(self, path: Path, door: Door, report: Callable[[Knock, int], None]) -> None:
        self.begin = time.monotonic()
        self.path = path
        self.door = door
        self.patience = self.begin + KNOCK_PATIENCE
        self._report = report
        self.socket = socket.socket(door.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

    def connect(self) -> int:
        """Connect; a kernel on this machine has answered by the time that the call returns."""
        code = self.socket.connect_ex(self.door.address)
        return self._answer() if code in {0, errno.EINPROGRESS} else code

    def go_on(self, _: selectors.BaseSelector) -> None:
        """Take the answer that came later."""
        self._report(self, self._answer())

    def _answer(self) -> int:
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            return code or (errno.ECONNREFUSED if met_itself(self.socket) else 0)
        except OSError:
            return errno.EINPROGRESS


def met_itself(connection: socket.socket) -> bool:
    """Whether both ends of a connection are the same; OSError if there is no connection.

    Where a service's port lies in the ephemeral range, a connection to nobody may be given that very port as its own
    end: then it has met itself, and nobody listens.
    """
    return bool(connection.getpeername() == connection.getsockname())


def named(error: OSError) -> str:
    """Name a failed connection."""
    code = error.errno or 0
    return NAMES.get(code, f"error {errno.errorcode.get(code, code)}")


class Voice:
    """Writes lines of JSON to stdout without ever making the probe wait: what the pipe does not take is kept for later."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._left = b""
        self._pipe = sys.stdout.fileno()
        self.deaf = False
        os.set_blocking(self._pipe, False)

    @property
    def free(self) -> bool:
        return not self._left

    def say(self, kind: str, **fields: object) -> None:
        line = json.dumps({"say": kind, **fields}, separators=(",", ":")).encode() + b"\n"
        waiting = bool(self._left)
        self._left += line
        if not waiting:
            self.write(self._selector)

    def write(self, _: selectors.BaseSelector) -> None:
        """Write what the pipe takes, and come back for the rest when it takes more."""
        try:
            self._left = self._left[os.write(self._pipe, self._left) :]
        except BlockingIOError:
            pass
        except OSError:
            self.deaf, self._left = True, b""
        registered = self._pipe in self._selector.get_map()
        if self._left and not registered:
            self._selector.register(self._pipe, selectors.EVENT_WRITE, self.write)
        elif registered and not self._left:
            self._selector.unregister(self._pipe)

    def finish(self, limit: float) -> None:
        """Write the rest, for as long as somebody still reads it."""
        until = time.monotonic() + limit
        while self._left and time.monotonic() < until:
            self._selector.select(0.05)
            self.write(self._selector)


class Probe:
    """The loop: begins looks on their beats, takes their answers, reports what changed."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._selector = selectors.DefaultSelector()
        self._voice = Voice(self._selector)
        self._voice.say("zero", monotonic=time.monotonic(), wall=time.time(), pid=os.getpid())
        self._until: float = time.monotonic() + task["deadline"]
        self._paths = [Path(one) for one in task["paths"]]
        self._looks: set[Look] = set()
        self._knocks: set[Knock] = set()
        self._heard_of = b""
        self._ready = False
        self._eager = False
        """Whether a fast path came back from an outage: from then on the slow ones are asked at their full rate."""
        self._status_due = 0.0
        self._why = ""
        self._late = 0.0

    def run(self) -> None:
        """Look until the deadline, or until stdin says that it is enough."""
        os.set_blocking(sys.stdin.fileno(), False)
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ, self._listen)
        while not self._why:
            self._begin_due()
            now = time.monotonic()
            planned = max(now, self._next())
            events = self._selector.select(planned - now)
            # Answers first: what came in while this process was kept from running was not late.
            for key, _ in events:
                key.data(self._selector)
            self._give_up(max(0.0, time.monotonic() - planned))
            self._say_status()
            if self._voice.deaf:
                self._why = "nobody listens"
            elif time.monotonic() >= self._until:
                self._why = "its deadline was reached"
        self._end()

    def _next(self) -> float:
        times: list[float] = [self._until, self._status_due]
        times += [path.due for path in self._paths if path.open]
        times += [door.due for path in self._paths if (door := path.before_door) is not None]
        times += [look.patience for look in self._looks]
        times += [knock.patience for knock in self._knocks]
        return min(times)

    def _begin_due(self) -> None:
        now = time.monotonic()
        for path in self._paths:
            if path.open and now >= path.due:
                path.beaten(now, self._eager)
                self._begin(path)
            door = path.before_door
            if door is not None and now >= door.due:
                self._knock(path, door, now)

    def _begin(self, path: Path) -> None:
        try:
            look = Look(path, self._heard)
        except OSError:
            return  # no socket to be had: ours, and no look
        path.in_flight += 1
        self._looks.add(look)
        self._selector.register(look.socket, selectors.EVENT_WRITE, look.go_on)
        try:
            look.connect()
        except OSError as error:
            if error.errno in OURS:
                self._forget(look)
            else:
                self._heard(look, named(error), good=False)

    def _knock(self, path: Path, door: Door, now: float) -> None:
        try:
            knock = Knock(path, door, self._knocked)
        except OSError:
            return
        door.knocked(now)
        code = knock.connect()
        if code == errno.EINPROGRESS:
            self._knocks.add(knock)
            self._selector.register(knock.socket, selectors.EVENT_WRITE, knock.go_on)
        else:
            self._knocked(knock, code)

    def _knocked(self, knock: Knock, code: int) -> None:
        end = time.monotonic()
        if knock in self._knocks:
            self._knocks.discard(knock)
            self._selector.unregister(knock.socket)
        knock.socket.close()
        knock.door.busy = False
        if knock.path.door is not knock.door:
            return  # it is no door of this path's any more
        if code == errno.ECONNREFUSED:
            knock.door.refused = (knock.begin, end)
        elif code == 0:
            knock.door.open = True
            if knock.path.opened(end, knock.door):
                self._say_stretch(knock.path, -2)
            self._say_stretch(knock.path, -1)

    def _forget(self, look: Look) -> None:
        self._looks.discard(look)
        self._selector.unregister(look.socket)
        look.socket.close()
        look.path.in_flight -= 1

    def _heard(self, look: Look, answer: str, good: bool) -> None:
        end = time.monotonic()
        self._forget(look)
        path = look.path
        if good and path.door is not None and path.door.says_nobody(end):
            # It answered before the next knock was due: whether the door opened with it is asked now.
            self._knock(path, path.door, end)
        before = path.track.stretches[-1] if path.track.stretches else None
        opened = path.track.add(look.begin, end, answer, good, look.way)
        path.answered(answer, good, look.way, end)
        if not opened:
            return
        if before is not None:
            self._say_stretch(path, -2)
            if good is not before.good:
                path.turned(end)
            if good and not before.good and path.fast:
                self._hurry()
        self._say_stretch(path, -1)
        if not self._ready and all(one.track.looks for one in self._paths if one.fast):
            self._ready = True
            self._voice.say("ready", at=end)

    def _hurry(self) -> None:
        self._eager = True
        for path in self._paths:
            if not path.fast and not (path.track.stretches and path.track.stretches[-1].good):
                path.due = 0.0

    def _give_up(self, late: float) -> None:
        """End the looks whose patience is over; time in which this process did not run does not count."""
        self._late = max(self._late, late)
        now = time.monotonic()
        for look in list(self._looks):
            if late > 0.02:
                look.patience += late
            if now >= look.patience:
                look.give_up()
        for knock in [one for one in self._knocks if now >= one.patience]:
            self._knocked(knock, errno.ETIMEDOUT)

    def _say_status(self) -> None:
        now = time.monotonic()
        if now < self._status_due:
            return
        self._status_due = now + BEAT_OF_STATUS
        if self._voice.free:
            for path in self._paths:
                if path.said < path.track.looks:
                    self._say_stretch(path, -1)

    def _say_stretch(self, path: Path, which: int) -> None:
        stretches = path.track.stretches
        if stretches:
            path.said = path.track.looks
            index = len(stretches) + which
            self._voice.say(
                "stretch", path=path.name, index=index, looks=path.track.looks, of=list(stretches[which])
            )

    def _listen(self, _: selectors.BaseSelector) -> None:
        """Read what is expected of the service, or that the probe is to end."""
        got = os.read(sys.stdin.fileno(), 65536)
        *lines, self._heard_of = (self._heard_of + got).split(b"\n")
        for line in lines:
            self._expect(json.loads(line))
        if not got:
            self._selector.unregister(sys.stdin.fileno())
            self._why = "asked to"

    def _expect(self, message: dict[str, Any]) -> None:
        now, doors = time.monotonic(), message.get("doors", {})
        self._eager = self._eager and message["expect"] != END
        for path in self._paths:
            if path.fast:
                path.expects(
                    message["expect"], now, Door(doors[path.name], now) if path.name in doors else None
                )

    def _end(self) -> None:
        for look in list(self._looks):
            self._forget(look)
        for knock in self._knocks:
            knock.socket.close()
        for path in self._paths:
            self._say_stretch(path, -1)
        self._voice.say("end", at=time.monotonic(), why=self._why, cpu=time.process_time(), late=self._late)
        self._voice.finish(1.0)


def main() -> int:
    """Read the task from stdin, and look."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    task = json.loads(read_line())
    Probe(task).run()
    return 0


def read_line() -> bytes:
    """Read stdin's first line and not a byte more: what follows is heard in the loop."""
    line = b""
    while not line.endswith(b"\n"):
        got = os.read(sys.stdin.fileno(), 1)
        if not got:
            break
        line += got
    return line


if __name__ == "__main__":
    sys.exit(main())
