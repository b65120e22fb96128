"""For every check what makes it fail, and what it lets pass besides the recorded run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from procedures.decide.accepted import Goal
from procedures.kestra.tables import OWN_HISTORY
from procedures.run.facts.changes import candidate
from procedures.target.target import Budgets
from reports.record.evidence import Outcome
from reports.record.observed import (
    Binding,
    DryRun,
    Ephemeral,
    Execution,
    FileSeen,
    Folder,
    Image,
    InFlight,
    Job,
    Listener,
    Migration,
    Mount,
    Neighbour,
    Rendering,
    Secret,
    Session,
    Unseen,
)
from tests.checks.world import (
    STORAGE,
    Change,
    World,
    another_instance,
    answer,
    at,
    both,
    container,
    container_of,
    dashboard,
    dashboard_before,
    database_of,
    instance,
    interpolation,
    neighbour,
    part,
    postgres,
    server_of,
    settings,
)

MADE = "pre/test_made.py::"
VOLUME = Mount("volume", "storage", "/app/storage", read_only=False)
SOCKET = Mount("bind", "/var/run/docker.sock", "/var/run/docker.sock", read_only=False)
GONE = Unseen("it could not be seen", "look by hand")


@dataclass(frozen=True, slots=True)
class Case:
    """A change of the recorded run, and what a check then says; `says` stands in its reason or its next move."""

    check: str
    what: str
    change: Change
    says: str = ""
    outcome: Outcome = Outcome.FAILED

    @property
    def name(self) -> str:
        return f"{self.check}: {self.what}"


def _database(moment: str, **fields: object) -> Change:
    return part(moment, "database", **fields)


def _rendering(**fields: object) -> Change:
    return part("before", "operator_rendering", **fields)


def _file(**fields: object) -> Change:
    return part("before", "file_rendering", **fields)


def _made(**parts: str) -> Change:
    """Let the files say parts of the container that the running one does not have."""

    def changed(world: World) -> World:
        image = world.before.running_image
        assert isinstance(image, Image)
        given: dict[str, str | Secret] = {"user": "kestra"}
        world = both(container("before", made=given), at("before", running_image=replace(image, made=given)))(
            world
        )
        return _rendering(made=parts)(world)

    return changed


def _marked(compose: str) -> Change:
    """Let the running container carry another mark of Compose's than the files would give it, by a Compose of a version."""

    def changed(world: World) -> World:
        then = container_of(world, "before")
        files = then.labels["com.docker.compose.project.config_files"].split(",")
        return _rendering(
            hashes=("another",), compose_version=compose, compose_files=tuple(files), image=then.image
        )(world)

    return changed


def _target(**fields: object) -> Change:
    return lambda world: replace(world, target=replace(world.target, **fields))  # type: ignore[arg-type]


def _environment(**values: str) -> Change:
    """Change what the running container was given."""

    def changed(world: World) -> World:
        given = {**container_of(world, "before").environment, **values}
        return container("before", environment=given)(world)

    return changed


def _present_login(login: str) -> Change:
    """Change how the database answers the credentials of the present container."""
    return lambda world: at("before", present_database=replace(database_of(world, "before"), login=login))(
        world
    )


def _postgres_anew(world: World) -> World:
    found = world.before.whole_dry_run
    assert isinstance(found, DryRun)
    return at("before", whole_dry_run=replace(found, recreates=("tools-kestra-postgres",)))(world)


def _old_credentials(status: int) -> Change:
    """Change the password, and what the old one is answered."""

    def changed(world: World) -> World:
        told = replace(server_of(world, "after").auth_wrong, status=status, said=str(status))
        world = part("after", "server", auth_before=told)(world)
        return settings(basic_auth_password=Secret("another"))(world)

    return changed


def _old_port_open(world: World) -> World:
    """Publish another port, while something listens on the old one."""
    rendering = world.before.operator_rendering
    assert isinstance(rendering, Rendering)
    moved = tuple(replace(one, host_port=one.host_port + 1) for one in rendering.bindings)
    old = tuple(Listener("127.0.0.1", one.host_port) for one in rendering.bindings)
    return both(_rendering(bindings=moved), at("after", listeners=old))(world)


def _candidate(**fields: object) -> Change:
    """Change the image that was pulled."""
    return part("ready", "image", **fields)


def _stop(**fields: object) -> Change:
    def changed(world: World) -> World:
        assert world.our_stop is not None
        return replace(world, our_stop=replace(world.our_stop, **fields))  # type: ignore[arg-type]

    return changed


def _event(action: str, **attributes: str) -> Change:
    """Change what the engine said about one kind of event."""

    def changed(world: World) -> World:
        assert world.our_stop is not None
        assert not isinstance(world.our_stop.events, Unseen)
        told = tuple(
            replace(one, attributes={**one.attributes, **attributes}) if one.action == action else one
            for one in world.our_stop.events
        )
        return _stop(events=told)(world)

    return changed


def _without_event(action: str) -> Change:
    def changed(world: World) -> World:
        assert world.our_stop is not None
        assert not isinstance(world.our_stop.events, Unseen)
        return _stop(events=tuple(one for one in world.our_stop.events if one.action != action))(world)

    return changed


def _start(**fields: object) -> Change:
    def changed(world: World) -> World:
        assert world.our_start is not None
        return replace(world, our_start=replace(world.our_start, **fields))  # type: ignore[arg-type]

    return changed


def _not_ended(name: str) -> Change:
    """Let one of the waits after our start time out."""

    def changed(world: World) -> World:
        wait = getattr(world.our_start, name)
        return _start(**{name: replace(wait, ended=False, sentence="ready: not within 60 s")})(world)

    return changed


def _bound(moment: str, ip: str, **ports: int) -> Change:
    """Publish the container's ports on an address, in the rendering or of the container."""

    def changed(world: World) -> World:
        def moved(found: tuple[Binding, ...]) -> tuple[Binding, ...]:
            return tuple(replace(one, host_ip=ip) for one in found)

        rendering = world.before.operator_rendering
        assert rendering is not None
        assert not isinstance(rendering, Unseen)
        if moment == "rendering":
            return _rendering(bindings=moved(rendering.bindings))(world)
        return container(moment, bindings=moved(container_of(world, moment).bindings))(world)

    return changed


def _port(port: int) -> Change:
    """Let the new container publish another port for HTTP."""

    def changed(world: World) -> World:
        rendering = world.before.operator_rendering
        assert rendering is not None
        assert not isinstance(rendering, Unseen)
        moved = tuple(
            replace(one, host_port=port) if one.container_port == "8080/tcp" else one
            for one in rendering.bindings
        )
        return _rendering(bindings=moved)(world)

    return changed


def _not_published(world: World) -> World:
    """Take the ports from the running container, so that whoever listens there is another one."""
    return container("before", bindings=())(world)


def _other(**fields: object) -> Change:
    """Add a container that is nobody's business of ours."""
    foreign = Neighbour(
        id="f" * 64,
        name="somebodys",
        image_id="sha256:0",
        state="running",
        started_at="2026-11-23T10:00:00Z",
        restart_count=0,
        bindings=(),
        service="web",
        project="shop",
    )

    def changed(world: World) -> World:
        found = world.before.neighbours
        assert not isinstance(found, Unseen)
        return at("before", neighbours=(*found, replace(foreign, **fields)))(world)  # type: ignore[arg-type]

    return changed


def _twice(moment: str) -> Change:
    def changed(world: World) -> World:
        one = container_of(world, moment)
        return at(moment, containers=(one, replace(one, id="e" * 64, name="left-over")))(world)

    return changed


