"""What is known of an operator's script before it runs: from reading it, and from rehearsing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from reports.record.values import Hidden, Unseen


@dataclass(frozen=True, slots=True)
class DockerCall:
    """One call of `docker` in a rehearsal; only calls that look have reached the engine.

    `effect` is what the real call does: looks, pulls, builds, creates, starts, stops, removes, network,
    changes, or unknown. `answered` says what the script got: the engine's own answer, or one made up.
    """

    argv: tuple[str, ...]
    cwd: str
    effect: str
    answered: str
    exit_code: int
    times: int = 1
    """How often it came, with the same answer, before the next call that changes something."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A container that a call would have stopped, removed, restarted or recreated; `effect` says which."""

    id: str
    name: str
    effect: str
    service: str = ""
    project: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Creation(Generic[Hidden]):
    """A container that a script would create, as it would be given to the engine.

    `by_compose` distinguishes Compose's own from a plain `docker run`. `ports` stand as `address:port:port/protocol`; `volumes`
    and `networks` are the engine's names. `stop_grace` is in seconds; None is the engine's default.
    """

    name: str
    image: str
    by_compose: bool
    environment: dict[str, str | Hidden] | Unseen
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    restart: str = ""
    stop_grace: float | None = None
    has_health_check: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsal(Generic[Hidden]):
    """What a script did where it could change nothing; `exit_code` and `output` are recorded, not believed."""

    exit_code: int | None
    took: float
    timed_out: bool
    output: str
    """Both streams, without colours; only the end if it is long."""
    calls: tuple[DockerCall, ...] = ()
    env_files: tuple[str, ...] = ()
    """Files such as `.env` that were looked for or opened, by the script or by Compose for it."""
    missing_env_files: tuple[str, ...] = ()
    """Those among them that do not exist."""
    sources: tuple[str, ...] = ()
    """The shell files that it opened, itself and others."""
    variables: dict[str, str | Hidden] | None = None
    """The variables KESTRA_*, COMPOSE_*, DOCKER_*, SKIP_* that the calls saw, and secrets that the script itself read.

    None if there was no call.
    """
    pulls: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    """Names of the containers that it would create."""
    images: tuple[str, ...] = ()
    """The images that these would be made from."""
    ports: tuple[str, ...] = ()
    """What they would publish, as `address:port->port/protocol`."""
    creations: tuple[Creation[Hidden], ...] = ()
    """The same containers, with everything that they would be given."""
    hits: tuple[Hit, ...] = ()
    volumes: tuple[str, ...] = ()
    """Volumes that it would remove, with what is in them."""
    wrote: tuple[str, ...] = ()
    """Files that it wrote or removed in the scratch copies of the root and of the home folder."""
    notes: tuple[str, ...] = ()
    """What a reader should know besides: a log followed without an end, another engine asked, a socket tried."""


@dataclass(frozen=True, slots=True)
class ScriptSeen(Generic[Hidden]):
    """A script as it lies there; `problem` is empty if it can be started."""

    step: str
    file: str
    problem: str = ""
    """Missing, a directory, not executable, not readable, or why its interpreter cannot be found."""
    syntax: str = ""
    """What `bash -n` complains of; empty if there is nothing, or if another interpreter reads the script."""
    interpreter: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()
    rehearsal: Rehearsal[Hidden] | Unseen | None = None
    """None if nobody rehearsed it."""
