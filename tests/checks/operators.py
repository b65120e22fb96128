"""A recorded run whose stop and start are scripts of the operator's, and what of them can be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from procedures.target.steps_by import SCRIPTS, START, STOP, StepBy
from reports.record.claimed import Need, ValidationSeen
from reports.record.evidence import EngineEvent, Step, StepResult, StepStatus
from reports.record.observed import Container, Snapshot, Unseen
from reports.record.scripted import DockerCall, Hit, Rehearsal, ScriptSeen

if TYPE_CHECKING:
    from tests.checks.world import World

STEPS = tuple(StepBy(name, SCRIPTS, (f"tools/{name}.sh",), Path("/srv/tools")) for name in (STOP, START))
NEEDS = (Need("network", "tools_default"), Need("file", "tools/run.sh"))
VALIDATION = ValidationSeen(
    "health-check-all",
    ("health-check-all.sh",),
    0,
    0.2,
    '{"overallHealth": "healthy"}',
    healthy=True,
    checked=1,
    least=1,
)
RESULTS = (
    StepResult(
        Step(STOP, "stop it", ("tools/stop.sh",), 30.0, True, "start it"),
        StepStatus.DONE,
        "2026-01-01T00:00:00.000+00:00",
        9.0,
    ),
)


def seen_before(container: Container) -> tuple[ScriptSeen, ...]:
    """Scripts that stop and start this container and nothing else, as their rehearsals showed."""
    hit = Hit(container.id, container.name, "stops", "kestra", "tools", container.image)
    stop = Rehearsal(
        0, 0.1, False, "✓ interrompido", (_call("docker", "stop", container.id, effect="stops"),), hits=(hit,)
    )
    up = _call("docker", "compose", "up", "-d", "kestra", effect="creates")
    start = Rehearsal(
        0,
        0.1,
        False,
        "pronto",
        (up,),
        env_files=("/srv/tools/.env",),
        creates=(container.name,),
        images=(container.image,),
        hits=(hit,),
    )
    return tuple(
        ScriptSeen(step, f"/srv/tools/tools/{step}.sh", interpreter="/bin/bash", rehearsal=one)
        for step, one in ((STOP, stop), (START, start))
    )


def before(snapshot: Snapshot) -> Snapshot:
    assert snapshot.container is not None
    return replace(snapshot, scripts=seen_before(snapshot.container), needs=NEEDS)


def _call(*argv: str, effect: str) -> DockerCall:
    return DockerCall(argv, "/srv/tools", effect, "made up", 0)


# --- what of it can be changed

Change = Callable[["World"], "World"]


def script(step: str, **fields: Any) -> Change:
    """Change how a script lies there."""

    def changed(world: World) -> World:
        found = world.before.scripts
        assert found is not None
        assert not isinstance(found, Unseen)
        scripts = tuple(replace(one, **fields) if one.step == step else one for one in found)
        return replace(world, before=replace(world.before, scripts=scripts))

    return changed


def rehearsal(step: str, **fields: Any) -> Change:
    """Change what a script did in its rehearsal."""

    def changed(world: World) -> World:
        found = world.before.scripts
        assert found is not None
        assert not isinstance(found, Unseen)
        one = next(one for one in found if one.step == step).rehearsal
        assert isinstance(one, Rehearsal)
        return script(step, rehearsal=replace(one, **fields))(world)

    return changed


def run_by_hand(*more: str, name: str = "tools-kestra", image: str = "kestra-understudy:0.20.7") -> Change:
    """Let the start be a plain `docker run`, with more words for the server."""
    call = _call("docker", "run", "-d", "--name", name, image, *more, effect="creates")
    return rehearsal(START, calls=(call,), creates=(name,))


def validation(moment: str, **fields: Any) -> Change:
    """Change what the validation command said at a moment."""

    def changed(world: World) -> World:
        snapshot: Snapshot = getattr(world, moment)
        said = replace(snapshot, validations=(replace(VALIDATION, **fields),))
        return replace(world, **{moment: said})  # type: ignore[arg-type]  # one of the moments

    return changed


def touched(world: World) -> World:
    """Let the engine have stopped a neighbour meanwhile."""
    found = world.before.neighbours
    assert not isinstance(found, Unseen)
    event = EngineEvent(RESULTS[0].began_at, "container", "kill", found[0].name, found[0].id)
    return replace(world, others=(event,))
