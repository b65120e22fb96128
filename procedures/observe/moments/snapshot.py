"""Which looks make up which moment. The looks of a moment are taken side by side."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from procedures.kestra.editions import edition_of_image
from procedures.observe import host
from procedures.observe.moments.attempt import attempt
from procedures.observe.moments.observers import Observers
from reports.record.observed import Image, Snapshot
from reports.record.values import now


@dataclass(frozen=True, slots=True)
class Looks:
    """What a procedure has looked at besides, before it changes anything."""

    registry: bool = False
    """What the registry announces: the procedure pulls."""
    present_view: bool = False
    """The service as its container was made: the files may say other settings and ports by now."""
    new_settings: bool = False
    """The start of every service, and the present settings: the procedure applies new ones."""


def look_before(observers: Observers, looks: Looks, name: str = "before") -> Snapshot:
    """Look at everything that can be seen while nothing is changed."""
    began, taken_at = time.monotonic(), now()
    start = observers.start
    # Not beside the other looks: what an operator's command leaves behind is recognised by who is there.
    if (name == "before" and start.scripts is None) or (name == "ready" and looks.registry):
        start.foresee()  # again after a pull: a name may lead a script elsewhere now
    claimed = observers.validations() if name == "ready" else None
    with ThreadPoolExecutor(8) as pool:
        engine = pool.submit(attempt, observers.engine_now)
        containers = pool.submit(attempt, observers.containers)
        databases = pool.submit(attempt, observers.databases)
        neighbours = pool.submit(attempt, observers.neighbours)
        networks = pool.submit(attempt, observers.engine.networks)
        by_file = pool.submit(attempt, start.rendered_by_file)
        rehearsed = pool.submit(start.dry_run)
        image = pool.submit(attempt, start.image)
        running_image = pool.submit(attempt, lambda: observers.running_image(containers.result()))
        observers.lookouts.open(start.rendering, databases.result())
        here = image.result()
        observers.read_settings(
            containers.result(), here if isinstance(here, Image) else running_image.result()
        )
        view = observers.viewpoint
        view.configured_edition = edition_of_image(here)
        view.present_edition = edition_of_image(running_image.result())
        if looks.present_view:
            view.look_at_present(containers.result(), observers.running_settings)
        database = pool.submit(observers.database)
        listening = pool.submit(attempt, observers.listeners)
        server = pool.submit(observers.server)
        itself = pool.submit(observers.direct)
        written = pool.submit(
            attempt, lambda: observers.folders(containers.result(), observers.running_settings)
        )
        machine = pool.submit(attempt, observers.host)
        observers.read_file_settings(by_file.result())
        needs = pool.submit(attempt, lambda: observers.needs(listening.result()))
        return Snapshot(
            name=name,
            taken_at=taken_at,
            engine=engine.result(),
            containers=containers.result(),
            database_containers=databases.result(),
            neighbours=neighbours.result(),
            networks=networks.result(),
            listeners=listening.result(),
            operator_rendering=start.rendering,
            file_rendering=observers.file_rendering,
            dry_run=rehearsed.result(),
            image=here,
            announced=observers.announced() if looks.registry else None,
            running_image=running_image.result(),
            running_settings=observers.running_settings,
            whole_dry_run=start.whole_dry_run() if looks.new_settings else None,
            present_database=observers.present_database() if looks.new_settings else None,
            database=database.result(),
            server=server.result(),
            direct=itself.result(),
            folders=written.result(),
            host=machine.result(),
            files=host.files(observers.target, start.script_files),
            scripts=start.scripts,
            needs=needs.result(),
            validations=claimed,
            took=time.monotonic() - began,
        )


def look_stopped(observers: Observers) -> Snapshot:
    """Look only at what is instant: this look is part of the outage."""
    began, taken_at = time.monotonic(), now()
    with ThreadPoolExecutor(4) as pool:
        containers = pool.submit(attempt, observers.containers)
        databases = pool.submit(attempt, observers.databases)
        listening = pool.submit(attempt, observers.listeners)
        database = pool.submit(observers.database_quickly)
        return Snapshot(
            name="stopped",
            taken_at=taken_at,
            containers=containers.result(),
            database_containers=databases.result(),
            listeners=listening.result(),
            database=database.result(),
            took=time.monotonic() - began,
        )


def look_after(observers: Observers, name: str = "after") -> Snapshot:
    """Look at the service once it was started and has soaked."""
    began, taken_at = time.monotonic(), now()
    claimed = observers.validations()
    with ThreadPoolExecutor(8) as pool:
        engine = pool.submit(attempt, observers.engine.engine)
        containers = pool.submit(attempt, observers.containers)
        databases = pool.submit(attempt, observers.databases)
        neighbours = pool.submit(attempt, observers.neighbours)
        running_image = pool.submit(attempt, lambda: observers.running_image(containers.result()))
        listening = pool.submit(attempt, observers.listeners)
        server = pool.submit(observers.server)
        itself = pool.submit(observers.direct)
        database = pool.submit(observers.database)
        given = pool.submit(attempt, lambda: observers.given_settings(containers.result()))
        written = pool.submit(attempt, lambda: observers.folders(containers.result(), given.result()))
        return Snapshot(
            name=name,
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