def _leftover(world: World) -> World:
    """Leave beside the container one that a cut-off start has made and never started."""
    one = container_of(world, "before")
    made = replace(one, id="e" * 64, state="created", running=False, started_at="0001-01-01T00:00:00Z")
    return at("before", containers=(one, made))(world)


def _by_hand(world: World) -> World:
    image = world.before.image
    assert image is not None
    assert not isinstance(image, Unseen)
    return _other(name="tools-kestra", project="", image_id=image.id)(world)


def _gone_away(moment: str) -> Change:
    """Let nothing listen, run or answer at a moment: the service is down."""
    return both(container(moment, running=False, state="exited", bindings=()), at(moment, server=GONE))


def _silent(world: World) -> World:
    return both(
        answer("before", "ping", 0, "accepted and mute"), answer("before", "health", 0, "accepted and mute")
    )(world)


def _failed_migration(world: World) -> World:
    found = database_of(world, "before").migrations
    assert not isinstance(found, Unseen)
    return _database("before", migrations=(*found[:-1], replace(found[-1], success=False)))(world)


def _migrated(world: World) -> World:
    found = database_of(world, "after").migrations
    assert not isinstance(found, Unseen)
    newer = replace(found[-1], rank=found[-1].rank + 1, version="9.99")
    return _database("after", migrations=(*found, newer))(world)


def _half_migrated(world: World) -> World:
    found = database_of(world, "after").migrations
    assert not isinstance(found, Unseen)
    return _database("after", migrations=(*found[:-1], replace(found[-1], success=False)))(world)


def _after_a_later_one(moment: str, version: str = "9.1.0") -> Change:
    """Let a later version have run on the database, and have written that down."""
    return _database(moment, last_version=version)


def _files_name(**image: str) -> Change:
    """Let the schema have moved by a later version, and the target's files name this image; without an id, that of before."""

    def change(world: World) -> World:
        found = world.kept.by_files
        assert isinstance(found, Image)
        named = replace(
            found,
            id=image.get("id", found.id) or world.kept.image,
            version=image.get("version", found.version),
        )
        moved = _database("before", migrations=(), last_version="9.1.0")(world)
        return replace(moved, kept=replace(world.kept, by_files=named))

    return change


def _with_own_history(world: World) -> World:
    """Let a version with a history of its own have changed the schema, and an older one have written itself down since."""
    found = database_of(world, "before").migrations
    assert not isinstance(found, Unseen)
    newer = Migration(1, "2.0.01-upgrade", "upgrade", None, success=True, history=OWN_HISTORY, digest="5c5d")
    return _database("before", migrations=(*found, newer), last_version="0.20.7")(world)


def _working(moment: str, **fields: object) -> Change:
    """Let a worker have a task in its hands."""
    one = InFlight("long", "probe", "sleep", "RUNNING", 5.0)
    return _database(moment, in_flight=(replace(one, **fields),), jobs=(JOB,))  # type: ignore[arg-type]


def _patient(version: str, earlier: float) -> Change:
    """Let a server of a version, whose grace is a minute, have work in its hands that took so many seconds before."""
    return both(
        _working("before", earlier=earlier),
        instance("before", version=version, termination_grace=60.0),
        lambda world: replace(world, stop_grace=90.0),
    )


def _became(state: str) -> Change:
    """Say what has become of the execution that was in flight."""
    return _database("after", noted=(Execution("long", "probe", "sleep", state),))


def _in_new_hands(task: str) -> Change:
    """Let a worker of the new server have a task of that execution in its hands."""

    def change(world: World) -> World:
        found = database_of(world, "after").instances
        assert not isinstance(found, Unseen)
        worker = next(one for one in found if one.type == "WORKER" and one.state == "RUNNING")
        return _database("after", jobs=(replace(JOB, id=task, worker=worker.id),))(world)

    return change


def _pushed_out(world: World) -> World:
    """Let twenty newer executions stand in both lists; by their ids those of before are found."""
    found = database_of(world, "before").executions
    assert not isinstance(found, Unseen)
    newer = tuple(Execution(f"new{at}", "probe", "busy", "SUCCESS") for at in range(20))
    return both(
        part("after", "server", executions=tuple(one.id for one in newer)),
        _database("after", executions=newer, noted=found),
    )(world)


def _stopped_one_is_young(world: World) -> World:
    """Let the server that was killed leave a heartbeat that is young."""
    return another_instance("after", hostname=container_of(world, "before").id[:12], state="TERMINATING")(
        world
    )


def _session(**fields: object) -> Change:
    """Leave a session of some client open while the service is stopped."""
    one = Session(
        pid=4711,
        user="kestra",
        application="PostgreSQL JDBC Driver",
        client="172.20.0.9",
        state="idle",
        since="",
    )
    return _database("stopped", sessions=(replace(one, **fields),))  # type: ignore[arg-type]


def _left_over(**fields: object) -> Change:
    """Leave a session on the database while the service runs."""

    def changed(world: World) -> World:
        found = database_of(_session(**fields)(world), "stopped").sessions
        return _database("before", sessions=found)(world)

    return changed


def _barred(moment: str, one: Folder = STORAGE, **fields: object) -> Change:
    """Let the server not be able to write one of its folders."""
    return at(moment, folders=(STORAGE, replace(one, writable=False, **fields)))  # type: ignore[arg-type]


def _edited(world: World) -> World:
    first, *rest = world.ready.files
    return at("ready", files=(replace(first, sha256="0" * 64), *rest))(world)


def _unmeasured(world: World) -> World:
    assert world.outage is not None
    paths = tuple(replace(one, first_good=None, length=None, uncertainty=None) for one in world.outage.paths)
    return replace(world, outage=replace(world.outage, paths=paths))


def _heard_elsewhere(world: World) -> World:
    """Let what answers after the start answer on a port that the container does not publish."""
    was = server_of(world, "after").ping
    return part("after", "server", ping=replace(was, url="http://127.0.0.1:9090/ping"))(world)


