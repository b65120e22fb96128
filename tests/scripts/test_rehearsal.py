"""What a script would have done is known from its rehearsal: what it would hit, pull, read and make."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures.rehearsal.rehearsal import rehearse
from reports.record.observed import Secret, Unseen
from reports.record.scripted import Rehearsal
from tests.scripts import bad
from tests.scripts.conftest import Rehearse, docker_host
from tests.stack.scripts import HEALTH, LOGS, RUN, START_STACKS, STATUS, STOP, identity, neighbour
from tests.stacks import COMPOSE_FILE, POSTGRES_IMAGE, Stack, clean_environment, engine, free_port


def _on(
    stack: Stack,
    *argv: str,
    limit: float = 20.0,
    before: tuple[Rehearsal, ...] = (),
    stand_in: str = "",
    **more: str,
) -> Rehearsal:
    environment = clean_environment(HOME=str(stack.root), **more)
    return rehearse(
        argv, stack.root, environment, root=stack.root, limit=limit, docker_host=docker_host(), before=before,
        stand_in=stand_in,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _untouched(service: Stack) -> Iterator[None]:
    """Whatever is rehearsed, the stack's containers are the same afterwards, and its files too."""
    before = [identity(service, one) for one in ("kestra", "kestra-postgres")]
    files = {str(one): one.stat().st_mtime_ns for one in service.root.rglob("*")}
    yield
    assert [identity(service, one) for one in ("kestra", "kestra-postgres")] == before
    assert {str(one): one.stat().st_mtime_ns for one in service.root.rglob("*")} == files


def _script(stack: Stack, text: str, tmp_path: Path, **environment: str) -> Rehearsal:
    file = tmp_path / "scripts" / "script.sh"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/usr/bin/env bash\n{text}")
    file.chmod(0o755)
    return rehearse(
        ("scripts/script.sh",),
        tmp_path,
        clean_environment(HOME=str(tmp_path), **environment),
        root=tmp_path,
        limit=20,
        docker_host=docker_host(),
    )


def test_the_bundled_scripts_that_look(service: Stack) -> None:
    """The status and the logs are those of the real container; nothing is hit, and the logs are saved in the copy."""
    status = _on(service, STATUS)
    saved = _on(service, LOGS, "--save=kestra.log")

    assert (status.exit_code, status.hits, status.wrote) == (0, (), ())
    assert "▶️  Kestra em execução" in status.output
    assert str(service.container("kestra").id)[:12] in status.output
    assert status.env_files == (str(service.env_file),)
    assert {one.effect for one in status.calls} == {"looks"}
    assert (saved.exit_code, saved.wrote) == (0, (f"{service.root}/kestra.log",))


def test_what_the_bundled_start_would_give(service: Stack) -> None:
    """What its container would be made of is known to the last value; an image that is pulled before it runs is let pass."""
    new = "nowhere.invalid/kestra:0.20.9"
    now = service.container("kestra").attrs
    made = _on(service, RUN, "--detach", KESTRA_IMAGE=new, stand_in=now["Image"])
    refused = _on(service, RUN, "--detach", KESTRA_IMAGE=new)

    (one,) = made.creations
    assert not isinstance(one.environment, Unseen)
    given = {
        name: value.value if isinstance(value, Secret) else value for name, value in one.environment.items()
    }
    assert (one.name, one.image, one.by_compose) == (f"{service.project}-kestra", new, True)
    assert set(now["Config"]["Env"]) >= {f"{name}={value}" for name, value in given.items()}
    assert f"127.0.0.1:{service.env['KESTRA_HTTP_PORT']}:8080/tcp" in one.ports
    assert (one.networks, one.stop_grace) == ((f"{service.project}_default",), 15.0)
    assert f"{new} is not here: it was taken as pulled before the stop" in made.notes
    assert (refused.creations, "não está nesta máquina" in refused.output) == ((), True)


