"""The driver for Docker Compose: the runbook's own `docker compose -f … up -d kestra`, with one service named."""

from __future__ import annotations

import copy
import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path

from procedures.drivers.shell import Command
from procedures.target.target import Target

QUIET = ("--ansi", "never", "--progress", "plain")
# What a client needs to run and to find its engine; anything else in the caller's environment may change a value.
_NEUTRAL = (
    "PATH",
    "HOME",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "DOCKER_TLS",
    "LANG",
    "PWD",
)

_CLIENTS = ("BUILDKIT_", "BUILDX_", "COMPOSE_", "DOCKER_")
"""Prefixes of the variables that change what Compose and the docker client do."""
_HANDED_ON = frozenset({
    "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_CONFIG",
    "DOCKER_TLS", "DOCKER_TLS_VERIFY",
})  # fmt: skip
"""Those of them that choose the engine and the services; no others reach our commands."""
_SPENT = frozenset({"DOCKER_CONTEXT", "DOCKER_HOST"})
"""Those that the engine's address was resolved from; every command gets that address."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Compose:
    """Commands for one target, in the operator's environment with the engine's address made explicit."""

    def __init__(self, target: Target, environment: Mapping[str, str], docker_host: str) -> None:
        self._target = target
        self._environment = {
            **{name: value for name, value in environment.items() if _is_handed_on(name)},
            "DOCKER_HOST": docker_host,
            # As for somebody who types the same command in the root.
            "PWD": str(target.root),
        }

        asked = sorted(
            name
            for name, value in environment.items()
            if value and name.startswith(_CLIENTS) and name not in _SPENT
        )
        self.dropped = tuple(one for one in asked if not _is_handed_on(one))
        self.handed_on = tuple(one for one in asked if _is_handed_on(one))
        self._apart: tuple[str, ...] = ()
        self._before: tuple[str, ...] = ()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment in which every command of this target runs."""
        return self._environment

    def with_file(self, file: Path) -> Compose:
        """Return the same commands with one more Compose file, which overrides the target's own."""
        changed = copy.copy(self)
        changed._target = dataclasses.replace(  # noqa: SLF001 - our own kind
            self._target, compose_files=(*self._target.compose_files, file)
        )
        return changed

    def of_rendered(self, project: str, files: tuple[Path, ...], *, without_env_file: bool) -> Compose:
        """Return the same commands for these rendered files; the target's own files are no longer read."""
        changed = copy.copy(self)
        changed._target = dataclasses.replace(self._target, project=project, compose_files=files)  # noqa: SLF001 - our own kind
        changed._apart = self._directory  # noqa: SLF001 - our own kind
        # A `.env` that can no longer be parsed must not prevent the start of what was rendered before.
        changed._before = ("env", "COMPOSE_DISABLE_ENV_FILE=1") if without_env_file else ()  # noqa: SLF001 - our own kind
        return changed

    def stop(self, grace: float, limit: float) -> Command:
        return self._call(limit, "stop", "-t", str(math.ceil(grace)), self._target.service)

    def start(self, limit: float) -> Command:
        return self._call(limit, *self._up())

    def pull(self, reference: str, limit: float) -> Command:
        """Build the pull of an image, as a person would type it."""
        return self._docker(limit, "pull", reference)

    def name_image(self, image: str, reference: str) -> Command:
        """Build the command that names an image, so that it is not cleared away."""
        return self._docker(30, "tag", image, reference)

    def unname_image(self, reference: str) -> Command:
        """Build the command that removes a name from an image."""
        return self._docker(60, "rmi", "--no-prune", reference)

    def stop_container(self, name: str, grace: float, limit: float) -> Command:
        """Build the stop of a container that Compose may not know."""
        return self._docker(limit, "stop", "-t", str(math.ceil(grace)), name)

    def unpause(self, limit: float) -> Command:
        return self._call(limit, "unpause", self._target.service)

    def clear(self, containers: tuple[str, ...], limit: float) -> Command:
        """Build the command that removes containers by their ids; the engine refuses one that runs."""
        return self._docker(limit, "rm", *containers)

    def version(self, limit: float) -> Command:
        return self._docker(limit, "compose", "version", "--short")

    def hash_of(self, model: str, limit: float) -> Command:
        """Build the call that prints the hash by which Compose recognises a container of a rendered model."""
        words = (
            "docker",
            "compose",
            "-p",
            "known",
            *self._directory,
            "-f",
            "-",
            "config",
            "--hash",
            self._target.service,
        )
        return Command(words, self._target.root, limit, self._environment, stdin=model)

    def rehearse_start(self, limit: float) -> Command:
        return self._call(limit, *self._up(), before=("--dry-run",))

    def rehearse_all(self, limit: float) -> Command:
        """Build the dry run of a plain `up` of the whole project."""
        return self._call(limit, "up", "-d", "--pull", "never", before=("--dry-run",))

    def render(self, limit: float) -> Command:
        """Build the rendering that the operator's own call would use."""
        return self._call(limit, "config", "--format", "json", before=())

    def render_by_file(self, limit: float) -> Command:
        """Build the rendering by the env files alone, without the caller's environment."""
        files = tuple(word for one in self._target.env_files for word in ("--env-file", str(one)))
        argv = ("docker", "compose", *files, *self._files(), "config", "--format", "json")
        return Command(argv, self._target.root, limit, self._neutral())

    def interpolate(self, names: tuple[str, ...], limit: float, *, by_file: bool) -> Command:
        """Build a rendering of some names alone, so that Compose itself resolves their values."""
        # An env file may also set names that are no variables; no compose file can ask for them.
        askable = [name for name in names if _VARIABLE.fullmatch(name)]
        lines = "".join(f'      {name}: "${{{name}-}}"\n' for name in askable)
        model = f"services:\n  names:\n    image: none\n    environment:\n{lines}"
        files = (
            tuple(word for one in self._target.env_files for word in ("--env-file", str(one)))
            if by_file
            else ()
        )
        argv = (
            "docker",
            "compose",
            "-p",
            "names",
            *self._directory,
            *files,
            "-f",
            "-",
            "config",
            "--format",
            "json",
        )
        environment = self._neutral() if by_file else self._environment
        return Command(argv, self._target.root, limit, environment, stdin=model)

    @property
    def typed(self) -> str:
        """How an operator types Compose for this target, in its root."""
        return " ".join(("docker", *self._target.engine_flags, "compose", *self._files()))

    def _call(self, limit: float, *words: str, before: tuple[str, ...] = QUIET) -> Command:
        quiet = (*QUIET, *before) if before and before != QUIET else before
        return self._docker(limit, "compose", *quiet, *self._files(), *words)

    def _docker(self, limit: float, *words: str) -> Command:
        """Build a call of the docker client that finds this target's engine, typed by hand too."""
        argv = (*self._before, "docker", *self._target.engine_flags, *words)
        return Command(argv, self._target.root, limit, self._environment)

    def _up(self) -> tuple[str, ...]:
        return ("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", self._target.service)

    @property
    def _directory(self) -> tuple[str, ...]:
        return "--project-directory", str(self._target.compose_files[0].parent)

    def _files(self) -> tuple[str, ...]:
        project = ("-p", self._target.project) if self._target.project else ()
        return (
            *project,
            *self._apart,
            *(word for one in self._target.compose_files for word in ("-f", self._typed(one))),
        )

    def _typed(self, file: Path) -> str:
        root = self._target.root
        return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)

    def _neutral(self) -> dict[str, str]:
        return {name: self._environment[name] for name in _NEUTRAL if name in self._environment}


def _is_handed_on(name: str) -> bool:
    """Whether a variable of the caller reaches our commands: all do, except most of the clients' own."""
    return not name.startswith(_CLIENTS) or name in _HANDED_ON
