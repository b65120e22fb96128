"""Before and after, side by side: what changed, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reports.page.markup import Html, join, table, tag
from reports.page.words import digest, mark, short, utc
from reports.record.observed import Binding, Container, Database, Image, Server, Snapshot, Unseen
from reports.record.record import Record
from reports.record.values import Fingerprint

Look = Snapshot[Fingerprint]
Value = str | Unseen | None
"""What a row compares: a text; an `Unseen` if it could not be seen; None if this snapshot did not look."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison."""

    name: str
    read: Callable[[Look], Value]
    show: Callable[[str], Html] = lambda value: tag("span", value)


def to_comparison(record: Record) -> Html:
    """Return the table of the first snapshot and the last one, or why there is none."""
    if not record.snapshots:
        return tag("p", "No snapshot was taken: nothing is known of the service's state.")
    before = record.snapshot("before") or record.snapshots[0]
    others = [one for one in record.snapshots if one is not before]
    after = record.snapshot("after") or (others[-1] if others else None)
    if after is None:
        return _alone(before)
    rows = [_compare(row, before, after) for row in ROWS]
    return join(
        [
            table(
                _taken(before, after),
                ("What", before.name, after.name, "Change"),
                [row for row in rows if row is not None],
                "kr-compare",
            ),
            _environment(before, after),
        ]
    )


def _taken(before: Look, after: Look) -> Html:
    return tag(
        "span",
        f"“{before.name}” was taken at ",
        utc(before.taken_at),
        f", “{after.name}” at ",
        utc(after.taken_at),
        ".",
    )


def _alone(snapshot: Look) -> Html:
    rows = [(row.name, _shown(row, row.read(snapshot))) for row in ROWS if row.read(snapshot) is not None]
    words = tag(
        "p", f"Only “{snapshot.name}” was taken, at ", utc(snapshot.taken_at), ": nothing to compare with."
    )
    return join(
        [words, table(f"The service in “{snapshot.name}”", ("What", snapshot.name), rows, "kr-compare")]
    )


def _compare(row: Row, before: Look, after: Look) -> tuple[Html, ...] | None:
    then, now = row.read(before), row.read(after)
    if then is None and now is None:
        return None
    return tag("b", row.name), _shown(row, then), _shown(row, now), _change(then, now)


def _change(then: Value, now: Value) -> Html:
    if not isinstance(then, str) or not isinstance(now, str):
        return mark("not comparable", "warn")
    return tag("span", "same", class_="kr-same") if then == now else mark("changed", "change")


def _shown(row: Row, value: Value) -> Html:
    if value is None:
        return tag("i", "not looked at")
    if isinstance(value, Unseen):
        return tag("i", f"not observed: {value.sentence}")
    return row.show(value) if value else tag("i", "none")


def _container(read: Callable[[Container[Fingerprint]], str]) -> Callable[[Look], Value]:
    def value(snapshot: Look) -> Value:
        if isinstance(snapshot.containers, Unseen):
            return snapshot.containers
        if len(snapshot.containers) != 1:
            return "no container" if not snapshot.containers else f"{len(snapshot.containers)} containers"
        return read(snapshot.containers[0])

    return value


def _image(read: Callable[[Image[Fingerprint]], str]) -> Callable[[Look], Value]:
    def value(snapshot: Look) -> Value:
        image = snapshot.running_image
        return image if image is None or isinstance(image, Unseen) else read(image)

    return value


def _database(read: Callable[[Database], str | Unseen | None]) -> Callable[[Look], Value]:
    def value(snapshot: Look) -> Value:
        database = snapshot.database
        return database if database is None or isinstance(database, Unseen) else read(database)

    return value


def _server(read: Callable[[Server], str | Unseen]) -> Callable[[Look], Value]:
    def value(snapshot: Look) -> Value:
        server = snapshot.server
        return server if server is None or isinstance(server, Unseen) else read(server)

    return value


def _number(value: tuple[object, ...] | int | Unseen) -> str | Unseen:
    if isinstance(value, Unseen):
        return value
    return str(value if isinstance(value, int) else len(value))


def _schema(database: Database) -> str | Unseen:
    rows = database.migrations
    if isinstance(rows, Unseen):
        return rows
    done = [row for row in rows if row.success and row.version]
    return max(done, key=lambda row: row.rank).version if done else ""


def _answer(server: Server) -> str:
    health = server.health
    return f"{health.status} {health.body_status}".strip() if health.status else health.said


def _ports(bindings: tuple[Binding, ...]) -> str:
    ports = sorted(f"{one.host_ip}:{one.host_port} → {one.container_port}" for one in bindings)
    return ", ".join(ports)


def _digests(value: str) -> Html:
    return join((digest(one) for one in value.split()), ", ")


ROWS: tuple[Row, ...] = (
    Row("Container id", _container(lambda one: one.id), short),
    Row("Container's name", _container(lambda one: one.name)),
    Row("State", _container(lambda one: one.state)),
    Row("Health", _container(lambda one: one.health)),
    Row("Started at", _container(lambda one: one.started_at), utc),
    Row("Restart count", _container(lambda one: str(one.restart_count))),
    Row("Image", _container(lambda one: one.image), short),
    Row("Image id", _container(lambda one: one.image_id), short),
    Row("Image digests", _image(lambda one: " ".join(one.digests)), _digests),
    Row("Published ports", _container(lambda one: _ports(one.bindings))),
    Row("Version of the server", _server(lambda one: one.version)),
    Row("Health as the server reports it", _server(_answer)),
    Row("Instance id, server", _server(lambda one: one.instance_id), short),
    Row("Instance id, database", _database(lambda one: one.instance_id), short),
    Row("Login to the database", _database(lambda one: one.login)),
    Row("Version of the database", _database(lambda one: one.server_version)),
    Row("Schema version", _database(_schema)),
    Row("Migrations", _database(lambda one: _number(one.migrations))),
    Row("Flows", _database(lambda one: _number(one.flows))),
    Row("Executions (of the newest twenty)", _database(lambda one: _number(one.executions))),
    Row("Executions in flight", _database(lambda one: _number(one.running))),
    Row("Neighbours", lambda snapshot: _number(snapshot.neighbours)),
)


def _environment(before: Look, after: Look) -> Html:
    """Return which keys of the container's environment differ; values are compared, never shown."""
    then, now = before.container, after.container
    if then is None or now is None:
        return Html()
    keys = sorted(_different(then, now))
    if not keys:
        return tag("p", f"All {len(now.environment)} values of the container's environment are the same.")
    return tag("p", "Values of the container's environment that differ: ", join(map(_key, keys), ", "), ".")


def _different(then: Container[Fingerprint], now: Container[Fingerprint]) -> Iterator[str]:
    for key in then.environment.keys() | now.environment.keys():
        if then.environment.get(key) != now.environment.get(key):
            yield key


def _key(key: str) -> Html:
    return tag("code", key)