CONFIGURATION, CONTAINER = "pre/test_configuration.py::", "pre/test_container.py::"
DATABASE, ENGINE, SERVER = "pre/test_database.py::", "pre/test_engine.py::", "pre/test_server.py::"
IMAGE, ROOM, GRACE, READY = (
    "pre/test_image.py::", "pre/test_room.py::", "pre/test_grace.py::", "ready/test_ready.py::",
)  # fmt: skip
MID, NEW, AFTER = "mid/test_stopped.py::", "post/test_container.py::", "post/test_server.py::"
OPERATOR = f"{CONFIGURATION}test_the_operators_call_renders_what_the_env_file_says"
PORTS_OF_FILE = f"{CONFIGURATION}test_the_ports_are_those_of_the_env_file"
DATABASE_OF_FILE = f"{CONFIGURATION}test_the_database_settings_are_those_of_the_env_file"
AUTH_OF_FILE = f"{CONFIGURATION}test_basic_auth_is_on_and_as_the_env_file_says"
AUTH_FITS = f"{CONFIGURATION}test_basic_auth_satisfies_this_version"
UNCHANGED = f"{CONFIGURATION}test_the_running_container_has_the_same_configuration"
ONE = f"{CONTAINER}test_one_container_is_this_services"
WELL = f"{CONTAINER}test_the_service_is_not_hung_paused_or_looping"
NAME_FREE = f"{CONTAINER}test_the_container_name_is_free_or_ours"
PORTS_FREE = f"{CONTAINER}test_the_ports_are_free_or_ours"
NETWORKS = "pre/test_network.py::test_its_networks_exist_or_are_made"
SHARED = "pre/test_network.py::test_postgres_is_in_one_of_them"
SAME_PORTS = f"{CONTAINER}test_this_machine_sees_the_same_ports"
GIVEN = f"{CONTAINER}test_no_port_is_one_that_connections_are_given"
LOOPBACK = f"{CONTAINER}test_the_management_port_is_on_loopback_only"
POSTGRES = f"{DATABASE}test_postgres_runs_and_is_healthy"
LOGIN = f"{DATABASE}test_the_new_containers_credentials_log_in"
SECOND = f"{DATABASE}test_no_second_kestra_is_alive_on_this_database"
BLANK = f"{ENGINE}test_no_value_is_blank"
DRY_RUN = f"{ENGINE}test_a_start_touches_nothing_else"
RENDERS = f"{ENGINE}test_compose_renders_the_service"
READS_BACK = f"{ENGINE}test_compose_reads_back_what_it_rendered"
LEFT = f"{DATABASE}test_no_session_is_left_over"
OUTLASTS, CUT = f"{GRACE}test_no_work_may_outlast_the_stop", "post/test_work.py::test_no_work_was_cut"
WRITES, WRITTEN = (
    f"{phase}/test_writing.py::test_the_server_can_write_what_it_must" for phase in ("pre", "post")
)
WORK = Folder("/work", "bind", "/srv/work", writable=True, read_only=False, stores=False, user="1000:1000")
JOB = Job("run", "long", "dead")
COVERS = f"{GRACE}test_the_stop_grace_covers_the_drain"
TAG = f"{IMAGE}test_the_tag_is_exact"
CLEAN = f"{MID}test_the_stop_was_clean"
FREED = f"{MID}test_the_ports_are_really_free"
STILL_IN = f"{MID}test_postgres_still_lets_the_credentials_in"
APPLYING, APPLIED, GOAL = "pre/test_applying.py::", "post/test_applied.py::", "pre/test_rollback.py::"
UPDATE, CANDIDATE = "pre/test_update.py::", "ready/test_candidate.py::"
KEPT = "pre/test_kept.py::"
NO_SESSION = f"{MID}test_no_other_kestra_has_a_session"
NEW_CONTAINER = f"{NEW}test_it_is_a_new_container_started_by_us"
SOAKED = f"{NEW}test_it_has_soaked"
RESTARTS = f"{NEW}test_it_does_not_restart"
TOUCHED = f"{NEW}test_nothing_else_was_touched"
ANSWERS = f"{AFTER}test_what_answers_is_the_container"
EXECUTIONS = f"{AFTER}test_the_last_executions_are_there"
READABLE = "pre/test_dashboards.py::test_every_dashboard_can_be_read"
DASHBOARDS = "post/test_dashboards.py::test_every_dashboard_shows_the_service"
PARTS = f"{AFTER}test_every_part_of_the_server_is_alive"
ALONE = f"{AFTER}test_no_second_kestra_is_alive"
OLD_FORM = "v0.24.3"


def _given_besides(*names: str, by_image: tuple[str, ...] = ()) -> Change:
    """Let the container have been given variables that the files do not name, some of them by its image."""

    def changed(world: World) -> World:
        given = world.before.container
        rendering = world.before.operator_rendering
        assert given is not None
        assert isinstance(rendering, Rendering)
        own = {name: value for name, value in given.environment.items() if name not in rendering.environment}
        more = dict.fromkeys((*names, *by_image), "1")
        return both(
            container("before", environment={**given.environment, **more}),
            part("before", "running_image", environment={**own, **dict.fromkeys(by_image, "1")}),
        )(world)

    return changed


def _at_every_address(moment: str) -> Change:
    """Let the container publish its ports beyond loopback."""

    def changed(world: World) -> World:
        everywhere = (replace(one, host_ip="0.0.0.0") for one in container_of(world, moment).bindings)
        return container(moment, bindings=tuple(everywhere))(world)

    return changed


def _no_instances(world: World) -> World:
    return both(part("before", "database", instances=()), part("after", "database", instances=()))(world)


