"""What earlier runs of the same service left: journals in the state folder, and evidence in the archive."""

from __future__ import annotations

from collections.abc import Mapping

from procedures.decide.accepted import Past
from procedures.observe.moments.observers import Observers
from procedures.run.holding import led_to
from procedures.run.procedure import Asked
from procedures.steps import settled
from procedures.steps.journal import Place, Story
from procedures.steps.lock import Lock


class Earlier:
    """Reads what earlier runs of one service on one engine left; it writes nothing."""

    def __init__(
        self, observers: Observers, asked: Asked, engine: str, environment: Mapping[str, str]
    ) -> None:
        target = asked.target
        self._observers = observers
        self._asked = asked
        self.place = Place.of(engine, observers.project, target.service, environment)
        self.past = Past(target.archive, observers.project, target.service, engine)
        """The runs in the archive."""

    @property
    def open_journals(self) -> tuple[Story, ...]:
        """The unsealed journals, this run's own among them."""
        return self.place.open_journals()

    def owed(self) -> tuple[Story, ...]:
        """Return the open journals whose run is gone and owes something: those of this place, and the one that the lock names."""
        lock = Lock(self._observers.engine, self._observers.project, self._asked.target.service)
        story = led_to(lock.holder(), self.place, given_up=self._asked.take_over)
        stories = (*self.open_journals, *((story,) if story else ()))
        over = settled.among(stories)
        return tuple(
            one for one in stories if one.run not in over and (one.writer is None or not one.writer.is_alive)
        )
