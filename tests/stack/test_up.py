"""What `stack/up.sh` does, and what it says where it cannot."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from docker.models.containers import Container

from tests.stack.checkout import Checkout
from tests.stacks import (
    SOURCE,
    clean_environment,
    engine,
    free_port,
    image_under_test,
    run,
    wait_for,
)

SOCKET = Path("/var/run/docker.sock")
# An id that no account has: a user is a number to the kernel, and to the engine's socket.
SOMEBODY = 54321

by_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


def one_sentence(text: str) -> str:
    """The one line that the script ends with, which says what to do now."""
    lines = [line for line in text.splitlines() if line.startswith("up.sh: ")]
    assert len(lines) == 1, text
    return lines[0]


@contextmanager
def listener(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


# --- settings


def test_settings_are_made_with_secrets_of_their_own(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each checkout gets passwords of its own that satisfy Kestra, in a file that only its owner reads."""
    checkout.up("env")
    other = Checkout(tmp_path_factory.mktemp("other"))
    other.up("env")

    for key in ("KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD"):
        secret = checkout.settings()[key]
        assert secret != other.settings()[key]
        assert len(secret) >= 16
        assert secret.isalnum()
        assert any(map(str.isupper, secret))
        assert any(map(str.islower, secret))
        assert any(map(str.isdigit, secret))
    assert stat.S_IMODE(checkout.env_file.stat().st_mode) == 0o600


def test_settings_are_never_overwritten(checkout: Checkout) -> None:
    """What an operator wrote into the .env stays as it is, to the byte."""
    checkout.up("env")
    checkout.env_file.write_text(checkout.env_file.read_text() + "# mine\nEXTRA='x $y'\n")
    before = checkout.env_file.read_bytes()
    checkout.up("env")

    assert checkout.env_file.read_bytes() == before


def test_no_draft_of_the_settings_is_left_behind(checkout: Checkout) -> None:
    """No second file with passwords lies about, in the checkout or beside the logs."""
    checkout.up("env")
    names = [path.name for path in checkout.stack.parent.rglob("*env*")]

    assert sorted(names) == [".env", ".env", ".env.example", "env.sh"]


def test_understudy_and_kestra_never_share_a_database(checkout: Checkout) -> None:
    """The volume follows the image, for a new .env and for one that is told another image."""
    checkout.up("env", KESTRA_IMAGE="kestra-understudy:0.20.7")
    understudy = checkout.settings()
    checkout.up("env", KESTRA_IMAGE="kestra/kestra:v0.20.7")
    real = checkout.settings()

    assert understudy["KESTRA_DB_VOLUME"] == "understudy-postgres-data"
    assert real["KESTRA_DB_VOLUME"] == "kestra-postgres-data"
    assert real["KESTRA_IMAGE"] == "kestra/kestra:v0.20.7"
    assert real["KESTRA_DB_PASSWORD"] == understudy["KESTRA_DB_PASSWORD"]
    assert stat.S_IMODE(checkout.env_file.stat().st_mode) == 0o600


# --- the whole way


