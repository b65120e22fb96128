"""Kestra's own rule for a basic-auth user and password."""

from __future__ import annotations

from reports.record.observed import Settings

RULED_VERSION = (0, 24)
_LONGEST = 256


def problem(settings: Settings, version: str) -> str:
    """Return what this version of Kestra objects to in user or password; empty where it takes them."""
    user = settings.basic_auth_user
    password = settings.basic_auth_password.value if settings.basic_auth_password else ""
    if not (user and password):
        return "the basic-auth user or password is blank; a blank password lets everybody in"
    if "@" not in user.strip("@"):
        return "the basic-auth user is no e-mail address"
    if len(user) > _LONGEST or len(password) > _LONGEST:
        return f"user or password is longer than {_LONGEST} characters"
    fit = len(password) >= 8 and any(map(str.isupper, password)) and any(map(str.islower, password))
    if number_of(version) >= RULED_VERSION and not (fit and any(map(str.isdigit, password))):
        return (
            "from 0.24 on a password needs eight characters with an upper-case letter, a lower-case letter and a "
            "digit; the server would keep the old one and say nothing"
        )
    return ""


def number_of(version: str) -> tuple[int, int]:
    """Return major and minor; an image without a version is an old one."""
    words = version.removeprefix("v").split(".")
    if len(words) > 1 and words[0].isdigit() and words[1].isdigit():
        return int(words[0]), int(words[1])
    return 0, 0
