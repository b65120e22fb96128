"""The values that are known to be secret; every output takes them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from procedures.kestra import configuration
from procedures.observe import rendering
from procedures.observe.engine import made
from reports.record.observed import Container, Rendering, Secret, Settings, Unseen
from reports.redaction.secret_names import secrets_among


def known_secrets(
    environments: Iterable[Mapping[str, str | Secret]], keys: tuple[str, ...]
) -> dict[Secret, str]:
    """Return the secret values of several environments with their names; a key may have a different value in each."""
    found: dict[Secret, str] = {}
    for one in environments:
        inside = configuration.secrets_in(str(one.get(configuration.VARIABLE, "")))
        for name, value in (*rendering.secrets_of(one, keys).items(), *inside.items()):
            found.setdefault(value, name)
    return found


def secrets_in_commands(containers: Iterable[Container | Rendering]) -> dict[Secret, str]:
    """Return the secrets in the command, entry point and health check of containers, with the part that holds each."""
    return {
        secret: label
        for one in containers
        for name, words in made.words_of(one.made or {}).items()
        for label, secret in secrets_among(name, words).items()
    }


def secrets_of(settings: Settings | Unseen | None) -> dict[str, Secret]:
    """Return the secrets that a server's settings hold, by name."""
    if settings is None or isinstance(settings, Unseen):
        return {}
    both = {"database password": settings.db_password, "basic-auth password": settings.basic_auth_password}
    return {name: value for name, value in both.items() if value}
