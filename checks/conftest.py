"""What a check may ask for; each name is one thing, or one state that the run reaches."""

from __future__ import annotations

import pytest

from procedures.decide.accepted import Goal
from procedures.decide.acts import Start, Stop
from procedures.decide.announcement import Announcement
from procedures.decide.baseline import Baseline
from procedures.decide.expected import Expected
from procedures.run.asking import Asking
from procedures.target.target import Target
from procedures.way_back.cut_off import Kept
from reports.record.claimed import Need, ValidationSeen
from reports.record.evidence import EngineEvent, Outage, StepResult
from reports.record.observed import (
    Container,
    DashboardSeen,
    Direct,
    DryRun,
    Ephemeral,
    Image,
    Listener,
    Server,
    Snapshot,
)
from reports.record.scripted import Rehearsal, ScriptSeen


@pytest.fixture
def target(asking: Asking) -> Target:
    """The service operated on."""
    return asking.target


@pytest.fixture
def stop_grace(asking: Asking) -> float:
    """The seconds that our stop leaves the server before it is killed."""
    return asking.stop_grace


@pytest.fixture
def before(asking: Asking) -> Snapshot:
    """Everything that was seen while nothing had been changed."""
    return asking.before


@pytest.fixture
def server_before(asking: Asking) -> Server:
    """What answered before; the plan leaves checks of it out where the service was not running."""
    return asking.server_before


@pytest.fixture
def server_itself_before(asking: Asking) -> Direct:
    """What the running server answered before, asked inside its own network."""
    return asking.server_itself_before


@pytest.fixture
def listeners_here(asking: Asking) -> tuple[Listener, ...]:
    """What listens on this machine; the plan leaves checks of it out where the engine is on another one."""
    return asking.listeners_here


@pytest.fixture
def ephemeral_here(asking: Asking) -> Ephemeral:
    """From which ports this machine gives one to a connection; left out where the engine is on another one."""
    return asking.ephemeral_here


@pytest.fixture
def container_before(asking: Asking) -> Container:
    """The service's one container before."""
    return asking.container_before


@pytest.fixture
def containers_before(asking: Asking) -> tuple[Container, ...]:
    """Every container of the service before; a start that was cut off leaves two."""
    return asking.containers_before


@pytest.fixture
def baseline(asking: Asking) -> Baseline:
    """What post checks compare with."""
    return asking.baseline


@pytest.fixture
def expected(asking: Asking) -> Expected:
    """What should run at the end: image, version, settings and ports, as they were checked."""
    return asking.expected


@pytest.fixture
def parts_expected(asking: Asking) -> frozenset[str]:
    """The parts of the server that must send heartbeats."""
    return asking.parts_expected


@pytest.fixture
def announcement(asking: Asking) -> Announcement:
    """The image that an update would bring, as its registry announces it."""
    return asking.announcement


@pytest.fixture
def candidate(asking: Asking) -> Image:
    """The image that an update has pulled, and that the start will use."""
    return asking.candidate


@pytest.fixture
def rolled_back(asking: Asking) -> frozenset[str]:
    """The ids of the images that earlier runs went back from."""
    return asking.rolled_back


@pytest.fixture
def goal(asking: Asking) -> Goal:
    """The accepted run that a rollback goes back to."""
    return asking.goal


@pytest.fixture
def kept(asking: Asking) -> Kept:
    """What a run that was cut off has kept, where recovery starts it."""
    return asking.kept


@pytest.fixture
def unkept(asking: Asking) -> tuple[str, ...]:
    """What the present container has that nobody could bring back."""
    return asking.unkept


@pytest.fixture
def superseded(asking: Asking) -> Expected:
    """What the container was given before, where new settings are applied."""
    return asking.superseded


@pytest.fixture
def images_to_keep(asking: Asking) -> tuple[str, ...]:
    """The image ids of the service's containers, where the procedure changes no image."""
    return asking.images_to_keep


@pytest.fixture
def settings_to_keep(asking: Asking) -> Container:
    """The container whose settings the new one must have, where the procedure changes none."""
    return asking.settings_to_keep


@pytest.fixture
def mounts_to_keep(asking: Asking) -> Container:
    """The container whose mounts, privileges and reach the new one must have, whatever the procedure is for."""
    return asking.mounts_to_keep


@pytest.fixture
def schema_to_keep(asking: Asking) -> tuple[str, ...]:
    """The database's schema history, where the procedure must not move it."""
    return asking.schema_to_keep


@pytest.fixture
def schema_to_grow(asking: Asking) -> tuple[str, ...]:
    """The database's schema history, where a new version may add to it."""
    return asking.schema_to_grow


