"""The look at Postgres that never wedges: is it answering, frozen, or lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .configuration import Datasource
from .database import LOST, connect, cut

_CADENCE = 0.25  # losing Postgres must be noticed within a second without any request
_FROZEN = 0.5  # a ping that takes longer holds up every endpoint, as seen on a real server


class Watch:
    """One thread with a connection of its own, asking `SELECT 1` when asked to, and a few times a second."""

    def __init__(self, source: Datasource, on_loss: Callable[[Exception], None]) -> None:
        self._connection = connect(source)
        self._connection.autocommit = True
        self._on_loss = on_loss
        self._changed = threading.Condition()
        self._asked = 0
        self._answered = 0
        self._since: float | None = None
        self.ended = False
        self.server_version = self._parameter("server_version")

    def start(self) -> None:
        threading.Thread(target=self._run, name="database-watch", daemon=True).start()

    def ping(self, timeout: float) -> bool:
        """Say whether Postgres answers within the time, to a question put after this call."""
        with self._changed:
            self._asked += 1
            ticket = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._answered >= ticket or self.ended, timeout)
            return self._answered >= ticket

    def silence(self) -> float:
        """Seconds for which the current question has gone unanswered."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def frozen(self) -> bool:
        return self.silence() > _FROZEN

    def cut(self) -> None:
        """Cut the connection, as a server that goes away does."""
        cut(self._connection)

    def stop(self) -> None:
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _parameter(self, name: str) -> str:
        return str(self._connection.get_parameter_status(name))

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except LOST as lost:
            self.stop()
            self._on_loss(lost)

    def _turn(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._asked > self._answered or self.ended, _CADENCE)
            if self.ended:
                return False
            asked = self._asked
            self._since = time.monotonic()
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with self._changed:
            self._since, self._answered = None, asked
            self._changed.notify_all()
        return True
