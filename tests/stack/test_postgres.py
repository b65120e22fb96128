"""The Postgres image keeps the rules of the official one."""

from __future__ import annotations

import pytest

from tests.stacks import POSTGRES_IMAGE, Stack, engine, password, wait_for

pytestmark = pytest.mark.usefixtures("postgres")


def login(stack: Stack, host: str, secret: str) -> bool:
    """Log in from inside the Postgres container; its own name leads over the network, 127.0.0.1 does not."""
    done = stack.compose(
        *("exec", "-T", "-e", f"PGPASSWORD={secret}", "kestra-postgres"),
        *(
            "psql",
            "-X",
            "-h",
            host,
            "-U",
            stack.env["KESTRA_DB_USER"],
            "-d",
            stack.env["KESTRA_DB_NAME"],
            "-c",
            "select 1",
        ),
        check=False,
    )
    assert done.returncode in (0, 2), done.stderr
    return done.returncode == 0


def login_from_elsewhere(stack: Stack, secret: str) -> bool:
    """Log in from another container of the network, as Kestra does."""
    url = f"postgresql://{stack.env['KESTRA_DB_USER']}@kestra-postgres/{stack.env['KESTRA_DB_NAME']}"
    with engine() as client:
        container = client.containers.create(
            stack.env["POSTGRES_IMAGE"],
            ["psql", "-X", "-c", "select 1", url],
            environment={"PGPASSWORD": secret},
            name=f"{stack.prefix}login",
            network=f"{stack.project}_default",
        )
        try:
            container.start()
            status, said = int(container.wait(timeout=30)["StatusCode"]), container.logs()
        finally:
            # The image declares a volume: without `v` each login would leave one behind.
            container.remove(force=True, v=True)
    assert status == 0 or b"password authentication failed" in said, said
    return status == 0


def test_it_is_version_15_or_later(postgres: Stack) -> None:
    """Kestra's needs are met by what the distribution packages."""
    assert int(postgres.psql("show server_version_num")) >= 150000


def test_the_network_needs_the_right_password(postgres: Stack) -> None:
    """Over the network the .env's password lets in, and another one does not."""
    right = postgres.env["KESTRA_DB_PASSWORD"]

    assert login_from_elsewhere(postgres, right)
    assert not login_from_elsewhere(postgres, f"{right}x")
    assert not login(postgres, "kestra-postgres", f"{right}x")


def test_loopback_inside_the_container_trusts_a_wrong_password(postgres: Stack) -> None:
    """A login by loopback or socket proves nothing about a password."""
    assert login(postgres, "127.0.0.1", "wrong")
    assert login(postgres, "/var/run/postgresql", "wrong")


def test_the_server_is_process_one_and_not_root(postgres: Stack) -> None:
    """Signals reach Postgres itself, and it runs as its own user."""
    status = postgres.exec("kestra-postgres", "cat", "/proc/1/status")

    assert "Name:\tpostgres\n" in status
    assert "Uid:\t999\t" in status


def test_a_second_start_keeps_the_data_and_the_first_password(postgres: Stack) -> None:
    """Data are initialised once: a new container with another password finds the old data and the old password."""
    first = postgres.env["KESTRA_DB_PASSWORD"]
    postgres.psql("create table kept (word text); insert into kept values ('here')")
    postgres.set_env(KESTRA_DB_PASSWORD=password())
    try:
        before = postgres.container("kestra-postgres").id
        postgres.up("kestra-postgres")

        assert before != postgres.container("kestra-postgres").id
        assert "Skipping initialization" in postgres.logs("kestra-postgres")
        assert postgres.psql("select word from kept") == "here"
        assert login_from_elsewhere(postgres, first)
        assert not login_from_elsewhere(postgres, postgres.env["KESTRA_DB_PASSWORD"])
    finally:
        postgres.set_env(KESTRA_DB_PASSWORD=first)


def test_a_stop_does_not_wait_for_clients(postgres: Stack) -> None:
    """A stop is Postgres' fast shutdown: an open session is ended, and the server ends cleanly."""
    container = postgres.container("kestra-postgres")
    user, name = postgres.env["KESTRA_DB_USER"], postgres.env["KESTRA_DB_NAME"]
    container.exec_run(["psql", "-U", user, "-d", name, "-c", "select pg_sleep(300)"], detach=True)
    sessions = "select count(*) from pg_stat_activity where query like 'select pg_sleep%'"
    wait_for(lambda: postgres.psql(sessions) == "1", "the session to be there", 10)
    container.stop(timeout=20)
    container.reload()

    assert container.attrs["State"]["ExitCode"] == 0
    assert "received fast shutdown request" in postgres.logs("kestra-postgres")
    container.start()


def test_without_a_password_nothing_is_initialised() -> None:
    """An empty data directory and no password is an error that says which variable is missing."""
    with engine() as client:
        container = client.containers.create(POSTGRES_IMAGE, network_mode="none")
        try:
            container.start()
            status, said = container.wait(timeout=30)["StatusCode"], container.logs()
        finally:
            container.remove(force=True, v=True)

    assert status == 1
    assert b"You must specify POSTGRES_PASSWORD" in said
