"""A run as its checks see it: the recorded restart, of which each test changes one thing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from procedures.decide import baseline, check_files, expected
from procedures.decide.accepted import Accepted, Goal
from procedures.decide.announcement import Announcement
from procedures.decide.check_files import seen
from procedures.decide.transitions import Start, Stop
from procedures.kestra import heartbeats
from procedures.run import facts
from procedures.session import outcome
from procedures.steps.journal import Story
from procedures.target.target import SUITE, Target
from procedures.way_back.cut_off import Kept
from reports.record.evidence import Check, CheckResult, EngineEvent, Outage, StepResult
from reports.record.observed import (
    Container,
    DashboardSeen,
    Database,
    Direct,
    Ephemeral,
    Folder,
    Image,
    Server,
    Snapshot,
    Unseen,
)
from reports.record.values import moment
from reports.redaction.redact import Redaction
from tests.checks import operators, recording

# The recorded target names none.
DASHBOARD = DashboardSeen("overview", "http://127.0.0.1:3500/health", '"healthy"', '"healthy"', 1.5)
STORAGE = Folder(
    "/app/storage", "volume", "tools-storage", writable=True, read_only=False, stores=True, user="1000:1000"
)
CHECKS = {one.id: one for one in check_files.read(SUITE / "checks", facts.NAMES)}

DIGEST = "sha256:feedfacefeedfacefeedfacefeedface"
"""What a registry announces for the image, in the recorded world."""


@dataclass(frozen=True, slots=True)
class World:
    """The moments of a run, as values; those of a stop, a pull, a rollback and a recovery all at once."""

    target: Target
    stop_grace: float
    before: Snapshot
    ready: Snapshot
    stopped: Snapshot
    after: Snapshot
    our_stop: Stop | None
    our_start: Start | None
    outage: Outage | None
    start_settings: dict[str, str]
    script_results: tuple[StepResult, ...]
    others: tuple[EngineEvent, ...]
    redaction: Redaction
    goal: Goal
    kept: Kept
    rolled_back: frozenset[str] = frozenset()
    unkept: tuple[str, ...] = ()
    started_servers: frozenset[str] = frozenset()
    acts: bool = True
    plan_only: bool = False

    @property
    def first(self) -> Snapshot:
        return self.before

    @property
    def announcement(self) -> Announcement:
        running = self.before.running_image
        return Announcement(
            "registry/kestra:new",
            self.before.announced,
            None,
            running if isinstance(running, Image) else None,
        )

    @property
    def baseline(self) -> baseline.Baseline:
        return baseline.of(self.before)

    @property
    def expected(self) -> expected.Expected:
        return expected.as_configured(self.before, self.baseline.version)

    @property
    def parts_expected(self) -> frozenset[str]:
        return seen(heartbeats.parts_of(self.before))


def recorded() -> World:
    """The recorded run, in which every claim holds."""
    before, stop, start = recording.snapshot("before"), recording.step("stop"), recording.step("start")
    assert before.container is not None
    ready = recording.snapshot("ready")
    assert isinstance(ready.image, Image)
    pulled = replace(ready.image, digests=(f"registry/kestra@{DIGEST}",))
    return World(
        target=Target(
            file=Path("/srv/tools/target.toml"),
            name="tools",
            root=Path("/srv/tools"),
            compose_files=(Path("/srv/tools/tools/compose/docker-compose.tools.yml"),),
            env_files=(Path("/srv/tools/.env"),),
            service="kestra",
            database_service="kestra-postgres",
            steps=operators.STEPS,
        ),
        stop_grace=15.0,
        before=_asked_itself(
            replace(
                operators.before(before),
                announced=DIGEST,
                present_database=before.database,
                whole_dry_run=before.dry_run,
                dashboards=(DASHBOARD,),
                host=replace(seen(before.host), ephemeral=Ephemeral(32768, 60999)),
            )
        ),
        ready=_asked_itself(replace(ready, image=pulled, validations=(operators.VALIDATION,))),
        stopped=recording.snapshot("stopped"),
        after=_asked_itself(
            replace(recording.snapshot("after"), dashboards=(DASHBOARD,), validations=(operators.VALIDATION,))
        ),
        our_stop=Stop(stop, before.container, recording.events()),
        our_start=Start(start, moment(start.began_at).timestamp(), start.waits[0], start.waits[1]),
        outage=recording.outage(),
        start_settings={},
        script_results=operators.RESULTS,
        others=(),
        redaction=Redaction(()),
        goal=Goal(
            Accepted("earlier", before.taken_at, Path("/srv/archive"), recording.recorded_snapshot("after")),
            pulled,
        ),
        kept=kept_of(before),
    )


def kept_of(before: Snapshot) -> Kept:
    """Return what a run kept of this look before it was cut off."""
    schema = baseline.of(before).schema
    assert isinstance(before.image, Image)
    assert not isinstance(schema, Unseen)
    fact = {"image": before.image.id, "schema": list(schema), "named": ""}
    story = Story(
        file=Path("/srv/state/cut.jsonl"), run="cut", began_at=before.taken_at, about={"procedure": "update"},
        begun=("keep", "stop"), ended={"keep": "done"}, changing_begun=("stop",), way_back="", sealed="",
        facts={"kept": fact},
    )  # fmt: skip
    newest = replace(before.image, reference="kestra:newest", id="sha256:newest", version="99.0.0")
    return Kept(story, Path("/srv/state/cut.kept.json"), by_files=newest)


def _asked_itself(look: Snapshot) -> Snapshot:
    """Let the server itself say what answered at its address, and what it can write: the record is older than that."""
    server = seen(look.server)
    return replace(look, direct=Direct(server.health, server.ping), folders=(STORAGE,))


def ask(check: Check, world: World) -> CheckResult:
    """Ask one check as a run does: what it names is looked up, and how it ends becomes an outcome."""
    try:
        facts.ask(function_of(check), check.asks, world)
    except Exception as error:  # noqa: BLE001 - judged by the project's own rule
        return outcome.of(check, error, 0.0, 0.0)
    return outcome.of(check, None, 0.0, 0.0)


def function_of(check: Check) -> Callable[..., None]:
    file, _, name = check.id.partition("::")
    module = importlib.import_module("checks." + file.removesuffix(".py").replace("/", "."))
    return cast("Callable[..., None]", getattr(module, name))


# --- what of a world can be changed, each as a function of what it was

Change = Callable[[World], World]


def both(*changes: Change) -> Change:
    """Make one change after another."""

    def changed(world: World) -> World:
        for one in changes:
            world = one(world)
        return world

    return changed


def at(moment: str, **fields: Any) -> Change:
    """Change fields of one moment's snapshot."""

    def changed(world: World) -> World:
        snapshot: Snapshot = getattr(world, moment)
        return replace(world, **{moment: replace(snapshot, **fields)})  # type: ignore[arg-type]  # one of the moments

    return changed


