"""The waits of a start: for the boot, the gateway, the heartbeats of every part, and the soak."""

from __future__ import annotations

import time
from collections.abc import Callable

from procedures.kestra.heartbeats import silent_parts
from procedures.observe.moments.observers import Observers
from procedures.observe.outage.watching import Watch
from procedures.observe.waiting import Look, Waiting
from procedures.problems import CannotObserve
from procedures.steps import reach
from procedures.steps.ready import look_at_service
from reports.record.evidence import Wait
from reports.record.observed import Unseen

HEALTH_SPARE = 60.0
"""Seconds beyond the soak in which Docker's own health check must have decided."""
LOOPS = 5
"""Restarts by the engine after which a boot is given up: a server that waits for its database needs one or two."""
CADENCE = 0.25
SOAK_CADENCE = 0.25
ANSWER_CADENCE = 0.2
SOAK_FOR_KESTRA = 60.0


def soak_of(asked: float | None, liveness: float | None) -> float:
    """Return how long to watch: as the target asks, otherwise four thirds of the server's liveness, at most a minute."""
    if asked is not None:
        return asked
    return SOAK_FOR_KESTRA if liveness is None else min(SOAK_FOR_KESTRA, liveness * 4 / 3)


class Waits:
    """Waits for the one service, each time for at most a given time; it changes nothing."""

    def __init__(self, observers: Observers, waiting: Waiting) -> None:
        self._observers = observers
        self._waiting = waiting

    def boot(self, look: Look, limit: float, began: float, watch: Watch | None) -> Wait:
        """Look as soon as the probe has news, and ask the engine only if the probe reports an end.

        A boot needs the whole of a small machine: every needless look makes it longer.
        """
        if watch is None:
            return self._waiting.until("ready", look, limit, CADENCE, self.hopeless)

        def hopeless() -> str:
            return self.hopeless() if watch.may_have_ended(began) else ""

        return self._waiting.until("ready", look, limit, CADENCE, hopeless, rest=watch.rest)

    def hopeless(self) -> str:
        """Return why no boot is worth waiting for: the container has ended for good, or ends again and again."""
        try:
            containers = self._observers.containers()
        except CannotObserve:
            return ""
        if len(containers) != 1:
            return ""
        container = containers[0]
        if container.restart_count >= LOOPS:
            return f"{container.name} was restarted {container.restart_count} times, last exit code {container.exit_code}"
        if container.state in {"exited", "dead"} and container.restart_policy in {"", "no"}:
            return f"{container.name} has ended with {container.exit_code}, and nothing starts it again"
        return ""

    def soak(self, length: float) -> Wait:
        """Watch the new container for a while: it must stay the same container, keep running, and become healthy."""
        began = time.monotonic()

        def look() -> tuple[bool, str]:
            containers = self._observers.containers()
            if len(containers) != 1 or not containers[0].running:
                return True, "no running container"
            container = containers[0]
            saw = f"{container.state}, restarted {container.restart_count} times, Docker's health {container.health or 'not checked'}"
            return time.monotonic() - began >= length and container.health != "starting", saw

        return self._waiting.until("soak", look, length + HEALTH_SPARE, SOAK_CADENCE)

    def parts(self, parts: frozenset[str] | Unseen) -> Wait:
        """Wait until every part of the server sends heartbeats: on a busy machine they come long after its first answers."""

        def look() -> tuple[bool, str]:
            found = self._observers.containers()
            if isinstance(parts, Unseen) or len(found) != 1 or not found[0].running:
                return True, "nobody to wait for"
            silent = silent_parts(parts, self._observers.database(), found[0])
            if isinstance(silent, Unseen):
                return True, silent.sentence
            return not silent, f"no heartbeat of {', '.join(silent)}" if silent else "every part sends them"

        return self._waiting.until("heartbeats", look, HEALTH_SPARE, SOAK_CADENCE, self.hopeless)

    def answer(self, limit: float) -> Wait:
        """Look for a while whether the service answers."""
        return self._waiting.until("answers again", self.look_for_ready(None), limit, ANSWER_CADENCE)

    def gateway(self, watch: Watch | None) -> Wait | None:
        """Wait until the gateway, if there is one, leads to the ready server behind it."""
        limit = self._observers.target.budgets.gateway
        if limit is None:
            return None
        rest = watch.rest if watch else None
        return self._waiting.until("gateway", self._look_from_here(watch), limit, CADENCE, rest=rest)

    def look_for_ready(self, watch: Watch | None) -> Callable[[], tuple[bool, str]]:
        """Return the look that says whether the server is ready, whatever stands in front of it."""
        if self._observers.target.budgets.gateway is None:
            return self._look_from_here(watch)
        # A gateway answers for a server that it does not know yet, and has a deadline of its own.
        return reach.look_at_itself(self._observers)

    def _look_from_here(self, watch: Watch | None) -> Callable[[], tuple[bool, str]]:
        heard = watch.look_for_ready() if watch is not None else None

        def look() -> tuple[bool, str]:
            # A dead probe repeats its last word for ever: then we ask ourselves.
            if heard is not None and watch is not None and watch.looks:
                return heard()
            return look_at_service(self._observers)

        return reach.by_the_service(self._observers, look)
