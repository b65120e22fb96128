"""Connections to Postgres: a small pool, and the failure to make one told as Kestra tells it."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2

from .configuration import Datasource
from .problem import Problem

Cursor = Any
"""A psycopg2 cursor; the library has no types."""

_SIZE = 10  # as Hikari's default
_PATIENCE = 30.0  # Hikari's connection-timeout


class DatabaseUnreachable(Problem):
    """Postgres could not be logged in to."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause


LOST = (psycopg2.OperationalError, psycopg2.InterfaceError, DatabaseUnreachable)
"""What is raised when the server is gone."""


def connect(source: Datasource) -> Any:
    """Open one connection; what is wrong is found out step by step, not read from an error's text."""
    try:
        addresses = socket.getaddrinfo(source.host, source.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        unknown = f"java.net.UnknownHostException: {source.host}"
        raise DatabaseUnreachable("The connection attempt failed.", unknown) from None
    _knock(source, str(addresses[0][4][0]))
    try:
        return psycopg2.connect(
            host=source.host,
            port=source.port,
            dbname=source.name,
            user=source.username,
            password=source.password,
            application_name="PostgreSQL JDBC Driver",
            connect_timeout=10,
        )
    except psycopg2.OperationalError as refused:
        last = str(refused).strip().splitlines()[-1]
        message = (
            "FATAL: " + last.partition("FATAL:")[2].strip()
            if "FATAL:" in last
            else "The connection attempt failed."
        )
        raise DatabaseUnreachable(message, f"org.postgresql.util.PSQLException: {message}") from refused


def _knock(source: Datasource, address: str) -> None:
    try:
        socket.create_connection((address, source.port), timeout=10).close()
    except ConnectionRefusedError:
        raise DatabaseUnreachable(
            f"Connection to {source.host}:{source.port} refused. Check that the hostname and port are correct "
            "and that the postmaster is accepting TCP/IP connections.",
            "java.net.ConnectException: Connection refused",
        ) from None
    except OSError as failed:
        raise DatabaseUnreachable(
            "The connection attempt failed.", f"java.net.SocketException: {failed}"
        ) from None


class Pool:
    """Ten connections, each used by one thread at a time.

    As Hikari's, they are opened at the start and kept: a password that is changed later hurts nobody who is in.
    """

    def __init__(self, source: Datasource) -> None:
        self.source = source
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()
        self._all: list[Any] = []
        self._lock = threading.Lock()
        self._free.put(self._opened())
        threading.Thread(target=self._fill, name="pool-fill", daemon=True).start()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor whose work is committed at the end, or rolled back."""
        connection = self._taken()
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            self._free.put(connection)

    def drop(self) -> None:
        """Cut every connection at once, also those in use."""
        with self._lock:
            for connection in self._all:
                # Only the socket: closing a connection that another thread uses would wait for that thread.
                cut(connection)

    def _fill(self) -> None:
        with suppress(DatabaseUnreachable):
            while len(self._all) < _SIZE:
                self._free.put(self._opened())

    def _taken(self) -> Any:
        try:
            return self._free.get(timeout=_PATIENCE)
        except queue.Empty:
            message = "HikariPool-1 - Connection is not available, request timed out"
            raise DatabaseUnreachable(message, "java.sql.SQLTransientConnectionException") from None

    def _opened(self) -> Any:
        connection = connect(self.source)
        with self._lock:
            self._all.append(connection)
        return connection


def cut(connection: Any) -> None:
    """Shut the socket of a connection, whoever uses it."""
    if connection.closed:
        return
    duplicate = socket.socket(fileno=socket.dup(connection.fileno()))
    with duplicate, suppress(OSError):  # it may have been cut already
        duplicate.shutdown(socket.SHUT_RDWR)
