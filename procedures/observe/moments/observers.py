"""The observers of one target on one engine: each look by itself. Nothing here changes the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from procedures.drivers.compose import Compose
from procedures.drivers.scripts import Scripts
from procedures.kestra import sessions
from procedures.observe import direct, host, kestra, operators, postgres, validations
from procedures.observe.configuration import Configuration
from procedures.observe.engine import folders, lookout
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.engine.lookout import Lookout
from procedures.observe.moments import service
from procedures.observe.moments.attempt import attempt
from procedures.observe.moments.lookouts import Lookouts
from procedures.observe.moments.planned_start import PlannedStart, image_of
from procedures.observe.moments.viewpoint import Viewpoint
from procedures.observe.patience import Pace
from procedures.observe.secrets import known_secrets, secrets_in_commands, secrets_of
from procedures.problems import CannotObserve
from procedures.target import steps_by
from procedures.target.target import Target
from reports.record.claimed import Need, ValidationSeen
from reports.record.observed import (
    Container,
    Database,
    Direct,
    Engine,
    Folder,
    Host,
    Image,
    Listener,
    Neighbour,
    Rendering,
    Secret,
    Server,
    Settings,
    Unseen,
)
from reports.redaction.secret_names import environment_of


class Observers:
    """They look at the containers, the server and the database of one target, and at what a start would start."""

    def __init__(self, target: Target, engine: EngineObserver, compose: Compose, run: str) -> None:
        self.target = target
        self.engine = engine
        self.compose = compose
        self.start = PlannedStart(target, engine, compose)
        self.viewpoint = Viewpoint(target, self.start, engine.where.host)
        self.lookouts = Lookouts(engine, self.start.rendering, run, target.budgets.run + 60)
        self.pace = Pace()
        """How long answers have taken in this run."""
        self.file_rendering: Rendering | Unseen | None = None
        self.running_settings: Settings | Unseen | None = None
        self.noted: tuple[str, ...] = ()
        """The ids of executions that earlier looks saw; each is looked up by its id, however many came since."""
        self.skew = 0.0
        """Seconds by which the engine's clock was ahead of ours when last seen."""
        self._configuration = Configuration(engine, target.budgets.look, run)
        self._announced: str | Unseen | None = None

    @property
    def operator_rendering(self) -> Rendering:
        """The rendering of what the run starts."""
        return self.start.rendering

    @property
    def driver(self) -> Scripts:
        """The driver of this run: its commands."""
        return self.start.driver

    @property
    def project(self) -> str:
        return self.operator_rendering.project

    @property
    def container_name(self) -> str:
        return service.name_of(self.target, self.operator_rendering)

    def close(self) -> None:
        """Remove the lookouts."""
        self.lookouts.close()

    # Containers

    def containers(self) -> tuple[Container, ...]:
        """Return the service's containers: by their labels, and by the exact name if a script may have made one."""
        return service.containers(self.target, self.engine, self.operator_rendering)

    def databases(self) -> tuple[Container, ...]:
        return service.databases(self.target, self.engine, self.operator_rendering)

    def neighbours(self) -> tuple[Neighbour, ...]:
        return service.neighbours(self.target, self.engine, self.operator_rendering)

    def folders(
        self, containers: tuple[Container, ...] | Unseen, settings: Settings | Unseen | None
    ) -> tuple[Folder, ...]:
        """Return which folders the service's container can write, of those that these settings name."""
        if isinstance(containers, Unseen) or len(containers) != 1 or not containers[0].running:
            raise CannotObserve("there is no single running container that could be asked what it can write")
        if not isinstance(settings, Settings):
            raise CannotObserve("what the server must write was not seen: its settings were not read")
        return folders.look(self.engine, containers[0], settings, self.target.budgets.look)

    # Images and settings

    def announced(self) -> str | Unseen:
        """Return the digest that the registry announces for the configured image; it is asked once."""
        if self._announced is None:
            reference, limit = self.operator_rendering.image, self.target.budgets.look
            self._announced = attempt(lambda: self.engine.announced(reference, limit))
        return self._announced

    def running_image(self, containers: tuple[Container, ...] | Unseen) -> Image:
        """Return the image of the service's container."""
        if isinstance(containers, Unseen) or len(containers) != 1:
            raise CannotObserve("there is no single container whose image could be looked at")
        return image_of(self.engine, containers[0].image_id)

    def given_settings(self, containers: tuple[Container, ...] | Unseen) -> Settings:
        """Return the settings that the service's container gives to its server."""
        if isinstance(containers, Unseen) or len(containers) != 1:
            raise CannotObserve("there is no single container whose configuration could be read")
        container = containers[0]
        return self._configuration.read(container.environment, image_of(self.engine, container.image_id))

    def read_settings(self, containers: tuple[Container, ...] | Unseen, image: Image | Unseen) -> None:
        """Read the settings of the present container, and those of a new one."""
        with ThreadPoolExecutor(2) as pool:
            given = pool.submit(attempt, lambda: self.given_settings(containers))
            new = pool.submit(
                attempt, lambda: self._configuration.read(self.operator_rendering.environment, image)
            )
            self.running_settings = given.result()
            self.start.rendering = dataclasses.replace(self.operator_rendering, settings=new.result())

    def read_file_settings(self, rendered: Rendering | Unseen) -> None:
        """Read the settings that the env files alone make; the image's echo is asked again only if the text differs."""
        mine = self.operator_rendering
        if isinstance(rendered, Unseen):
            self.file_rendering = rendered
        elif rendered.environment == mine.environment:
            self.file_rendering = dataclasses.replace(rendered, settings=mine.settings)
        else:
            read = attempt(
                lambda: self._configuration.read(rendered.environment, image_of(self.engine, rendered.image))
            )
            self.file_rendering = dataclasses.replace(rendered, settings=read)

    def secrets(self) -> dict[Secret, str]:
        """Return every secret value that was met, with the name of the key that held it first."""
        renderings = [self.operator_rendering, self.start.by_files]
        environments = [part for one in renderings for part in (one.environment, one.interpolation)]
        if isinstance(self.file_rendering, Rendering):
            environments.append(self.file_rendering.interpolation)
            renderings.append(self.file_rendering)
        containers = (*self.containers(), *self.databases())
        environments += [one.environment for one in containers]
        typed = steps_by.environments(self.target.steps, self.target.validate)
        environments += [environment_of(one) for one in typed]
        environments += operators.environments(self.start.scripts)
        secrets = known_secrets(environments, self.target.secret_keys)
        for value, name in secrets_in_commands((*renderings, *containers)).items():
            secrets.setdefault(value, name)
        for what, settings in (
            ("the new settings", self.viewpoint.settings),
            ("the present settings", self.running_settings),
        ):
            for key, value in secrets_of(settings).items():
                secrets.setdefault(value, f"{key} of {what}")
        return secrets

    # The engine, its host, and what is the operator's own

    def engine_now(self) -> Engine:
        """Look at the engine, and note how far its clock is from ours."""
        engine = self.engine.engine()
        self.skew = engine.skew
        return engine

    def listeners(self) -> tuple[Listener, ...]:
        outside = self.lookouts.need_outside("the engine host's sockets cannot be seen")
        return lookout.listeners(outside, self.target.budgets.look)

    def host(self) -> Host:
        """Look at the engine's host: its room, and which processes hold the published ports."""
        place = self.lookouts.outside or self.lookouts.inside
        ports = frozenset(one.host_port for one in self.operator_rendering.bindings)
        return host.look(self.target, place, self.target.budgets.look, ports)

    def needs(self, listeners: tuple[Listener, ...] | Unseen) -> tuple[Need, ...]:
        return operators.needs(self.target, self.engine, listeners)

    def validations(self) -> tuple[ValidationSeen, ...] | Unseen | None:
        """Run the operator's own validations; None if the target file names none."""
        if not self.target.validate:
            return None
        return attempt(lambda: validations.look(self.target, self.driver))

    # The database

    def database(self) -> Database | Unseen:
        """Log in to the database, and read all that checks ask for."""
        return attempt(
            lambda: self._database(
                lambda inside, settings, limit: postgres.look(inside, settings, limit, self.noted)
            )
        )

    def database_quickly(self) -> Database | Unseen:
        """Log in to the database, and read only what is instant."""
        return attempt(lambda: self._database(postgres.look_quickly))

    def present_database(self) -> Database | Unseen:
        """Log in as the present container does, to know whether its values still work and where they lead."""

        def look() -> Database:
            settings, inside = self.running_settings, self.lookouts.inside
            if not isinstance(settings, Settings) or inside is None:
                raise CannotObserve(
                    "the present container's settings, or a place to log in from, were not seen"
                )
            return postgres.look(inside, settings, self.target.budgets.look)

        return attempt(look)

    def _database(self, look: Callable[[Lookout, Settings, float], Database]) -> Database:
        settings = self.viewpoint.database_settings
        if missing := postgres.settings_missing(settings):
            raise missing
        assert isinstance(settings, Settings)
        inside = self.lookouts.need_inside("there is no place in the service's network to log in from")
        database = look(inside, settings, self.target.budgets.look)
        return sessions.marked(database, attempt(self.engine.addresses))

    # The server

    def server(self) -> Server | Unseen:
        """Ask the service by its published ports."""
        return attempt(self._server)

    def server_at(self, container: Container) -> Server | Unseen:
        """Ask the service by the ports that a container publishes."""
        with self.viewpoint.at(container):
            return self.server()

    def direct(self) -> Direct | Unseen:
        """Ask the server itself, inside its network, past everything between it and us."""
        limit, paths = self.target.budgets.look / 2, self.viewpoint.edition.paths
        return attempt(lambda: direct.look(*self._itself(), limit, paths=paths, pace=self.pace))

    def glance(self) -> Direct | Unseen:
        """Ask the server itself as `direct` does, but only once: a wait asks again in a moment."""
        limit, paths = self.target.budgets.look / 2, self.viewpoint.edition.paths
        return attempt(lambda: direct.look(*self._itself(), limit, paths=paths))

    def _itself(self) -> tuple[Lookout, str, str, str]:
        """Return the lookout that asks the server itself, and the server's address and ports."""
        containers, inside = self.containers(), self.lookouts.inside
        if len(containers) != 1 or not containers[0].running:
            raise CannotObserve("there is no single running container to ask")
        if inside is None:
            raise CannotObserve("there is no place in the service's network to ask from")
        return (
            inside,
            direct.address_of(self.engine, containers[0].id, self.lookouts.network),
            self.target.http_container_port,
            self.target.management_container_port,
        )

    def _server(self) -> Server:
        view = self.viewpoint
        return kestra.look(
            view.url(self.target.http_url),
            view.url(self.target.management_url),
            view.settings,
            self.target.budgets.look / 2,
            view.superseded,
            paths=view.edition.paths,
            pace=self.pace,
        )
