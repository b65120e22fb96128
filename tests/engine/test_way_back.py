"""The way back, container by container: what is made again is what was, in the engine's own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procedures.observe.engine import endpoint
from procedures.observe.engine.engine import EngineObserver
from procedures.way_back import kept, way_back
from tests.checks.world import recorded
from tests.leftovers import own_name
from tests.stacks import POSTGRES_IMAGE, clean_environment, run

LIMIT = 120.0
NET = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
"""Addresses that no other process of these tests gives."""
DATA = "/var/lib/postgresql/data"
"""Where the image has a volume."""
ROOT = Path(__file__).resolve().parent.parent.parent
OF_THE_MOMENT = {
    "Id", "Created", "State", "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath", "GraphDriver", "Mounts",
    "NetworkSettings", "RestartCount", "ExecIDs",
}  # fmt: skip
"""Ids, times, and what follows from them; mounts and networks are compared by themselves."""

ALIKE: dict[str, tuple[str, ...]] = {
    "plain": (),
    "a device": ("--device", "/dev/null:/dev/mine:rw", "--device-cgroup-rule", "c 1:3 rwm"),
    "privileged": ("--privileged",),
    "limits": (
        "--memory", "128m", "--memory-swap", "256m", "--cpus", "0.5", "--cpu-shares", "512", "--pids-limit", "100",
        "--ulimit", "nofile=1000:2000", "--shm-size", "32m", "--oom-score-adj", "100",
    ),
    "logging": ("--log-driver", "local", "--log-opt", "max-size=1m", "--log-opt", "max-file=2"),
    "capabilities": (
        "--cap-add", "NET_ADMIN", "--cap-drop", "MKNOD", "--security-opt", "no-new-privileges", "--read-only",
        "--tmpfs", "/run:size=1m", "--security-opt", "seccomp=unconfined",
    ),
    "who it is": (
        "--user", "1000:1000", "--group-add", "7", "--workdir", "/tmp", "--hostname", "orders", "--domainname", "x.org",
        "--stop-signal", "SIGINT", "--stop-timeout", "3", "--init", "--label", "team=a 'b' $c", "--tty", "--interactive",
    ),
    "awkward variables": (
        "--env", "DOCKER_HOST=tcp://x", "--env", "UID=1", "--env", "kestra.url=x", "--env", f"LONG={'x' * 130_000}",
        "--env", "LINES=a\n\tb `id` $(id) \\", "--env", "EMPTY=", "--env", "LD_PRELOAD=",
    ),
    "mounts": (
        "--mount", "type=volume,source={name},target=/data,volume-nocopy", "--volume", "/anonymous",
        "--mount", "type=tmpfs,target=/scratch,tmpfs-size=1048576,tmpfs-mode=0700", "--volume", "/srv:/srv:ro",
        "--mount", "type=volume,target=/unnamed",
    ),
    "a health check that is no shell command": (),
    "what the host gives": ("--pid", "host", "--ipc", "host", "--uts", "host", "--cgroupns", "host"),
    "the host's network": ("--network", "host"),
    "no network": ("--network", "none"),
    "names and resolvers": (
        "--add-host", "db:10.0.0.1", "--dns", "10.0.0.2", "--dns-search", "x.org", "--dns-option", "ndots:2",
        "--sysctl", "net.core.somaxconn=100",
    ),
    "restarts": ("--restart", "on-failure:3"),
    "that goes by itself": ("--rm", "--volume", "/anonymous"),
    "ports": ("--publish", "127.0.0.1::80", "--publish", "127.0.0.1::53/udp", "--expose", "8081"),
}  # fmt: skip


@pytest.fixture
def name() -> str:
    return own_name()


@pytest.fixture
def observer() -> Iterator[EngineObserver]:
    found = EngineObserver(endpoint.resolve(clean_environment(), ROOT))
    yield found
    found.close()


@pytest.fixture
def networks(name: str) -> Iterator[tuple[str, str]]:
    """Two networks; a container that is left in them goes with them, and so do its volumes."""
    made = (f"{name}-one", f"{name}-two")
    docker("network", "create", "--subnet", f"{NET}.0/24", made[0])
    docker("network", "create", "--internal", "--label", "team=flows", made[1])
    yield made
    had = volumes_of(name)
    docker("rm", "--force", "--volumes", name, check=False)
    for one in had:
        docker("volume", "rm", one, check=False)
    for one in made:
        docker("network", "rm", one, check=False)
    docker("volume", "rm", name, check=False)


def volumes_of(name: str) -> list[str]:
    """The volumes of a container: one that is had again by its name does not go with its container."""
    form = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}'
    return docker("inspect", "--format", form, name, check=False).split()


def docker(*words: str, check: bool = True) -> str:
    done = run(["docker", *words], cwd=ROOT, check=check, env=clean_environment(), limit=LIMIT)
    return done.stdout.strip()


def keep(observer: EngineObserver, name: str, folder: Path, *copied_in: str) -> Path:
    """Keep a container as a change does."""
    container = observer.named(name)
    assert container is not None
    file = folder / "1a2b.kept.json"
    target = recorded().target
    kept.write(file, kept.keep(observer, target, container, container.image_id, copied_in))
    return file


def made_again(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Type the command."""
    return subprocess.run(
        [sys.executable, "-m", "procedures.way_back", *words, str(file)],
        cwd=ROOT, env={**os.environ, **clean_environment()}, capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip


def described(name: str) -> dict[str, Any]:
    """What the engine says of a container, but for ids, times and addresses."""
    said: dict[str, Any] = json.loads(docker("container", "inspect", name))[0]
    own = said["Id"][:12]
    anonymous = {one["Name"] for one in said["Mounts"] if one["Type"] == "volume" and len(one["Name"]) == 64}
    found = {key: value for key, value in said.items() if key not in OF_THE_MOMENT}
    found["Config"] = {**said["Config"], "Hostname": said["Config"]["Hostname"].replace(own, "its id")}
    host = said["HostConfig"]
    # By these words a volume that nobody has named is had again.
    binds = [one for one in host["Binds"] or () if one.partition(":")[0] not in anonymous]
    mounts = [
        {key: value for key, value in one.items() if not (isinstance(value, str) and value in anonymous)}
        for one in host.get("Mounts") or ()
    ]
    found["HostConfig"] = {**host, "Binds": binds, "Mounts": mounts}
    found["mounts"] = sorted(
        (one["Destination"], one["Type"], one.get("Name") or one["Source"], one["RW"], one["Propagation"])
        for one in said["Mounts"]
    )
    found["networks"] = {
        network: {
            "ipam": place["IPAMConfig"] or {},
            "aliases": sorted(one for one in place["Aliases"] or () if one != own),
        }
        for network, place in said["NetworkSettings"]["Networks"].items()
    }
    return found


def begin(name: str, *words: str) -> bool:
    """Run a container; one that this machine may not start is made and no more."""
    made = ("--name", name, *words, "--entrypoint", "sleep", POSTGRES_IMAGE, "300")
    if "--privileged" not in words:
        docker("run", "--detach", *made)
        return True
    docker("create", *made)
    return run(["docker", "start", name], cwd=ROOT, check=False, env=clean_environment()).returncode == 0


@pytest.mark.parametrize("kind", ALIKE)
def test_it_is_made_again_as_it_was(
    observer: EngineObserver, name: str, networks: tuple[str, str], tmp_path: Path, kind: str
) -> None:
    """Whatever a container has, one that is made again is the same to the engine, and has its volumes."""
    words = [one.format(name=name) if one.startswith("type=") else one for one in ALIKE[kind]]
    if "--network" not in words:
        words += ["--network", networks[0], "--network-alias", "kestra", "--ip", f"{NET}.9"]
    starts = begin(name, *words)
    if networks[0] in words:
        docker("network", "connect", "--alias", "second", networks[1], name)
    then = described(name)

    file = keep(observer, name, tmp_path)
    tried = made_again(file, "--try", name)
    docker("rm", "--force", *(["--volumes"] if "--rm" in words else []), name)
    docker("create", "--name", name, "--tmpfs", DATA, "--entrypoint", "sleep", POSTGRES_IMAGE, "300")
    done = made_again(file)

    assert (tried.returncode, tried.stdout) == (0, f"{name} can be made again\n"), tried
    assert (done.returncode == 0) is starts, done
    assert (f"{name} is started\n" == done.stdout) is starts, done
    now = described(name)
    if kind == "that goes by itself":  # its volumes went with it
        for one in (then, now):
            one["mounts"] = [(*at[:2], "", *at[3:]) for at in one["mounts"]]
    assert now == then
    assert (docker("inspect", "--format", "{{.State.Running}}", name) == "true") is starts


COMPOSE = """
services:
  kestra:
    image: {image}
    container_name: {name}
    entrypoint: [sleep, "300"]
    stop_grace_period: 1s
    init: true
    healthcheck:
      test: [CMD, "true"]
      interval: 1s
    deploy: {{resources: {{limits: {{memory: 64m, pids: 50}}}}}}
    logging: {{driver: local, options: {{max-size: 1m}}}}
    cap_add: [NET_ADMIN]
    devices: [/dev/null:/dev/mine]
    environment: {{SECRET: "a$$b"}}
    networks: {{inner: {{aliases: [orders]}}, outer: }}
    secrets: [{{source: token, target: token}}]
    configs: [{{source: settings, target: /etc/orders/settings.yml}}]
    volumes: [data:/data]
    tmpfs: [/var/lib/postgresql/data]
networks: {{inner: , outer: }}
volumes: {{data: }}
secrets: {{token: {{environment: TOKEN}}}}
configs: {{settings: {{content: "a: {value}"}}}}
"""


def composed(folder: Path, *words: str, **changes: str) -> str:
    """Type Compose for the project, whose files may have changed."""
    if changes:
        (folder / "compose.yml").write_text(COMPOSE.format(**changes))
    env = {**clean_environment(), "TOKEN": changes.get("token", "first")}
    return run(["docker", "compose", *words], cwd=folder, env=env, limit=LIMIT).stdout


@pytest.fixture
def project(name: str, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / name
    folder.mkdir()
    composed(folder, "up", "-d", image=POSTGRES_IMAGE, name=name, value="first")
    yield folder
    composed(folder, "down", "--volumes", "--timeout", "0")


def read_in(name: str) -> str:
    """What the container has of its secret and its config, with their modes."""
    files = "/run/secrets/token /etc/orders/settings.yml"
    return docker("exec", name, "sh", "-c", f"cat {files}; stat -c '%a %u:%g %n' {files}")


def test_what_compose_made_is_made_again(
    observer: EngineObserver, name: str, project: Path, tmp_path: Path
) -> None:
    """Limits, logging, devices, networks, and secrets and configs given as text are those of before, whatever the files say now.

    Compose goes on to own what was made again.
    """
    then, had = described(name), read_in(name)
    file = keep(observer, name, tmp_path, "/run/secrets/token", "/etc/orders/settings.yml")
    again = ("up", "-d", "--force-recreate")
    composed(project, *again, image=POSTGRES_IMAGE, name=name, value="second", token="second")
    assert read_in(name) != had

    assert made_again(file, "--try", name).returncode == 0
    done = made_again(file)

    assert (done.returncode, done.stdout) == (0, f"{name} is started\n"), done
    assert (described(name), read_in(name)) == (then, had)
    assert name in composed(project, "ps", "--format", "{{.Name}}")
    composed(project, "stop")
    assert docker("inspect", "--format", "{{.State.Status}}", name) == "exited"
    identity = docker("inspect", "--format", "{{.Id}}", name)
    composed(project, "up", "-d", image=POSTGRES_IMAGE, name=name, value="first")
    assert docker("inspect", "--format", "{{.Id}}", name) == identity, (
        "Compose knows it as its own, and leaves it"
    )


def test_what_has_gone_with_it_is_made_too(
    observer: EngineObserver, name: str, project: Path, tmp_path: Path
) -> None:
    """A network that has gone is made as it was; another service's container under another name goes out of the way."""
    then = described(name)
    file = keep(observer, name, tmp_path)
    composed(project, "rm", "--stop", "--force")
    docker("network", "rm", f"{name}_inner")
    composed(
        project, "up", "-d", "--scale", "kestra=1", image=POSTGRES_IMAGE, name=f"{name}-b", value="second"
    )
    docker("network", "disconnect", "--force", f"{name}_inner", f"{name}-b")
    docker("network", "rm", f"{name}_inner")

    done = made_again(file)

    assert done.returncode == 0, done
    assert described(name) == then
    assert docker("ps", "--all", "--quiet", "--filter", f"name={name}-b") == ""


def test_a_volume_that_has_gone_is_not_made_empty(
    observer: EngineObserver, name: str, networks: tuple[str, str], tmp_path: Path
) -> None:
    """Without its data nothing is started, and what stands in its place stays."""
    del networks
    docker("create", "--name", name, "--volume", f"{name}:/data", POSTGRES_IMAGE)
    file = keep(observer, name, tmp_path)
    docker("rm", "--volumes", name)
    docker("volume", "rm", name)
    docker("create", "--name", name, POSTGRES_IMAGE)
    other = docker("inspect", "--format", "{{.Id}}", name)

    done = made_again(file)

    assert done.returncode == 1
    assert f"the volume {name} at /data is not there, so nothing is made" in done.stderr
    assert docker("inspect", "--format", "{{.Id}}", name) == other
    assert docker("volume", "ls", "--quiet", "--filter", f"name={name}") == ""


def test_a_name_that_another_project_holds_is_left_alone(
    observer: EngineObserver, name: str, networks: tuple[str, str], tmp_path: Path
) -> None:
    """Whose container it is must be seen first; what the message tells to type frees the name."""
    del networks
    docker("create", "--name", name, POSTGRES_IMAGE)
    file = keep(observer, name, tmp_path)
    had = volumes_of(name)
    docker("rm", "--volumes", name)
    docker("create", "--name", name, "--label", "com.docker.compose.project=other", POSTGRES_IMAGE)

    refused = made_again(file)

    assert refused.returncode == 1
    assert "is held by a container of the project other" in refused.stderr
    move = f"docker rename {name} {name}-other"
    assert move in refused.stderr
    docker(*move.split()[1:])
    assert made_again(file, "--try", name).returncode == 0
    docker("rm", "--volumes", f"{name}-other")
    docker("volume", "rm", *had)  # the trial has had it again, by its name


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda text: text.replace("container 1", "container 0"), "it has another form"),
        (lambda text: text[:-2], "it cannot be read"),
        (lambda text: json.dumps({**json.loads(text), "more": 1}), "it is not complete"),
        (lambda _: "[]", "it has another form"),
    ],
    ids=["of another version", "cut", "with more", "a list"],
)
def test_a_file_that_cannot_be_read_starts_nothing(
    observer: EngineObserver, name: str, networks: tuple[str, str], tmp_path: Path, harm: Any, why: str
) -> None:
    """One error names the file, and the container stays as it is."""
    del networks
    docker("create", "--name", name, POSTGRES_IMAGE)
    file = keep(observer, name, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(harm(file.read_text()))
    then = docker("inspect", name)

    done = made_again(file)

    assert (done.returncode, docker("inspect", name)) == (1, then)
    assert done.stderr.startswith(f"{file}: {why}")


def test_a_difference_is_seen_before_anything_is_stopped(
    observer: EngineObserver, name: str, networks: tuple[str, str], tmp_path: Path
) -> None:
    """What this engine would make otherwise is named by the trial, which leaves nothing behind."""
    del networks
    docker("create", "--name", name, POSTGRES_IMAGE)
    file = keep(observer, name, tmp_path)
    found = json.loads(file.read_text())
    found["container"]["HostConfig"]["SomethingNew"] = "x"
    found["container"]["Config"]["Env"].append("MORE=1")
    file.write_text(json.dumps(found))

    done = made_again(file, "--try", name)

    assert done.returncode == 3
    assert "HostConfig.SomethingNew would differ" in done.stdout
    assert "Config.Env" not in done.stdout
    assert docker("ps", "--all", "--quiet", "--filter", f"name=kestra-restart-trial-{name}") == ""


def test_a_container_whose_image_has_gone_cannot_be_had_again(
    observer: EngineObserver, name: str, networks: tuple[str, str]
) -> None:
    """The plan says so: a container that has ended holds no image back."""
    del networks
    docker("create", "--name", f"{name}-first", POSTGRES_IMAGE)
    docker("commit", f"{name}-first", f"{name}:1")
    docker("rm", "--volumes", f"{name}-first")
    docker("create", "--name", name, f"{name}:1")
    container = observer.named(name)
    assert container is not None

    here = way_back.lacking(observer, container)
    docker("rmi", "--force", f"{name}:1")
    gone = way_back.lacking(observer, container)

    assert here == ()
    assert gone == (f"its image {container.image_id[:19]} is no longer on this engine",)
