"""The two lookouts of a run: one in the service's network, one in that of the engine's host."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from procedures.observe.engine import lookout
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.engine.lookout import Lookout
from procedures.observe.moments.attempt import attempt
from procedures.problems import CannotObserve
from reports.record.observed import Container, Rendering, Unseen


class Lookouts:
    """They are opened once and closed with the run; `run` names the containers, `lifetime` is in seconds."""

    def __init__(self, engine: EngineObserver, rendering: Rendering, run: str, lifetime: float) -> None:
        self._engine = engine
        self._run = run
        self._lifetime = lifetime
        self._inside: Lookout | Unseen | None = None
        self._outside: Lookout | Unseen | None = None
        self.network = lookout.place(rendering.networks, ())
        """The network of the service that the inner lookout stands in."""

    def open(self, rendering: Rendering, databases: tuple[Container, ...] | Unseen) -> None:
        """Start both, unless that was tried already."""
        if self._inside is not None:
            return
        image = databases[0].image_id if isinstance(databases, tuple) and databases else ""
        image = image or rendering.database_image or rendering.image
        network = self.network = lookout.place(rendering.networks, databases)

        def opened(role: str, place: str) -> Lookout:
            return Lookout(self._engine, f"kestra-restart-{role}-{self._run}", image, place, self._lifetime)

        with ThreadPoolExecutor(2) as pool:
            inside = pool.submit(attempt, lambda: opened("inside", network))
            outside = pool.submit(attempt, lambda: opened("outside", "host"))
            self._inside, self._outside = inside.result(), outside.result()

    def close(self) -> None:
        """Remove both."""
        for one in (self._inside, self._outside):
            if isinstance(one, Lookout):
                one.close()
        self._inside = self._outside = None

    @property
    def inside(self) -> Lookout | None:
        """The lookout in the service's network, if it is open."""
        return self._inside if isinstance(self._inside, Lookout) else None

    @property
    def outside(self) -> Lookout | None:
        """The lookout in the network of the engine's host, if it is open."""
        return self._outside if isinstance(self._outside, Lookout) else None

    def need_inside(self, what: str) -> Lookout:
        """Return the lookout in the service's network; `what` says what cannot be seen without it."""
        return _needed(self._inside, what)

    def need_outside(self, what: str) -> Lookout:
        """Return the lookout in the network of the engine's host; `what` says what cannot be seen without it."""
        return _needed(self._outside, what)


def _needed(place: Lookout | Unseen | None, what: str) -> Lookout:
    if isinstance(place, Lookout):
        return place
    why = place or Unseen("no lookout was opened")
    raise CannotObserve(f"{what}: {why.unseen}", why.next_move)
