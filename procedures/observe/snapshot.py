"""Snapshots: everything that the observers saw at one moment, looked at side by side."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from procedures.drivers.compose import Compose
from procedures.drivers.labels import PROJECT
from procedures.drivers.scripts import Scripts
from procedures.drivers.shell import Command
from procedures.kestra import sessions
from procedures.kestra.editions import Edition, edition_of, edition_of_image
from procedures.observe import (
    direct,
    foreseen,
    host,
    kestra,
    operators,
    postgres,
    rendered,
    rendering,
    validations,
)
from procedures.observe.configuration import Configuration
from procedures.observe.engine import folders, lookout
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.patience import Pace
from procedures.observe.secrets import known_secrets, secrets_in_commands, secrets_of
from procedures.problems import CannotObserve
from procedures.target import env_file, steps_by
from procedures.target.target import Target
from reports.record.claimed import ValidationSeen
from reports.record.observed import (
    Binding,
    Container,
    Database,
    Direct,
    DryRun,
    Engine,
    Folder,
    Image,
    Listener,
    Neighbour,
    Rendering,
    Secret,
    Server,
    Settings,
    Snapshot,
    Unseen,
)
from reports.record.scripted import ScriptSeen
from reports.record.values import known, now
from reports.redaction.secret_names import environment_of

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """Where a server is looked at, and with which credentials, where that is not what the files say."""

    settings: Settings | Unseen
    bindings: tuple[Binding, ...]


class Observers:
    """All observers of one target on one engine; nothing here changes the target."""

    def __init__(self, target: Target, engine: EngineObserver, compose: Compose, run: str) -> None:
        self.target = target
        self.engine = engine
        self.compose = compose
        self._run = run
        self._inside: lookout.Lookout | Unseen | None = None
        self._outside: lookout.Lookout | Unseen | None = None
        self._configuration = Configuration(engine, target.budgets.look, run)
        self.operator_rendering, self.model = self._rendered(rendering.by_operator)
        self._network = lookout.place(self.operator_rendering.networks, ())
        self.file_rendering: Rendering | Unseen | None = None
        self.running_settings: Settings | Unseen | None = None
        self.driver = Scripts(target, compose, self._unlabelled())
        self._starting = self.frozen = compose
        self._from_kept = False
        self.by_files = self.operator_rendering
        """What the target's own files say, whatever is started."""
        self.asks_registry = False
        """Whether the procedure would pull, so that the registry's word belongs to the look before."""
        self.changes_settings = False
        """Whether the running server may have other settings and ports than the files say by now."""
        self.applies = False
        """Whether the procedure applies new settings, so that the old ones are tried too."""
        self.pace = Pace()
        """How long what is asked has taken in this run."""
        self._view: View | None = None
        self.configured_edition = self._present_edition = edition_of("")
        """Of what the target's files say, and of what runs now: as the images that were seen last name them."""
        self._database_view: Settings | Unseen | None = None
        self._superseded: Settings | None = None
        self._announced: str | Unseen | None = None
        self._scripts: tuple[ScriptSeen, ...] | Unseen | None = None
        self.noted: tuple[str, ...] = ()
        """The ids of the executions that were noted: whether each is there is asked by its id, however many came since."""
        self.skew = 0.0
        """Seconds by which the engine's clock is ahead of ours, as last seen."""

    @property
    def project(self) -> str:
        return self.operator_rendering.project

    @property
    def looks(self) -> tuple[str, ...]:
        """One sentence for each helper that was started."""
        return tuple(
            one.sentence for one in (self._inside, self._outside) if isinstance(one, lookout.Lookout)
        )

    @property
    def settings(self) -> Settings | Unseen:
        """What the server that is looked at reads: the new container's, unless the present one's is looked at."""
        return self._view.settings if self._view else self.operator_rendering.settings

    @property
    def edition(self) -> Edition:
        """What is true of the server that is looked at."""
        return self._present_edition if self._view else self.configured_edition

    def url(self, template: str) -> str:
        """Fill a URL of the target with the ports of what is looked at and where the engine is."""
        return self._filled(template, self._view.bindings if self._view else self.operator_rendering.bindings)

    def configured_url(self, template: str) -> str:
        """Fill a URL as the target's files say it, whatever is looked at now."""
        return self._filled(template, self.operator_rendering.bindings)

    @property
    def configured_elsewhere(self) -> Settings | Unseen | None:
        """What the files say by now, while the container that was made before is looked at; None otherwise."""
        return self.operator_rendering.settings if self._view else None

    def _filled(self, template: str, bindings: tuple[Binding, ...]) -> str:
        gateway = str(self.operator_rendering.interpolation.get(self.target.keys.gateway_port) or "")
        if "{gateway_port}" in template and not gateway.isdigit():
            raise CannotObserve(
                f"{self.target.keys.gateway_port} says no port of a gateway, and {template} needs one",
                "set it in the env file, or write the port into the URL of the target file",
            )
        return template.format(
            http_port=_host_port(bindings, self.target.http_container_port),
            management_port=_host_port(bindings, self.target.management_container_port),
            gateway_port=gateway,
            engine_host=self.engine.where.host,
        )

    @property
    def container_name(self) -> str:
        return self.target.container or self.operator_rendering.container_name

    def announced(self) -> str | Unseen:
        """Return the digest that the registry announces for the configured image; it is asked once."""
        if self._announced is None:
            reference, limit = self.operator_rendering.image, self.target.budgets.look
            self._announced = _seen(lambda: self.engine.announced(reference, limit))
        return self._announced

    def foresee(self, stand_in: str = "") -> None:
        """Read and rehearse the operator's scripts; where one starts the service, what it starts is what counts.

        `stand_in` is the image that stands for one that is pulled before they run for real.
        """
        self._scripts = self._own(
            self.target.steps,
            lambda: operators.look(self.target, self.driver, self.engine.where.url, stand_in),
        )
        made = foreseen.creation_of(self._scripts, self.container_name)
        if not self._from_kept:
            self.operator_rendering = foreseen.rendering(self.by_files, made) if made else self.by_files

    def choose(self, start: Callable[[float], Command], *, takes_over: bool = False) -> None:
        """Let this be the start, whoever carries out that step otherwise; it is given a limit in seconds.

        `takes_over` has a container that Compose has not made removed before it: the start itself does not.
        """
        self.driver = Scripts(self.target, self.compose, self._unlabelled(), start, takes_over=takes_over)

    def freeze(self, stem: Path) -> bool:
        """Let the start go by what was rendered when the plan was made; false where it goes by something else already.

        What Compose cannot read back is no start either: that is a finding, and whoever lets it be starts by the files.
        """
        if self._from_kept or self.driver.own(steps_by.START, 1.0) or self.by_files.unread:
            return False
        places = rendered.places(stem, self.target.compose_files)
        needs_env = any(
            "environment" in one
            for part in ("secrets", "configs")
            for one in (self.model.get(part) or {}).values()
        )
        self.frozen = self.compose.of_rendered(self.project, places, without_env_file=not needs_env)
        return True

    def rehearse_frozen(self) -> None:
        """Let later looks rehearse the very start that goes by what was rendered, now that it is kept."""
        self._starting = self.frozen

    def start_from(self, start: Callable[[float], Command], rendered: Rendering) -> None:
        """Let what is started, and all that is foreseen of it, go by what was kept and not by the files."""
        self._from_kept = True
        self.operator_rendering = rendered
        self.choose(start)

    def image_by_files(self) -> Image | Unseen:
        """Return the image that a start by the target's own files would run."""
        return _seen(lambda: self._image(self.by_files.image))

    @property
    def typed_by_files(self) -> tuple[str, ...]:
        """The start by the target's own files, as it is typed."""
        return Scripts(self.target, self.compose).typed_start

    def _unlabelled(self) -> Container | None:
        return next((one for one in self.containers() if PROJECT not in one.labels), None)

    def look_at_configured(self, superseded: Settings | Unseen | None = None) -> None:
        """Look from now on where the target's files say that the service is; `superseded` are credentials of before."""
        self._view = self._database_view = None
        self._superseded = superseded if isinstance(superseded, Settings) else None

    def look_at_kept(self, before: Snapshot) -> None:
        """Look from now on at the service and its database as they were before, for a way back."""
        self._view = _view_of(before.containers, before.running_settings)
        self._database_view = before.running_settings
        self._superseded = None

    def containers(self) -> tuple[Container, ...]:
        """Return the service's containers: by their labels, or by the exact name where a script may have made one."""
        found = self.engine.by_service(self.project, self.target.service)
        if not self.target.found_by_name:
            return found
        named = self.engine.unowned(self.container_name)
        return (*found, named) if named else found

    def _neighbours(self) -> tuple[Neighbour, ...]:
        ours = frozenset(one.id for one in self.containers())
        return self.engine.neighbours(self.project, self.target.service, ours)

    def databases(self) -> tuple[Container, ...]:
        return self.engine.by_service(self.project, self.target.database_service)

    def before(self, name: str = "before") -> Snapshot:
        """See everything that can be seen while nothing is changed."""
        began, taken_at = time.monotonic(), now()
        # Not beside the other looks: whatever a command of the operator's leaves behind is told by who is there.
        if (name == "before" and self._scripts is None) or (name == "ready" and self.asks_registry):
            self.foresee()  # after a pull anew: a name may lead a script elsewhere now
        claimed = self._own(self.target.validate, self._validate) if name == "ready" else None
        with ThreadPoolExecutor(8) as pool:
            engine = pool.submit(_seen, self._engine)
            containers = pool.submit(_seen, self.containers)
            databases = pool.submit(_seen, self.databases)
            neighbours = pool.submit(_seen, self._neighbours)
            networks = pool.submit(_seen, self.engine.networks)
            by_file = pool.submit(_seen, self._rendered_by_file)
            rehearsed = pool.submit(
                lambda: (
                    None  # what was kept is no start of Compose's
                    if self._from_kept
                    else _seen(
                        lambda: rendering.dry_run(self._starting.rehearse_start(self.target.budgets.look * 2))
                    )
                )
            )
            image = pool.submit(_seen, lambda: self._image(self.operator_rendering.image))
            running_image = pool.submit(_seen, lambda: self._image_of(containers))
            self._open_lookouts(databases.result())
            here = image.result()
            self._read_settings(
                containers.result(), here if isinstance(here, Image) else running_image.result()
            )
            self.configured_edition = edition_of_image(here)
            self._present_edition = edition_of_image(running_image.result())
            if self.changes_settings:
                self._view = _view_of(containers.result(), self.running_settings)
            inside, outside = self._inside, self._outside
            database = pool.submit(_seen, self._look_at_database)
            listening = pool.submit(_seen, self._listeners)
            server = pool.submit(_seen, self._server)
            itself = pool.submit(self.direct)
            written = pool.submit(_seen, lambda: self._folders(containers.result(), self.running_settings))
            machine = pool.submit(
                _seen,
                lambda: host.look(
                    self.target,
                    _or_none(outside) or _or_none(inside),
                    self.target.budgets.look,
                    frozenset(one.host_port for one in self.operator_rendering.bindings),
                ),
            )
            self.file_rendering = self._with_settings(by_file.result())
            needs = pool.submit(_seen, lambda: operators.needs(self.target, self.engine, listening.result()))
            return Snapshot(
                name=name,
                taken_at=taken_at,
                engine=engine.result(),
                containers=containers.result(),
                database_containers=databases.result(),
                neighbours=neighbours.result(),
                networks=networks.result(),
                listeners=listening.result(),
                operator_rendering=self.operator_rendering,
                file_rendering=self.file_rendering,
                dry_run=rehearsed.result(),
                image=here,
                announced=self.announced() if self.asks_registry else None,
                running_image=running_image.result(),
                running_settings=self.running_settings,
                whole_dry_run=self._whole_dry_run() if self.applies else None,
                present_database=self._present_database() if self.applies else None,
                database=database.result(),
                server=server.result(),
                direct=itself.result(),
                folders=written.result(),
                host=machine.result(),
                files=host.files(self.target, self._script_files),
                scripts=self._scripts,
                needs=needs.result(),
                validations=claimed,
                took=time.monotonic() - began,
            )

    def stopped(self) -> Snapshot:
        """See what is instant: this look is part of the outage."""
        began, taken_at = time.monotonic(), now()
        with ThreadPoolExecutor(4) as pool:
            containers = pool.submit(_seen, self.containers)
            databases = pool.submit(_seen, self.databases)
            listening = pool.submit(_seen, self._listeners)
            database = pool.submit(_seen, lambda: self._database(postgres.look_quickly))
            return Snapshot(
                name="stopped",
                taken_at=taken_at,
                containers=containers.result(),
                database_containers=databases.result(),
                listeners=listening.result(),
                database=database.result(),
                took=time.monotonic() - began,
            )

    def after(self) -> Snapshot:
        """See what there is once the service has been started and has soaked."""
        began, taken_at = time.monotonic(), now()
        claimed = self._own(self.target.validate, self._validate)
        with ThreadPoolExecutor(8) as pool:
            engine = pool.submit(_seen, self.engine.engine)
            containers = pool.submit(_seen, self.containers)
            databases = pool.submit(_seen, self.databases)
            neighbours = pool.submit(_seen, self._neighbours)
            running_image = pool.submit(_seen, lambda: self._image_of(containers))
            listening = pool.submit(_seen, self._listeners)
            server = pool.submit(_seen, self._server)
            itself = pool.submit(self.direct)
            database = pool.submit(_seen, self._look_at_database)
            given = pool.submit(_seen, lambda: self._given(containers.result()))
            written = pool.submit(_seen, lambda: self._folders(containers.result(), given.result()))
            return Snapshot(
                name="after",
                taken_at=taken_at,
                engine=engine.result(),
                containers=containers.result(),
                database_containers=databases.result(),
                neighbours=neighbours.result(),
                listeners=listening.result(),
                running_image=running_image.result(),
                running_settings=given.result(),
                database=database.result(),
                server=server.result(),
                direct=itself.result(),
                folders=written.result(),
                validations=claimed,
                took=time.monotonic() - began,
            )

    def secrets(self) -> dict[Secret, str]:
        """Return every secret value that was met, whoever uses it, by the name of the key that held it first."""
        renderings = [self.operator_rendering, self.by_files]
        environments = [part for one in renderings for part in (one.environment, one.interpolation)]
        if isinstance(self.file_rendering, Rendering):
            environments.append(self.file_rendering.interpolation)
            renderings.append(self.file_rendering)
        containers = (*self.containers(), *self.databases())
        environments += [one.environment for one in containers]
        typed = steps_by.environments(self.target.steps, self.target.validate)
        environments += [environment_of(one) for one in typed]
        environments += operators.environments(self._scripts)
        found = known_secrets(environments, self.target.secret_keys)
        for value, name in secrets_in_commands((*renderings, *containers)).items():
            found.setdefault(value, name)
        for what, settings in (
            ("the new settings", self.settings),
            ("the present settings", self.running_settings),
        ):
            for key, value in secrets_of(settings).items():
                found.setdefault(value, f"{key} of {what}")
        return found

    def _own(self, named: Sequence[object], look: Callable[[], T]) -> T | Unseen | None:
        """Look at something of the operator's own, where the target file names it."""
        return _seen(look) if named else None

    def _validate(self) -> tuple[ValidationSeen, ...]:
        return validations.look(self.target, self.driver)

    @property
    def _script_files(self) -> tuple[Path, ...]:
        return tuple(Path(one.file) for one in known(self._scripts) if not one.problem)

    def close(self) -> None:
        """Take the lookouts away."""
        for one in (self._inside, self._outside):
            if isinstance(one, lookout.Lookout):
                one.close()
        self._inside = self._outside = None

    def _engine(self) -> Engine:
        seen = self.engine.engine()
        self.skew = seen.skew
        return seen

    def _rendered_by_file(self) -> Rendering:
        if self._from_kept:
            return self.operator_rendering  # what was kept asks no env file
        return self._rendered(rendering.by_file)

    def _rendered(self, render: Callable[[Target, Compose, tuple[str, ...]], T]) -> T:
        names = {name for one in self.target.env_files for name in env_file.read(one).names}
        return render(self.target, self.compose, tuple(sorted(names | set(self.target.keys.names))))

    def _open_lookouts(self, databases: tuple[Container, ...] | Unseen) -> None:
        if self._inside is not None:
            return
        image = databases[0].image_id if isinstance(databases, tuple) and databases else ""
        image = image or self.operator_rendering.database_image or self.operator_rendering.image
        lifetime = self.target.budgets.run + 60
        network = self._network = lookout.place(self.operator_rendering.networks, databases)

        def opened(role: str, place: str) -> lookout.Lookout:
            return lookout.Lookout(self.engine, f"kestra-restart-{role}-{self._run}", image, place, lifetime)

        with ThreadPoolExecutor(2) as pool:
            inside = pool.submit(_seen, lambda: opened("inside", network))
            outside = pool.submit(_seen, lambda: opened("outside", "host"))
            self._inside, self._outside = inside.result(), outside.result()

    def _read_settings(self, containers: tuple[Container, ...] | Unseen, image: Image | Unseen) -> None:
        with ThreadPoolExecutor(2) as pool:
            given = pool.submit(_seen, lambda: self._given(containers))
            new = pool.submit(
                _seen, lambda: self._configuration.read(self.operator_rendering.environment, image)
            )
            self.running_settings = given.result()
            self.operator_rendering = dataclasses.replace(self.operator_rendering, settings=new.result())

    def _with_settings(self, rendered: Rendering | Unseen) -> Rendering | Unseen:
        """Read the other rendering's configuration; the image's echo is asked again only where the text differs."""
        if isinstance(rendered, Unseen):
            return rendered
        mine = self.operator_rendering
        if rendered.environment == mine.environment:
            return dataclasses.replace(rendered, settings=mine.settings)
        read = _seen(lambda: self._configuration.read(rendered.environment, self._image(rendered.image)))
        return dataclasses.replace(rendered, settings=read)

    def _given(self, containers: tuple[Container, ...] | Unseen) -> Settings:
        if isinstance(containers, Unseen) or len(containers) != 1:
            raise CannotObserve("there is no single container whose configuration could be read")
        one = containers[0]
        return self._configuration.read(one.environment, self._image(one.image_id))

    def _folders(
        self, containers: tuple[Container, ...] | Unseen, settings: Settings | Unseen | None
    ) -> tuple[Folder, ...]:
        if isinstance(containers, Unseen) or len(containers) != 1 or not containers[0].running:
            raise CannotObserve("there is no single running container that could be asked what it can write")
        if not isinstance(settings, Settings):
            raise CannotObserve("what the server must write was not seen: its settings were not read")
        return folders.look(self.engine, containers[0], settings, self.target.budgets.look)

    def _image(self, reference: str) -> Image:
        found = self.engine.image(reference)
        if found is None:
            raise CannotObserve(f"the image {reference!r} is not on this engine")
        return found

    def _image_of(self, containers: Future[tuple[Container, ...] | Unseen]) -> Image:
        found = containers.result()
        if isinstance(found, Unseen) or len(found) != 1:
            raise CannotObserve("there is no single container whose image could be looked at")
        return self._image(found[0].image_id)

    def _database(self, look: Callable[[lookout.Lookout, Settings, float], Database]) -> Database:
        settings = self._database_view or self.operator_rendering.settings
        if missing := postgres.settings_missing(settings):
            raise missing
        if isinstance(settings, Unseen) or not isinstance(self._inside, lookout.Lookout):
            raise _no_place("there is no place in the service's network to log in from", self._inside)
        found = look(self._inside, settings, self.target.budgets.look)
        return sessions.marked(found, _seen(self.engine.addresses))

    def _look_at_database(self) -> Database:
        return self._database(
            lambda inside, settings, limit: postgres.look(inside, settings, limit, self.noted)
        )

    def _listeners(self) -> tuple[Listener, ...]:
        if not isinstance(self._outside, lookout.Lookout):
            raise _no_place("the engine host's sockets cannot be seen", self._outside)
        return lookout.listeners(self._outside, self.target.budgets.look)

    def _whole_dry_run(self) -> DryRun | Unseen:
        return _seen(lambda: rendering.dry_run(self.compose.rehearse_all(self.target.budgets.look * 2)))

    def _present_database(self) -> Database | Unseen:
        """Log in as the present container does, to know whether its values would still work, and where they lead."""

        def look() -> Database:
            settings = self.running_settings
            if not isinstance(settings, Settings) or not isinstance(self._inside, lookout.Lookout):
                raise CannotObserve(
                    "the present container's settings, or a place to log in from, were not seen"
                )
            return postgres.look(self._inside, settings, self.target.budgets.look)

        return _seen(look)

    def database(self) -> Database | Unseen:
        """Log in to the database alone."""
        return _seen(self._look_at_database)

    def server(self) -> Server | Unseen:
        """Ask the service alone."""
        return _seen(self._server)

    def server_at(self, container: Container) -> Server | Unseen:
        """Ask the service at the ports that a container publishes, whoever has chosen them."""
        view = self._view
        self._view = View(Unseen("nobody has read its settings yet"), container.bindings)
        try:
            return self.server()
        finally:
            self._view = view

    def direct(self) -> Direct | Unseen:
        """Ask the server itself, inside its network, whatever lies between it and us."""
        limit, paths = self.target.budgets.look / 2, self.edition.paths
        return _seen(lambda: direct.look(*self._itself(), limit, paths=paths, pace=self.pace))

    def glance(self) -> Direct | Unseen:
        """Ask the server itself as `direct` does, but once: whoever waits asks again in a moment."""
        limit, paths = self.target.budgets.look / 2, self.edition.paths
        return _seen(lambda: direct.look(*self._itself(), limit, paths=paths))

    def _itself(self) -> tuple[lookout.Lookout, str, str, str]:
        """Return from where the server itself is asked, and at which address and ports."""
        found = self.containers()
        if len(found) != 1 or not found[0].running:
            raise CannotObserve("there is no single running container to ask")
        if not isinstance(self._inside, lookout.Lookout):
            raise CannotObserve("there is no place in the service's network to ask from")
        return (
            self._inside,
            direct.address_of(self.engine, found[0].id, self._network),
            self.target.http_container_port,
            self.target.management_container_port,
        )

    def _server(self) -> Server:
        return kestra.look(
            self.url(self.target.http_url),
            self.url(self.target.management_url),
            self.settings,
            self.target.budgets.look / 2,
            self._superseded,
            paths=self.edition.paths,
            pace=self.pace,
        )