def test_what_docker_run_would_give(service: Stack, tmp_path: Path) -> None:
    """Variables by name, by value and from a file, ports, mounts and networks of a plain `docker run` are all known."""
    (tmp_path / "more.env").write_text("# a comment\nFROM_FILE=it is 'x'\n\n  GIVEN\n")
    seen = _script(
        service,
        f"docker run -d --name {service.prefix}plain -e GIVEN -e SAID=two=2 -e UNSET_ONE --env-file more.env "
        "-p 127.0.0.1:9:8080 -p 10:8081 -p 8082 -v storage:/app -v /anonymous --mount type=bind,source=/srv,target=/x "
        f"--network {service.project}_default --restart on-failure:3 --stop-timeout 15 {service.image} server",
        tmp_path,
        GIVEN="by whoever calls",
    )

    (one,) = seen.creations
    assert one.environment == {"GIVEN": "by whoever calls", "SAID": "two=2", "FROM_FILE": "it is 'x'"}
    assert one.ports == ("127.0.0.1:9:8080", "10:8081", "8082")
    assert (one.volumes, one.networks) == (("storage", "/srv"), (f"{service.project}_default",))
    assert (one.restart, one.stop_grace, one.by_compose) == ("on-failure", 15.0, False)


def test_the_bundled_stop_hits_its_own_container_only(service: Stack) -> None:
    """The stop is seen through to its last sentence, its one hit is Kestra, and the status after it says it is down."""
    with neighbour(service, f"{service.prefix}other") as other:
        seen = _on(service, STOP)

    after = _on(service, STATUS, before=(seen,))
    container = service.container("kestra")
    assert [(one.id, one.effect, one.service) for one in seen.hits] == [(container.id, "stops", "kestra")]
    assert other not in {one.id for one in seen.hits}
    assert f"✓ {container.short_id} interrompido" in seen.output
    assert seen.exit_code == 0
    assert after.exit_code == 1
    assert "Nenhum contêiner Kestra ativo." in after.output


def test_the_bundled_start_comes_to_its_end(service: Stack) -> None:
    """What it tries goes through, one container is made anew, and the server that it waits for is stood in for."""
    seen = _on(service, RUN, "--detach", limit=30)

    name = f"{service.project}-kestra"
    assert {(one.name, one.effect) for one in seen.hits} == {(name, "stops"), (name, "recreates")}
    assert (seen.creates, seen.images) == ((name,), (service.image,))
    assert seen.ports[0] == f"127.0.0.1:{service.env['KESTRA_HTTP_PORT']}->8080/tcp"
    assert seen.env_files == (str(service.env_file), str(service.compose_file.parent / ".env"))
    assert (seen.pulls, seen.builds, seen.missing_env_files, seen.volumes) == ((), (), (), ())
    assert (seen.exit_code, seen.timed_out) == (0, False)
    assert "✅ Kestra pronto" in seen.output
    assert any("`GET /health/readiness`, and UP was made up" in one for one in seen.notes)
    password = service.env["KESTRA_DB_PASSWORD"]
    assert password not in seen.output
    assert not any(password in word for one in seen.calls for word in one.argv)


def test_the_other_bundled_scripts_change_nothing(service: Stack) -> None:
    """The start of all stacks finds Kestra as it should be; the health check cannot reach it from there."""
    stacks = _on(service, START_STACKS, "--phase", "tools", limit=4)
    health = _on(service, HEALTH, "--services", "kestra")

    assert (stacks.hits, stacks.creates, stacks.pulls) == ((), (), ())
    assert (health.exit_code, health.hits) == (1, ())
    assert {one.effect for one in health.calls} == {"looks"}


def test_a_stop_by_image_hits_a_foreign_container(service: Stack, tmp_path: Path) -> None:
    """Where nothing has the name, every container of the image is hit, somebody else's too, and each is named."""
    with neighbour(service, f"{service.prefix}another-team") as other:
        seen = _script(
            service, bad.STOPS_BY_IMAGE, tmp_path, IMAGE=service.image, KESTRA_CONTAINER_NAME="no-such"
        )

        with engine() as client:
            assert client.containers.get(other).status == "running"
    hits = {one.id: one for one in seen.hits}
    assert {other, service.container("kestra").id} <= set(hits)
    assert (hits[other].name, hits[other].effect, hits[other].project) == (
        f"{service.prefix}another-team",
        "stops",
        "",
    )
    assert seen.output.count("✓") == len(hits)
    assert seen.variables == {"KESTRA_CONTAINER_NAME": "no-such"}


def test_a_wait_in_vain_is_ended(service: Stack, tmp_path: Path) -> None:
    """A script that asks the same again and again is ended before its limit, and what it waits for is told."""
    name = f"{service.project}-kestra"
    text = f"until docker inspect --format '{{{{.Config.User}}}}' {name} | grep never; do :; done; docker rm -f {name}"

    seen = _script(service, text, tmp_path)

    assert (seen.exit_code, seen.timed_out, seen.hits) == (None, True, ())
    assert [one.times for one in seen.calls] == [10]
    assert any("waits for what a rehearsal cannot bring: `docker inspect" in one for one in seen.notes)


