"""Each fault does what its sentence says."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from stack.understudy.faults import SENTENCES, Fault
from tests.stacks import Stack, password, pause, wait_for
from tests.understudy import recordings
from tests.understudy.conversation import HELLO, heard
from tests.understudy.server import SHORT, Server, run

pytestmark = pytest.mark.understudy

Settings = dict[str, str]
POOL = 10  # Hikari's default size


def with_faults(faults: str) -> Settings:
    return {"UNDERSTUDY": f"{SHORT} {faults}"}


def health(server: Server, timeout: float = 1.0) -> httpx.Response:
    return httpx.get(f"{server.management_url}/health", timeout=timeout)


def ping(server: Server, timeout: float = 1.0) -> httpx.Response:
    return httpx.get(f"{server.http_url}/ping", timeout=timeout)


def test_every_fault_has_its_sentence() -> None:
    """What can be injected is documented."""
    assert set(Fault) == set(SENTENCES)


def test_slow_boot(postgres: Stack, database: str) -> None:
    """A boot of 0.2 s takes ten times as long."""
    with run(postgres, database, {"UNDERSTUDY": "boot=0.2 slow-boot"}) as server:
        began = time.monotonic()
        server.wait_until_ready()

        assert time.monotonic() - began > 1.5


def test_crash_at_boot(postgres: Stack, database: str) -> None:
    """It ends with 1 before a port is open."""
    with run(postgres, database, with_faults("crash-at-boot")) as server:
        assert server.exit_status(10) == 1
        assert "Server Running" not in server.log()


def test_crash_after(postgres: Stack, database: str) -> None:
    """It answers, and ends with 1 a little later."""
    with run(postgres, database, with_faults("crash-after=0.8")) as server:
        server.wait_until_ready()

        assert server.exit_status(10) == 1


def test_hang(postgres: Stack, database: str) -> None:
    """Ports accept from the start and answer nothing."""
    with run(postgres, database, with_faults("hang")) as server:
        wait_for(lambda: "Server Running" in server.log(), "the ports", 10)

        with pytest.raises(httpx.ReadTimeout):
            health(server)
        with pytest.raises(httpx.ReadTimeout):
            ping(server)


def test_hang_after(postgres: Stack, database: str) -> None:
    """It answers for a while, and then never again."""
    with run(postgres, database, with_faults("hang-after=1")) as server:
        server.wait_until_ready()
        wait_for(lambda: "ReadTimeout" in _outcome(server), "the silence", 5)

        assert server.is_running()


def test_ignore_term(postgres: Stack, database: str) -> None:
    """Only SIGKILL ends it."""
    with run(postgres, database, with_faults("ignore-term")) as server:
        server.wait_until_ready()

        assert server.stop(limit=1) == 137


def test_dead_worker(postgres: Stack, database: str) -> None:
    """`/health` says UP, and no task is ever taken."""
    with run(postgres, database, with_faults("dead-worker")) as server:
        server.wait_until_ready().create(HELLO.format(id="hello", say="x"))
        key = server.execute("hello")
        server.wait_for_state(key, "RUNNING")
        jobs = "SELECT count(*) FROM queues WHERE type::text LIKE '%WorkerJob' AND NOT consumer_worker"
        wait_for(lambda: server.psql(jobs) == "1", "the job that nobody takes", 5)

        assert health(server).json()["status"] == "UP"
        assert server.execution(key)["state"]["current"] == "RUNNING"


@pytest.mark.parametrize("fault", ["lose-database", "lose-database-after=0.5"])
def test_lose_database(postgres: Stack, database: str, fault: str) -> None:
    """It cuts its own connections; as Postgres is there, it ends with 1 at once."""
    with run(postgres, database, with_faults(fault)) as server:
        assert server.exit_status(10) == 1
        assert "Shutting down" in server.log()


def test_zombie_on_db_loss(postgres: Stack, database: str) -> None:
    """It goes on running, its ports accept, nothing answers, and SIGTERM does nothing."""
    faults = "lose-database-after=0.5 zombie-on-db-loss"
    with run(postgres, database, with_faults(faults)) as server:
        wait_for(lambda: "Shutting down" in server.log(), "the loss", 10)

        with pytest.raises(httpx.ReadTimeout):
            health(server)
        with pytest.raises(httpx.ReadTimeout):
            ping(server)
        assert server.is_running()
        assert server.stop(limit=1) == 137


def test_wrong_instance(postgres: Stack, database: str) -> None:
    """The instance id is another one."""
    with run(postgres, database) as server:
        before = _configs(server.wait_until_ready())
        server.stop()
    with run(postgres, database, with_faults("wrong-instance")) as server:
        assert before["uuid"] != _configs(server.wait_until_ready())["uuid"]


def test_auth_off(postgres: Stack, database: str) -> None:
    """It answers without credentials, and with wrong ones."""
    with run(postgres, database, with_faults("auth-off")) as server:
        url = f"{server.wait_until_ready().http_url}/api/v1/configs"

        assert httpx.get(url).status_code == 200
        assert httpx.get(url, auth=("a@b", "wrong")).status_code == 200


def test_forget(postgres: Stack, database: str) -> None:
    """One flow and one execution are missing after the boot."""
    with run(postgres, database) as server:
        server.wait_until_ready()
        for name in ("one", "two"):
            server.create(HELLO.format(id=name, say="x"))
            server.execute(name, wait=True)
        server.stop()
    with run(postgres, database, with_faults("forget-flow, fault=forget-execution")) as server:
        server.wait_until_ready()

        assert [flow["id"] for flow in _search(server, "flows")] == ["two"]
        assert [execution["flowId"] for execution in _search(server, "executions")] == ["one"]


def test_unhealthy_body(postgres: Stack, database: str) -> None:
    """The status code says 200, the body says DOWN."""
    with run(postgres, database, with_faults("unhealthy-body")) as server:
        answer = health(server.wait_until_ready())

        assert (answer.status_code, answer.json()["status"]) == (200, "DOWN")


def test_two_servers_beat_side_by_side(postgres: Stack, database: str) -> None:
    """A second server on the same database is seen by its heartbeats."""
    with run(postgres, database) as first, run(postgres, database) as second:
        first.wait_until_ready()
        second.wait_until_ready()
        running = "SELECT count(*) FROM service_instance WHERE state = 'RUNNING'"

        wait_for(lambda: first.psql(running) == "10", "the rows of both", 5)


# --- Postgres that goes away under a running server


def test_a_restart_of_postgres_is_fatal(fragile_postgres: Stack) -> None:
    """HTTP is dead within a second, and it ends with 1 once Postgres is back."""
    stack = fragile_postgres
    with run(stack, "kestra") as server:
        server.wait_until_ready()
        stack.container("kestra-postgres").stop(timeout=10)
        wait_for(lambda: "Error" in _outcome(server), "HTTP to be dead", 1)

        assert server.is_running()
        stack.container("kestra-postgres").start()
        assert server.exit_status(10) == 1
        assert "Kestra server - Shutdown completed" in server.log()


def test_a_short_freeze_of_postgres_passes_over(fragile_postgres: Stack) -> None:
    """While Postgres is frozen readiness is DOWN after three seconds, then everything hangs; afterwards all is well."""
    postgres = fragile_postgres.container("kestra-postgres")
    with run(fragile_postgres, "kestra") as server:
        server.wait_until_ready()
        pause(postgres)
        try:
            began = time.monotonic()
            down = heard(httpx.get(f"{server.management_url}/health/readiness", timeout=6))
            waited = time.monotonic() - began
            with pytest.raises(httpx.ReadTimeout):
                ping(server)
        finally:
            postgres.unpause()
        expected = recordings.answers("0.20.7")["readiness-503-DOWN"]

        assert (expected.status, recordings.normal(expected.body)) == (
            down.status,
            recordings.normal(down.body),
        )
        assert 2.8 < waited < 3.5
        wait_for(lambda: _outcome(server) == "200", "the answers to come back", 5)
        assert ping(server).text == "pong"


def test_a_long_freeze_of_postgres_is_fatal(fragile_postgres: Stack) -> None:
    """After the limit it gives up, with Postgres still frozen."""
    postgres = fragile_postgres.container("kestra-postgres")
    with run(fragile_postgres, "kestra", with_faults("frozen_limit=1")) as server:
        server.wait_until_ready()
        pause(postgres)
        try:
            assert server.exit_status(10) == 1
        finally:
            postgres.unpause()


def test_a_password_that_is_changed_in_postgres_hurts_nobody_who_is_in(fragile_postgres: Stack) -> None:
    """Every connection of the pool was opened at the boot, so many requests at once need no new login."""
    user, old = fragile_postgres.env["KESTRA_DB_USER"], fragile_postgres.env["KESTRA_DB_PASSWORD"]
    with run(fragile_postgres, "kestra") as server:
        server.wait_until_ready()
        wait_for(lambda: _sessions(server) == POOL + 1, "the pool to be full, and the watch beside it", 10)
        fragile_postgres.psql(f"ALTER ROLE {user} PASSWORD '{password()}'")
        try:
            with ThreadPoolExecutor(2 * POOL) as people:
                found = [*people.map(lambda _: server.is_ready(), range(6 * POOL))]
        finally:
            fragile_postgres.psql(f"ALTER ROLE {user} PASSWORD '{old}'")

        assert all(found)
        assert server.is_running()


def _sessions(server: Server) -> int:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'PostgreSQL JDBC Driver'"
    return int(server.psql(asked))


def _outcome(server: Server) -> str:
    try:
        return str(health(server, timeout=0.5).status_code)
    except httpx.TransportError as failed:
        return type(failed).__name__


def _configs(server: Server) -> dict[str, str]:
    answer: dict[str, str] = httpx.get(f"{server.http_url}/api/v1/configs", auth=server.auth).json()
    return answer


def _search(server: Server, what: str) -> list[dict[str, str]]:
    answer = httpx.get(f"{server.http_url}/api/v1/{what}/search", auth=server.auth)
    found: list[dict[str, str]] = answer.json()["results"]
    return found