def part(moment: str, name: str, **fields: Any) -> Change:
    """Change fields of one thing that a snapshot holds: its server, its database, its rendering, …"""

    def changed(world: World) -> World:
        thing = getattr(getattr(world, moment), name)
        return at(moment, **{name: replace(thing, **fields)})(world)

    return changed


def container(moment: str, **fields: Any) -> Change:
    """Change the service's container at a moment."""

    def changed(world: World) -> World:
        return at(moment, containers=(replace(container_of(world, moment), **fields),))(world)

    return changed


def postgres(moment: str, **fields: Any) -> Change:
    """Change the database's container at a moment."""

    def changed(world: World) -> World:
        found: tuple[Container, ...] = getattr(world, moment).database_containers
        return at(moment, database_containers=(replace(found[0], **fields),))(world)

    return changed


def neighbour(moment: str, **fields: Any) -> Change:
    """Change the one other container at a moment."""

    def changed(world: World) -> World:
        found = getattr(world, moment).neighbours
        return at(moment, neighbours=(replace(found[0], **fields),))(world)

    return changed


def settings(**fields: Any) -> Change:
    """Change what the new server will read."""

    def changed(world: World) -> World:
        rendering = world.before.operator_rendering
        assert rendering is not None
        assert not isinstance(rendering, Unseen)
        assert not isinstance(rendering.settings, Unseen)
        return part("before", "operator_rendering", settings=replace(rendering.settings, **fields))(world)

    return changed


def interpolation(**values: Any) -> Change:
    """Change what the env file says, in both renderings."""

    def changed(world: World) -> World:
        for name in ("operator_rendering", "file_rendering"):
            known = getattr(world.before, name).interpolation
            world = part("before", name, interpolation={**known, **values})(world)
        return world

    return changed


def answer(moment: str, name: str, status: int, said: str = "", body_status: str = "") -> Change:
    """Change one answer of the server at a moment, whoever asks."""

    def changed(world: World) -> World:
        world = answer_here(moment, name, status, said, body_status)(world)
        if name not in {"health", "ping"}:
            return world
        return part(moment, "direct", **{name: getattr(server_of(world, moment), name)})(world)

    return changed


def answer_here(moment: str, name: str, status: int, said: str = "", body_status: str = "") -> Change:
    """Change one answer at the target's address; the server itself says what it said."""

    def changed(world: World) -> World:
        was = getattr(server_of(world, moment), name)
        new = replace(was, status=status, said=said or str(status), body_status=body_status)
        return part(moment, "server", **{name: new})(world)

    return changed


def instance(moment: str, **fields: Any) -> Change:
    """Change every heartbeat at a moment."""

    def changed(world: World) -> World:
        found = database_of(world, moment).instances
        assert not isinstance(found, Unseen)
        return part(moment, "database", instances=tuple(replace(one, **fields) for one in found))(world)

    return changed


def another_instance(moment: str, **fields: Any) -> Change:
    """Add a heartbeat from another server."""

    def changed(world: World) -> World:
        found = database_of(world, moment).instances
        assert not isinstance(found, Unseen)
        foreign = replace(found[0], **{"hostname": "elsewhere", "state": "RUNNING", "age": 1.0, **fields})
        return part(moment, "database", instances=(*found, foreign))(world)

    return changed


def dashboard(**fields: Any) -> Change:
    """Change what the dashboard showed after the start."""
    return at("after", dashboards=(replace(DASHBOARD, **fields),))


def dashboard_before(**fields: Any) -> Change:
    """Change what the dashboard showed before."""
    return at("before", dashboards=(replace(DASHBOARD, **fields),))


def container_of(world: World, moment: str) -> Container:
    found: tuple[Container, ...] = getattr(world, moment).containers
    return found[0]


def server_of(world: World, moment: str) -> Server:
    found: Server = getattr(world, moment).server
    return found


def database_of(world: World, moment: str) -> Database:
    found: Database = getattr(world, moment).database
    return found
