"""How a server boots, drains and ends: lines, exit status, and what becomes of the work."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from tests.stacks import Stack, wait_for
from tests.understudy import recordings
from tests.understudy.conversation import heard
from tests.understudy.server import Server, configuration, run

pytestmark = pytest.mark.understudy

STOP = "Receiving shutdown|Shutdown initiated"


def assert_told_as_recorded(server: Server, name: str, since: str = "") -> None:
    """The log tells the same landmarks in the same order, on stdout and on stderr.

    Lines of two streams that are written within a millisecond arrive in either order, so each has its own.
    """
    for levels, told in ((("INFO",), server.stdout()), (("WARN", "ERROR"), server.stderr())):
        begin = next((number for number, line in enumerate(told) if re.search(since, line)), 0)
        expected = recordings.landmarks(recordings.lines(name), levels)
        assert expected == recordings.landmarks(told[begin:], levels)


def test_the_first_boot_migrates(postgres: Stack, database: str) -> None:
    """The first boot tells each migration, its version, and its ports."""
    with run(postgres, database) as server:
        server.wait_until_ready()

        assert_told_as_recorded(server, "log-boot-first.txt")


def test_an_idle_stop_is_clean(postgres: Stack, database: str) -> None:
    """SIGTERM ends an idle server within two seconds, with 143 and with all services ended."""
    with run(postgres, database) as server:
        server.wait_until_ready()
        began = time.monotonic()

        assert server.stop() == 143
        assert time.monotonic() - began < 2
        assert set(server.states().values()) == {"TERMINATED_GRACEFULLY"}
        assert_told_as_recorded(server, "log-stop-idle.txt", since=STOP)


def test_a_drain_waits_for_running_tasks(postgres: Stack, database: str) -> None:
    """While a task sleeps its server waits, both ports gone; the next server goes on with the flow."""
    with run(postgres, database) as server:
        key = server.wait_until_ready().nap(3)
        server.container.kill("SIGTERM")
        wait_for(lambda: "Waiting for all worker threads" in server.log(), "the drain", 3)

        assert set(server.states().values()) == {"TERMINATING"}
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.management_url}/health", timeout=2)
        assert server.exit_status(10) == 143
        assert set(server.states().values()) == {"TERMINATED_GRACEFULLY"}
        assert_told_as_recorded(server, "log-stop-drained.txt", since=STOP)
    assert _after_restart(postgres, database, key, "SUCCESS") == _recorded("t120")


def test_a_drain_ends_with_its_grace(postgres: Stack, database: str) -> None:
    """A task that outlives the grace is interrupted: 143 all the same, but the execution has failed."""
    with run(postgres, database, _short_grace(postgres)) as server:
        key = server.wait_until_ready().nap(30)

        assert server.stop() == 143
        assert server.states()["WORKER"] == "TERMINATED_FORCED"
        assert_told_as_recorded(server, "log-stop-interrupted.txt", since=STOP)
    assert _after_restart(postgres, database, key, "FAILED") == _recorded("t60-grace15s")


def test_a_task_killed_in_a_drain_is_given_out_again(postgres: Stack, database: str) -> None:
    """SIGKILL in a drain leaves the execution running; after the grace the next server repeats the task."""
    with run(postgres, database, _short_grace(postgres, 2)) as server:
        key = server.wait_until_ready().nap(3)

        assert server.stop(limit=1) == 137
        assert server.states()["WORKER"] == "TERMINATING"
        assert server.psql(f"SELECT state_current FROM executions WHERE key = '{key}'") == "RUNNING"
    assert _after_restart(postgres, database, key, "SUCCESS") == _recorded("t10")


def test_a_killed_server_is_missed(postgres: Stack, database: str) -> None:
    """After SIGKILL out of nothing its services are found silent, and its task is repeated."""
    with run(postgres, database, _short_grace(postgres)) as server:
        key = server.wait_until_ready().nap(1)
        server.container.kill("SIGKILL")

        assert server.exit_status(5) == 137
    with run(postgres, database) as server:
        server.wait_until_ready().wait_for_state(key, "SUCCESS")

        assert "Detected non-responding service" in server.log()
        assert "Re-emitting WorkerTask" in server.log()


def test_anybody_can_stop_it(postgres: Stack, database: str) -> None:
    """`POST /stop` on the management port asks for no credentials, and the exit status is 1."""
    with run(postgres, database) as server:
        server.wait_until_ready()
        answer = heard(httpx.post(f"{server.management_url}/stop"))
        expected = recordings.answers("0.20.7")["post-8081_stop-noauth"]

        assert (expected.status, expected.body) == (answer.status, answer.body)
        assert server.exit_status(10) == 1


def test_an_older_version_starts_on_a_newer_schema(postgres: Stack, database: str) -> None:
    """One warning is all there is of it; the newer migrations stay in the history."""
    with run(postgres, database, image="kestra-understudy:0.21.0") as newer:
        newer.wait_until_ready().stop()
    with run(postgres, database, image="kestra-understudy:0.20.7") as older:
        older.wait_until_ready()

        assert older.psql("SELECT count(*) FROM flyway_schema_history") == "26"
        assert_told_as_recorded(older, "log-boot-newer-schema.txt")


def test_an_altered_migration_is_refused(postgres: Stack, database: str) -> None:
    """A checksum that is not the known one ends the boot with 1."""
    with run(postgres, database) as server:
        server.wait_until_ready().stop()
        server.psql("UPDATE flyway_schema_history SET checksum = 7 WHERE version = '1.3'")
    with run(postgres, database) as server:
        assert server.exit_status(10) == 1
        assert "Migration checksum mismatch for migration version 1.3" in server.log()
        assert "FlywayValidateException" in server.log()


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"TOOLS_DB_HOST": "nowhere"}, "log-boot-database-down.txt"),
        ({"TOOLS_DB_PORT": "5433"}, "log-boot-database-refused.txt"),
        ({"TOOLS_DB_PASSWORD": "wrong"}, "log-boot-wrong-password.txt"),
    ],
)
def test_no_boot_without_postgres(postgres: Stack, environment: dict[str, str], name: str) -> None:
    """Where Postgres cannot be logged in to, the boot ends with 1 and the recorded exception."""
    with run(postgres, "kestra", environment) as server:
        assert server.exit_status(15) == 1
        expected = [line for line in recordings.lines(name) if line.strip()]
        told = [line for line in server.log().splitlines() if line.strip()]
        assert _unnamed(expected) == _unnamed(told)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"TOOLS_DB_PASSWORD": ""}, "Failed to inject value for parameter [password]"),
        ({"TOOLS_DB_USER": ""}, "Failed to inject value for parameter [username]"),
        ({"TOOLS_BASICAUTH_USERNAME": "admin"}, "Invalid username for Basic Authentication"),
        ({"KESTRA_CONFIGURATION": "a: ${NOT_THERE}"}, "kestra.queue.type"),
        ({"UNDERSTUDY": "boot=0.3 nonsense"}, "unknown key or fault 'nonsense'"),
        ({"UNDERSTUDY": "boot=soon"}, "'boot=soon' needs a number of seconds"),
    ],
)
def test_no_boot_with_such_a_configuration(postgres: Stack, environment: dict[str, str], told: str) -> None:
    """What cannot be meant ends the boot with 1 and says so."""
    with run(postgres, "kestra", environment) as server:
        assert server.exit_status(10) == 1
        assert told in server.log()


def test_the_configuration_goes_through_echo(postgres: Stack, database: str) -> None:
    """A backslash in it is interpreted on the way, as by the official image: two arrive as one."""
    written = configuration(postgres).replace("${TOOLS_BASICAUTH_PASSWORD}", r"Aa1back\\slash")
    with run(postgres, database, {"KESTRA_CONFIGURATION": written}) as server:
        server.auth = (server.auth[0], r"Aa1back\slash")

        server.wait_until_ready()


def test_the_boot_lasts_as_long_as_it_is_told(postgres: Stack, database: str) -> None:
    """From the start of the container to the first answer: the setting, and little more where the machine has time."""
    with run(postgres, database, {"UNDERSTUDY": "boot=2"}) as server:
        boots = [_boot(server)]
        while min(boots) >= 2 + 0.6 and len(boots) < 4:
            server.container.restart(timeout=10)
            boots.append(_boot(server))

    assert all(one > 1.5 for one in boots)
    assert min(boots) < 2 + 0.6


def _boot(server: Server) -> float:
    began = time.monotonic()
    wait_for(lambda: _answers(server), "the first answer", 30, cadence=0.02)
    return time.monotonic() - began


def _answers(server: Server) -> bool:
    try:
        return httpx.get(f"{server.management_url}/health", timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def _short_grace(stack: Stack, seconds: int = 1) -> dict[str, str]:
    grace = f"termination-grace-period: {seconds}s"
    return {"KESTRA_CONFIGURATION": re.sub("termination-grace-period: .*", grace, configuration(stack))}


def _recorded(case: str) -> object:
    return recordings.normal(recordings.answers("0.20.7")[f"get-execution-after-restart-{case}"].body)


def _after_restart(stack: Stack, database: str, key: str, state: str) -> object:
    """The execution as the next server ends it."""
    with run(stack, database) as server:
        return recordings.normal(server.wait_until_ready().wait_for_state(key, state))


def _unnamed(lines: list[str]) -> list[str]:
    """The lines without the names of hosts."""
    return [
        re.sub(r"\b(kestra-)?postgres:|(?<=Exception: )(postgres|nowhere)$", "<host>:", line)
        for line in lines
    ]
