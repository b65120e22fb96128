"""What the table `settings` keeps: the instance id, the version that ran last, and the basic-auth user."""

from __future__ import annotations

import hashlib
import secrets

from .configuration import BasicAuth
from .database import Cursor
from .document import new_id, to_json

_UUID = "instance.uuid"
_VERSION = "instance.version"
_AUTH = "kestra.server.basic-auth"


def instance_id(cursor: Cursor) -> str:
    """The id of this database's instance, made at the very first boot."""
    cursor.execute(
        "INSERT INTO settings (key, value) VALUES (%s, %s) ON CONFLICT (key) DO NOTHING",
        (_UUID, to_json({"key": _UUID, "value": new_id()})),
    )
    cursor.execute("SELECT value ->> 'value' FROM settings WHERE key = %s", (_UUID,))
    return str(cursor.fetchone()[0])


def replace_instance_id(cursor: Cursor) -> None:
    cursor.execute("DELETE FROM settings WHERE key = %s", (_UUID,))


def note_version(cursor: Cursor, version: str) -> None:
    """Keep which version runs on this database now."""
    cursor.execute(
        "INSERT INTO settings (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (_VERSION, to_json({"key": _VERSION, "value": version})),
    )


def save_basic_auth(cursor: Cursor, auth: BasicAuth | None) -> None:
    """Keep the configured user with a salted hash, or remove it where auth is off."""
    cursor.execute("DELETE FROM settings WHERE key = %s", (_AUTH,))
    if auth is None:
        return
    salt = secrets.token_hex(16)
    hashed = hashlib.sha512(f"{salt}|{auth.password}".encode()).hexdigest()
    value = {
        "salt": salt,
        "realm": auth.realm,
        "enabled": True,
        "openUrls": ["/ping", "/api/v1/executions/webhook/"],
        "password": hashed,
        "username": auth.username,
    }
    cursor.execute(
        "INSERT INTO settings (key, value) VALUES (%s, %s)", (_AUTH, to_json({"key": _AUTH, "value": value}))
    )