FAILING = (
    Case(
        f"{APPLYING}test_the_new_settings_lead_to_the_same_database", "another one",
        _database("before", instance_id="other"), "another database",
    ),
    Case(
        f"{MADE}test_the_mounts_stay_the_same", "another name", _rendering(volumes=("elsewhere",)),
        "elsewhere (new)",
    ),
    Case(
        f"{MADE}test_the_mounts_stay_the_same", "the engine's socket",
        both(container("before", mounts=(VOLUME,)), _rendering(mounts=(VOLUME, SOCKET))),
        "/var/run/docker.sock at /var/run/docker.sock (new)",
    ),
    Case(
        f"{MADE}test_the_mounts_stay_the_same", "read-only",
        both(container("before", mounts=(VOLUME,)), _rendering(mounts=(replace(VOLUME, read_only=True),))),
        "read-only (new)",
    ),
    Case(
        f"{IMAGE}test_the_image_is_of_the_platform_that_is_named", "another", _rendering(platform="linux/s390x"),
        "the start would fail",
    ),
    Case(
        "post/test_container.py::test_it_is_made_as_was_checked", "another privilege",
        both(_made(), container("after", made={"privileged": "true"}), part("after", "running_image", made={})), "privileged",
    ),
    Case(f"{MADE}test_its_privileges_and_its_reach_stay_the_same", "privileged", _made(privileged="true"), "privileged"),
    Case(f"{MADE}test_its_privileges_and_its_reach_stay_the_same", "a network", _made(networks="other"), "networks"),
    Case(f"{MADE}test_nothing_else_of_the_container_changes", "a limit", _made(memory="1000"), "memory"),
    Case(f"{MADE}test_nothing_else_of_the_container_changes", "a command", _made(command='["other"]'), "command"),
    Case(f"{MADE}test_compose_knows_no_other_difference", "its mark alone", _marked("2.26.1"), "has no name here"),
    Case(f"{MADE}test_compose_can_compare_it", "another Compose", _marked("2.99.0"), "Compose 2.26.1 has made it"),
    Case(
        f"{APPLYING}test_the_values_before_would_still_work", "refused", _present_login("refused"),
        "cannot go back",
    ),
    Case(f"{APPLYING}test_no_other_service_changes", "postgres too", _postgres_anew, "recreate tools-kestra-postgres"),
    Case(f"{APPLIED}test_the_old_credentials_are_refused", "let in", _old_credentials(200), "still takes the old"),
    Case(
        f"{KEPT}test_what_was_kept_can_be_read", "damaged",
        lambda world: replace(world, kept=replace(world.kept, unread="Compose cannot render it")),
        "Compose cannot render it",
    ),
    Case(
        f"{KEPT}test_the_image_that_was_kept_is_here", "another one", part("before", "image", id="sha256:other"),
        "the image before the change was",
    ),
    Case(
        f"{KEPT}test_the_schema_is_the_one_that_it_ran_on", "moved", _database("before", migrations=()),
        "start the service as the target's files say",
    ),
    Case(
        f"{KEPT}test_no_later_version_has_run_since", "moved, and the files name the image from before",
        _files_name(id=""), "they name the very image that ran before; let them name the version that last ran",
    ),
    Case(
        f"{KEPT}test_no_later_version_has_run_since", "moved, and the files name no version",
        _files_name(version="latest"), "the version of kestra:newest is unknown",
    ),
    Case(f"{KEPT}test_no_later_version_has_run_since", "a later one", _after_a_later_one("before"), "as the target's files"),
    Case(
        f"{KEPT}test_no_later_version_has_run_since", "a later one, and the files name one before it",
        _files_name(version="0.21.0"), "lead nowhere as they are: 9.1.0 has run on this database since",
    ),
    Case(f"{APPLIED}test_the_old_ports_are_closed", "still open", _old_port_open, "still listens on"),
    Case(
        f"{GOAL}test_there_is_an_accepted_run_to_go_back_to", "none",
        lambda world: replace(world, goal=Goal(None, None)), "pytest -m update",
    ),
    Case(
        f"{GOAL}test_its_image_is_still_here", "removed",
        lambda world: replace(world, goal=replace(world.goal, image=None)), "docker pull",
    ),
    Case(f"{GOAL}test_the_schema_has_not_moved_since", "moved", _database("before", migrations=()), "copy of the database"),
    Case(f"{GOAL}test_no_later_version_has_run_since", "a later one", _after_a_later_one("before"), "is older"),
    Case(f"{GOAL}test_no_later_version_has_run_since", "a history of its own", _with_own_history, "does not know the table"),
    Case(f"{UPDATE}test_the_image_can_be_had", "not announced", at("before", announced=""), "no digest"),
    Case(
        f"{UPDATE}test_there_is_room_for_the_image", "a full disk", part("before", "host", engine_free=10),
        "make room",
    ),
    Case(
        f"{UPDATE}test_the_configuration_stays_the_same", "another value", _environment(TOOLS_DB_NAME="old"),
        "TOOLS_DB_NAME",
    ),
    Case(
        f"{UPDATE}test_postgres_stays_of_its_major_version", "the next one",
        _rendering(database_image="postgres:17.2"), "dump and restore",
    ),
    Case(f"{CANDIDATE}test_it_is_the_image_that_was_announced", "another", _candidate(digests=("a@sha256:b",)), "pushed"),
    Case(f"{CANDIDATE}test_it_runs_on_this_engine", "another platform", _candidate(architecture="s390x"), "s390x"),
    Case(f"{CANDIDATE}test_it_starts_in_the_same_way", "a shell", _candidate(entrypoint=("bash",)), "bash"),
    Case(f"{CANDIDATE}test_its_version_is_known", "no label", _candidate(version=""), "no version"),
    Case(f"{CANDIDATE}test_it_is_no_older_version", "an older one", _candidate(version="0.19.4"), "rollback"),
    Case(
        f"{CANDIDATE}test_no_later_version_has_run_on_the_database", "a later one", _after_a_later_one("ready"), "9.1.0",
    ),
    Case(f"{CANDIDATE}test_it_is_no_other_major_version", "the next", _candidate(version="1.0.0"), "migration notes"),
    Case(
        f"{CANDIDATE}test_it_was_not_rolled_back_before", "it was",
        lambda world: replace(world, rolled_back=frozenset({candidate(world).id})), "waive",
    ),
    Case(OPERATOR, "the shell's variable wins", _file(interpolation={}), "win"),
    Case(OPERATOR, "another image", _file(image="kestra/kestra:v9"), "differ in: image"),
    Case(OPERATOR, "another port", _file(bindings=()), "published ports"),
    Case(OPERATOR, "another name", _file(container_name="tools-kestra-2"), "container name"),
    Case(OPERATOR, "another value", _file(environment={}), "environment"),
    Case(PORTS_OF_FILE, "a word for a port", interpolation(KESTRA_HTTP_PORT="eighty"), "is no port number"),
    Case(PORTS_OF_FILE, "a port beyond the last", interpolation(KESTRA_HTTP_PORT="65536"), "is no port number"),
    Case(PORTS_OF_FILE, "port nought", interpolation(KESTRA_MANAGEMENT_PORT="0"), "is no port number"),
    Case(PORTS_OF_FILE, "a port that the file does not take", interpolation(KESTRA_HTTP_PORT="8088"), "8088"),
    Case(PORTS_OF_FILE, "not published", _rendering(bindings=()), "publishes []"),
    Case(DATABASE_OF_FILE, "no YAML", settings(problems=("it is no YAML: line 3",)), "it is no YAML"),
    Case(DATABASE_OF_FILE, "another host", settings(db_host="other"), "KESTRA_DB_HOST"),
    Case(DATABASE_OF_FILE, "another port", settings(db_port=5433), "KESTRA_DB_PORT"),
    Case(DATABASE_OF_FILE, "another database", settings(db_name="other"), "KESTRA_DB_NAME"),
    Case(DATABASE_OF_FILE, "another user", settings(db_user="other"), "KESTRA_DB_USER"),
    Case(DATABASE_OF_FILE, "a cut password", settings(db_password=Secret("x")), "KESTRA_DB_PASSWORD"),
    Case(DATABASE_OF_FILE, "no password", settings(db_password=None), "KESTRA_DB_PASSWORD"),
    Case(AUTH_OF_FILE, "off", settings(basic_auth_enabled=False), "enabled: true"),
    Case(AUTH_OF_FILE, "not said to be on", settings(basic_auth_enabled=None), "enabled: true"),
    Case(AUTH_OF_FILE, "another user", settings(basic_auth_user="a@b"), "KESTRA_BASICAUTH_USERNAME"),
    Case(AUTH_OF_FILE, "a cut password", settings(basic_auth_password=Secret("x")), "KESTRA_BASICAUTH_PASSWORD"),
    Case(AUTH_FITS, "no password", settings(basic_auth_password=None), "blank"),
    Case(AUTH_FITS, "no user", settings(basic_auth_user=""), "blank"),
    Case(AUTH_FITS, "no address", settings(basic_auth_user="admin"), "e-mail"),
    Case(AUTH_FITS, "nothing before the @", settings(basic_auth_user="@example.org"), "e-mail"),
    Case(AUTH_FITS, "too long", settings(basic_auth_password=Secret("x" * 257)), "256"),
    Case(
        AUTH_FITS, "a weak password for a version with a rule",
        both(part("before", "image", version="0.24.0"), settings(basic_auth_password=Secret("alllower1"))), "0.24",
    ),
    Case(
        AUTH_FITS, "a version that is written with a v",
        both(part("before", "image", version=OLD_FORM), settings(basic_auth_password=Secret("Short1"))), "0.24",
    ),
    Case(
        AUTH_FITS, "a later version",
        both(part("before", "image", version="1.0.0"), settings(basic_auth_password=Secret("NoDigitsHere"))), "digit",
    ),
    Case(UNCHANGED, "an edited value", _environment(JAVA_OPTS="-Xmx1g"), "JAVA_OPTS"),
    Case(UNCHANGED, "a value that the files have no more", _given_besides("FLAG"), "FLAG (removed)"),
    Case(UNCHANGED, "an edited port", container("before", bindings=()), "the published ports"),
    Case(UNCHANGED, "another address", _at_every_address("before"), "the published ports"),
    Case(UNCHANGED, "an edited password", settings(db_password=Secret("new")), "configuration has changed"),
    Case(ONE, "two", _twice("before"), "left-over"),
    Case(ONE, "a leftover", _leftover, "recover"),
    Case(WELL, "paused", container("before", paused=True, state="paused"), "recover"),
    Case(WELL, "looping", container("before", restarting=True, state="restarting"), "restart loop"),
    Case(WELL, "dead", container("before", state="dead", running=False), "is dead"),
    Case(WELL, "hung", _silent, "answers on neither port"),
    Case(NAME_FREE, "held by another", _other(name="tools-kestra"), "Compose project shop"),
    Case(NAME_FREE, "held by nobody's", _other(name="tools-kestra", project=""), "no Compose project"),
    Case(NAME_FREE, "held by a Kestra started by hand", _by_hand, "docker stop -t 15 tools-kestra"),
    Case(NETWORKS, "an external one is gone", _rendering(external_networks=("elsewhere",)), "docker network create"),
    Case(
        SHARED, "taken out of it",
        both(_database("before", login="unreachable"), postgres("before", networks=())), "docker network connect",
    ),
    Case(
        SHARED, "the network is gone, and it is stopped",
        both(
            _database("before", login="unreachable"), at("before", networks=("bridge",)),
            postgres("before", running=False, state="exited"),
        ),
        "--force-recreate kestra-postgres",
    ),
    Case(
        PORTS_FREE, "published by another",
        _other(bindings=(Binding("80/tcp", "127.0.0.1", 8080),)), "published by container somebodys",
    ),
    Case(
        PORTS_FREE, "published by another on every address",
        _other(bindings=(Binding("80/tcp", "0.0.0.0", 8081),)), "published by container somebodys",
    ),
    Case(
        PORTS_FREE, "published by another on every address of IPv6",
        _other(bindings=(Binding("80/tcp", "::", 8081),)), "published by container somebodys",
    ),
    Case(PORTS_FREE, "a foreign process", _not_published, "taken on the engine's host by a process,"),
    Case(
        PORTS_FREE, "a process of this machine",
        both(_not_published, part("before", "host", listeners=(Listener("127.0.0.1", 8080, "process 7 (nginx)"),))),
        "by process 7 (nginx)",
    ),
    Case(
        PORTS_FREE, "a process of another machine than this",
        both(
            _not_published, part("before", "engine", elsewhere=True),
            part("before", "host", listeners=(Listener("127.0.0.1", 8080, "process 7 (nginx)"),)),
        ),
        "by a process,",
    ),
    Case(
        PORTS_FREE, "a foreign process, on every address",
        both(_not_published, at("before", listeners=(Listener("0.0.0.0", 8080),))), "listens on 0.0.0.0",
    ),
    Case(
        PORTS_FREE, "a foreign process, on IPv6 alone",
        both(_not_published, at("before", listeners=(Listener("::", 8081),))), "listens on ::",
    ),
    Case(
        PORTS_FREE, "a foreign process, mapped into IPv6",
        both(_not_published, at("before", listeners=(Listener("::ffff:127.0.0.1", 8081),))), "8081",
    ),
    Case(
        PORTS_FREE, "a stopped container holds nothing",
        container("before", running=False, state="exited"), "taken on the engine's host",
    ),
    Case(
        PORTS_FREE, "the new port is taken",
        both(_port(9090), at("before", listeners=(Listener("127.0.0.1", 9090),))), "9090",
    ),
    Case(SAME_PORTS, "another host", part("before", "host", listeners=()), "[8080, 8081]"),
    Case(f"{CONTAINER}test_the_container_restarts_by_itself", "never", _rendering(restart_policy="no"), "no restart policy"),
    Case(f"{CONTAINER}test_the_container_restarts_by_itself", "not said", _rendering(restart_policy=""), "no restart policy"),
    Case(
        f"{CONTAINER}test_docker_checks_the_services_health", "unchecked",
        _rendering(has_health_check=False), "no health check",
    ),
    Case(
        GIVEN, "two ports", part("before", "host", ephemeral=Ephemeral(1024, 65535)),
        "`sysctl -w net.ipv4.ip_local_reserved_ports=8080,8081`",
    ),
    Case(
        GIVEN, "one, and others are kept back already", part("before", "host", ephemeral=Ephemeral(1024, 8080, "5000-5009")),
        "`sysctl -w net.ipv4.ip_local_reserved_ports=5000-5009,8080`",
    ),
    Case(GIVEN, "it cannot be read", part("before", "host", ephemeral=GONE), "look by hand", Outcome.UNKNOWN),
    Case(LOOPBACK, "everywhere", _bound("rendering", "0.0.0.0"), "0.0.0.0"),
    Case(LOOPBACK, "no address", _bound("rendering", ""), "every address"),
    Case(LOOPBACK, "every address of IPv6", _bound("rendering", "::"), "::"),
    Case(LOOPBACK, "an address of the network", _bound("rendering", "10.0.0.1"), "10.0.0.1"),
    Case(POSTGRES, "stopped", postgres("before", running=False, state="exited"), "exited"),
    Case(POSTGRES, "paused", postgres("before", paused=True, state="paused"), "paused"),
    Case(POSTGRES, "unwell", postgres("before", health="unhealthy"), "unhealthy"),
    Case(POSTGRES, "still starting", postgres("before", health="starting"), "starting"),
    Case(POSTGRES, "none", at("before", database_containers=()), "0 containers"),
    Case(LOGIN, "refused", _database("before", login="refused", said="password authentication failed"), "ALTER ROLE"),
    Case(LOGIN, "unreachable", _database("before", login="unreachable", said="no route"), "cannot be reached"),
    Case(SECOND, "another host's", another_instance("before"), "elsewhere"),
    Case(SECOND, "one that boots", another_instance("before", state="CREATED"), "elsewhere"),
    Case(SECOND, "one that drains", another_instance("before", state="TERMINATING"), "elsewhere"),
    Case(
        SECOND, "one with a long liveness",
        another_instance("before", age=100.0, liveness_timeout=120.0), "elsewhere",
    ),
    Case(
        SECOND, "another's while ours is stopped",
        both(container("before", running=False, state="exited"), another_instance("before")), "stop that server first",
    ),
    Case(LEFT, "from nobody's address", _left_over(abandoned=True), "select pg_terminate_backend(pid)"),
    Case(LEFT, "older than the container", _left_over(since="2020-01-01T00:00:00+00:00"), "in (4711)"),
    Case(f"{DATABASE}test_the_schema_history_is_whole", "a failed migration", _failed_migration, "have failed"),
    Case(f"{DATABASE}test_no_later_version_has_run_on_it", "a later one", _after_a_later_one("before"), "9.1.0 has run"),
    Case(
        f"{DATABASE}test_no_later_version_has_run_on_it", "a history of its own", _with_own_history,
        "does not know the table kestra_migration_history",
    ),
    Case(f"{DATABASE}test_nothing_is_running", "two", _database("before", running=2), "2 executions"),
    Case(f"{DATABASE}test_postgres_has_not_drifted", "another", _rendering(database_image="postgres:17"), "postgres:17"),
    Case(f"{ENGINE}test_the_engine_answers", "nameless", part("before", "engine", id=""), "docker info"),
    Case(f"{ENGINE}test_the_clocks_agree", "ahead", part("before", "engine", skew=31.0), "+31.0 s"),
    Case(f"{ENGINE}test_the_clocks_agree", "behind", part("before", "engine", skew=-31.0), "-31.0 s"),
    Case(
        f"{ENGINE}test_the_files_can_be_used", "an unfit file",
        at("before", files=(FileSeen("/srv/tools/.env", "env file", "it has Windows line ends"),)), "Windows",
    ),
    Case(RENDERS, "no image", _rendering(image=""), "no image"),
    Case(RENDERS, "another project", _file(project="other"), "COMPOSE_PROJECT_NAME"),
    Case(READS_BACK, "it cannot", _rendering(unread="undefined service"), "by then: undefined service"),
    Case(BLANK, "a warning", _rendering(warnings=('The "X" variable is not set.',)), "is not set"),
    *(
        Case(BLANK, f"no {what}", settings(**{key: value}), f"a blank {what}")
        for what, key, value in (
            ("database host", "db_host", ""),
            ("database name", "db_name", ""),
            ("database user", "db_user", ""),
            ("database password", "db_password", None),
        )
    ),
    Case(DRY_RUN, "it fails", part("before", "dry_run", exit_code=1, output="no such service"), "no such service"),
    Case(
        DRY_RUN, "Postgres too",
        part("before", "dry_run", touches=("tools-kestra", "tools-kestra-postgres")), "tools-kestra-postgres",
    ),
    Case(DRY_RUN, "nothing", part("before", "dry_run", touches=()), "names no container"),
    Case(COVERS, "too short", lambda world: replace(world, stop_grace=4.9), "killed after 4.9 s"),
    Case(COVERS, "a longer drain", instance("before", termination_grace=300.0), "drains up to 300 s"),
    Case(
        COVERS, "a drain that the target file says",
        both(instance("before", termination_grace=None), _target(budgets=Budgets(drain=60.0))), "60 s",
    ),
    Case(
        COVERS, "a drain that the configuration says",
        both(
            instance("before", termination_grace=None),
            part("before", "running_settings", termination_grace=90.0),
        ), "90 s",
    ),
    Case(
        COVERS, "no figure",
        both(
            instance("before", termination_grace=None),
            part("before", "running_settings", termination_grace=None),
        ), "budgets.drain", Outcome.UNKNOWN,
    ),
    Case(f"{IMAGE}test_the_image_is_here", "nameless", part("before", "image", id=""), "no id"),
    Case(f"{IMAGE}test_the_image_is_here", "absent", at("before", image=GONE), "could not be seen", Outcome.UNKNOWN),
    Case(
        f"{IMAGE}test_the_image_is_the_one_that_runs", "moved",
        part("before", "image", id="sha256:other"), "update",
    ),
    *(
        Case(TAG, tag or "no tag", _rendering(image=f"registry:5000/kestra{tag}"), "moves")
        for tag in ("", ":latest", ":develop", ":latest-lts")
    ),
    Case(f"{ROOM}test_the_engine_has_room", "full", part("before", "host", engine_free=1_000_000), "1 MB are free"),
    Case(f"{ROOM}test_the_archive_can_be_written", "read-only", part("before", "host", archive_problem="no"), "no"),
    Case(f"{ROOM}test_the_archive_can_be_written", "full", part("before", "host", archive_free=1_000_000), "1 MB free"),
    Case(f"{SERVER}test_health_says_up", "down", answer("before", "health", 503, "503 DOWN", "DOWN"), "503 DOWN"),
    Case(f"{SERVER}test_health_says_up", "200 and down", answer("before", "health", 200, "200 DOWN", "DOWN"), "DOWN"),
    Case(f"{SERVER}test_health_says_up", "200 without a word", answer("before", "health", 200), "recover"),
    Case(f"{SERVER}test_the_version_is_noted", "none", part("before", "server", version=""), "/version"),
    Case(
        f"{SERVER}test_the_instance_id_is_noted", "none",
        both(part("before", "server", instance_id=GONE), _database("before", instance_id=None)),
        "no instance id was stored", Outcome.UNKNOWN,
    ),
    Case(f"{SERVER}test_the_instance_id_is_noted", "blank", part("before", "server", instance_id=""), "instance.uuid"),
    Case(
        f"{SERVER}test_the_flows_are_noted", "unseen",
        both(part("before", "server", flows=GONE), _database("before", flows=GONE)), "seen", Outcome.UNKNOWN,
    ),
    Case(
        f"{SERVER}test_the_last_executions_are_noted", "unseen",
        both(part("before", "server", executions=GONE), _database("before", executions=GONE)), "seen",
        Outcome.UNKNOWN,
    ),
    Case(
        f"{SERVER}test_the_configured_credentials_are_accepted_now", "others",
        answer("before", "auth_right", 401), "apply_env",
    ),
    Case(f"{READY}test_nothing_was_touched_while_preparing", "restarted", container("ready", started_at="2026"), "else"),
    Case(f"{READY}test_nothing_was_touched_while_preparing", "recreated", container("ready", id="0" * 64), "else"),
    Case(f"{READY}test_nothing_was_touched_while_preparing", "gone", at("ready", containers=()), "else"),
    Case(f"{READY}test_the_files_are_the_same", "edited", _edited, "was edited"),
    Case(f"{MID}test_the_container_has_stopped", "it runs", container("stopped", running=True), "still runs"),
    Case(CLEAN, "killed at the end of its grace", _event("kill", signal="9"), "the server was killed"),
    Case(CLEAN, "killed, by its exit code", _event("die", exitCode="137"), "137"),
    Case(CLEAN, "nobody saw its end", _without_event("die"), "", Outcome.UNKNOWN),
    Case(CLEAN, "nobody saw a signal", _without_event("kill"), "", Outcome.UNKNOWN),
    Case(CLEAN, "no events", _stop(events=GONE), "could not be seen", Outcome.UNKNOWN),
    Case(f"{MID}test_it_was_not_killed_for_its_memory", "killed", container("stopped", oom_killed=True), "memory"),
    Case(FREED, "taken at once", at("stopped", listeners=(Listener("127.0.0.1", 8080),)), "[8080]"),
    Case(FREED, "taken on IPv6", at("stopped", listeners=(Listener("::", 8081),)), "[8081]"),
    Case(STILL_IN, "refused", _database("stopped", login="refused", said="no"), "refused: no"),
    Case(STILL_IN, "gone", _database("stopped", login="unreachable", said="no"), "unreachable"),
    Case(STILL_IN, "unwell", postgres("stopped", health="unhealthy"), "is not healthy"),
    Case(NO_SESSION, "a driver's", _session(), "172.20.0.9"),
    Case(NO_SESSION, "a pool's", _session(application="HikariPool-1"), "stop that server first"),
    Case(NO_SESSION, "the understudy's", _session(application="kestra"), "kestra"),
    Case(NEW_CONTAINER, "it does not run", container("after", running=False, state="exited"), "is exited"),
    Case(
        NEW_CONTAINER, "the old one",
        lambda world: container("after", id=container_of(world, "before").id)(world), "recreated nothing",
    ),
    Case(
        NEW_CONTAINER, "somebody else's",
        container("after", started_at="2026-11-23T10:00:00.000000000Z"), "somebody else",
    ),
    Case(
        f"{NEW}test_it_is_of_the_expected_image", "another",
        container("after", image_id="sha256:other"), "the tag was moved",
    ),
    Case(RESTARTS, "restarted", container("after", restart_count=1), "restarted 1 times"),
    Case(RESTARTS, "paused", container("after", paused=True), "docker logs"),
    Case(SOAKED, "not soaked", _not_ended("soak"), "not within"),
    Case(SOAKED, "never ready", _start(soak=None), "never became ready"),
    Case(
        f"{NEW}test_its_configuration_is_the_one_that_was_checked", "another password",
        part("after", "running_settings", db_password=Secret("other")), "was edited",
    ),
    Case(
        f"{NEW}test_its_published_ports_are_the_expected_ones", "none",
        container("after", bindings=()), "it publishes nothing",
    ),
    Case(
        f"{NEW}test_its_published_ports_are_the_expected_ones", "at every address", _at_every_address("after"),
        "it publishes 0.0.0.0:",
    ),
    Case(TOUCHED, "a neighbour was restarted", neighbour("after", started_at="2026-11-23T12:00:00Z"), "postgres"),
    Case(TOUCHED, "a neighbour was stopped", neighbour("after", state="exited"), "postgres"),
    Case(TOUCHED, "Postgres was recreated", postgres("after", id="0" * 64), "own Postgres"),
    Case(TOUCHED, "Postgres was restarted", postgres("after", started_at="2026"), "own Postgres"),
    Case(TOUCHED, "Postgres is gone", at("after", database_containers=()), "own Postgres"),
    Case(TOUCHED, "a neighbour has gone", at("after", neighbours=()), "postgres"),
    Case(
        f"{NEW}test_no_neighbour_was_touched", "another project's was restarted",
        both(neighbour("before", project="shop"), neighbour("after", project="shop", started_at="2026")), "postgres",
    ),
    Case(
        f"{NEW}test_no_neighbour_was_touched", "another project's has gone",
        both(neighbour("before", project="shop"), at("after", neighbours=())), "postgres",
    ),
    Case(f"{NEW}test_docker_calls_it_healthy", "unhealthy", container("after", health="unhealthy"), "unhealthy"),
    Case(f"{NEW}test_docker_calls_it_healthy", "still starting", container("after", health="starting"), "starting"),
    Case(f"{NEW}test_docker_calls_it_healthy", "no word", container("after", health=""), "nothing"),
    Case(f"{AFTER}test_it_became_ready", "not in time", _not_ended("ready"), "not within"),
    Case(f"{AFTER}test_it_became_ready", "nobody waited", _start(ready=None), "the run did not wait"),
    Case(f"{AFTER}test_health_says_up", "down", answer("after", "health", 503, "503 DOWN", "DOWN"), "503"),
    Case(f"{AFTER}test_health_says_up", "200 and down", answer("after", "health", 200, "200 DOWN", "DOWN"), "DOWN"),
    Case(f"{AFTER}test_health_says_up", "silent", answer("after", "health", 0, "refused"), "refused"),
    Case(ANSWERS, "silent", answer("after", "ping", 0, "refused"), "refused"),
    Case(ANSWERS, "another port", _heard_elsewhere, "9090"),
    Case(ANSWERS, "not the container's", container("after", bindings=()), "find out what listens"),
    Case(f"{AFTER}test_the_version_is_the_expected_one", "another", part("after", "server", version="0.21.0"), "0.21.0"),
    Case(f"{AFTER}test_it_is_the_same_instance", "another", part("after", "server", instance_id="new"), "new"),
    Case(
        f"{AFTER}test_it_is_the_same_instance",
        "the server does not say, and is not alive on the database",
        both(part("after", "server", instance_id=GONE), _database("after", instances=())), "could not be seen",
        Outcome.UNKNOWN,
    ),
    Case(
        f"{AFTER}test_it_is_the_same_instance",
        "the server does not say, and another one drains on the database",
        both(part("after", "server", instance_id=GONE), another_instance("after", state="TERMINATING")),
        "could not be seen", Outcome.UNKNOWN,
    ),
    Case(
        f"{AFTER}test_it_is_the_same_instance",
        "the server does not say, and the database is another",
        both(part("after", "server", instance_id=GONE), _database("after", instance_id="new")), "new",
    ),
    Case(f"{AFTER}test_the_schema_is_the_same", "migrated", _migrated, "only an update may migrate"),
    Case(f"{AFTER}test_the_schema_has_only_grown", "emptied", _database("after", migrations=()), "are gone"),
    Case(f"{AFTER}test_the_schema_has_only_grown", "a migration failed", _half_migrated, "have failed"),
    Case(f"{AFTER}test_no_flow_has_gone", "gone", part("after", "server", flows=()), "demo/hello"),
    Case(f"{AFTER}test_no_flow_has_gone", "an older one", part("after", "server", flows=("demo/hello@0",)), "older"),
    Case("post/test_database.py::test_postgres_lets_the_server_in", "refused", _database("after", login="refused"), "half an hour"),
    Case("post/test_database.py::test_postgres_lets_the_server_in", "unwell", postgres("after", health="unhealthy"), "is not healthy"),
    Case(f"{AFTER}test_the_schema_is_the_same", "emptied", _database("after", migrations=()), "moved"),
    Case(f"{AFTER}test_the_right_credentials_are_let_in", "refused", answer("after", "auth_right", 401), "401"),
    Case(f"{AFTER}test_wrong_credentials_are_refused", "let in", answer("after", "auth_wrong", 200), "not on"),
    Case(f"{AFTER}test_wrong_credentials_are_refused", "an error", answer("after", "auth_wrong", 500), "500"),
    Case(f"{AFTER}test_nobody_is_let_in_without_credentials", "let in", answer("after", "auth_none", 200), "not on"),
    Case(f"{AFTER}test_every_flow_is_there", "gone", part("after", "server", flows=()), "demo/hello@1"),
    Case(
        f"{AFTER}test_every_flow_is_there", "an older revision",
        part("after", "server", flows=("demo/hello@0",)), "demo/hello@1",
    ),
    Case(
        f"{AFTER}test_every_flow_is_there", "gone from the tables, where the list is cut",
        both(part("after", "server", flows=GONE), _database("after", flows=())), "demo/hello@1",
    ),
    Case(
        EXECUTIONS, "gone",
        both(part("after", "server", executions=()), _database("after", executions=())), "missing",
    ),
    Case(ALONE, "another", another_instance("after"), "elsewhere"),
    Case(ALONE, "another that boots", another_instance("after", state="CREATED"), "elsewhere"),
    Case(ALONE, "another that drains", another_instance("after", state="TERMINATING"), "elsewhere"),
    Case(OUTLASTS, "no earlier run", _working("before"), "no earlier run says how long"),
    Case(OUTLASTS, "earlier runs are long", _working("before", earlier=900.0), "earlier ones took up to 900 s"),
    Case(OUTLASTS, "longer than ever", _working("before", lasts=90.0, earlier=3.0), "longer than any"),
    Case(OUTLASTS, "2.0 gives up its drain", _patient("2.0.0-SNAPSHOT", 10.0), "the stop waits 10 s"),
    Case(OUTLASTS, "so does a later 2.0", _patient("2.0.3-oss", 10.0), "the stop waits 10 s"),
    Case(OUTLASTS, "in no list", _working("before", id="listed"), "a worker has it in its hands"),
    Case(WRITES, "its storage is root's", _barred("before"), "chown -R 1000:1000 /app/storage"),
    Case(WRITES, "a folder that somebody has mounted", _barred("before", WORK), "if not, waive this"),
    Case(WRITES, "read-only", _barred("before", read_only=True), "let /app/storage be written in the compose file"),
    Case(
        WRITES, "no shell in it", at("before", folders=Unseen("it cannot be asked", "see it by hand")), "see it by hand",
        Outcome.UNKNOWN,
    ),
    Case(WRITTEN, "its storage is root's", _barred("after"), "cannot write /app/storage (its storage, volume tools-storage)"),
    Case(WRITTEN, "a place of its own", _barred("after", kind="", source="", stores=False), "/app/storage (its own)"),
    Case(CUT, "failed", both(_working("ready"), _became("FAILED")), "was in flight and has FAILED"),
    Case(CUT, "nobody's", both(_working("ready"), _became("RUNNING")), "no worker has it in its hands"),
    Case(
        CUT, "begun again", both(_working("ready"), _became("RUNNING"), _in_new_hands(JOB.id)), "once more from its beginning"
    ),
    Case(
        CUT, "a dead worker's",
        both(_working("ready"), _became("RUNNING"), _database("after", jobs=(JOB,))), "no worker has it in its hands",
    ),
    Case(PARTS, "a part ended", instance("after", state="TERMINATED_FORCED"), "no heartbeat of"),
    Case(PARTS, "a part went mute", instance("after", age=1e6), "no heartbeat of"),
    Case(PARTS, "the old container's", instance("after", hostname="gone"), "no heartbeat of"),
    Case(PARTS, "no heartbeat at all", _no_instances, "EXECUTOR, WORKER"),
    Case(f"{AFTER}test_the_outage_was_measured", "no end", _unmeasured, "saw no end"),
    Case(READABLE, "no answer", dashboard_before(shows=GONE), "will not be accepted"),
    Case(DASHBOARDS, "another word", dashboard(shows='"degraded"'), 'shows "degraded" and not "healthy"'),
    Case(DASHBOARDS, "a word for a value", dashboard(expected="true", shows='"true"'), "and not true"),
    Case(DASHBOARDS, "an old answer", dashboard(shows=GONE), "could not be seen", Outcome.UNKNOWN),
)  # fmt: skip

