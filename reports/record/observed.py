"""What the observers saw at one moment: the values that checks judge and that the record keeps.

Ports are integers, sizes are bytes, durations are seconds, times are ISO 8601 in UTC as the engine or the database
gave them. What could not be seen is an `Unseen` with its reason, never a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from reports.record.claimed import Need, ValidationSeen
from reports.record.scripted import ScriptSeen
from reports.record.values import Hidden
from reports.record.values import Secret as Secret  # noqa: PLC0414 - where everybody meets it
from reports.record.values import Unseen as Unseen  # noqa: PLC0414 - where everybody meets it


@dataclass(frozen=True, slots=True)
class Binding:
    """A published port: `container_port` as `8080/tcp`, on `host_ip`:`host_port` of the engine's host."""

    container_port: str
    host_ip: str
    host_port: int


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A container's own health check in Docker; `test` is as the engine has it, durations are 0 for its defaults."""

    test: tuple[str, ...]
    interval: float
    timeout: float


@dataclass(frozen=True, slots=True)
class Mount:
    """What is mounted in a container: `source` is a volume's name, or a path of the engine's host."""

    kind: str
    source: str
    target: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Container(Generic[Hidden]):
    """One container as the engine describes it; `health` is empty if it has no health check."""

    id: str
    name: str
    image: str
    image_id: str
    state: str
    running: bool
    paused: bool
    restarting: bool
    oom_killed: bool
    exit_code: int
    error: str
    created_at: str
    started_at: str
    finished_at: str
    restart_count: int
    restart_policy: str
    auto_remove: bool
    health: str
    stop_grace: float | None
    """Seconds that the engine itself waits on a stop; None: the engine's default of ten."""
    bindings: tuple[Binding, ...]
    """What is published now; for a stopped container, what it would publish."""
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    labels: dict[str, str]
    environment: dict[str, str | Hidden]
    command: tuple[str, ...]
    health_check: HealthCheck | None = None
    mounts: tuple[Mount, ...] = ()
    """Empty if it has none, and in records from before this was looked at."""
    made: dict[str, str | Hidden] | None = None
    """How else it was made, part by part; None in records from before this was looked at."""

    @property
    def was_started(self) -> bool:
        """Whether it was started at any time."""
        return not _is_never(self.started_at)

    @property
    def stands(self) -> str:
        """Its state, and since when; of a paused container only the start is known."""
        since = {"running": self.started_at, "exited": self.finished_at, "dead": self.finished_at}
        since |= {"restarting": self.finished_at, "created": self.created_at}
        at = since.get(self.state, "")
        if not at or _is_never(at):
            return f"{self.state}, started {self.started_at}"
        return f"{self.state} since {at}"


def _is_never(at: str) -> bool:
    """Whether this is how the engine writes the time of something that has not happened."""
    return at.startswith("0001-")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A container that the procedure must not touch: the values that would change if somebody touched it."""

    id: str
    name: str
    image_id: str
    state: str
    started_at: str
    restart_count: int
    bindings: tuple[Binding, ...]
    service: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """Which engine answers, and where."""

    id: str
    name: str
    version: str
    api: str
    endpoint: str
    context: str
    os: str
    skew: float
    """Seconds by which the engine's clock is ahead of ours; half the round trip is its uncertainty."""
    elsewhere: bool = False
    """Whether its host has another name than the suite's: it is another machine, or another network of this one."""


@dataclass(frozen=True, slots=True)
class Image(Generic[Hidden]):
    """An image that is here."""

    reference: str
    id: str
    digests: tuple[str, ...]
    version: str
    architecture: str
    created: str
    labels: dict[str, str]
    size: int
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str | Hidden] | None = None
    """What each of its containers gets besides its own values; None if nobody looked."""
    made: dict[str, str | Hidden] | None = None
    """How else its containers are made by default; None if nobody looked."""


@dataclass(frozen=True, slots=True)
class Settings(Generic[Hidden]):
    """What a Kestra's configuration says, in the form in which its server reads it."""

    db_host: str
    db_port: int
    db_name: str
    db_user: str
    db_password: Hidden | None
    basic_auth_enabled: bool | None
    """None if the key is absent."""
    basic_auth_user: str
    basic_auth_password: Hidden | None
    termination_grace: float | None
    problems: tuple[str, ...] = ()
    storage: str = ""
    """The folder of its local storage, as a path in its container; empty if it stores elsewhere."""


