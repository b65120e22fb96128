"""Files that Compose copied into a container: secrets and configs that are given as text or as a variable.

They are in no mount and no image, so a container that is made again has them only if they are put there.
"""

from __future__ import annotations

import base64
import io
import tarfile

import docker.errors

from procedures.observe.engine.description import Described
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.rendering import SECRETS
from procedures.problems import CannotObserve

MOST = 16 * 1024 * 1024
"""Bytes; a secret or a config has a few hundred."""
_ADDED = 1


def out_of(engine: EngineObserver, container: Described, named: tuple[str, ...]) -> dict[str, str]:
    """Return an archive of each copied file, in Base64, by its path; `named` are the paths that the files give."""
    api = engine.client.api
    mounted = {one["Destination"] for one in container.get("Mounts") or ()}
    with engine.reading(f"the files in {container['Name'].lstrip('/')}"):
        changed = api.diff(container["Id"]) or ()
        added = {one["Path"] for one in changed if one["Kind"] == _ADDED and one["Path"].startswith(SECRETS)}
        files = {}
        for path in sorted((added | set(named)) - mounted):
            if archive := _archive(engine, container["Id"], path):
                files[path] = base64.b64encode(archive).decode()
        return files


def into(engine: EngineObserver, container: str, files: dict[str, str]) -> None:
    """Put the files where they were, with their owners and modes."""
    for archive in files.values():
        engine.client.api.put_archive(container, "/", base64.b64decode(archive))


def _archive(engine: EngineObserver, container: str, path: str) -> bytes:
    """Return a file as an archive that is unpacked at the root; nothing if there is no file, or a folder."""
    try:
        parts, _ = engine.client.api.get_archive(container, path)
    except docker.errors.NotFound:
        return b""
    found = b""
    for part in parts:
        found += part
        if len(found) > MOST:
            raise CannotObserve(f"{path} has more than {MOST} bytes, so it is not kept")
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(found)) as given, tarfile.open(fileobj=made, mode="w") as archive:
        for member in given:
            if not member.isfile():
                return b""
            content = given.extractfile(member)
            member.name = path.lstrip("/")
            archive.addfile(member, content)
    return made.getvalue()
