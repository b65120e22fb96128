"""Sessions that a server has left half open, because it was taken off its network."""

from __future__ import annotations

import re
import shlex

import pytest

from tests import targets
from tests.engine import service as seen
from tests.faults import FAULT, Phase
from tests.stacks import Stack, run, wait_for

pytestmark = pytest.mark.understudy

FOREIGN = """select count(distinct value->'server'->>'id') - 1 from service_instance
 where state in ('CREATED', 'RUNNING', 'TERMINATING') and updated_at > now() - interval '4 seconds'"""


@FAULT(
    kind="sessions that were left half open",
    phase=Phase.BEFORE,
    happened="a server was taken off its network and made anew by hand; they are named before the stop with what ends them",
    verdict="REFUSED, ACCEPTED",
)
def test_sessions_left_half_open_are_no_other_kestra(service: Stack) -> None:
    """They are named with the command that ends them; typed, it does, and the restart is accepted."""
    old = service.container(seen.SERVICE)
    network = next(iter(old.attrs["NetworkSettings"]["Networks"]))
    run(["docker", "network", "disconnect", "--force", network, str(old.name)], cwd=service.root)
    old.remove(force=True)
    service.compose("up", "-d", "--no-deps", "--pull", "never", seen.SERVICE)
    service.wait_until_ready()
    wait_for(lambda: service.psql(FOREIGN) == "0", "the heartbeat of the old server to grow old", 20)
    identity = seen.identity(service)

    refused = targets.procedure(service)

    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert identity == seen.identity(service)
    told = seen.findings(targets.record(targets.latest(service)))["test_no_session_is_left_over"]
    command = re.search(r"`(docker exec .*?)` ends them", told)
    assert command is not None, told
    run(shlex.split(command[1]), cwd=service.root)

    done = targets.procedure(service)

    assert done.returncode == 0, done.stdout + done.stderr
