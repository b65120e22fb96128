"""The baseline: what post checks compare with, and its source."""

from __future__ import annotations

from dataclasses import dataclass

from procedures.kestra.health import pongs
from reports.record.observed import Database, Image, Snapshot, Unseen


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was there before; `source` says where that was read."""

    source: str
    version: str | Unseen
    instance_id: str | Unseen
    flows: tuple[str, ...] | Unseen
    executions: tuple[str, ...] | Unseen
    schema: tuple[str, ...] | Unseen
    image_id: str | Unseen


def schema_of(database: Database) -> tuple[str, ...] | Unseen:
    """Return the versions of the migrations that succeeded, in order."""
    found = database.migrations
    return found if isinstance(found, Unseen) else tuple(one.version for one in found if one.success)


def of(before: Snapshot) -> Baseline:
    """Take the baseline from the running server if it answers, and from nothing else then; otherwise from the database."""
    server, database = before.server, before.database
    if database is None or isinstance(database, Unseen):
        from_database = database or Unseen("the database was not looked at")
        instance: str | Unseen = from_database
        flows: tuple[str, ...] | Unseen = from_database
        executions: tuple[str, ...] | Unseen = from_database
        schema: tuple[str, ...] | Unseen = from_database
    else:
        instance = (
            database.instance_id if database.instance_id is not None else Unseen("no instance id was stored")
        )
        flows = database.flows
        executions = (
            database.executions
            if isinstance(database.executions, Unseen)
            else tuple(one.id for one in database.executions)
        )
        schema = schema_of(database)
    image = before.running_image if isinstance(before.running_image, Image) else before.image
    image_id = image.id if isinstance(image, Image) else Unseen("no image was seen before")
    if server is None or isinstance(server, Unseen) or not pongs(server.ping):
        version = (
            (image.version or Unseen("the image carries no version"))
            if isinstance(image, Image)
            else image_id
        )
        return Baseline("the database", version, instance, flows, executions, schema, image_id)
    return Baseline(
        "the running server",
        server.version,
        server.instance_id if not isinstance(server.instance_id, Unseen) else instance,
        server.flows if not isinstance(server.flows, Unseen) else flows,
        server.executions if not isinstance(server.executions, Unseen) else executions,
        schema,
        image_id,
    )
