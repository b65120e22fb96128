"""A small service that misbehaves on command and keeps its own log of when: what the probe is held against.

It listens on as many ports as its argument says and prints them. Each line on stdin is a list of
[port index, behaviour, seconds from now]; it prints, for each change, the moments just before and just after it.
[port index, "count", seconds from now] changes nothing: how many connections were accepted there stands in its place.
"""

import contextlib
import json
import os
import select
import socket
import struct
import sys
import time

UP = b'{"name":"kestra","status":"UP","details":{}}'


class Port:
    def __init__(self) -> None:
        self.number = 0
        self.held: list[socket.socket] = []
        self.accepted = 0
        self.behaviour = "good"
        self.listener: socket.socket | None = None
        self.listen()

    def listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.number))
        listener.listen(128)
        self.number = listener.getsockname()[1]
        self.listener = listener

    def change(self, behaviour: str) -> tuple[float, float]:
        before = time.monotonic()
        if behaviour == "refuse" and self.listener:
            self.listener.close()
            self.listener = None
        elif self.listener is None:
            self.listen()
        self.behaviour = behaviour
        after = time.monotonic()
        if behaviour != "mute":
            for one in self.held:
                one.close()
            self.held.clear()
        return before, after

    def serve(self) -> None:
        assert self.listener
        one, _ = self.listener.accept()
        self.accepted += 1
        one.settimeout(1)
        try:
            self.answer(one, one.recv(4096))
        except OSError:
            one.close()

    def answer(self, one: socket.socket, request: bytes) -> None:
        if self.behaviour == "mute":
            self.held.append(one)
            return
        if self.behaviour == "reset":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif request and self.behaviour != "close":
            if self.behaviour == "slow":
                time.sleep(0.05)
            one.sendall(self.reply(request))
            with contextlib.suppress(OSError):
                one.recv(1)
        one.close()

    def reply(self, request: bytes) -> bytes:
        target = request.split()[1].decode()
        status, body = 200, UP
        if target == "/ping":
            body = b"pong"
        elif target.startswith("/api"):
            status, body = (200, b"[]") if b"Authorization: Basic" in request else (401, b"")
        if self.behaviour == "down":
            status, body = 503, UP.replace(b"UP", b"DOWN")
        elif self.behaviour == "wrong":
            body = b"<html>pong? UP!</html>"
        elif self.behaviour == "babble":
            return b"SSH-2.0-OpenSSH_9.2\r\n"
        elif self.behaviour == "chunked":
            size = f"{len(body):x}".encode()
            return (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                + size
                + b"\r\n"
                + body
                + b"\r\n0\r\n\r\n"
            )
        return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def main() -> None:
    ports = [Port() for _ in range(int(sys.argv[1]))]
    print(json.dumps([one.number for one in ports]), flush=True)
    due: list[tuple[int, str, float]] = []
    while True:
        now = time.monotonic()
        for change in [one for one in due if one[2] <= now]:
            due.remove(change)
            port = ports[change[0]]
            told = [port.accepted, now, now] if change[1] == "count" else [change[1], *port.change(change[1])]
            print(json.dumps([change[0], *told]), flush=True)
        listeners = {one.listener: one for one in ports if one.listener and one.behaviour != "frozen"}
        wait = min([max(0.0, one[2] - now) for one in due], default=30.0)
        ready, _, _ = select.select([sys.stdin, *listeners], [], [], wait)
        if sys.stdin in ready:
            line = os.read(sys.stdin.fileno(), 4096)
            if not line:
                return
            for port, behaviour, seconds in json.loads(line):
                due.append((port, behaviour, time.monotonic() + seconds))
        for listener in ready:
            if listener in listeners and not any(one[2] <= time.monotonic() for one in due):
                listeners[listener].serve()


if __name__ == "__main__":
    main()