@pytest.fixture
def flows_to_keep(asking: Asking) -> tuple[str, ...]:
    """The flows that must be there in the same revision, since nobody edits them in so short a time."""
    return asking.flows_to_keep


@pytest.fixture
def flows_noted(asking: Asking) -> tuple[str, ...]:
    """The flows that the last accepted run saw; people may have edited them since."""
    return asking.flows_noted


@pytest.fixture
def executions_to_keep(asking: Asking) -> tuple[str, ...]:
    """The last executions, which nobody purges in so short a time."""
    return asking.executions_to_keep


@pytest.fixture
def ready(asking: Asking) -> Snapshot:
    """The last look before the second gate, everything prepared."""
    return asking.ready


@pytest.fixture
def stopped(asking: Asking) -> Snapshot:
    """What was seen when the service was stopped."""
    return asking.stopped


@pytest.fixture
def our_stop(asking: Asking) -> Stop:
    """Our stop, as the engine tells it."""
    return asking.our_stop


@pytest.fixture
def after(asking: Asking) -> Snapshot:
    """What was seen after the start and the soak."""
    return asking.after


@pytest.fixture
def server_after(asking: Asking) -> Server:
    """What answers after the start."""
    return asking.server_after


@pytest.fixture
def server_itself(asking: Asking) -> Direct:
    """What the server answers, asked inside its own network."""
    return asking.server_itself


@pytest.fixture
def container_after(asking: Asking) -> Container:
    """The service's one container after the start."""
    return asking.container_after


@pytest.fixture
def own_servers(asking: Asking) -> frozenset[str]:
    """The host names of this service's own servers: the one that runs, and those that this run has stopped."""
    return asking.own_servers


@pytest.fixture
def docker_health(asking: Asking) -> str:
    """Docker's own word about the new container's health."""
    return asking.docker_health


@pytest.fixture
def our_start(asking: Asking) -> Start:
    """Our start, as the engine tells it."""
    return asking.our_start


@pytest.fixture
def dashboards_before(asking: Asking) -> tuple[DashboardSeen, ...]:
    """What the target's dashboards showed before, however old that was."""
    return asking.dashboards_before


@pytest.fixture
def dashboards(asking: Asking) -> tuple[DashboardSeen, ...]:
    """What the target's dashboards showed after the start; the plan leaves checks of it out where there are none."""
    return asking.dashboards


@pytest.fixture
def outage(asking: Asking) -> Outage:
    """What the probe saw from outside."""
    return asking.outage


@pytest.fixture
def scripts(asking: Asking) -> tuple[ScriptSeen, ...]:
    """The operator's own scripts that carry out steps, as they were read before anything was done."""
    return asking.scripts


@pytest.fixture
def rehearsals(asking: Asking) -> dict[str, Rehearsal]:
    """What these scripts did where they could change nothing, by their steps."""
    return asking.rehearsals


@pytest.fixture
def stop_rehearsal(asking: Asking) -> Rehearsal:
    """What the stop script did where it could change nothing."""
    return asking.stop_rehearsal


@pytest.fixture
def start_rehearsal(asking: Asking) -> Rehearsal:
    """What the start script did where it could change nothing, after the stop script."""
    return asking.start_rehearsal


@pytest.fixture
def secrets_shown(asking: Asking) -> dict[str, tuple[str, ...]]:
    """Which secrets a script printed in its rehearsal, by its step."""
    return asking.secrets_shown


@pytest.fixture
def start_settings(asking: Asking) -> dict[str, str]:
    """The variables of the start script that may leave something out."""
    return asking.start_settings


@pytest.fixture
def dry_run(asking: Asking) -> DryRun:
    """What Compose says that the start would do, where Compose starts the service."""
    return asking.dry_run


@pytest.fixture
def needs(asking: Asking) -> tuple[Need, ...]:
    """What the target file says must exist besides."""
    return asking.needs


@pytest.fixture
def validations_ready(asking: Asking) -> tuple[ValidationSeen, ...]:
    """What the operator's validation commands said right before the stop."""
    return asking.validations_ready


@pytest.fixture
def script_results(asking: Asking) -> tuple[StepResult, ...]:
    """What became of the steps that a script carried out."""
    return asking.script_results


@pytest.fixture
def others_touched(asking: Asking) -> tuple[EngineEvent, ...]:
    """What the engine did to containers of others while this run acted."""
    return asking.others_touched


@pytest.fixture
def validations(asking: Asking) -> tuple[ValidationSeen, ...]:
    """What the operator's validation commands said after the start."""
    return asking.validations
