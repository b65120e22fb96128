"""The runbook's scripts, run as a user runs them, and what they did seen on the engine."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.stacks import Stack, clean_environment, engine, run

STATUS = "tools/kestra/scripts/status.sh"
LOGS = "tools/kestra/scripts/logs.sh"
STOP = "tools/kestra/scripts/stop.sh"
RUN = "tools/kestra/scripts/run.sh"
START_STACKS = "scripts/docker/start-stacks.sh"
HEALTH = "scripts/maintenance/health-check-all.sh"
ALL = (STATUS, LOGS, STOP, RUN, START_STACKS, HEALTH)

REFUSED, USAGE, CANNOT_LOOK, KILLED, LEFT_OUT = 1, 2, 3, 4, 5


def script(stack: Stack, name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script from a folder that is none of the stack's; its output is UTF-8 and shows no password."""
    done = run(
        [str(stack.root / name), *arguments],
        cwd=Path("/"),
        check=False,
        env=clean_environment(XDG_STATE_HOME=str(stack.root / "state")) | environment,
    )
    for key in ("KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD"):
        secret = stack.env[key].strip("'")
        assert not secret.strip() or secret not in done.stdout + done.stderr
    return done


def library(stack: Stack, text: str, *arguments: str) -> str:
    """What a piece of shell prints that can call the functions which the scripts share."""
    before = f'set -euo pipefail; stack={stack.root}; . "$stack/scripts/lib/stack.sh"\n'
    return run(["bash", "-c", before + text, "library", *arguments], cwd=stack.root).stdout


def identity(stack: Stack, service: str = "kestra") -> tuple[str, str, str]:
    """Id, start time and state of a service's container: the same again means that it was not touched."""
    container = stack.container(service)
    state = container.attrs["State"]
    return str(container.id), str(state["StartedAt"]), str(state["Status"])


@contextmanager
def settings(stack: Stack, **changed: str) -> Iterator[None]:
    """Other values in the `.env` for a while."""
    before = dict(stack.env)
    stack.set_env(**changed)
    try:
        yield
    finally:
        stack.set_env(**before)


@contextmanager
def neighbour(stack: Stack, name: str, *command: str, port: int | None = None) -> Iterator[str]:
    """A running container that is not Compose's, made from Kestra's own image; its id.

    A port is published from its port 80.
    """
    program, *arguments = command or ("sleep", "300")
    with engine() as client:
        made = client.containers.run(
            stack.image,
            arguments,
            entrypoint=program,
            name=name,
            user="0",
            ports={"80/tcp": ("127.0.0.1", port)} if port else None,
            detach=True,
        )
        try:
            yield str(made.id)
        finally:
            made.remove(force=True, v=True)


class CommandLines:
    """Every argument list on this machine, looked at again and again while a script runs."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._end.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self.seen.add((process / "cmdline").read_bytes())
                except OSError:
                    continue