@dataclass(frozen=True, slots=True)
class Rendering(Generic[Hidden]):
    """One service as Compose renders it, by one call."""

    command: tuple[str, ...]
    project: str
    image: str
    container_name: str
    bindings: tuple[Binding, ...]
    stop_grace: float | None
    restart_policy: str
    has_health_check: bool
    environment: dict[str, str | Hidden]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]
    database_image: str
    warnings: tuple[str, ...]
    interpolation: dict[str, str | Hidden]
    """The keys of the `.env` that the target names, as this call resolves them."""
    settings: Settings[Hidden] | Unseen
    external_networks: tuple[str, ...] = ()
    """Those of `networks` that Compose does not make by itself."""
    copied_in: tuple[str, ...] = ()
    """The paths in the container of what the files give as secrets and configs."""
    by_compose: bool = True
    """Whether Compose makes the container; otherwise a script does, by a plain `docker run`, without labels."""
    made: dict[str, str | Hidden] | None = None
    """How else the container is made, as far as the files say it; None if a script makes it, or nobody looked."""
    mounts: tuple[Mount, ...] | None = None
    """What is mounted in it, without anonymous volumes; None if that is not known."""
    hashes: tuple[str, ...] = ()
    """The hashes by which Compose recognises a container of these files: with its dependencies, and without."""
    unread: str = ""
    """Why Compose cannot read back its own rendering of these files; empty if it can, or nobody asked."""
    compose_version: str = ""
    platform: str = ""
    """The platform that the files ask for, such as `linux/arm64`; empty if they name none."""
    compose_files: tuple[str, ...] = ()
    """The files that Compose was given, as it writes them on a container."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket: `ip` as text (`0.0.0.0` and `::` are every address)."""

    ip: str
    port: int
    owner: str = ""
    """Which process of this machine it is, if that can be seen."""


FLYWAY_HISTORY = "flyway_schema_history"
"""The table in which a schema's history is kept, unless a row names another one."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A row of one of the database's schema histories; `digest` is its checksum if that is no number."""

    rank: int
    version: str
    description: str
    checksum: int | None
    success: bool
    history: str = FLYWAY_HISTORY
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ServiceInstance:
    """A row of Kestra's heartbeats; `age` is seconds since its last one, by the database's clock."""

    id: str
    type: str
    state: str
    age: float
    hostname: str
    version: str
    server_id: str
    termination_grace: float | None
    liveness_timeout: float | None


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a client on the database; `client` is its address."""

    pid: int
    user: str
    application: str
    client: str
    state: str
    since: str
    abandoned: bool = False
    """Whether its address lies in a network of this engine, where nothing holds it any more."""


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution in the database."""

    id: str
    namespace: str
    flow: str
    state: str


@dataclass(frozen=True, slots=True)
class InFlight:
    """An execution that has begun and not ended: how many seconds it lasts, and how long the longest recent one of its flow took."""

    id: str
    namespace: str
    flow: str
    state: str
    lasts: float
    earlier: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A task that a worker holds, and its execution."""

    id: str
    execution: str
    worker: str


@dataclass(frozen=True, slots=True)
class Database:
    """What a login over the network with the credentials of the new container found."""

    login: str
    """`ok`, `refused` (credentials), or `unreachable`."""
    said: str
    """What the login printed, for the finding."""
    took: float
    server_version: str | Unseen = ""
    instance_id: str | Unseen | None = None
    migrations: tuple[Migration, ...] | Unseen = ()
    instances: tuple[ServiceInstance, ...] | Unseen = ()
    sessions: tuple[Session, ...] | Unseen = ()
    flows: tuple[str, ...] | Unseen = ()
    """`namespace/id@revision`, newest revision of every flow that is not deleted."""
    executions: tuple[Execution, ...] | Unseen = ()
    """The newest twenty."""
    running: int | Unseen = 0
    """How much is in flight: executions that have neither ended nor been paused, and tasks of no such execution."""
    last_version: str | Unseen | None = None
    """The version that last ran on this database; empty if none was written down, as before 1.0."""
    in_flight: tuple[InFlight, ...] | Unseen = ()
    """The oldest of these executions, up to two hundred."""
    jobs: tuple[Job, ...] | Unseen = ()
    """The tasks that workers hold, as Kestra's own table says."""
    noted: tuple[Execution, ...] | Unseen = ()
    """The executions noted earlier that are still stored, as they are now; looked up by their ids."""

    @property
    def schema(self) -> tuple[str, ...] | Unseen:
        """The versions of its schema history, oldest first, whether each succeeded or not."""
        found = self.migrations
        return found if isinstance(found, Unseen) else tuple(one.version for one in found)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: `status` is 0 if there was none, and `said` then names the kind of silence."""

    url: str
    status: int
    said: str
    took: float
    body_status: str = ""
    """The `status` word of a health body."""


@dataclass(frozen=True, slots=True)
class Direct:
    """What the server itself answers, asked inside its own network at its container's address."""

    health: Answer
    ping: Answer

    @property
    def answers(self) -> bool:
        return self.health.status != 0 or self.ping.status != 0

    @property
    def sentence(self) -> str:
        return f"health {self.health.said}, ping {self.ping.said}"