def test_the_whole_way_up_and_down(checkout: Checkout) -> None:
    """From nothing to a ready Kestra; again in seconds with nothing touched; then nothing is left."""
    checkout.up("all")
    settings, before = checkout.settings(), checkout.containers()
    auth = (settings["KESTRA_BASICAUTH_USERNAME"], settings["KESTRA_BASICAUTH_PASSWORD"])
    api = f"http://127.0.0.1:{checkout.ports['KESTRA_HTTP_PORT']}/api/v1/configs"

    assert {f"{checkout.project}-kestra", f"{checkout.project}-kestra-postgres"} == set(before)
    assert httpx.get(api, auth=auth, timeout=10).status_code == 200
    assert httpx.get(api, timeout=10).status_code == 401

    # The operator's edit is for the procedures to apply: the script must not restart anything because of it.
    checkout.env_file.write_text(
        checkout.env_file.read_text().replace("JAVA_OPTS=", "JAVA_OPTS=-Dedited=yes ")
    )
    began = time.monotonic()
    checkout.up("all")

    assert time.monotonic() - began < 10
    assert checkout.containers() == before

    # Nor may a stopped Kestra drag the Postgres that runs into what was edited.
    edited = checkout.env_file.read_text().replace("KESTRA_HEALTH_INTERVAL=5s", "KESTRA_HEALTH_INTERVAL=3s")
    checkout.env_file.write_text(edited)
    with engine() as client:
        client.containers.get(f"{checkout.project}-kestra").stop()
    checkout.up("start")
    database = f"{checkout.project}-kestra-postgres"

    assert checkout.containers()[database] == before[database]
    assert httpx.get(api, auth=auth, timeout=10).status_code == 200

    refused = checkout.up("env", check=False, KESTRA_IMAGE="kestra/kestra:v9.9.9")
    assert refused.returncode == 1
    assert "KESTRA_IMAGE asks for kestra/kestra:v9.9.9" in one_sentence(refused.stderr)
    assert checkout.settings()["KESTRA_IMAGE"] == image_under_test()

    checkout.up("down")
    kept = checkout.leftovers()
    assert sorted(kept) == sorted(
        f"{checkout.project}-{settings['KESTRA_DB_VOLUME']}{end}" for end in ("", "-storage")
    )

    # A new password could not log in to the old data.
    saved = checkout.env_file.rename(checkout.stack.parent / "saved")
    refused = checkout.up("env", check=False)
    assert refused.returncode == 1
    assert "keeps the old password" in one_sentence(refused.stderr)
    assert not checkout.env_file.exists()

    saved.rename(checkout.env_file)
    checkout.up("down", "--data")
    assert checkout.leftovers() == []


@pytest.mark.understudy
def test_the_server_can_write_into_its_volume(checkout: Checkout) -> None:
    """A volume that is made new, one that was root's beneath a running server, and an old one: each is its user's.

    The image has no folder there, as Kestra's own: the engine makes it as root's.
    """
    checkout.up("env")

    def writes() -> bool:
        checkout.up("start")
        with engine() as client:
            kestra = client.containers.get(f"{checkout.project}-kestra")
            return kestra.exec_run(["sh", "-c", "echo a > /app/storage/file"]).exit_code == 0

    def taken() -> Container:
        """The server's container, with a volume that is root's, and so is what lies in it."""
        with engine() as client:
            kestra = client.containers.get(f"{checkout.project}-kestra")
            taking = "chown -R 0:0 /app/storage && chmod 644 /app/storage/file"
            assert kestra.exec_run(["sh", "-c", taking], user="0").exit_code == 0
            assert kestra.exec_run(["sh", "-c", "echo a > /app/storage/file"]).exit_code != 0
            return kestra

    assert writes()
    first = checkout.containers()
    taken()
    assert writes()
    assert checkout.containers() == first, "nothing was started anew, and no helper stays"
    taken().stop(timeout=20)
    assert writes()
    assert checkout.containers().keys() == first.keys()


def test_a_taken_port_is_one_clear_sentence_each(checkout: Checkout) -> None:
    """A port that another program holds is named with its key and file before anything is started."""
    checkout.up("env")
    with listener(checkout.ports["KESTRA_MANAGEMENT_PORT"]):
        refused = checkout.up("start", check=False)

    sentence = one_sentence(refused.stderr)
    assert refused.returncode == 1
    assert f"port {checkout.ports['KESTRA_MANAGEMENT_PORT']} is taken by another program" in sentence
    assert f"set KESTRA_MANAGEMENT_PORT in {checkout.env_file} to a free port" in sentence
    assert checkout.leftovers() == []


def test_a_port_that_a_container_holds_is_said_with_its_name(checkout: Checkout) -> None:
    """Where the engine knows who publishes the port, the sentence names the container."""
    checkout.up("env")
    name = f"{checkout.prefix}holder"
    port = checkout.ports["KESTRA_HTTP_PORT"]
    with engine() as client:
        holder = client.containers.run(
            "kestra-understudy:0.20.7",
            ["60"],
            entrypoint="sleep",
            name=name,
            ports={"9999/tcp": ("127.0.0.1", port)},
            detach=True,
        )
        try:
            refused = checkout.up("start", check=False)
        finally:
            holder.remove(force=True, v=True)

    assert f"port {port} is taken by the container {name}: set KESTRA_HTTP_PORT" in one_sentence(
        refused.stderr
    )


