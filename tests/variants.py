"""Other images of the understudy, built on the real engine, for tests of what an update meets."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from docker.errors import ImageNotFound

from procedures.way_back.way_back import REPOSITORY
from tests.leftovers import own_name
from tests.stacks import SOURCE, UNDERSTUDY_IMAGE, clean_environment, engine, run

NEWER_SCHEMA_IMAGE = "kestra-understudy:0.21.0"
# More than a registry's front calls a layer; random, so that it cannot be compressed.
FILLER = 200_000
_FAULT = 'export UNDERSTUDY="${UNDERSTUDY:-} %s"\n'


class Flaw(StrEnum):
    """What is wrong with an image; the value is what its entry point does before anything else."""

    NONE = ""
    EXITS = "echo 'no such file: /app/kestra' >&2; exit 1\n"
    """Ends with 1 before it has touched the database."""
    LEAVES_A_MARK = "touch /app/storage/mark; echo 'ERROR it does not know this storage' >&2; exit 1\n"
    """Ends with 1, and has left something in the storage."""
    FEARS_THE_MARK = (
        "if [ -e /app/storage/mark ]; then echo 'ERROR this storage is a newer one' >&2; exit 1; fi\n"
    )
    """Ends with 1 where another image has left something in the storage."""
    CRASHES = _FAULT % "crash-at-boot"
    """Ends with 1 in the middle of its boot, when the schema has moved."""
    NEVER_READY = _FAULT % "hang"
    """Runs, accepts connections, answers nothing; the schema has moved."""
    UNHEALTHY = _FAULT % "unhealthy-body"
    """Answers everything, and says of itself that it is DOWN."""


@contextmanager
def variant(
    version: str,
    *,
    base: str = UNDERSTUDY_IMAGE,
    flaw: Flaw = Flaw.NONE,
    user: str = "",
    says: str = "",
) -> Iterator[str]:
    """An image of this version with a layer of its own; its name. Entry point and settings are the base's.

    Migrations follow the version: from 0.21.0 on the schema moves, on whatever base. `user` is another one to run as;
    what it `says` its server writes into its log at every boot.
    """
    with _named(version) as name, TemporaryDirectory() as folder:
        _write_context(Path(folder), version, base, flaw, user, says)
        # The classic builder: the other one would ask a registry for its front end.
        run(
            ["docker", "build", "--quiet", "--network", "none", "--tag", name, folder],
            cwd=Path(folder),
            env=clean_environment(DOCKER_BUILDKIT="0"),
        )
        yield name


@contextmanager
def foreign_variant(version: str, architecture: str = "arm64") -> Iterator[str]:
    """An image that says of itself that it is for another architecture, with the understudy's labels; its name."""
    with _named(version) as name, TemporaryDirectory() as folder:
        (Path(folder) / "kestra").write_bytes(secrets.token_bytes(FILLER))
        files = Path(folder) / "files.tar"
        with tarfile.open(files, "w") as tar:
            tar.add(Path(folder) / "kestra", "app/kestra")
        changes = [*_labels(version), 'ENTRYPOINT ["/app/kestra"]', 'CMD ["--help"]']
        options = [word for change in changes for word in ("--change", change)]
        run(["docker", "import", *options, str(files), name], cwd=Path(folder))
        _relabel(name, architecture)
        yield name


def _relabel(name: str, architecture: str) -> None:
    """Write another architecture into an image's configuration, which no builder does for images without one."""
    with engine() as client:
        image = client.images.get(name)
        saved = io.BytesIO(b"".join(image.save(named=True)))
        client.images.remove(name, force=True)
        changed = io.BytesIO()
        with tarfile.open(fileobj=saved) as source, tarfile.open(fileobj=changed, mode="w") as target:
            (manifest,) = json.load(source.extractfile("manifest.json") or io.BytesIO())
            for member in source.getmembers():
                content = (source.extractfile(member) or io.BytesIO()).read() if member.isfile() else b""
                if member.name == manifest["Config"]:
                    content = json.dumps(json.loads(content) | {"architecture": architecture}).encode()
                    member.size = len(content)
                target.addfile(member, io.BytesIO(content))
        client.images.load(changed.getvalue())


@contextmanager
def _named(version: str) -> Iterator[str]:
    """A name of its own; whatever has it at the end is removed, and what a procedure has kept of it."""
    name = f"kestra-understudy-{own_name()}:{version}"
    try:
        yield name
    finally:
        with engine() as client, suppress(ImageNotFound):
            others = set(client.images.get(name).tags) - {name}
            client.images.remove(name, force=True)
            if all(one.startswith(f"{REPOSITORY}:") for one in others):
                for one in others:
                    client.images.remove(one, force=True)


def _write_context(folder: Path, version: str, base: str, flaw: Flaw, user: str, says: str) -> None:
    (folder / "filler").write_bytes(secrets.token_bytes(FILLER))
    (folder / "words").write_text(says)
    # The server is that of this checkout, however old the image below it is.
    server = folder / "understudy"
    shutil.copytree(SOURCE / "understudy", server, ignore=shutil.ignore_patterns("__pycache__"))
    entry = server / "entrypoint.sh"
    entry.write_text(f"#!/bin/sh\ncat /app/words\n{flaw}{entry.read_text()}")
    lines = [
        f"FROM {base}",
        "COPY filler words /app/",
        "COPY understudy /app/understudy",
        f"ENV UNDERSTUDY_VERSION={version}",
        *_labels(version),
        *(["USER root", "RUN chmod 777 /app/confs", f"USER {user}"] if user else []),
    ]
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")


def _labels(version: str) -> list[str]:
    return [
        "LABEL io.kestra-restart.understudy=true",
        f"LABEL org.opencontainers.image.version={version}-understudy",
    ]