def _view_of(containers: tuple[Container, ...] | Unseen, settings: Settings | Unseen | None) -> View | None:
    if isinstance(containers, Unseen) or len(containers) != 1 or not isinstance(settings, Settings):
        return None
    return View(settings, containers[0].bindings)


def _host_port(bindings: tuple[Binding, ...], container_port: str) -> int:
    """Return the host port that a container's port is published on; 0 where it is not."""
    return next((one.host_port for one in bindings if one.container_port == container_port), 0)


def _seen(look: Callable[[], T]) -> T | Unseen:
    try:
        return look()
    except CannotObserve as error:
        return Unseen(error.what, error.next_move)
    except Exception as error:  # noqa: BLE001 - unknown, and the other looks go on: one of them may be the outage's
        return Unseen(
            f"an error of this suite's own: {type(error).__name__}: {error}", "report it with this record"
        )


def _no_place(what: str, lookout_: lookout.Lookout | Unseen | None) -> CannotObserve:
    """Return what is said where there is no lookout to look from."""
    why = lookout_ if isinstance(lookout_, Unseen) else Unseen("no lookout was opened")
    return CannotObserve(f"{what}: {why.unseen}", why.next_move)


def _or_none(one: lookout.Lookout | Unseen | None) -> lookout.Lookout | None:
    return one if isinstance(one, lookout.Lookout) else None