def test_the_server_answers_while_its_container_would_run(service: Stack, tmp_path: Path) -> None:
    """What the script starts is stood in for on its ports until it stops it; what it has not started is not there."""
    port, name = free_port(), f"{service.prefix}made"
    ask = f'curl -sS --max-time 5 http://localhost:{port}/health; echo " $?"'
    real = f'curl -sS --max-time 5 {service.management_url}/health; echo " $?"'
    text = f"{ask}\ndocker run -d --name {name} -p 127.0.0.1:{port}:80 {POSTGRES_IMAGE} >/dev/null\n{ask}\n"

    seen = _script(
        service, f"exec 2>/dev/null\n{text}docker stop {name} >/dev/null\n{ask}\n{real}\n", tmp_path
    )

    assert seen.output.splitlines() == [" 7", '{"status":"UP"} 0', " 7", " 7"]


def test_a_volume_that_would_go_is_named(service: Stack, tmp_path: Path) -> None:
    """`down --volumes` hits every container of the project, and names its volumes; they are still there."""
    volume = f"{service.project}-{service.env['KESTRA_DB_VOLUME']}"
    words = f"set -a; . ./.env; docker compose -f {COMPOSE_FILE} down --volumes"

    seen = _on(service, "bash", "-c", words)

    assert set(seen.volumes) == {volume, f"{volume}-storage"}
    assert {one.service for one in seen.hits} == {"kestra", "kestra-postgres"}
    with engine() as client:
        assert client.volumes.get(volume)


def test_a_log_that_is_followed_for_ever_ends(service: Stack, tmp_path: Path) -> None:
    """The newest lines are given, the end is ours, and it is said that there would be none."""
    seen = _script(service, bad.FOLLOWS, tmp_path, NAME=f"{service.project}-kestra")

    assert (seen.exit_code, seen.timed_out) == (0, False)
    assert len(seen.output.splitlines()) > 3
    assert any("followed without an end" in one for one in seen.notes)


def test_a_start_that_reads_another_env_file_and_pulls(service: Stack, tmp_path: Path) -> None:
    """A start that looks for `.env` in the wrong folder, pulls, prints passwords and fails after the removal: all seen."""
    name, port = f"{service.project}-kestra", service.env["KESTRA_HTTP_PORT"]
    words = {"NAME": name, "NETWORK": f"{service.prefix}new", "PORT": f"127.0.0.1:{port}"}
    (tmp_path / ".env").write_text("KESTRA_DB_PASSWORD=of-the-root\n")

    refused = _script(service, bad.STARTS.replace("/../.env", "/.env"), tmp_path, **words)
    seen = _script(service, bad.STARTS, tmp_path, **words)

    missing = f"{tmp_path}/scripts/.env"
    assert (refused.exit_code, refused.env_files, refused.missing_env_files) == (1, (missing,), (missing,))
    assert refused.hits == ()
    assert seen.env_files == (f"{tmp_path}/.env",)
    assert [(one.name, one.effect) for one in seen.hits] == [(name, "stops"), (name, "removes")]
    assert (seen.pulls, seen.creates) == (("kestra/kestra:latest",), (name,))
    assert seen.ports == (f"127.0.0.1:{port}:8080",)
    assert "still there" not in seen.output
    assert "of-the-root" in seen.output
    assert seen.variables is not None
    assert seen.variables["KESTRA_DB_PASSWORD"] == Secret("of-the-root")
    assert any("--rm" in one for one in seen.notes)
    assert [one.effect for one in seen.calls if one.effect != "looks"] == [
        "stops",
        "removes",
        "network",
        "creates",
    ]
    assert len(seen.output.strip().splitlines()[-1]) == 64


def test_everything_at_once_is_seen_in_full(service: Stack, tmp_path: Path) -> None:
    """A script that removes whatever is there names each container of the engine as a hit."""
    seen = _script(service, bad.STOPS_EVERYTHING + "docker ps -aq | wc -l", tmp_path)

    hits = {one.name: one for one in seen.hits}
    assert {f"{service.project}-kestra", f"{service.project}-kestra-postgres"} <= set(hits)
    assert {one.effect for one in seen.hits} == {"removes"}
    assert int(seen.output.strip().splitlines()[-1]) < len(hits)


