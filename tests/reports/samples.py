"""Runs as they end: records with everything in them that a report has to tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from reports.record.evidence import (
    Anomalies,
    Anomaly,
    Attempt,
    Check,
    CheckResult,
    EngineEvent,
    Evidence,
    Finding,
    Interval,
    Moment,
    Outage,
    Outcome,
    PathOutage,
    Phase,
    Plan,
    Protects,
    SavedFile,
    Silence,
    Step,
    StepResult,
    StepStatus,
    TargetRecord,
    Verdict,
    Wait,
    Waiver,
    Way,
    Who,
)
from reports.record.observed import (
    Answer,
    Binding,
    Container,
    DashboardSeen,
    Database,
    DryRun,
    Engine,
    Execution,
    FileSeen,
    Host,
    Image,
    Listener,
    Migration,
    Neighbour,
    Rendering,
    Secret,
    Server,
    ServiceInstance,
    Session,
    Settings,
    Snapshot,
    Unseen,
)
from reports.record.record import Record, fingerprint, recorded

BEGAN = dt.datetime(2026, 11, 23, 11, 57, 3, 120000, tzinfo=dt.UTC)
ZERO = 20.0
"""Seconds from the run's beginning to the probe's zero."""


def wall(at: float) -> str:
    """Return the time of day so many seconds after the run began."""
    return (BEGAN + dt.timedelta(seconds=at)).isoformat().replace("+00:00", "Z")


CLAIMS: tuple[tuple[Phase, str, str], ...] = (
    (
        Phase.PRE,
        "engine::test_the_engine_answers",
        "The engine answers on the endpoint that the operator uses.",
    ),
    (
        Phase.PRE,
        "compose::test_compose_renders",
        "Compose renders the service from the files without a warning.",
    ),
    (Phase.PRE, "compose::test_nothing_else_changes", "A restart would change nothing but the process."),
    (
        Phase.PRE,
        "container::test_it_is_the_only_one",
        "Exactly one container carries this project and service.",
    ),
    (Phase.PRE, "container::test_health_is_known", "The container has a health check, and it says healthy."),
    (Phase.PRE, "image::test_the_image_is_here", "The image that the start needs is on this engine."),
    (Phase.PRE, "ports::test_ports_are_free_for_us", "Nobody else holds a port that the service publishes."),
    (
        Phase.PRE,
        "database::test_login_over_the_network",
        "The new container's credentials log in over the network.",
    ),
    (Phase.PRE, "database::test_schema_is_whole", "Every migration of the schema was successful."),
    (Phase.PRE, "server::test_wrong_password_is_refused", "A wrong password is refused by the server."),
    (Phase.PRE, "server::test_instance_is_ours", "The server's instance id is the one in our database."),
    (Phase.PRE, "host::test_archive_has_room", "The archive can be written and has room for this run."),
    (Phase.READY, "logs::test_logs_are_saved", "The logs of the running container are saved."),
    (
        Phase.READY,
        "container::test_it_is_still_the_same",
        "The container is still the one that was looked at.",
    ),
    (Phase.MID, "container::test_it_is_stopped", "The container is stopped, and the engine agrees."),
    (Phase.MID, "database::test_nobody_else_writes", "No second Kestra is on the database."),
    (Phase.MID, "volume::test_the_volume_is_there", "The database's volume is still there."),
    (Phase.POST, "server::test_health_is_up", "The server says UP on its management port."),
    (Phase.POST, "server::test_version_is_the_same", "The server has the version that it had before."),
    (Phase.POST, "database::test_instance_id_is_the_same", "The instance id did not change."),
    (Phase.POST, "database::test_no_flow_was_lost", "Every flow is there in the revision that it had."),
    (Phase.POST, "database::test_no_execution_was_lost", "No execution was lost."),
    (Phase.POST, "neighbours::test_they_were_not_touched", "No neighbour was restarted or changed."),
    (Phase.POST, "container::test_it_stays_up", "The container did not restart while it was watched."),
)


def check(phase: Phase, name: str, claim: str) -> Check:
    """Return a check as the plan has it."""
    file, _, function = name.partition("::")
    data = file in {"database", "volume"} and phase is not Phase.PRE
    return Check(
        id=f"{phase}/{file}.py::{function}",
        phase=phase,
        claim=claim,
        asks=("before", "after") if phase is Phase.POST else ("before",),
        advisory=function == "test_health_is_known",
        protects=Protects.DATA if data else Protects.SERVICE,
        again=function == "test_it_is_the_only_one",
    )


CHECKS = tuple(check(*one) for one in CLAIMS)

STEPS: tuple[Step, ...] = (
    Step(
        name="save logs",
        purpose="keep what the running container said",
        command=("docker", "logs", "--timestamps", "tools-kestra"),
        limit=60.0,
        changing=False,
        way_back="nothing to undo: the file stays in the run's folder",
    ),
    Step(
        name="stop",
        purpose="end the container and let it finish its work",
        command=("docker", "compose", "-f", "tools/compose/docker-compose.tools.yml", "stop", "--timeout", "360", "kestra"),
        limit=390.0,
        changing=True,
        way_back="docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps kestra",
    ),
    Step(
        name="start",
        purpose="create the container anew from the same image, and wait until it answers",
        command=(
            "docker", "compose", "-f", "tools/compose/docker-compose.tools.yml",
            "up", "-d", "--no-deps", "--force-recreate", "--pull", "never", "kestra",
        ),
        limit=180.0,
        changing=True,
        way_back="the same command once more",
    ),
)  # fmt: skip


def passed(one: Check, *, at: float = 1.0, reason: str = "") -> CheckResult:
    return CheckResult(one, Outcome.PASSED, reason=reason, asked_at=wall(at), took=0.004)


PLAN = Plan(
    procedure="restart",
    state="running",
    steps=STEPS,
    checks=CHECKS,
    worst_outage=192.0,
    looks=(
        "a helper container logs in to the database over the service's network, labelled and self-removing",
    ),
    untried=("that the server boots within its limit cannot be tried without stopping it",),
)

WHO = Who(
    user="deploy",
    host="ops-runner-3",
    cwd="/srv/tools",
    operator="Ana Ribeiro",
    reason="memory grew since Friday; restart in the agreed window",
    ticket="OPS-4711",
    approved_by="M. Okafor",
    ci_job="restart-kestra #182",
    suite_commit="02bbe65c1f5e4d1a9b7c8d6e5f4a3b2c1d0e9f8a with uncommitted changes",
    suite_version="0.1.0",
    python="3.13.5",
    pytest="9.2.0",
    command_line="pytest -m restart --ticket OPS-4711",
)

TARGET = TargetRecord(
    name="tools",
    file="/srv/tools/target.toml",
    root="/srv/tools",
    project="tools",
    service="kestra",
    database_service="kestra-postgres",
    container="tools-kestra",
    endpoint="unix:///var/run/docker.sock",
    http_url="http://127.0.0.1:8080",
    management_url="http://127.0.0.1:8081",
)

ENVIRONMENT: dict[str, str | Secret] = {
    "JAVA_OPTS": "-Xmx1g",
    "KESTRA_DB_PASSWORD": Secret("3f1c9a77d2b0"),
}


def container(**changes: object) -> Container:
    before = Container(
        id="4b1f7b4e6c0d4a2f9e8d7c6b5a49382716f5e4d3c2b1a0998877665544332211",
        name="tools-kestra",
        image="kestra/kestra:v0.20.7",
        image_id="sha256:9f6f5d4c3b2a19087f6e5d4c3b2a19087f6e5d4c3b2a19087f6e5d4c3b2a1908",
        state="running",
        running=True,
        paused=False,
        restarting=False,
        oom_killed=False,
        exit_code=0,
        error="",
        created_at="2026-11-20T08:00:00.000000001Z",
        started_at="2026-11-20T08:00:01.000000001Z",
        finished_at="0001-01-01T00:00:00Z",
        restart_count=0,
        restart_policy="unless-stopped",
        auto_remove=False,
        health="healthy",
        stop_grace=360.0,
        bindings=(Binding("8080/tcp", "127.0.0.1", 8080), Binding("8081/tcp", "127.0.0.1", 8081)),
        networks=("tools_default",),
        volumes=("kestra-storage",),
        labels={"com.docker.compose.project": "tools", "com.docker.compose.service": "kestra"},
        environment=ENVIRONMENT,
        command=("server", "standalone"),
    )
    return replace(before, **changes)  # type: ignore[arg-type]


NEIGHBOUR = Neighbour(
    id="77aa0000bb11cc22dd33ee44ff5566778899aabbccddeeff0011223344556677",
    name="tools-grafana",
    image_id="sha256:1111111111111111111111111111111111111111111111111111111111111111",
    state="running",
    started_at="2026-11-01T00:00:00Z",
    restart_count=0,
    bindings=(Binding("3000/tcp", "127.0.0.1", 3000),),
    service="grafana",
    project="tools",
)

SETTINGS = Settings(
    db_host="kestra-postgres",
    db_port=5432,
    db_name="kestra",
    db_user="kestra",
    db_password=Secret("3f1c9a77d2b0"),
    basic_auth_enabled=True,
    basic_auth_user="admin@example.org",
    basic_auth_password=Secret("aa00bb11cc22"),
    termination_grace=300.0,
)

RENDERING: Rendering = Rendering(
    command=("docker", "compose", "config", "--format", "json"),
    project="tools",
    image="kestra/kestra:v0.20.7",
    container_name="tools-kestra",
    bindings=container().bindings,
    stop_grace=360.0,
    restart_policy="unless-stopped",
    has_health_check=True,
    environment=ENVIRONMENT,
    volumes=("kestra-storage",),
    networks=("default",),
    database_image="postgres:15",
    warnings=(),
    interpolation={"KESTRA_HTTP_PORT": "8080"},
    settings=SETTINGS,
)

ENGINE = Engine(
    id="ABCD:EFGH:IJKL",
    name="ops-engine",
    version="28.5.1",
    api="1.51",
    endpoint="unix:///var/run/docker.sock",
    context="default",
    os="Debian GNU/Linux 13",
    skew=0.002,
)

IMAGE = Image(
    reference="kestra/kestra:v0.20.7",
    id=container().image_id,
    digests=("kestra/kestra@sha256:5e1f0c9b8a7d6e5f4c3b2a1908f7e6d5c4b3a29180f7e6d5c4b3a29180f7e6d5",),
    version="0.20.7",
    architecture="amd64",
    created="2025-01-14T10:00:00Z",
    labels={"org.opencontainers.image.version": "0.20.7"},
    size=812_345_678,
)

ANSWER = Answer("http://127.0.0.1:8081/health", 200, "", 0.004, body_status="UP")

SERVER = Server(
    health=ANSWER,
    ping=ANSWER,
    version="0.20.7",
    instance_id="6Bq2Yk0d8YwJmT4x9Lr1Zs",
    auth_right=Answer("http://127.0.0.1:8080/api/v1/flows/search", 200, "", 0.011),
    auth_wrong=Answer("http://127.0.0.1:8080/api/v1/flows/search", 401, "", 0.005),
    auth_none=Answer("http://127.0.0.1:8080/api/v1/flows/search", 401, "", 0.005),
    flows=("company.team/etl@3", "company.team/report@7"),
    executions=("2tY0", "5kQ1"),
)

DATABASE = Database(
    login="ok",
    said="",
    took=0.08,
    server_version="15.14",
    instance_id="6Bq2Yk0d8YwJmT4x9Lr1Zs",
    migrations=(
        Migration(1, "1.1", "initial", 1234, success=True),
        Migration(2, "1.26", "worker groups", -99, success=True),
    ),
    instances=(ServiceInstance("a", "WORKER", "RUNNING", 2.1, "tools-kestra", "0.20.7", "s1", 300.0, 45.0),),
    sessions=(Session(71, "kestra", "PostgreSQL JDBC Driver", "172.18.0.3", "idle", "2026-11-20T08:00:02Z"),),
    flows=("company.team/etl@3", "company.team/report@7"),
    executions=(
        Execution("2tY0", "company.team", "etl", "SUCCESS"),
        Execution("5kQ1", "company.team", "report", "SUCCESS"),
    ),
    running=0,
)

BEFORE = Snapshot(
    name="before",
    taken_at=wall(1.2),
    took=0.9,
    engine=ENGINE,
    containers=(container(),),
    database_containers=(container(name="tools-kestra-postgres", image="postgres:15"),),
    neighbours=(NEIGHBOUR,),
    listeners=(Listener("127.0.0.1", 8080),),
    operator_rendering=RENDERING,
    file_rendering=Unseen("the service has no second file"),
    dry_run=DryRun(("docker", "compose", "--dry-run", "up", "-d", "kestra"), 0, ("tools-kestra",), "Recreate"),
    image=IMAGE,
    running_image=IMAGE,
    running_settings=SETTINGS,
    database=DATABASE,
    server=SERVER,
    host=Host("ops-runner-3", (Listener("127.0.0.1", 8080),), "/srv/tools/reports/runs", "", 9_000_000_000, Unseen("remote")),
    files=(FileSeen("/srv/tools/.env", "env file", "", "ab" * 32),),
)  # fmt: skip

AFTER = replace(
    BEFORE,
    name="after",
    taken_at=wall(52.0),
    containers=(
        container(
            id="c93e55d10a7b4f6e8d9c0b1a2f3e4d5c6b7a89706f5e4d3c2b1a099887766554",
            created_at=wall(ZERO + 4.1),
            started_at=wall(ZERO + 4.4),
        ),
    ),
    dashboards=(
        DashboardSeen(
            "launcher", "http://127.0.0.1:3500/api/health", '"healthy"', '"healthy"', 2.0,
            ("0.0 s: its answer may have been made 41.0 s ago", '12.1 s: it shows "healthy"'),
        ),
    ),
)  # fmt: skip


def outage(*, back: bool = True, rate: float = 50.0) -> Outage:
    """Return what the probe saw of a stop at about two seconds and a start at about four."""
    first_good = 12.514 if back else None
    health = PathOutage(
        path="management /health",
        url="http://127.0.0.1:8081/health",
        rate=rate,
        headline=True,
        last_good=2.204,
        first_good=first_good,
        length=10.310 if back else None,
        uncertainty=0.018 if back else None,
        flaps=0,
        largest_gap=0.021,
        looks=1240,
        intervals=(
            Interval(0.0, 2.204, "200 UP", True, 110),
            Interval(2.222, 3.1, "503 DOWN", False, 44),
            Interval(3.12, 4.44, "refused", False, 66),
            Interval(4.46, 9.9, "accepted, closed", False, 270),
            *(
                (Interval(9.92, 12.48, "503 DOWN", False, 128), Interval(12.5, 26.0, "200 UP", True, 622))
                if back
                else (Interval(9.92, 32.0, "refused", False, 1100),)
            ),
        ),
    )
    login = PathOutage(
        path="HTTP /api/v1/flows",
        url="http://127.0.0.1:8080/api/v1/flows/search",
        rate=10.0,
        headline=False,
        last_good=2.11,
        first_good=12.31 if back else None,
        length=10.2 if back else None,
        uncertainty=0.11 if back else None,
        flaps=1,
        largest_gap=0.104,
        looks=250,
        intervals=(
            Interval(0.0, 2.11, "200", True, 21),
            Interval(2.2, 12.2 if back else 32.0, "refused", False, 100),
            *((Interval(12.31, 26.0, "200", True, 137),) if back else ()),
        ),
    )
    return Outage(
        zero_at=wall(ZERO),
        ended=26.0 if back else 32.0,
        method="a process of its own asked each path over HTTP on fresh connections; times are monotonic; the "
        "length lies between the end of the last good answer and the end of the first good one after it",
        headline=health.path,
        paths=(health, login),
    )


def steps() -> tuple[StepResult, ...]:
    saved, stop, start = STEPS
    wait = Wait(
        what="the first good answer on management /health",
        limit=180.0,
        cadence=0.05,
        took=8.114,
        ended=True,
        sentence="answered 200 UP",
        attempts=(
            Attempt(0.0, "refused", 3),
            Attempt(0.151, "accepted, then closed without an answer", 108),
            Attempt(5.56, "503 DOWN", 51),
            Attempt(8.114, "200 UP"),
        ),
    )
    return (
        StepResult(saved, StepStatus.DONE, wall(18.0), 0.412, 0, "saved 18 204 lines\n"),
        StepResult(stop, StepStatus.DONE, wall(ZERO + 2.01), 2.02, 0, " Container tools-kestra  Stopping\n Container tools-kestra  Stopped\n"),
        StepResult(
            start, StepStatus.DONE, wall(ZERO + 4.06), 8.47, 0, " Container tools-kestra  Recreate\n Container tools-kestra  Started\n", waits=(wait,)
        ),
    )  # fmt: skip


EVENTS = tuple(
    EngineEvent(wall(ZERO + at), "container", action, "tools-kestra", container().id, attributes)
    for at, action, attributes in (
        (2.08, "kill", {"signal": "15"}),
        (4.02, "die", {"exitCode": "143"}),
        (4.03, "stop", {}),
        (4.21, "create", {}),
        (4.41, "start", {}),
    )
)


def accepted(snapshots: tuple[Snapshot, ...] = (BEFORE, AFTER)) -> Record:
    """Return a restart that went well."""
    evidence = Evidence(
        run="20261123T115703Z-tools-restart-1a2b3c4d",
        began_at=wall(0),
        ended_at=wall(54.2),
        took=54.213,
        verdict=Verdict.ACCEPTED,
        verdict_reasons=(),
        executed=True,
        procedure="restart",
        who=WHO,
        target=TARGET,
        plan=PLAN,
        results=tuple(passed(one, reason="seen as expected") for one in CHECKS),
        steps=steps(),
        snapshots=snapshots,
        outage=outage(),
        events=EVENTS,
        moments=(
            Moment("gate opened", ZERO + 1.6, wall(ZERO + 1.6)),
            Moment("stopped", ZERO + 4.03, wall(ZERO + 4.03)),
            Moment("started", ZERO + 4.41, wall(ZERO + 4.41)),
            Moment("answers", ZERO + 12.51, wall(ZERO + 12.51)),
        ),
        exists_now=(
            "container tools-kestra c93e55d10a7b, running, healthy",
            "container tools-kestra-postgres 5d2e0b7a9c31, running, healthy",
            "volume kestra-postgres-data",
        ),
        redactions=4,
        files=(
            SavedFile("logs/tools-kestra-before.log", "the container's log before the stop, its last 64 MiB"),
            SavedFile("engine-events.jsonl", "the engine's events during the run"),
            SavedFile("journal.jsonl", "a copy of the journal"),
        ),
    )
    return recorded(evidence, fingerprint(b"key"), str)


def understudied() -> Record:
    """Return the same run against the understudy."""
    return replace(accepted(), target=replace(TARGET, understudy=True))


def waived() -> Record:
    """Return a run that was accepted because somebody waived two claims."""
    names = {"pre/ports.py::test_ports_are_free_for_us", "post/container.py::test_it_stays_up"}
    results = tuple(
        replace(
            one, outcome=Outcome.WAIVED, reason="restart count rose from 0 to 1", next_move="read the log"
        )
        if one.check.id in names
        else one
        for one in accepted().results
    )
    waivers = tuple(
        Waiver(name, "known since OPS-4702, the fix is planned for December", "Ana Ribeiro")
        for name in sorted(names)
    )
    return replace(accepted(), results=results, waivers=waivers)


def gone_back() -> Record:
    """Return a run that stopped the service twice: for what it started, and for what it brought back."""
    seen, health = outage(), outage().paths[0]
    silences = (Silence(2.204, 8.21, 6.0, 0.018), Silence(14.9, 21.56, 6.655, 0.012))
    twice = replace(
        health,
        last_good=2.204,
        first_good=21.56,
        length=12.655,
        uncertainty=0.03,
        intervals=(
            Interval(0.0, 2.204, "200 UP", True, 110),
            Interval(2.222, 8.19, "refused", False, 300),
            Interval(8.2, 14.9, "200 UP", True, 330),
            Interval(14.92, 21.55, "refused", False, 330),
            Interval(21.56, 26.0, "200 UP", True, 220),
        ),
        silences=silences,
    )
    return replace(
        accepted(), verdict=Verdict.ROLLED_BACK, outage=replace(seen, paths=(twice, *seen.paths[1:]))
    )


def refused() -> Record:
    """Return a run whose first gate stayed closed for three reasons at once."""
    failing = {
        "pre/database.py::test_login_over_the_network": (
            Outcome.FAILED,
            "the login as kestra on kestra-postgres:5432 was refused: password authentication failed",
            "put the volume's password into KESTRA_DB_PASSWORD of .env, or change it in the database",
        ),
        "pre/ports.py::test_ports_are_free_for_us": (
            Outcome.UNKNOWN,
            "the sockets of the engine's host could not be listed",
            "allow the helper container, then run again",
        ),
        "pre/container.py::test_health_is_known": (Outcome.FAILED, "health is starting since 40 s", ""),
    }
    results = tuple(
        CheckResult(one, *failing[one.id], asked_at=wall(2), took=0.01)
        if one.id in failing
        else passed(one, at=2)
        if one.phase is Phase.PRE
        else CheckResult(one, Outcome.BLOCKED, reason="the first gate stayed closed")
        for one in CHECKS
    )
    return replace(
        accepted((BEFORE,)),
        verdict=Verdict.REFUSED,
        verdict_reasons=("the first gate stayed closed: 1 claim does not hold, 1 is unknown",),
        executed=False,
        results=results,
        steps=(),
        outage=None,
        events=(),
        moments=(),
        took=4.9,
        ended_at=wall(4.9),
        findings=(
            Finding(
                "KESTRA_DB_PASSWORD equals the public word “kestra”: it is redacted only where it stands as a value, "
                "and the final scan leaves it out",
                "choose a password that is no name",
            ),
        ),
        anomalies=Anomalies(
            "/srv/tools/docs/kestra.md",
            (
                Anomaly(
                    "The ports are free. unknown: nobody looked | at them",
                    "allow the helper container",
                    "| The ports are free. unknown: nobody looked \\| at them | allow the helper container |",
                ),
            ),
            "1 appended",
        ),
    )


def service_down() -> Record:
    """Return a restart after which the service does not answer."""
    saved, stop, start = steps()
    wait = replace(
        start.waits[0],
        took=180.0,
        ended=False,
        sentence="no good answer within 180 s: the port accepts and closes without an answer",
        attempts=(
            Attempt(0.0, "refused", 3),
            Attempt(0.151, "accepted, then closed without an answer", 3590),
        ),
    )
    results = tuple(
        one
        if one.check.phase is not Phase.POST
        else replace(
            one,
            outcome=Outcome.FAILED,
            reason="management /health did not answer: refused",
            next_move="read logs/tools-kestra-after.log",
        )
        if one.check.id.endswith("test_health_is_up")
        else replace(one, outcome=Outcome.UNKNOWN, reason="the server does not answer")
        if one.check.id.startswith("post/server")
        else CheckResult(one.check, Outcome.BLOCKED, reason="step “start” failed")
        for one in accepted().results
    )
    after = replace(
        AFTER,
        server=Unseen("connection refused"),
        containers=(container(state="exited", running=False, health="unhealthy", restart_count=3),),
    )
    return replace(
        accepted((BEFORE, replace(AFTER, name="stopped", taken_at=wall(24.2)), after)),
        verdict=Verdict.SERVICE_DOWN,
        verdict_reasons=("the service does not answer 180 s after its start",),
        results=results,
        steps=(saved, stop, replace(start, status=StepStatus.TIMED_OUT, took=180.2, exit_code=0, reason=wait.sentence, waits=(wait,))),
        outage=outage(back=False),
        by_hand=(
            "cd /srv/tools",
            "docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps kestra",
            "curl -fsS http://127.0.0.1:8081/health",
        ),
        exists_now=("container tools-kestra c93e55d10a7b, exited (1), restarted 3 times",),
    )  # fmt: skip


def killed() -> Record:
    """Return what a killed run left behind: half a record."""
    saved, stop, _ = steps()
    return replace(
        accepted((BEFORE,)),
        verdict=Verdict.INTERRUPTED,
        verdict_reasons=("the run was killed in the outage; this report is made from its journal",),
        ended_at="",
        took=22.4,
        results=tuple(passed(one) for one in CHECKS if one.phase in {Phase.PRE, Phase.READY}),
        steps=(saved, replace(stop, status=StepStatus.BEGUN, exit_code=None, output="", took=0.0)),
        outage=None,
        events=(),
        moments=(),
        exists_now=Unseen("nobody looked after the last act"),
        by_hand=("docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps kestra",),
    )


def unread() -> Record:
    """Return a run that could not even read its target."""
    return replace(
        killed(),
        verdict=Verdict.CANNOT_OBSERVE,
        verdict_reasons=("permission denied on unix:///var/run/docker.sock",),
        executed=False,
        target=None,
        plan=None,
        results=(),
        steps=(),
        snapshots=(),
        who=Who(user="deploy", host="ops-runner-3", cwd="/srv/tools"),
        files=(),
        by_hand=(),
    )


EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>"
    "<style>*{display:none}</style></title></style></textarea><a href=javascript:alert(4)>x</a>"
    "<meta http-equiv=refresh content='0;url=http://evil.invalid/'>{{7*7}}\u202egnp.exe\x00\x1b[31m&lt;"
)


def hostile() -> Record:
    """Return a run in which every text that somebody else can choose is hostile."""
    evil = replace(CHECKS[0], id=f"pre/{EVIL}.py::test[{EVIL}]", claim=EVIL, asks=(EVIL,))
    step = replace(STEPS[1], name=EVIL, purpose=EVIL, command=("sh", "-c", EVIL), way_back=EVIL)
    wait = Wait(EVIL, 3.0, 0.1, 3.0, False, EVIL, (Attempt(0.1, EVIL, 2),))
    bad = container(name=EVIL, image=EVIL, state=EVIL, health=EVIL, environment={EVIL: "1"})
    before = replace(BEFORE, name=EVIL, containers=(bad,), server=Unseen(EVIL))
    seen = outage()
    paths = tuple(
        replace(
            path,
            path=f"{EVIL}{n}",
            url=EVIL,
            intervals=tuple(replace(one, answer=EVIL) for one in path.intervals),
        )
        for n, path in enumerate(seen.paths)
    )
    boards = (
        DashboardSeen(EVIL, EVIL, EVIL, EVIL, 1.0, (EVIL, EVIL)),
        DashboardSeen(EVIL, EVIL, EVIL, Unseen(EVIL), Unseen(EVIL)),
    )
    return replace(
        accepted((before, replace(before, name="after", dashboards=boards))),
        run=EVIL,
        procedure=EVIL,
        verdict=Verdict.NOT_ACCEPTED,
        verdict_reasons=(EVIL,),
        who=replace(WHO, operator=EVIL, reason=EVIL, ticket=EVIL, approved_by=EVIL, user=EVIL, host=EVIL, cwd=EVIL),
        target=replace(TARGET, name=EVIL, container=EVIL, http_url=f"javascript:alert(5)//{EVIL}"),
        plan=replace(PLAN, state=EVIL, looks=(EVIL,), untried=(EVIL,)),
        waivers=(Waiver(EVIL, EVIL, EVIL),),
        results=(
            CheckResult(evil, Outcome.FAILED, EVIL, EVIL),
            CheckResult(replace(evil, way=Way.BACK), Outcome.PASSED, EVIL),
            CheckResult(evil, Outcome.BLOCKED, EVIL),
        ),
        steps=(StepResult(step, StepStatus.FAILED, wall(21.0), 2.0, 1, EVIL, EVIL, (wait,)),),
        outage=replace(seen, paths=paths, headline=paths[0].path, method=EVIL),
        events=(EngineEvent(wall(22), EVIL, "die", EVIL, EVIL, {EVIL: EVIL}),),
        moments=(Moment(EVIL, 22.0, wall(22)),),
        exists_now=(EVIL,),
        by_hand=(EVIL,),
        findings=(Finding(EVIL, EVIL),),
        anomalies=Anomalies(EVIL, (Anomaly(EVIL, EVIL, EVIL),), EVIL),
        files=(SavedFile(f"logs/{EVIL}", EVIL), SavedFile("javascript:alert(6)", EVIL), SavedFile("../../etc", EVIL)),
    )  # fmt: skip


ALL: dict[str, Callable[[], Record]] = {
    "accepted": accepted,
    "understudied": understudied,
    "waived": waived,
    "gone_back": gone_back,
    "refused": refused,
    "service_down": service_down,
    "killed": killed,
    "unread": unread,
    "hostile": hostile,
}