def test_a_server_that_ends_at_boot_is_not_waited_for(checkout: Checkout) -> None:
    """A Kestra that cannot log in to its database ends the wait early, with its own last lines shown."""
    checkout.up("env")
    checkout.env_file.write_text(
        checkout.env_file.read_text().replace("KESTRA_DB_HOST=kestra-postgres", "KESTRA_DB_HOST=nowhere")
    )
    began = time.monotonic()
    refused = checkout.up("start", check=False)

    assert refused.returncode == 1
    assert "ended instead of starting" in one_sentence(refused.stderr)
    assert "nowhere" in refused.stderr
    assert time.monotonic() - began < 120


# --- engine, Compose, packages


def test_an_engine_that_answers_is_used_and_never_ended(checkout: Checkout) -> None:
    """An engine that was there before is left running by engine-stop, whoever asks."""
    said = checkout.up("engine", "tests").stdout

    assert "used as it is" in said.splitlines()[0]
    assert "left as it is" in checkout.up("engine-stop", "tests").stdout
    with engine() as client:
        assert client.ping()


def test_a_stale_mark_ends_nothing(checkout: Checkout) -> None:
    """A mark whose process is another one by now, or whose owner is another one, ends nothing."""
    mark = Path(checkout.environment["XDG_STATE_HOME"]) / "kestra-restart/engine-started-by-us"
    mark.parent.mkdir(parents=True)
    began = checkout.shell(f"started_at {os.getpid()}").stdout.strip()
    for line in (f"{os.getpid()} 1 tests", f"{os.getpid()} {began} somebody-else"):
        mark.write_text(f"{line}\n")

        assert "left as it is" in checkout.up("engine-stop", "tests").stdout


def test_an_ended_process_that_nobody_reaped_has_ended(checkout: Checkout) -> None:
    """Where process 1 does not reap, the engine that was ended stays as a zombie: it counts as gone."""
    child = subprocess.Popen(["true"])
    state = Path(f"/proc/{child.pid}/stat")
    wait_for(lambda: ") Z " in state.read_text(), "the child to have ended", 10)
    zombie, alive = (checkout.shell(f"started_at {pid}").stdout for pid in (child.pid, os.getpid()))
    child.wait()

    assert zombie == ""
    assert alive.strip().isdigit()


def test_without_an_engine_each_command_names_the_one_that_brings_it(checkout: Checkout) -> None:
    """What needs an engine and finds none says so in one sentence, and starts none."""
    for command in ("images", "env", "start", "down"):
        refused = checkout.up(command, check=False, DOCKER_HOST="unix:///nonexistent/docker.sock")

        assert refused.returncode == 1
        assert "run 'stack/up.sh engine'" in one_sentence(refused.stderr)


def test_an_engine_elsewhere_that_is_silent_is_named(checkout: Checkout) -> None:
    """With DOCKER_HOST set, no engine is installed or started here: the sentence names the setting."""
    refused = checkout.up("all", check=False, DOCKER_HOST="tcp://127.0.0.1:9")

    assert refused.returncode == 1
    assert "DOCKER_HOST names (tcp://127.0.0.1:9) does not answer" in one_sentence(refused.stderr)


