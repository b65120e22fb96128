"""Stands in for the servers that a script would have started: answers UP on their ports, inside the sandbox."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time

from procedures.rehearsal.standin.world import World

BODY = b'{"status":"UP"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
) + BODY
PATIENCE = 2.0
_LOOPBACKS = ("127.0.0.1", "::1")
_REQUEST = 64


def make_door(line: socket.socket, patience: float) -> None:
    """Open a listener in the network of this process, if the other side asks for one now, and hand it out."""
    if not select.select([line], [], [], patience)[0]:
        return
    host, _, port = line.recv(_REQUEST).decode().rpartition(" ")
    if not port:
        time.sleep(patience)  # the other side has ended, and so does all here
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, int(port)), family=family) as listener:
            socket.send_fds(line, [b"open"], [listener.fileno()])
    except OSError:
        line.send(b"none")


class Doors:
    """The ports on which we answer now."""

    def __init__(self, line: socket.socket, world: World) -> None:
        self.line, self.world = line, world
        self._open: dict[int, list[socket.socket]] = {}

    def follow(self) -> None:
        """Open the ports that have come since the last call, and close those that have gone."""
        for port in sorted(set(self._open) - self.world.serving):
            for listener in self._open.pop(port):
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who waits there
        for port in sorted(self.world.serving - set(self._open)):
            self._open[port] = []
            for host in _LOOPBACKS:
                self.line.send(f"{host} {port}".encode())
                _, handles, _, _ = socket.recv_fds(self.line, _REQUEST, 1)
                for handle in handles:
                    listener = socket.socket(fileno=handle)
                    self._open[port].append(listener)
                    threading.Thread(target=self._serve, args=(listener, port), daemon=True).start()

    def _serve(self, listener: socket.socket, port: int) -> None:
        with listener, contextlib.suppress(OSError):
            while True:
                stream, _ = listener.accept()
                with stream, contextlib.suppress(OSError):
                    self._answer(stream, port)

    def _answer(self, stream: socket.socket, port: int) -> None:
        stream.settimeout(PATIENCE)
        asked = b""
        while b"\r\n\r\n" not in asked and (chunk := stream.recv(4096)):
            asked += chunk
        words = asked.split(b"\r\n", 1)[0].decode(errors="replace").rpartition(" ")[0]
        self.world.notes[
            f"port {port} of what it would have started was asked `{words}`, and UP was made up"
        ] = None
        stream.sendall(ANSWER)
