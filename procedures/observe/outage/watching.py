"""Watching a run from outside: the probe on the service's ports and the engine's events, begun before the stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from procedures.kestra.api import Paths
from procedures.observe.engine.events import Events
from procedures.observe.moments.observers import Observers
from procedures.observe.outage import doors, following
from procedures.observe.outage.watched import Watched, kestra_paths
from reports.record.evidence import EngineEvent, Outage
from reports.record.observed import Settings, Unseen

ENDING = {"kill", "die"}
PROBE_START = 30.0
"""Seconds for the probe's first looks: a busy machine may need several for a new process."""
STUCK = 10.0
"""Seconds for which a busy server may be mute without being gone."""
DIED_WITHIN = 0.3
"""Seconds that the event of a container's end may take to reach us."""


class Watch:
    """Watches while the procedure acts; it changes nothing and ends with the run."""

    def __init__(self, observers: Observers, changed_at: Callable[[], float | None]) -> None:
        self._observers = observers
        self._changed_at = changed_at
        self._probe: following.Probe | None = following.Probe.start(
            _paths(observers), observers.target.budgets.run
        )
        self._events = Events(
            observers.engine,
            observers.project,
            observers.target.service,
            observers.container_name,
            self._announce,
        )
        self.looking = self._probe.wait_until_looking(PROBE_START)
        self.outage: Outage | None = None
        self._broke_off = False

    @property
    def events(self) -> tuple[EngineEvent, ...] | Unseen:
        return self._events.kept

    @property
    def others(self) -> tuple[EngineEvent, ...] | Unseen:
        """Return the events of containers that do not belong to this project."""
        return self._events.others

    def since(self, began: float, container: str) -> tuple[EngineEvent, ...] | Unseen:
        """Return the engine's events since our act, the container's end among them."""
        return self._events.since(began, container, DIED_WITHIN)

    @property
    def looks(self) -> bool:
        """Whether the probe still looks."""
        return self._probe is not None and self._probe.alive

    def look_for_ready(self) -> Callable[[], tuple[bool, str]] | None:
        """Return a look at the probe's answers, which come often when it matters; None if the probe is gone."""
        probe, since = self._probe, time.monotonic()
        if probe is None or not probe.alive:
            return None
        fast = tuple(one.name for one in probe.watched if one.fast)

        def look() -> tuple[bool, str]:
            answers = probe.answers
            saw = ", ".join(f"{name} {_as_shown(answers[name].answer)}" for name in fast if name in answers)
            return following.all_good(answers, fast, since), saw or "nothing yet"

        return look

    def rest(self, length: float) -> None:
        """Sleep until a path's answer changes, at most `length` seconds."""
        if self._probe is not None and self.looks:
            self._probe.wait_for_news(length)
        else:
            time.sleep(length)

    def may_have_ended(self, since: float) -> bool:
        """Whether a container of the project may have ended since a moment by the engine's clock."""
        return self._events.may_have_ended(since)

    @property
    def broke_off(self) -> bool:
        """Whether the probe ended before this run asked it to."""
        return self._probe.broke_off if self._probe is not None else self._broke_off

    def outlast_silence(self, limit: float = STUCK) -> None:
        """Give a server that answered before, and is mute now, the time to answer again.

        A busy server may be stuck for seconds; at the wrong moment it would look like one that never came back.
        """
        if self._probe is not None:
            self._probe.wait_until_well(limit)

    def so_far(self) -> Outage | None:
        """Return what the probe has seen until now, or all of it if the probe has ended."""
        return self._counting(self._probe).so_far() if self._probe is not None else self.outage

    def end_probe(self) -> Outage | None:
        """End the probe and return what it saw."""
        if self._probe is not None:
            self._broke_off = self._probe.broke_off
            self.outage = self._counting(self._probe).stop()
            self._probe = None
        return self.outage

    def _announce(self, event: EngineEvent) -> None:
        """Tell the probe what an event of the service's container announces; without that it asks as usual."""
        probe = self._probe
        if probe is None:
            return
        if event.action in ENDING:
            probe.expect_end()
        elif event.action == "start":
            fast = {one.name: one.urls for one in probe.watched if one.fast}
            probe.expect_return(doors.of_container(self._observers.engine, event.id, fast))

    def _counting(self, probe: following.Probe) -> following.Probe:
        """Let the outage begin with our first changing step; without such a step no silence is ours."""
        changed_at = self._changed_at()
        probe.count_from(math.inf if changed_at is None else changed_at)
        return probe

    def close(self) -> None:
        self.end_probe()
        self._events.close()


def _paths(observers: Observers) -> tuple[Watched, ...]:
    """Return what is watched: where the service is now, and where it may be after the change."""
    viewpoint = observers.viewpoint
    now = _paths_by(observers, viewpoint.edition.paths, viewpoint.settings)
    then = viewpoint.configured_elsewhere
    if then is None:
        return now
    paths = viewpoint.configured_edition.paths
    after = _paths_by(observers, paths, then, viewpoint.configured_url)
    return tuple(one if one == two else replace(one, then=two) for one, two in zip(now, after, strict=True))


def _paths_by(
    observers: Observers,
    paths: Paths,
    settings: Settings | Unseen,
    url: Callable[[str], str] | None = None,
) -> tuple[Watched, ...]:
    target, fill = observers.target, url or observers.viewpoint.url
    user = password = ""
    if not isinstance(settings, Unseen):
        user = settings.basic_auth_user
        password = settings.basic_auth_password.value if settings.basic_auth_password else ""
    return kestra_paths(fill(target.http_url), fill(target.management_url), user, password, paths)


def _as_shown(answer: str) -> str:
    """Name both answers of Docker's proxy for a booting server alike: it resets or closes, as it comes."""
    return "accepted, then dropped" if answer in {"reset", "accepted and closed"} else answer
