"""What Kestra prints when it cannot boot: the exception that left its main thread."""

from __future__ import annotations

from .database import DatabaseUnreachable
from .migration import ChecksumMismatch


def pool(unreachable: DatabaseUnreachable) -> str:
    bean = "io.micronaut.context.exceptions.BeanInstantiationException"
    instantiating = "Error instantiating bean of type  [javax.sql.DataSource]"
    path = "Path Taken: DatasourceFactory.dataSource(DatasourceConfiguration datasourceConfiguration)"
    failed = f"Failed to initialize pool: {unreachable.message}"
    lines = [
        f'Exception in thread "main" {bean}: Bean definition [javax.sql.DataSource] could not be loaded: {instantiating}',
        f"\nMessage: {failed}\n{path}",
        f"Caused by: {bean}: {instantiating}",
        f"\nMessage: {failed}\n{path}",
        f"Caused by: com.zaxxer.hikari.pool.HikariPool$PoolInitializationException: {failed}",
        f"Caused by: org.postgresql.util.PSQLException: {unreachable.message}",
    ]
    if not unreachable.cause.endswith(unreachable.message):
        lines.append(f"Caused by: {unreachable.cause}")
    return "\n".join(lines)


def validation(mismatch: ChecksumMismatch) -> str:
    bean = (
        "io.micronaut.context.exceptions.BeanInstantiationException: Bean definition [javax.sql.DataSource]"
    )
    failed = "Validate failed: Migrations have failed validation"
    flyway = "org.flywaydb.core.api.exception.FlywayValidateException"
    return f'Exception in thread "main" {bean} could not be loaded: {failed}\n{mismatch}\nCaused by: {flyway}: {failed}'
