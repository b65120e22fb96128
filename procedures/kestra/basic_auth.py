"""Kestra's own rule for a basic-auth user and password."""

from __future__ import annotations

from procedures.kestra.editions import edition_of, first_that
from reports.record.observed import Settings

_LONGEST = 256
ALWAYS_ON_SINCE = first_that(lambda edition: not edition.auth_can_be_off).since
_RULED_SINCE = first_that(lambda edition: edition.rules_password).since


def problem(settings: Settings, version: str) -> str:
    """Return why this version of Kestra rejects the user or password; empty if it accepts them."""
    user = settings.basic_auth_user
    password = settings.basic_auth_password.value if settings.basic_auth_password else ""
    if not (user and password):
        return "the basic-auth user or password is blank; a blank password lets everybody in"
    if "@" not in user.strip("@"):
        return "the basic-auth user is no e-mail address"
    if len(user) > _LONGEST or len(password) > _LONGEST:
        return f"user or password is longer than {_LONGEST} characters"
    fit = len(password) >= 8 and any(map(str.isupper, password)) and any(map(str.islower, password))
    if edition_of(version).rules_password and not (fit and any(map(str.isdigit, password))):
        return (
            f"from {_RULED_SINCE} on a password needs eight characters with an upper-case letter, a lower-case letter "
            "and a digit; the server would keep the old one and say nothing"
        )
    return ""