@dataclass(frozen=True, slots=True)
class Server:
    """What answers on the configured ports."""

    health: Answer
    ping: Answer
    version: str | Unseen
    instance_id: str | Unseen
    auth_right: Answer
    auth_wrong: Answer
    auth_none: Answer
    flows: tuple[str, ...] | Unseen
    executions: tuple[str, ...] | Unseen
    understudy: bool = False
    auth_before: Answer | Unseen | None = None
    """The answer to a request with the former credentials, if they were changed."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that a running server must write; `kind` and `source` are those of what is mounted there, if anything is."""

    path: str
    kind: str
    source: str
    writable: bool
    read_only: bool
    """Whether the container was made so that nobody can write there."""
    stores: bool
    """Whether it is the server's storage."""
    user: str
    """The user and group, by number, as whom the server runs."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file that the procedure will use; `problem` is empty if it can be used."""

    path: str
    role: str
    problem: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """The range of ports from which a machine gives one to a connection that asks for none, and those that it keeps back."""

    first: int
    last: int
    reserved: str = ""
    """As the kernel writes it: `8080,9000-9010`."""

    def may_give(self, port: int) -> bool:
        """Whether any connection may be given this port."""
        kept = (one.partition("-") for one in self.reserved.split(",") if one)
        return self.first <= port <= self.last and not any(
            int(low) <= port <= int(high or low) for low, _, high in kept
        )


@dataclass(frozen=True, slots=True)
class Host:
    """The machine on which the suite runs, and the disk that the engine writes to."""

    name: str
    listeners: tuple[Listener, ...] | Unseen
    archive: str
    archive_problem: str
    archive_free: int
    engine_free: int | Unseen
    ephemeral: Ephemeral | Unseen | None = None
    """None in records from before this was looked at."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What Compose says our exact start command would do; nothing was done."""

    command: tuple[str, ...]
    exit_code: int
    touches: tuple[str, ...]
    """The containers that it names."""
    output: str
    recreates: tuple[str, ...] = ()
    """Those of them that it would make anew."""


@dataclass(frozen=True, slots=True)
class DashboardSeen:
    """What a dashboard showed last; `expected` and `shows` are values as JSON writes them."""

    name: str
    url: str
    expected: str
    shows: str | Unseen
    """What a new answer shows; an answer that is too old shows nothing."""
    age: float | Unseen
    """The greatest age that the answer may have."""
    looks: tuple[str, ...] = ()
    """Each change of what was seen while it was waited for, with the seconds since the first look."""


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Hidden]):
    """Everything the observers saw at one moment; a field that this moment does not look at is None."""

    name: str
    taken_at: str
    took: float
    engine: Engine | Unseen | None = None
    containers: tuple[Container[Hidden], ...] | Unseen = ()
    """Every container that carries the labels of this project and service."""
    database_containers: tuple[Container[Hidden], ...] | Unseen = ()
    neighbours: tuple[Neighbour, ...] | Unseen = ()
    listeners: tuple[Listener, ...] | Unseen | None = None
    """What listens on the engine's host, seen from there."""
    networks: tuple[str, ...] | Unseen | None = None
    """The names of the engine's networks."""
    operator_rendering: Rendering[Hidden] | Unseen | None = None
    file_rendering: Rendering[Hidden] | Unseen | None = None
    dry_run: DryRun | Unseen | None = None
    image: Image[Hidden] | Unseen | None = None
    announced: str | Unseen | None = None
    """The digest that the registry announces for the image's reference, if the procedure would pull it."""
    running_image: Image[Hidden] | Unseen | None = None
    running_settings: Settings[Hidden] | Unseen | None = None
    """What the present container was given."""
    whole_dry_run: DryRun | Unseen | None = None
    """What a plain `up` of the whole project would do, if settings are applied."""
    present_database: Database | Unseen | None = None
    """What a login with the settings of the present container finds, if new ones are applied."""
    database: Database | Unseen | None = None
    server: Server | Unseen | None = None
    direct: Direct | Unseen | None = None
    folders: tuple[Folder, ...] | Unseen | None = None
    """What the running server must write, and whether it can."""
    host: Host | Unseen | None = None
    files: tuple[FileSeen, ...] = ()
    dashboards: tuple[DashboardSeen, ...] | Unseen | None = None
    scripts: tuple[ScriptSeen[Hidden], ...] | Unseen | None = None
    """The operator's own scripts that carry out steps, read and rehearsed before anything is done."""
    needs: tuple[Need, ...] | Unseen | None = None
    """What else must exist, as the target file says."""
    validations: tuple[ValidationSeen, ...] | Unseen | None = None
    """What the operator's own validation commands said."""

    @property
    def container(self) -> Container[Hidden] | None:
        """The service's container, if there is exactly one."""
        if isinstance(self.containers, Unseen) or len(self.containers) != 1:
            return None
        return self.containers[0]