PASSING = (
    Case(
        f"{KEPT}test_the_schema_is_the_one_that_it_ran_on", "moved by a later one: that is told, once",
        _database("before", migrations=(), last_version="9.1.0"),
    ),
    Case(
        f"{GOAL}test_the_schema_has_not_moved_since", "moved by a later one: that is told, once",
        _database("before", migrations=(), last_version="9.1.0"),
    ),
    Case(f"{MADE}test_compose_knows_no_other_difference", "another Compose", _marked("2.99.0")),
    Case(
        f"{MADE}test_compose_knows_no_other_difference", "a variable, which is a finding of its own",
        both(_marked("2.26.1"), _environment(JAVA_OPTS="-Xmx1g")),
    ),
    Case(f"{MADE}test_nothing_else_of_the_container_changes", "what the image gives", _made()),
    Case(
        UNCHANGED, "values of the image and of the client's proxy",
        _given_besides("HTTP_PROXY", "no_proxy", by_image=("JAVA_HOME",)),
    ),
    Case(
        f"{MADE}test_the_mounts_stay_the_same", "a secret, which is no data",
        container(
            "before", volumes=("tools-understudy-postgres-data-storage", "/srv/word"),
            mounts=(Mount("bind", "/srv/word", "/run/secrets/word", read_only=True),),
        ),
    ),
    Case(READABLE, "it shows a service that is down", dashboard_before(shows='"down"')),
    Case(NETWORKS, "an external one that is there", _rendering(external_networks=("tools_default",))),
    Case(SHARED, "a database that is reached in another way", postgres("before", networks=())),
    Case(PORTS_OF_FILE, "a port that the file leaves out", interpolation(KESTRA_HTTP_PORT="")),
    Case(DATABASE_OF_FILE, "a port that the file leaves out", interpolation(KESTRA_DB_PORT="")),
    Case(AUTH_FITS, "an old version has no rule", settings(basic_auth_password=Secret("weak"))),
    Case(
        AUTH_FITS, "a fit password for a version with a rule",
        both(part("before", "image", version="1.0.0"), settings(basic_auth_password=Secret("Passw0rd"))),
    ),
    Case(WELL, "it is down", _gone_away("before")),
    Case(WELL, "one port answers", answer("before", "ping", 0, "refused")),
    Case(NAME_FREE, "a longer name", _other(name="tools-kestra-2")),
    Case(PORTS_FREE, "nobody listens", both(_not_published, at("before", listeners=()))),
    Case(
        PORTS_FREE, "the same port on another address",
        _other(bindings=(Binding("80/tcp", "127.0.0.2", 8080),)),
    ),
    Case(
        PORTS_FREE, "a stopped neighbour publishes nothing",
        _other(state="exited", bindings=(Binding("80/tcp", "127.0.0.1", 8080),)),
    ),
    Case(PORTS_FREE, "a listener on another address", at("before", listeners=(Listener("127.0.0.2", 8080),))),
    Case(GIVEN, "kept back", part("before", "host", ephemeral=Ephemeral(1024, 65535, "80,8000-8090"))),
    Case(GIVEN, "kept back one by one", part("before", "host", ephemeral=Ephemeral(1024, 65535, "8080,8081"))),
    Case(LOOPBACK, "loopback of IPv6", _bound("rendering", "::1")),
    Case(POSTGRES, "no health check", postgres("before", health="")),
    Case(SECOND, "one that has ended", another_instance("before", state="NOT_RUNNING")),
    Case(SECOND, "one that was killed a while ago", another_instance("before", age=60.0, liveness_timeout=None)),
    Case(TAG, "a digest", _rendering(image="kestra/kestra@sha256:0123")),
    Case(TAG, "an exact tag at a registry with a port", _rendering(image="registry:5000/kestra:v0.20.7")),
    Case(COVERS, "exactly as long", lambda world: replace(world, stop_grace=5.0)),
    Case(
        f"{SERVER}test_the_flows_are_noted", "the database says them",
        part("before", "server", flows=GONE),
    ),
    Case(FREED, "another address' port", at("stopped", listeners=(Listener("127.0.0.1", 22),))),
    Case(NO_SESSION, "an operator's psql", _session(application="psql")),
    Case(NO_SESSION, "ours", _session(application="", client="socket")),
    Case(RESTARTS, "health stays starting", container("after", health="starting")),
    Case(f"{AFTER}test_the_version_is_the_expected_one", "an edition's name", part("after", "server", version="0.20.7-understudy-oss")),
    Case(
        f"{AFTER}test_it_is_the_same_instance", "the server is slow to say, and the database knows",
        part("after", "server", instance_id=GONE),
    ),
    Case(f"{AFTER}test_the_schema_has_only_grown", "migrated", _migrated),
    Case(f"{AFTER}test_no_flow_has_gone", "edited since", part("after", "server", flows=("demo/hello@2",))),
    Case(
        f"{AFTER}test_every_flow_is_there", "one more",
        part("after", "server", flows=("demo/hello@1", "demo/new@1")),
    ),
    Case(EXECUTIONS, "only the database still lists them", part("after", "server", executions=())),
    Case(SECOND, "our own one's last heartbeat", container("before", running=False, state="exited")),
    Case(f"{AFTER}test_every_flow_is_there", "edited since", part("after", "server", flows=("demo/hello@2",))),
    Case(f"{AFTER}test_every_flow_is_there", "a list that is cut", part("after", "server", flows=GONE)),
    Case(
        EXECUTIONS, "pushed out of every list by newer ones",
        _pushed_out,
    ),
    Case(LEFT, "one of an application of its own", _left_over(abandoned=True, application="psql")),
    Case(NO_SESSION, "half open, from nobody's address", _session(abandoned=True)),
    Case(NO_SESSION, "half open, older than the container", _session(since="2020-01-01T00:00:00+00:00")),
    Case(ALONE, "the one that was stopped", _stopped_one_is_young),
    Case(OUTLASTS, "1.3 waits for its grace", _patient("1.3.25-oss", 10.0)),
    Case(OUTLASTS, "short enough for 2.0", _patient("2.0.0-SNAPSHOT", 6.0)),
    Case(OUTLASTS, "earlier runs are short", _working("before", lasts=0.4, earlier=0.5)),
    Case(OUTLASTS, "in flight, and no worker has it", both(_working("before"), _database("before", jobs=()))),
    Case(WRITES, "it must write nothing", at("before", folders=())),
    Case(CUT, "ended", both(_working("ready"), _became("SUCCESS"))),
    Case(CUT, "goes on with its next task", both(_working("ready"), _became("RUNNING"), _in_new_hands("next"))),
    Case(CUT, "nobody had it before either", both(_working("ready"), _database("ready", jobs=()), _became("RUNNING"))),
    Case(ALONE, "the old one's last heartbeat", another_instance("after", state="TERMINATED")),
)  # fmt: skip
