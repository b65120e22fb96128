"""The driver's command lines: exactly what an operator could type in the root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from procedures.drivers.compose import Compose
from procedures.target.target import Target

ROOT = Path("/srv/tools")
TARGET = Target(
    file=ROOT / "target.toml",
    name="tools",
    root=ROOT,
    compose_files=(ROOT / "tools/compose/docker-compose.tools.yml",),
    env_files=(ROOT / ".env",),
    service="kestra",
    database_service="kestra-postgres",
)
CALLER = {
    "PATH": "/usr/bin",
    "HOME": "/root",
    "DOCKER_CONTEXT": "far-away",
    "DOCKER_HOST": "tcp://far-away",
    "KESTRA_HTTP_PORT": "9999",
    "COMPOSE_FILE": "other.yml",
}
COMPOSE = Compose(TARGET, CALLER, "unix:///var/run/docker.sock")
QUIET = "docker compose --ansi never --progress plain"
FILE = "-f tools/compose/docker-compose.tools.yml"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (COMPOSE.stop(15.0, 30), f"{QUIET} {FILE} stop -t 15 kestra"),
        (COMPOSE.stop(14.2, 30), f"{QUIET} {FILE} stop -t 15 kestra"),
        (COMPOSE.start(30), f"{QUIET} {FILE} up -d --no-deps --force-recreate --pull never kestra"),
        (COMPOSE.unpause(30), f"{QUIET} {FILE} unpause kestra"),
        (
            COMPOSE.rehearse_start(30),
            f"{QUIET} --dry-run {FILE} up -d --no-deps --force-recreate --pull never kestra",
        ),
        (COMPOSE.render(30), f"docker compose {FILE} config --format json"),
        (
            COMPOSE.render_by_file(30),
            f"docker compose --env-file /srv/tools/.env {FILE} config --format json",
        ),
    ],
)
def test_a_command_is_its_words(command: object, line: str) -> None:
    """One service is named, nothing is pulled, nothing else depends on it; the root is where it is typed."""
    assert line.split() == list(command.argv)  # type: ignore[attr-defined]
    assert (command.cwd, command.limit) == (ROOT, 30)  # type: ignore[attr-defined]


def test_the_rehearsal_is_the_start_and_one_word() -> None:
    """What is tried is exactly what will be done."""
    rehearsed = [one for one in COMPOSE.rehearse_start(30).argv if one != "--dry-run"]

    assert list(COMPOSE.start(30).argv) == rehearsed


def test_the_operators_environment_is_kept_and_the_engine_is_named() -> None:
    """The operator's variables have their say in the operator's call; the engine is the one that was resolved."""
    given = COMPOSE.start(30).environment

    assert given is not None
    assert (given["KESTRA_HTTP_PORT"], given["DOCKER_HOST"]) == ("9999", "unix:///var/run/docker.sock")
    assert "DOCKER_CONTEXT" not in given


def test_the_files_alone_are_asked_without_the_caller() -> None:
    """Nothing of the caller's environment can win where the files alone are asked."""
    given = COMPOSE.render_by_file(30).environment

    engine = "unix:///var/run/docker.sock"
    assert given == {"PATH": "/usr/bin", "HOME": "/root", "DOCKER_HOST": engine, "PWD": str(ROOT)}


@pytest.mark.parametrize(
    "name", ["DOCKER_DEFAULT_PLATFORM", "COMPOSE_FILE", "COMPOSE_ENV_FILES", "BUILDKIT_HOST", "DOCKER_NEW"]
)
def test_what_would_change_the_clients_reaches_no_command(name: str) -> None:
    """Of the variables of Compose and the docker client only those that are known reach a command; each is named."""
    caller = {"PATH": "/usr/bin", "COMPOSE_PROFILES": "all", name: "x"}
    compose = Compose(TARGET, caller, "unix:///x")
    given = compose.start(30).environment

    assert given is not None
    assert (name in given, given["COMPOSE_PROFILES"]) == (False, "all")
    assert (compose.dropped, compose.handed_on) == ((name,), ("COMPOSE_PROFILES",))


def test_the_root_is_where_a_command_stands() -> None:
    """`${PWD}` in a file means the folder in which the same command is typed."""
    given = Compose(TARGET, {"PWD": "/elsewhere"}, "unix:///x").start(30).environment

    assert given is not None
    assert str(ROOT) == given["PWD"]


def test_what_was_rendered_is_started_in_the_files_place() -> None:
    """The rendering stands in the folder of the files; no `.env` is read once more."""
    found = COMPOSE.of_rendered("tools", (Path("/state/x.rendered/srv/a.yml"),), without_env_file=True)
    words = " ".join(found.start(30).argv)

    assert words.startswith("env COMPOSE_DISABLE_ENV_FILE=1 docker compose")
    assert (
        "-p tools --project-directory /srv/tools/tools/compose -f /state/x.rendered/srv/a.yml up -d" in words
    )


def test_a_named_project_and_several_files_are_said() -> None:
    """A project of the target's own comes first, then every file; one outside the root by its whole path."""
    target = replace(TARGET, project="mine", compose_files=(ROOT / "a.yml", Path("/etc/b.yml")))

    command = Compose(target, {}, "unix:///x").start(30)

    assert "-p mine -f a.yml -f /etc/b.yml up" in " ".join(command.argv)


def test_names_are_asked_by_a_model_of_their_own() -> None:
    """What names are worth is asked of Compose through its standard input: no value is on a command line."""
    command = COMPOSE.interpolate(("A", "B"), 30, by_file=False)

    assert "-f -" in " ".join(command.argv)
    assert ('A: "${A-}"' in command.stdin, 'B: "${B-}"' in command.stdin) == (True, True)
    assert "--env-file" not in command.argv
    assert "--env-file" in COMPOSE.interpolate(("A",), 30, by_file=True).argv
