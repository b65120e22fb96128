"""The scripts that only look: status.sh, logs.sh, health-check-all.sh."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack.scripts import (
    ALL,
    CANNOT_LOOK,
    HEALTH,
    LOGS,
    REFUSED,
    STATUS,
    USAGE,
    identity,
    library,
    neighbour,
    script,
    settings,
)
from tests.stacks import SOURCE, Stack, clean_environment, run, stack, wait_for

SOCKET = Path("/var/run/docker.sock")
# An id that no account has: a user is a number to the kernel, and to the engine's socket.
SOMEBODY = 54321

IMPOSTOR = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Impostor(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status":"UP"}')

HTTPServer(("", 80), Impostor).serve_forever()
"""

by_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("stack")) as made:
        yield made.up()


def health(on: Stack, *arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    done = script(on, HEALTH, "--format", "json", *arguments, **environment)
    return done.returncode, dict(json.loads(done.stdout))


def as_somebody(on: Stack, name: str, group: int) -> subprocess.CompletedProcess[str]:
    """Run a script as a user who has nothing but this group."""
    command = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", f"--groups={group}"]
    environment = clean_environment(HOME="/nonexistent")
    return run([*command, str(on.root / name)], cwd=Path("/"), check=False, env=environment)


@pytest.mark.parametrize("name", ALL)
def test_it_can_be_executed(name: str) -> None:
    """The runbook types the scripts by their paths, so they are executable, in git as well."""
    mode = run(["git", "ls-files", "-s", name], cwd=SOURCE).stdout.split()[0]

    assert os.access(SOURCE / name, os.X_OK)
    assert mode == "100755"


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_word_is_an_error(unstarted: Stack, name: str) -> None:
    """A mistyped option is refused, and named by no other meaning."""
    assert script(unstarted, name, "--detatch").returncode == USAGE


@pytest.mark.parametrize("name", ALL)
def test_windows_line_ends_are_refused(unstarted: Stack, name: str) -> None:
    """A `.env` with CRLF is refused with one sentence, before anything is looked at."""
    unstarted.write_env_text(unstarted.env_file.read_text().replace("\n", "\r\n"))
    done = script(unstarted, name)

    assert done.returncode == CANNOT_LOOK
    assert re.fullmatch(r"❌ .*CRLF.*\n", done.stderr)


def test_a_missing_env_is_said(unstarted: Stack) -> None:
    """Without `.env` nobody knows which container is ours."""
    unstarted.env_file.unlink()

    assert script(unstarted, STATUS).returncode == CANNOT_LOOK


@pytest.mark.parametrize(
    "line", ["export STACK_PREFIX=other-", "STACK_PREFIX = other-", "STACK_PREFIX=a # b"]
)
def test_a_prefix_in_another_spelling_is_refused(unstarted: Stack, line: str) -> None:
    """What Compose reads otherwise than we do would name another stack's container."""
    unstarted.write_env_text(unstarted.env_file.read_text().replace(f"STACK_PREFIX={unstarted.prefix}", line))

    assert script(unstarted, STATUS).returncode == CANNOT_LOOK


# --- status.sh


def test_status_of_nothing(unstarted: Stack) -> None:
    """Where there is no container it says the runbook's sentence and fails."""
    done = script(unstarted, STATUS)

    assert (done.returncode, done.stdout) == (REFUSED, "Nenhum contêiner Kestra ativo.\n")


def test_status_of_a_running_kestra(running: Stack) -> None:
    """It tells id, image, health and both published ports."""
    running.wait_until_ready()
    done = script(running, STATUS)

    assert done.returncode == 0
    assert "em execução" in done.stdout
    for told in (
        identity(running)[0][:12],
        running.image,
        f":{running.env['KESTRA_HTTP_PORT']}->8080/tcp",
        f":{running.env['KESTRA_MANAGEMENT_PORT']}->8081/tcp",
    ):
        assert told in done.stdout
    assert re.search(r"Saúde: +(starting|healthy)\n", done.stdout)


def test_a_paused_kestra_is_called_paused(running: Stack) -> None:
    """Paused is neither running nor stopped; and nothing that is asked of it hangs."""
    running.compose("pause", "kestra")
    try:
        done = script(running, STATUS)
        began = time.monotonic()
        status, answer = health(running, "--services", "kestra")
    finally:
        running.compose("unpause", "kestra")

    assert (done.returncode, "pausado" in done.stdout) == (REFUSED, True)
    assert "Nenhum contêiner" not in done.stdout
    assert (status, answer["overallHealth"]) == (REFUSED, "unhealthy")
    assert time.monotonic() - began < 10


def test_a_container_of_somebody_else_is_not_ours(unstarted: Stack) -> None:
    """A container with Kestra's name, of Kestra's image, that Compose did not make is not taken for it."""
    with neighbour(unstarted, f"{unstarted.project}-kestra"):
        done = script(unstarted, STATUS)
        logs = script(unstarted, LOGS)
        status, answer = health(unstarted, "--services", "kestra")

    assert (done.returncode, done.stdout) == (REFUSED, "Nenhum contêiner Kestra ativo.\n")
    assert "não é desta stack" in done.stderr
    assert logs.returncode == REFUSED
    assert (status, answer["localServices"][0]["status"]) == (REFUSED, "down")


@by_root
def test_a_member_of_the_sockets_group_may_look(unstarted: Stack) -> None:
    """Root is not needed; who may not ask the engine is told so, and not that nothing runs."""
    for path in (unstarted.root, *unstarted.root.rglob("*")):
        os.chown(path, SOMEBODY, SOMEBODY, follow_symlinks=False)
    for parent in unstarted.root.parents[:3]:
        if parent.stat().st_mode & 0o055 != 0o055:  # pytest's own folders are closed to others
            parent.chmod(0o755)
    member = as_somebody(unstarted, STATUS, SOCKET.stat().st_gid)
    stranger = as_somebody(unstarted, STATUS, SOMEBODY)
    asked = as_somebody(unstarted, HEALTH, SOMEBODY)

    assert (member.returncode, member.stdout) == (REFUSED, "Nenhum contêiner Kestra ativo.\n")
    assert stranger.returncode == CANNOT_LOOK
    assert "permission denied" in stranger.stderr
    assert "Nenhum contêiner" not in stranger.stdout
    assert (asked.returncode, asked.stdout) == (CANNOT_LOOK, "overallHealth=unknown\n")


def test_without_docker_nothing_is_known(unstarted: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No docker command, and an engine that does not answer, are told apart from a Kestra that does not run."""
    tools = tmp_path_factory.mktemp("tools")
    for name in (
        "bash",
        "dirname",
        "readlink",
        "grep",
        "sed",
        "tail",
        "id",
        "stat",
        "timeout",
        "date",
        "env",
    ):
        (tools / name).symlink_to(str(shutil.which(name)))
    missing = script(unstarted, STATUS, PATH=str(tools))
    silent = script(unstarted, STATUS, DOCKER_HOST="unix:///nonexistent.sock")
    _, answer = health(unstarted, DOCKER_HOST="unix:///nonexistent.sock")

    assert (missing.returncode, silent.returncode) == (CANNOT_LOOK, CANNOT_LOOK)
    assert "comando docker não existe" in missing.stderr
    assert "não responde" in silent.stderr
    assert answer["overallHealth"] == "unknown"


# --- logs.sh


def test_logs_are_bounded_and_hold_both_streams(running: Stack) -> None:
    """By default the newest lines, what was written to the error stream too, and then it ends."""
    container = running.container("kestra")
    # What process 1 writes is what the engine keeps.
    running.exec("kestra", "sh", "-c", "for i in $(seq 300); do echo line-$i; done >/proc/1/fd/1")
    wait_for(lambda: b"line-300\n" in container.logs(tail=9), "the lines to arrive", 10)
    running.exec("kestra", "sh", "-c", "echo bad >/proc/1/fd/2")
    wait_for(lambda: b"bad\n" in container.logs(tail=9), "the last line to arrive", 10)
    done = script(running, LOGS)
    three = script(running, LOGS, "--tail", "3")

    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines)) == (0, 200)
    assert {"line-300", "bad"} <= set(lines)
    assert "line-1" not in lines
    assert str(container.id)[:12] in done.stderr
    assert len(three.stdout.splitlines()) == 3


def test_saved_logs_are_whole_and_private(running: Stack) -> None:
    """Saving takes every line, into a file that only its owner reads, and overwrites nothing."""
    file = running.root / "kestra.log"
    # The server goes on logging: what was there before is what must be saved.
    before = running.logs("kestra").splitlines()
    done = script(running, LOGS, "--save", str(file))
    again = script(running, LOGS, f"--save={file}")
    unnamed = script(running, LOGS, "--save")
    named = [*(running.root / "state").rglob("kestra-*.log")]

    assert (done.returncode, unnamed.returncode) == (0, 0)
    assert str(file) in done.stdout
    assert len(file.read_text().splitlines()) >= len(before)
    assert len(named) == 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in (file, *named)} == {0o600}
    assert (again.returncode, "já existe" in again.stderr) == (REFUSED, True)
    assert not [*running.root.glob("kestra.log.*")]
    assert script(running, LOGS, "--save", "--follow").returncode == USAGE


def test_logs_are_followed_on_demand(running: Stack) -> None:
    """`--follow` shows what comes later."""
    command = [str(running.root / LOGS), "--follow", "--tail", "0"]
    with subprocess.Popen(
        command, cwd="/", env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as following:
        assert following.stdout
        out, seen = following.stdout, bytearray()
        os.set_blocking(out.fileno(), False)

        def arrived() -> bool:
            running.exec("kestra", "sh", "-c", "echo later >/proc/1/fd/1")
            seen.extend(out.read() or b"")
            return b"later" in seen

        try:
            wait_for(arrived, "the line to be shown", 20)
            assert following.poll() is None
        finally:
            following.terminate()


# --- health-check-all.sh


def test_a_healthy_kestra(running: Stack) -> None:
    """The runbook's form is the default; the form for programs says the same."""
    text = script(running, HEALTH, "--services", "kestra")
    status, answer = health(running)

    assert (text.returncode, text.stdout.splitlines()[0]) == (0, "overallHealth=healthy")
    assert (status, answer["overallHealth"], answer["summary"]) == (
        0,
        "healthy",
        {"allOk": True, "servicesChecked": 2},
    )
    assert [one["name"] for one in answer["localServices"]] == ["kestra", "kestra-postgres"]
    assert answer["localServices"][0]["endpoint"] == f"{running.management_url}/health"


@pytest.mark.parametrize("name", ["kestra-orch", "", ",", "kestra,,x", 'k"\r\n\\', "\udcff"])
def test_an_unknown_service_is_an_error(running: Stack, name: str) -> None:
    """Nothing is healthy because nothing was asked; and the answer is JSON whatever was typed."""
    status, answer = health(running, "--services", name)

    assert status == USAGE
    assert answer["overallHealth"] == "unknown"
    assert answer["summary"] == {"allOk": False, "servicesChecked": 0}


def test_an_unknown_format_is_an_error(running: Stack) -> None:
    """No word but text and json is a format."""
    assert script(running, HEALTH, "--format", "yaml").returncode == USAGE


def test_the_ports_are_the_containers(running: Stack) -> None:
    """A `.env` that says other ports than the container publishes changes nothing of what is asked."""
    with settings(running, KESTRA_MANAGEMENT_PORT="1"):
        status, answer = health(running, "--services", "kestra")

    assert status == 0
    assert answer["localServices"][0]["endpoint"] == f"{running.management_url}/health"
    assert "outra porta" in answer["localServices"][0]["message"]


def test_an_impostor_is_not_healthy(unstarted: Stack) -> None:
    """Another server on Kestra's port that says UP to everything does not make a Kestra healthy that is down."""
    port = int(unstarted.env["KESTRA_MANAGEMENT_PORT"])
    with neighbour(unstarted, f"{unstarted.prefix}impostor", "python3", "-c", IMPOSTOR, port=port):
        fetched = f"fetch 127.0.0.1 {port} /health || true"
        wait_for(lambda: "UP" in library(unstarted, fetched), "the impostor to answer", 20)
        status, answer = health(unstarted, "--services", "kestra")

    assert (status, answer["localServices"][0]["status"]) == (REFUSED, "down")


def test_a_wrong_password_makes_the_database_unhealthy(running: Stack) -> None:
    """Postgres calls itself healthy whatever `.env` says: only a login tells."""
    with settings(running, KESTRA_DB_PASSWORD="Wrong1" * 3):
        status, answer = health(running, "--services", "kestra-postgres")

    assert (status, answer["localServices"][0]["status"]) == (REFUSED, "unhealthy")
    assert "recusa" in answer["localServices"][0]["message"]


# --- what they share


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"status":"UP"}', "UP"),
        ('{"name":"k","status":"DOWN","details":{"jdbc":{"status":"UP","details":{"a":1}}}}', "DOWN"),
        ('{"details":{"jdbc":{"status":"DOWN"}},"status" : "UP"}', "UP"),
        ('{"details":{"jdbc":{"status":"UP"}}}', ""),
        ('{"name": "k",\n "status": "UP"\n}\n', "UP"),
        ("<html>UP</html>", ""),
        ("", ""),
    ],
)
def test_the_whole_decides_not_a_detail(unstarted: Stack, body: str, status: str) -> None:
    """The status that counts is the answer's own: its details have one each."""
    assert library(unstarted, 'own_status "$1"', body).strip() == status


@pytest.mark.parametrize(
    "secret", ["plain", 'a"b', "a\\nb", 'a\\"b\\\\', "<&>", "é ü", "a$b", "$$", " x #y "]
)
def test_a_value_arrives_as_compose_reads_it(unstarted: Stack, secret: str) -> None:
    """Whatever is in a password, the login is tried with the very one that Kestra gets."""
    unstarted.set_env(KESTRA_DB_PASSWORD=f"'{secret}'")

    assert library(unstarted, "need_rendered_settings; database_setting PASSWORD") == f"{secret}\n"