def test_elsewhere_than_on_debian_one_message_says_what_to_install(
    checkout: Checkout, tmp_path: Path
) -> None:
    """A machine with no engine and no apt is told what to install, and nothing is tried."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "cat", "cut", "dirname", "env", "flock", "id", "mkdir", "sed", "tail", "timeout"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    refused = checkout.up(
        "engine", check=False, PATH=str(tools), DOCKER_HOST="unix:///nonexistent/docker.sock"
    )

    assert refused.returncode == 1
    assert "install Docker Engine 20.10 or later with its compose plugin" in one_sentence(refused.stderr)


@by_root
def test_a_user_without_the_sockets_group_is_told_the_command(checkout: Checkout) -> None:
    """No permission for the socket is one sentence with the command that gives it."""
    refused = as_somebody(checkout, SOMEBODY, "all")

    assert refused[0] == 1
    assert "usermod -aG docker" in one_sentence(refused[1])


@by_root
def test_a_user_in_the_sockets_group_gets_a_working_stack(checkout: Checkout) -> None:
    """Without root, but with the socket's group, the whole way works with files of one's own."""
    status, said = as_somebody(checkout, SOCKET.stat().st_gid, "all")

    assert status == 0, said
    assert checkout.env_file.stat().st_uid == SOMEBODY
    assert stat.S_IMODE(checkout.env_file.stat().st_mode) == 0o600


def as_somebody(checkout: Checkout, group: int, *arguments: str) -> tuple[int, str]:
    """Run the script as a user who owns the checkout and is in one group; its status and what it said."""
    root = checkout.stack.parent
    root.chmod(0o755)
    for folder in root.parents:
        if str(folder) != folder.root:
            folder.chmod(folder.stat().st_mode | 0o011)
    for path in (root, *root.rglob("*")):
        os.chown(path, SOMEBODY, group, follow_symlinks=False)
    done = run(
        [
            "setpriv",
            f"--reuid={SOMEBODY}",
            f"--regid={group}",
            "--clear-groups",
            str(checkout.stack / "up.sh"),
            *arguments,
        ],
        cwd=checkout.stack,
        check=False,
        limit=240,
        env=checkout.environment | {"HOME": str(root)},
    )
    return done.returncode, done.stderr


def test_the_next_suite_is_found_through_the_machines_own_sources(checkout: Checkout, tmp_path: Path) -> None:
    """Mirror and key come from the machine's sources in both of their formats; other suites' lines stay out."""
    one_line, stanza = tmp_path / "a.list", tmp_path / "b.sources"
    one_line.write_text("deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror/debian bookworm main\n")
    stanza.write_text(
        "Types: deb\nURIs: http://mirror/sec\nSuites: bookworm-security\nSigned-By: /keys/b.gpg\n"
    )
    listing = (
        f"bookworm http://mirror/debian/ main {one_line}:1\n"
        f"bookworm-security http://mirror/sec/ main {stanza}:1\n"
        f"nodistro http://other/ main {one_line}:1\n"
    )
    fake = f"apt-get() {{ printf '%s' '{listing}'; }}"

    assert checkout.shell(f"{fake}; sources_of bookworm trixie").stdout == (
        "deb [signed-by=/keys/a.gpg] http://mirror/debian/ trixie main\n"
    )
    assert checkout.shell(f"{fake}; sources_of bookworm").stdout == (
        "deb [signed-by=/keys/a.gpg] http://mirror/debian/ bookworm main\n"
        "deb [signed-by=/keys/b.gpg] http://mirror/sec/ bookworm-security main\n"
    )


@pytest.mark.skipif(not shutil.which("apt-get"), reason="packages are fetched on a Debian-like system only")
def test_compose_is_unpacked_into_a_folder_and_not_installed(checkout: Checkout, tmp_path: Path) -> None:
    """Compose v2 comes out of the mirror's package, runs as a plugin, and the machine's packages stay as they are."""
    installed = run(["dpkg-query", "-l"], cwd=tmp_path).stdout
    checkout.shell(f"unpack_compose '{tmp_path}/plugins'")
    version = run([str(tmp_path / "plugins/docker-compose"), "version", "--short"], cwd=tmp_path).stdout

    assert version.startswith("2.")
    assert run(["dpkg-query", "-l"], cwd=tmp_path).stdout == installed


@pytest.mark.skipif(not shutil.which("apt-get"), reason="packages are fetched on a Debian-like system only")
def test_the_tests_registry_is_unpacked_and_not_installed(checkout: Checkout, tmp_path: Path) -> None:
    """An installed registry would be a service of the machine: its program alone comes out of the package."""
    installed = run(["dpkg-query", "-l"], cwd=tmp_path).stdout
    checkout.shell(f"registry_binary='{tmp_path}/docker-registry'; unpack_registry")

    assert "distribution" in run([str(tmp_path / "docker-registry"), "--version"], cwd=tmp_path).stdout
    assert run(["dpkg-query", "-l"], cwd=tmp_path).stdout == installed


# --- images


def test_a_silent_registry_costs_its_short_limit_and_no_more(checkout: Checkout) -> None:
    """A pull that nobody answers is given up after the limit, and the child is gone."""
    script = 'docker() { exec sleep 61.5; }; export -f docker; timeout() { shift; "$@"; }; answer_limit=2; pull x/y:1'
    began = time.monotonic()
    done = checkout.shell(script, check=False)

    assert done.returncode != 0
    assert 0.9 < time.monotonic() - began < 6
    assert "61.5" not in run(["ps", "-eo", "args"], cwd=checkout.stack).stdout


def test_an_image_is_rebuilt_when_its_sources_change_and_only_then(checkout: Checkout) -> None:
    """The label holds a hash of the sources: another source, another hash; a compiled file changes nothing."""
    ask = "hash_of images/understudy images/base.sh understudy"
    first = checkout.shell(ask).stdout
    (checkout.stack / "understudy/__pycache__").mkdir()
    (checkout.stack / "understudy/__pycache__/x.cpython-311.pyc").write_bytes(b"x")
    same = checkout.shell(ask).stdout
    (checkout.stack / "understudy/extra.py").write_text("x = 1\n")
    other = checkout.shell(ask).stdout

    assert first == same != other


def test_a_rebuilt_image_leaves_no_nameless_one_behind(checkout: Checkout) -> None:
    """The image that lost its name to a new one is removed, unless the operator gave it another name."""
    version = f"0.0.{free_port()}"
    build, ask = f"build_understudy {version}", f"id_of kestra-understudy:{version}"
    extra = checkout.stack / "understudy/extra.py"
    ids = []
    try:
        for text in ("x = 1\n", "x = 2\n", "x = 3\n"):
            extra.write_text(text)
            ids.append(checkout.shell(f"{build} >&2; {ask}").stdout.strip())
            if text == "x = 2\n":
                checkout.shell(f"docker tag kestra-understudy:{version} kestra-understudy:{version}-mine")
        there = [bool(checkout.shell(f"id_of {image}").stdout.strip()) for image in ids]
    finally:
        checkout.shell(
            f"docker image rm kestra-understudy:{version} kestra-understudy:{version}-mine", check=False
        )

    assert len(set(ids)) == 3
    assert there == [False, True, True]


def test_each_understudy_names_itself() -> None:
    """Both versions say in their labels what they are, and they are two images."""
    with engine() as client:
        images = [client.images.get(f"kestra-understudy:{version}") for version in ("0.20.7", "0.21.0")]

    assert [image.labels["io.kestra-restart.understudy"] for image in images] == ["true", "true"]
    assert [image.labels["org.opencontainers.image.version"] for image in images] == [
        "0.20.7-understudy",
        "0.21.0-understudy",
    ]
    assert images[0].id != images[1].id


# --- the scripts themselves


def test_scripts_are_clean() -> None:
    """shellcheck has nothing to say about any script."""
    root = SOURCE.parent
    scripts = [
        SOURCE / "up.sh",
        *SOURCE.glob("images/**/*.sh"),
        *SOURCE.glob("understudy/*.sh"),
        root / ".ci/run",
    ]
    done = run(
        ["shellcheck", "-xa", "-P", "SCRIPTDIR", *map(str, scripts)],
        cwd=root,
        check=False,
        env=clean_environment(),
    )

    assert done.stdout == ""


def test_wrong_commands_are_answered_with_the_usage(checkout: Checkout) -> None:
    """A command that does not exist, or none, changes nothing and shows those that do."""
    for arguments in ((), ("restart",)):
        refused = checkout.up(*arguments, check=False)

        assert refused.returncode == 4
        assert "usage: stack/up.sh COMMAND" in refused.stderr


def test_no_host_of_a_registry_or_mirror_is_written_down() -> None:
    """Where packages come from is the machine's own affair."""
    texts = [
        path.read_text()
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix in (".sh", ".yml", "")
    ]

    assert texts
    assert not [
        text for text in texts if "deb.debian" in text or "://registry" in text or "docker.io/" in text
    ]
