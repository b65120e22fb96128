"""Where the server is looked at: as the target's files say now, or as an earlier container was made."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from procedures.kestra.editions import Edition, edition_of
from procedures.observe.moments.planned_start import PlannedStart
from procedures.problems import CannotObserve
from procedures.target.target import Target
from reports.record.observed import Binding, Container, Settings, Snapshot, Unseen


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """Where a server is looked at, and with which credentials, if the files say something else."""

    settings: Settings | Unseen
    bindings: tuple[Binding, ...]


class Viewpoint:
    """Where the server and its database are looked at; `host` is the name by which the engine's host is reached."""

    def __init__(self, target: Target, start: PlannedStart, host: str) -> None:
        self._target = target
        self._start = start
        self._host = host
        self._view: View | None = None
        self._database: Settings | Unseen | None = None
        self.superseded: Settings | None = None
        """Earlier credentials, which should have lost their effect; they are tried too."""
        self.configured_edition = self.present_edition = edition_of("")
        """The editions of what the target's files name and of what runs now, by the images that were last seen."""

    @property
    def settings(self) -> Settings | Unseen:
        """The settings of the server that is looked at: the new container's, unless it is the present one's."""
        return self._view.settings if self._view else self._start.rendering.settings

    @property
    def database_settings(self) -> Settings | Unseen:
        """The settings to log in to the database with."""
        return self._database or self._start.rendering.settings

    @property
    def configured_elsewhere(self) -> Settings | Unseen | None:
        """What the files say now, while an earlier container is looked at; None otherwise."""
        return self._start.rendering.settings if self._view else None

    @property
    def edition(self) -> Edition:
        """The edition of the server that is looked at."""
        return self.present_edition if self._view else self.configured_edition

    def url(self, template: str) -> str:
        """Fill a URL of the target with the engine's host and the ports of the server that is looked at."""
        return self._filled(template, self._view.bindings if self._view else self._start.rendering.bindings)

    def configured_url(self, template: str) -> str:
        """Fill a URL with the ports that the target's files say, wherever the server is looked at now."""
        return self._filled(template, self._start.rendering.bindings)

    def look_at_configured(self, superseded: Settings | Unseen | None = None) -> None:
        """From now on, look where the target's files put the service; `superseded` are its earlier credentials."""
        self._view = self._database = None
        self.superseded = superseded if isinstance(superseded, Settings) else None

    def look_at_kept(self, before: Snapshot) -> None:
        """From now on, look at the service and its database as they were before, for a way back."""
        self.look_at_present(before.containers, before.running_settings)
        self._database = before.running_settings
        self.superseded = None

    def look_at_present(
        self, containers: tuple[Container, ...] | Unseen, settings: Settings | Unseen | None
    ) -> None:
        """From now on, look at the service as its container was made, if that was seen."""
        if isinstance(containers, Unseen) or len(containers) != 1 or not isinstance(settings, Settings):
            self._view = None
        else:
            self._view = View(settings, containers[0].bindings)

    @contextlib.contextmanager
    def at(self, container: Container) -> Iterator[None]:
        """Look at the ports that a container publishes, for as long as this context lasts."""
        view = self._view
        self._view = View(Unseen("nobody has read its settings yet"), container.bindings)
        try:
            yield
        finally:
            self._view = view

    def _filled(self, template: str, bindings: tuple[Binding, ...]) -> str:
        key = self._target.keys.gateway_port
        gateway = str(self._start.rendering.interpolation.get(key) or "")
        if "{gateway_port}" in template and not gateway.isdigit():
            raise CannotObserve(
                f"{key} says no port of a gateway, and {template} needs one",
                "set it in the env file, or write the port into the URL of the target file",
            )
        return template.format(
            http_port=_host_port(bindings, self._target.http_container_port),
            management_port=_host_port(bindings, self._target.management_container_port),
            gateway_port=gateway,
            engine_host=self._host,
        )


def _host_port(bindings: tuple[Binding, ...], container_port: str) -> int:
    """Return the host port that a container's port is published on; 0 if it is not published."""
    return next((one.host_port for one in bindings if one.container_port == container_port), 0)
