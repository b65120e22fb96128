"""Whether the service is ready, as it says itself, and the time on the engine's clock."""

from __future__ import annotations

import time

from procedures.kestra.health import is_ready
from procedures.observe.moments.observers import Observers
from reports.record.observed import Unseen


def look_at_service(observers: Observers) -> tuple[bool, str]:
    """Ask the service whether it is ready, and return its answer."""
    server = observers.server()
    if isinstance(server, Unseen):
        return False, server.sentence
    return is_ready(server), f"health {server.health.said}, ping {server.ping.said}"


def engine_time(observers: Observers) -> float:
    """Return the time by the engine's clock, which also gives its containers' start times."""
    return time.time() + observers.skew


def settled(observers: Observers) -> tuple[bool, str]:
    """Whether the service has finished its boot, well or not: acceptance often follows a start."""
    containers = observers.containers()
    if len(containers) != 1 or not containers[0].running or containers[0].paused:
        return True, "no single container that runs"
    server, health = observers.server(), containers[0].health
    ready = not isinstance(server, Unseen) and is_ready(server)
    saw = f"Docker says {health or 'nothing'}, the server is {'ready' if ready else 'not ready'}"
    return health == "unhealthy" or (ready and health != "starting"), saw
