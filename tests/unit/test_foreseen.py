"""What a script would start takes the place of what Compose renders of the files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures.observe import foreseen
from procedures.target.steps_by import START
from reports.record.observed import Binding, Rendering, Unseen
from reports.record.scripted import Creation, Rehearsal, ScriptSeen
from tests.checks.world import recorded

WORLD = recorded()
FILES = WORLD.before.operator_rendering
PLAIN: Creation = Creation(
    "tools-kestra", "kestra:new", by_compose=False, environment={"A": "b"}, ports=("127.0.0.1:8180:8080/tcp",),
    volumes=("storage",), networks=("outer",), stop_grace=15.0,
)  # fmt: skip


def _rendered(creation: Creation) -> Rendering:
    assert isinstance(FILES, Rendering)
    return foreseen.rendering(FILES, creation)


def test_the_scripts_own_container_is_what_counts() -> None:
    """Image, variables, ports, mounts and networks are the script's; project and env file stay what they were."""
    found = _rendered(PLAIN)
    assert isinstance(FILES, Rendering)

    assert (found.image, found.environment, found.by_compose) == ("kestra:new", {"A": "b"}, False)
    assert found.bindings == (Binding("8080/tcp", "127.0.0.1", 8180),)
    assert (found.volumes, found.networks, found.stop_grace) == (("storage",), ("outer",), 15.0)
    assert (found.project, found.interpolation) == (FILES.project, FILES.interpolation)
    assert (found.restart_policy, found.has_health_check) == ("", False)


def test_variables_that_nobody_saw_are_not_made_up() -> None:
    """Where a file of variables could not be read, none of Compose's stand in for them: the settings are unseen then."""
    assert _rendered(replace(PLAIN, environment=Unseen("no such file"))).environment == {}


@pytest.mark.parametrize(
    ("port", "binding"),
    [
        ("127.0.0.1:8180:8080/tcp", Binding("8080/tcp", "127.0.0.1", 8180)),
        ("8180:8080", Binding("8080/tcp", "", 8180)),
        (":8180:8080/tcp", Binding("8080/tcp", "", 8180)),
        ("8080", Binding("8080/tcp", "", 0)),
        ("127.0.0.1::8080", Binding("8080/tcp", "127.0.0.1", 0)),
        ("[::1]:53:53/udp", Binding("53/udp", "::1", 53)),
    ],
)
def test_a_port_is_read_in_every_form(port: str, binding: Binding) -> None:
    """A publication is read as `docker run` takes it, and as Compose's rendering has it."""
    assert _rendered(replace(PLAIN, ports=(port,))).bindings == (binding,)


def test_only_the_start_scripts_own_container_is_meant() -> None:
    """What another step, or the start script besides, would create is not the service."""
    helper = replace(PLAIN, name="helper")
    seen: ScriptSeen = ScriptSeen(
        START, "run.sh", rehearsal=Rehearsal(0, 0.1, timed_out=False, output="", creations=(helper, PLAIN))
    )

    assert foreseen.creation_of((seen,), "tools-kestra") == PLAIN
    assert foreseen.creation_of((replace(seen, step="status"),), "tools-kestra") is None
    assert foreseen.creation_of(Unseen("no place"), "tools-kestra") is None
