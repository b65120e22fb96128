"""The paths of a service that are watched, and how often each is asked."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from procedures.kestra.api import Paths

FAST_RATE = 100.0
CALM_RATE = 10.0
"""Kestra writes a line into its log for each request on its HTTP port: a soak would fill it."""
API_RATE = 4.0
API_RATE_BEFORE = 0.5
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Watched:
    """One path that the probe looks at.

    `expect` is what a good answer is besides its 200: `health` (a JSON status of UP), `pong`, or `200` (no more).
    A fast path is asked `rate` times a second all the time; any other path `slow_rate` times until a fast path has come
    back from an outage, and `rate` times from then on. Each is asked no more than `calm_rate` times once it has been
    well again for a while. `authorization` is the header's value and never recorded.
    """

    name: str
    url: str
    expect: str
    fast: bool = True
    rate: float = FAST_RATE
    slow_rate: float = API_RATE_BEFORE
    calm_rate: float = FAST_RATE
    patience: float = PATIENCE
    authorization: str = field(default="", repr=False)
    then: Watched | None = None
    """The same path where the service may be after a change: another port, other credentials."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Its addresses, in the order of the probe's ways."""
        return (self.url, *(self.then.urls if self.then else ()))


def kestra_paths(
    http_url: str, management_url: str, user: str, password: str, paths: Paths
) -> tuple[Watched, ...]:
    """Return the three paths by which Kestra is watched."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return (
        Watched("health", f"{management_url.rstrip('/')}{paths.health}", "health"),
        Watched("ping", f"{http_url.rstrip('/')}{paths.ping}", "pong", calm_rate=CALM_RATE),
        Watched(
            "api",
            f"{http_url.rstrip('/')}{paths.one_flow}",
            "200",
            fast=False,
            rate=API_RATE,
            patience=2.0,
            authorization=f"Basic {token}",
        ),
    )
