"""Write a target file from a running container: its Compose labels, its ports, its env files.

python -m procedures.describe CONTAINER [--output FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from procedures.drivers.labels import PROJECT, SERVICE
from procedures.observe import rendered
from procedures.observe.engine import endpoint
from procedures.observe.engine.engine import EngineObserver
from procedures.problems import CannotObserve, Problem, TypedWrong
from procedures.target import target as targets
from reports.record.observed import Container

_WORKING_DIR = "com.docker.compose.project.working_dir"
_CONFIG_FILES = "com.docker.compose.project.config_files"
_ENV_FILES = "com.docker.compose.project.environment_file"
_DEPENDS_ON = "com.docker.compose.depends_on"


def describe(container: Container, beside: tuple[Container, ...]) -> str:
    """Return the target file of a container that Compose made; its paths are absolute.

    `beside` are the other containers of its project; the database is looked for among them.
    """
    labels = container.labels
    if PROJECT not in labels:
        raise TypedWrong(
            f"{container.name} was not made by Compose: it carries no {PROJECT} label",
            "name a container that was, or write the file by hand (docs/target.md)",
        )
    if "POSTGRES_PASSWORD" in container.environment:
        raise TypedWrong(
            f"{container.name} looks like a Postgres, not like the service itself",
            "name the service's own container",
        )
    root = Path(labels.get(_WORKING_DIR, "."))
    compose_files = [rendered.origin(one) for one in labels.get(_CONFIG_FILES, "").split(",") if one]
    env_files = [one for one in labels.get(_ENV_FILES, "").split(",") if one] or _default_env_files(root)
    database = _database(labels, beside)
    values = {
        "name": container.name,
        "root": str(root),
        "compose_files": compose_files,
        "env_files": env_files,
        "project": labels[PROJECT],
        "service": labels[SERVICE],
        "database_service": database or "postgres",
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    published = ", ".join(
        f"{one.host_ip}:{one.host_port}->{one.container_port}" for one in container.bindings
    )
    return "\n".join(
        (
            f"# Written from container {container.id[:12]}; it publishes {published or 'no port'}.",
            *lines,
            *(() if database else ("# No dependency is labelled: correct database_service above.",)),
            "",
        )
    )


def _database(labels: Mapping[str, str], beside: tuple[Container, ...]) -> str:
    """Return the service that looks like a Postgres; the label is blank after a start without dependencies."""
    postgres = [one.labels.get(SERVICE, "") for one in beside if "POSTGRES_PASSWORD" in one.environment]
    named = [one.split(":")[0] for one in labels.get(_DEPENDS_ON, "").split(",") if one]
    return next((one for one in named if one in postgres), "") or next(iter(postgres or named), "")


def _default_env_files(root: Path) -> list[str]:
    """Return the `.env` that Compose would read by default."""
    return [str(root / ".env")] if (root / ".env").exists() else []


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m procedures.describe", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("container", help="name or id of the running container")
    parser.add_argument("--output", type=Path, help="the file to write; default: standard output")
    given = parser.parse_args(arguments)
    try:
        engine = EngineObserver(endpoint.resolve(os.environ, Path.cwd()))
        try:
            container = engine.named(given.container)
            beside = engine.by_project(container.labels.get(PROJECT, "")) if container else ()
        finally:
            engine.close()
        if container is None:
            raise CannotObserve(f"there is no container {given.container}", "`docker ps` lists them")
        text = describe(container, beside)
        if given.output is None:
            print(text, end="")
            return 0
        if given.output.exists():
            raise TypedWrong(f"{given.output} is there already", "name another file, or remove it first")
        given.output.write_text(text, encoding="utf-8")
        targets.read(given.output.resolve())
    except Problem as error:
        print(error.sentence, file=sys.stderr)
        return 4 if isinstance(error, TypedWrong) else 16
    print(f"written: {given.output}; try it: pytest -m restart --plan --target={given.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
