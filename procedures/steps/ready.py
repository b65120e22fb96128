"""Whether the service is ready, as it says itself."""

from __future__ import annotations

from procedures.observe.snapshot import Observers
from procedures.steps import restart
from reports.record.observed import Unseen


def settled(observers: Observers) -> tuple[bool, str]:
    """Whether the service is through with its boot, however that ended: acceptance often follows a start."""
    containers = observers.containers()
    if len(containers) != 1 or not containers[0].running or containers[0].paused:
        return True, "no single container that runs"
    server, health = observers.server(), containers[0].health
    ready = not isinstance(server, Unseen) and restart.is_ready(server)
    saw = f"Docker says {health or 'nothing'}, the server is {'ready' if ready else 'not ready'}"
    return health == "unhealthy" or (ready and health != "starting"), saw