def test_what_would_be_pulled_and_built_is_known(service: Stack, tmp_path: Path) -> None:
    """Pulls and builds are taken from the call and from Compose's own rendering; nothing is fetched."""
    (tmp_path / "compose.yml").write_text(
        f"name: {service.prefix}built\nservices:\n  kestra:\n    build: .\n    image: ${{KIND}}:1\n"
        f"  database:\n    image: {POSTGRES_IMAGE}\n    ports: ['127.0.0.1:${{PORT}}:5432']\n"
    )
    (tmp_path / ".env").write_text(f"KIND={service.prefix}kind\nPORT={free_port()}\n")

    seen = _script(service, bad.PULLS_AND_BUILDS, tmp_path)

    assert seen.pulls == ("kestra/kestra:latest", POSTGRES_IMAGE)
    assert seen.builds == (f"{service.prefix}kind:1",)
    assert set(seen.creates) == {f"{service.prefix}built-kestra-1", f"{service.prefix}built-database-1"}
    assert seen.env_files == (f"{tmp_path}/.env",)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("run -d --name {kestra} {image}", 125, "is already in use"),
        ("run -d --name {new} --pull never no-such-image", 125, "No such image"),
        ("run -d --name {new} --network no-such-network {image}", 125, "no-such-network not found"),
        ("run -d --name {new} -p 127.0.0.1:{port}:80 {image}", 125, "port is already allocated"),
        ("rm {kestra}", 1, "cannot remove a running container"),
        ("stop no-such-container", 1, "No such container"),
        ("network create {network}", 1, "already exists"),
        ("compose -f no-such-file.yml up -d", 14, "no such file"),
        ("-H tcp://127.0.0.1:1 ps", 1, "Cannot connect"),
    ],
)
def test_what_would_fail_fails(service: Stack, tmp_path: Path, arguments: str, code: int, words: str) -> None:
    """What the engine would refuse is refused in the rehearsal, with its status and its sentence."""
    call = arguments.format(
        kestra=f"{service.project}-kestra",
        new=f"{service.prefix}{secrets.token_hex(3)}",
        image=service.image,
        port=service.env["KESTRA_HTTP_PORT"],
        network=f"{service.project}_default",
    )

    seen = _script(service, f"docker {call}\n", tmp_path)

    assert words in seen.output
    assert (seen.exit_code, seen.hits, seen.creates) == (code, (), ())


def test_what_is_started_is_there_afterwards(service: Stack, tmp_path: Path) -> None:
    """A container that the script made is seen by its own questions, by name, label and state, and can be taken away."""
    name = f"{service.prefix}made"
    text = f"""
        id=$(docker run -d --name {name} --label team=ours {POSTGRES_IMAGE})
        [ "$(docker ps -q --no-trunc --filter name={name})" = "$id" ] && echo by name
        docker ps --filter label=team=ours --format '{{{{.Names}}}} {{{{.State}}}}'
        docker inspect --format '{{{{.State.Status}}}} {{{{.Config.Image}}}}' {name}
        docker stop {name}; docker ps -q --filter name={name} | wc -l; docker rm {name}
        docker inspect {name} || echo gone
    """

    seen = _script(service, text, tmp_path)

    assert seen.output.splitlines()[:6] == [
        "by name", f"{name} running", f"running {POSTGRES_IMAGE}", name, "0", name,
    ]  # fmt: skip
    assert seen.output.endswith("gone\n")
    assert (seen.hits, seen.creates) == ((), (name,))


def test_what_is_not_known_is_said(service: Stack, tmp_path: Path) -> None:
    """What runs inside a container, and what waits for events, is not tried; both are told."""
    name = f"{service.project}-kestra"

    seen = _script(
        service,
        f"docker exec {name} rm -rf /app; docker events; docker login -u me --password-stdin <<< x\n",
        tmp_path,
    )

    assert [one.effect for one in seen.calls] == ["unknown", "looks", "changes"]
    assert seen.variables is not None
    assert any("docker exec" in one and "not known" in one for one in seen.notes)
    assert any("docker events" in one for one in seen.notes)


def test_ports_are_asked_of_the_machine(service: Stack, rehearsed: Rehearse) -> None:
    """Who listens is seen as it is on this machine, but nothing is ended by that."""
    port = service.env["KESTRA_HTTP_PORT"]

    seen = rehearsed(f"ss -ltn | grep -c ':{port} '; fuser -k {port}/tcp; ss -K dport = :{port}; exit 0")

    assert seen.output.splitlines()[0] == "1"
    assert sum("may end processes" in one for one in seen.notes) == 2
