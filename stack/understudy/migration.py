"""Migrations at boot, as Flyway does them for Kestra: known ones applied, changed ones refused, newer ones ignored.

From 2.0 on Kestra does them itself and keeps a history of its own; Flyway's, where there is one, stays as it was.
"""

from __future__ import annotations

import csv
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from . import log
from .database import Cursor, Pool
from .problem import Problem
from .release import Release

_HISTORY = """
CREATE TABLE flyway_schema_history (
    installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), description VARCHAR(200) NOT NULL,
    type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INT, installed_by VARCHAR(100) NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT now(), execution_time INT NOT NULL, success BOOL NOT NULL
)
"""
_OWN_HISTORY = """
CREATE TABLE kestra_migration_history (
    script_id VARCHAR(255) NOT NULL PRIMARY KEY, description VARCHAR(500) NOT NULL, checksum VARCHAR(64),
    installed_on TIMESTAMP NOT NULL DEFAULT now(), execution_ms BIGINT NOT NULL, success BOOLEAN NOT NULL
)
"""
_OWN = (
    ("0-init", "OSS PostgreSQL init: create full schema from scratch"),
    ("0-init-queue", "PostgreSQL queue init: create queues table"),
)
_OWN_UPGRADE = (
    ("2.0.01-upgrade", "OSS PostgreSQL upgrade: apply Kestra 2.0 schema changes on Flyway-managed databases"),
)
_BY_VERSION = {
    # What a migration changes in the schema of 1.25 that schema.sql has; an enum value needs no transaction
    # of its own in Postgres 12 or later as long as it is not used in the same one.
    "1.26": "ALTER TYPE state_type ADD VALUE IF NOT EXISTS 'SKIPPED'",
}
# Two servers that boot at once must not both create the tables.
_ALONE = "SELECT pg_advisory_xact_lock(77431)"
_VALIDATE = "o.f.core.internal.command.DbValidate"
_MIGRATE = "o.f.core.internal.command.DbMigrate"
_TABLE = "o.f.c.i.s.JdbcTableSchemaHistory"
_RUNNER = "MigrationRunner"


class ChecksumMismatch(Problem):
    """A migration that was applied is not the one that this version knows."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: str
    description: str
    script: str
    checksum: int


def known(count: int) -> tuple[Migration, ...]:
    """The first migrations of Kestra, in the order in which they are installed."""
    with (Path(__file__).parent / "migrations.csv").open(encoding="utf-8", newline="") as rows:
        every = [
            Migration(r["version"], r["description"], r["script"], int(r["checksum"]))
            for r in csv.DictReader(rows)
        ]
    return tuple(every[:count])


def migrate(pool: Pool, release: Release, server_version: str) -> None:
    """Bring the schema up to what this version knows, as this version does it."""
    if release.has_own_history:
        with pool.transaction() as cursor:
            cursor.execute(_ALONE)
            _migrate_itself(cursor)
        return
    _by_flyway(pool, known(release.migrations), server_version)


def is_beyond(cursor: Cursor, release: Release) -> bool:
    """Say whether a later version has made this schema into something that this one cannot use."""
    return not release.has_own_history and _exists(cursor, "kestra_migration_history")


def _migrate_itself(cursor: Cursor) -> None:
    if _exists(cursor, "kestra_migration_history"):
        return
    managed = _exists(cursor, "flyway_schema_history")
    if managed:
        log.info(_RUNNER, "Detected existing Flyway-managed schema")
    else:
        cursor.execute((Path(__file__).parent / "schema.sql").read_text(encoding="utf-8"))
        cursor.execute(_BY_VERSION["1.26"])
    cursor.execute(_OWN_HISTORY)
    for script, description in (*_OWN, *(_OWN_UPGRADE if managed else ())):
        log.info(_RUNNER, f"Applying migration [{script}]")
        cursor.execute(
            "INSERT INTO kestra_migration_history (script_id, description, checksum, execution_ms, success) "
            "VALUES (%s, %s, %s, 1, true)",
            (script, description, hashlib.sha256(script.encode()).hexdigest()),
        )
        log.info(_RUNNER, f"Migration [{script}] applied successfully in 1 ms")


def _by_flyway(pool: Pool, migrations: tuple[Migration, ...], server_version: str) -> None:
    log.info(
        "org.flywaydb.core.FlywayExecutor",
        f"Database: {pool.source.url} (PostgreSQL {server_version.split(maxsplit=1)[0]})",
    )
    with pool.transaction() as cursor:
        cursor.execute(_ALONE)
        applied = _applied(cursor)
        if applied is None:
            log.info(_TABLE, 'Schema history table "public"."flyway_schema_history" does not exist yet')
        _validate(migrations, applied or {})
        log.info(
            _VALIDATE,
            f"Successfully validated {len(applied or migrations)} migrations (execution time 00:00.010s)",
        )
        if applied is None:
            log.info(_TABLE, 'Creating Schema History table "public"."flyway_schema_history" ...')
            cursor.execute(_HISTORY)
        _apply(cursor, migrations, applied or {})


def _exists(cursor: Cursor, table: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f"public.{table}",))
    return bool(cursor.fetchone()[0])


def _applied(cursor: Cursor) -> dict[str, int] | None:
    if not _exists(cursor, "flyway_schema_history"):
        return None
    cursor.execute("SELECT version, checksum FROM flyway_schema_history ORDER BY installed_rank")
    return dict(cursor.fetchall())


def _validate(migrations: tuple[Migration, ...], applied: dict[str, int]) -> None:
    for migration in migrations:
        found = applied.get(migration.version, migration.checksum)
        if found != migration.checksum:
            raise ChecksumMismatch(
                f"Migration checksum mismatch for migration version {migration.version}\n"
                f"-> Applied to database : {found}\n"
                f"-> Resolved locally    : {migration.checksum}\n"
                "Either revert the changes to the migration, or run repair to update the schema history.",
            )


def _apply(cursor: Cursor, migrations: tuple[Migration, ...], applied: dict[str, int]) -> None:
    began = time.monotonic()
    current = max(applied, key=_order, default="<< Empty Schema >>")
    latest = migrations[-1].version
    log.info(_MIGRATE, f'Current version of schema "public": {current}')
    if applied and _order(current) > _order(latest):
        newer = f"({current}) that is newer than the latest available migration ({latest}) !"
        log.warn(_MIGRATE, f'Schema "public" has a version {newer}')
    pending = [migration for migration in migrations if migration.version not in applied]
    for migration in pending:
        _install(cursor, migration)
    if not pending:
        log.info(_MIGRATE, 'Schema "public" is up to date. No migration necessary.')
        return
    done = f"Successfully applied {len(pending)} migrations to schema"
    took = f"(execution time 00:{time.monotonic() - began:06.3f}s)"
    log.info(_MIGRATE, f'{done} "public", now at version v{latest} {took}')


def _install(cursor: Cursor, migration: Migration) -> None:
    log.info(
        _MIGRATE, f'Migrating schema "public" to version "{migration.version} - {migration.description}"'
    )
    if migration.version == "1.1":
        cursor.execute((Path(__file__).parent / "schema.sql").read_text(encoding="utf-8"))
    if migration.version in _BY_VERSION:
        cursor.execute(_BY_VERSION[migration.version])
    cursor.execute(
        "INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum, "
        "installed_by, execution_time, success) SELECT coalesce(max(installed_rank), 0) + 1, %s, %s, 'SQL', %s, %s, "
        "current_user, 5, true FROM flyway_schema_history",
        (migration.version, migration.description, migration.script, migration.checksum),
    )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
