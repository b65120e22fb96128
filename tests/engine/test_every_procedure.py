"""What holds for every procedure alike: its plan writes nothing, and a foreign container is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from procedures.listed import PROCEDURES
from tests import targets
from tests.engine import service as seen
from tests.engine.heard import heard
from tests.foreign import foreign
from tests.stacks import Stack, password

TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
QUIET = ("service_instance", "queues", "executorstate", "metrics")
"""Tables in which a server that nobody touches keeps writing: its own heartbeats and its queue."""


def _contents(stack: Stack) -> dict[str, str]:
    """A digest of every table, apart from those that the server writes by itself."""
    names = [one for one in stack.psql(TABLES).splitlines() if not one.startswith(QUIET)]
    digest = "SELECT '{0}=' || md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM {0} t"
    said = stack.psql(" UNION ALL ".join(digest.format(one) for one in names))
    return dict(one.split("=") for one in said.splitlines())


@pytest.fixture
def kept(service: Stack) -> Path:
    """What another run keeps for its way back, beside the journals of this target."""
    place = service.root / targets.STATE / "kestra-restart"
    if not place.is_dir():
        done = targets.procedure(service, name="accept")
        assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = place.iterdir()
    file = folder / "another.kept.json"
    file.write_text("{}")
    return file


@pytest.mark.parametrize("name", PROCEDURES)
def test_a_plan_writes_nothing(service: Stack, kept: Path, name: str) -> None:
    """`--plan` leaves engine, files, archive, journal, another run's way back and the database as they were."""
    assert kept.exists()
    before, identity = (
        seen.files(service.root),
        (seen.identity(service), seen.identity(service, seen.DATABASE)),
    )
    database = _contents(service)

    with heard() as changes:
        done = targets.procedure(service, "--plan", name=name)

    assert done.returncode in {0, 10}, done.stdout + done.stderr
    assert "nothing was changed" in done.stdout
    assert before == seen.files(service.root)
    assert database == _contents(service)
    assert identity == (seen.identity(service), seen.identity(service, seen.DATABASE))
    assert changes.of(f"com.docker.compose.project={service.project}") == []
    assert seen.ours(seen.run_id(done.stdout)) == []


@pytest.mark.parametrize("name", PROCEDURES)
def test_a_foreign_container_of_the_same_image_runs_on(service: Stack, name: str) -> None:
    """Somebody else's container of the very image is neither stopped nor restarted, whatever is done to ours."""
    if name == "apply_env":
        service.set_env(KESTRA_BASICAUTH_PASSWORD=password())
    with foreign(service) as other:
        then = other.attrs["State"]["StartedAt"]

        done = targets.procedure(service, name=name)

        other.reload()
        assert (other.status, other.attrs["State"]["StartedAt"]) == ("running", then)
    # There is no earlier image to go back to.
    assert done.returncode == (10 if name == "rollback" else 0), done.stdout + done.stderr
