"""A container that Compose has not made, kept as a shell script: what it says, what it cannot say, and its quoting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from procedures.drivers import docker_run
from procedures.way_back import kept_run

AWKWARD = {
    "QUOTES": 'it\'s "here"',
    "LINES": "kestra:\n  url: ${TOOLS_DB_HOST}\n\ttab `id` $(id) \\n \\\n",
    "TAIL": "one\n\n\n",
    "EMPTY": "",
    "SPACES": "  lead and trail  ",
    "UTF8": "ação „x“ ü €",
    "END": "back\\",
    "DOLLARS": "$HOME $$ $1",
    "STARS": "* ? [a] ~ # ; & | < > !",
    "EOF": "EOF\nTEXT\n",
}
IMAGE: dict[str, Any] = {
    "Config": {"Env": ["PATH=/bin"], "Cmd": ["--help"], "Entrypoint": ["docker-entrypoint.sh"]}
}
STAND_IN = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["SEEN"], "a") as file:
    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=file)
sys.exit(1 if sys.argv[1:3] == ["container", "inspect"] else 0)
"""


def container(
    config: dict[str, Any] | None = None, host: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """What an engine says of a container by plain `docker run`."""
    return {
        "Id": "a" * 64,
        "Name": "/tools-kestra",
        "Config": {
            "Hostname": "a" * 12, "Env": ["PATH=/bin"], "Cmd": ["server", "standalone"],
            "Entrypoint": ["docker-entrypoint.sh"], "Labels": {}, **(config or {}),
        },
        "HostConfig": {"NetworkMode": "tools_default", "ShmSize": 67108864, "Runtime": "runc", **(host or {})},
        "NetworkSettings": {"Networks": {"tools_default": {"NetworkID": "n1", "Aliases": ["a" * 12]}}},
        "Mounts": [],
        **more,
    }  # fmt: skip


def script(folder: Path, said: dict[str, Any], *flags: str) -> Path:
    """Write the script of a container."""
    file = folder / "run.kept.sh"
    recipe = docker_run.recipe(said, IMAGE)
    file.write_text(kept_run.text("tools-kestra", "kept:1", recipe, flags, 15.0), encoding="utf-8")
    return file


def calls(folder: Path, file: Path, shell: str = "sh") -> list[tuple[list[str], dict[str, str]]]:
    """Run a script against a stand-in for `docker`; return each call's words and what it saw of the environment."""
    client = folder / "docker"
    client.write_text(STAND_IN)
    client.chmod(0o755)
    seen = folder / "seen"
    seen.unlink(missing_ok=True)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "SEEN": str(seen)}
    subprocess.run([shell, str(file)], check=True, env=environment, timeout=30, stdin=subprocess.DEVNULL)
    return [tuple(json.loads(line)) for line in seen.read_text().splitlines()]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_every_value_arrives_as_it_was(tmp_path: Path, shell: str) -> None:
    """Whatever stands in a value reaches `docker` unchanged, by name: no value is a word of its argument list."""
    given = [f"{name}={value}" for name, value in AWKWARD.items()]
    made = calls(tmp_path, script(tmp_path, container({"Env": ["PATH=/bin", *given]})), shell)
    words, environment = next((one, saw) for one, saw in made if one[0] == "create")

    assert {name: environment[name] for name in AWKWARD} == AWKWARD
    assert [words[at + 1] for at, word in enumerate(words) if word == "--env"] == sorted(AWKWARD)
    assert not [value for value in AWKWARD.values() if value and value in words]
    assert environment["PATH"] != "/bin"
    assert words[-3:] == ["kept:1", "server", "standalone"]


def test_nothing_of_them_outlives_the_call(tmp_path: Path) -> None:
    """The container's values are in the environment of the one call that needs them, even one that names a path."""
    made = calls(tmp_path, script(tmp_path, container({"Env": ["PATH=/odd", "DB_PASSWORD=x"]})))

    assert [words[0] for words, saw in made if "DB_PASSWORD" in saw] == ["create"]
    assert [words[:4] for words, _ in made] == [
        ["stop", "-t", "15", "tools-kestra"],
        ["container", "inspect", "tools-kestra"],
        ["create", "--name", "tools-kestra", "--runtime"],
        ["start", "tools-kestra"],
    ]


def test_it_is_a_script_that_anybody_may_read(tmp_path: Path) -> None:
    """The linter for shells has nothing to say of it, whatever the values are."""
    given = [f"{name}={value}" for name, value in AWKWARD.items()]
    others = {
        "tools_default": {},
        "outer net": {"Aliases": ["it's"], "IPAMConfig": {"IPv4Address": "10.0.0.9"}},
    }
    said = container({"Env": given, "Labels": {"team": "a 'b' $c"}}, NetworkSettings={"Networks": others})
    file = script(tmp_path, said, "--host", "tcp://10.0.0.1:2375")

    linted = subprocess.run(
        ["shellcheck", str(file)], check=False, capture_output=True, text=True, timeout=60
    )
    assert linted.stdout == ""
    (connected,) = [words for words, _ in calls(tmp_path, file) if "connect" in words]
    assert connected == [
        "--host", "tcp://10.0.0.1:2375", "network", "connect", "--alias", "it's", "--ip", "10.0.0.9", "outer net",
        "tools-kestra",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (container(host={"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}), ["--restart", "on-failure:3"]),
        (container(host={"AutoRemove": True}), ["--rm"]),
        (container(host={"PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8180"}]}}), ["--publish", "127.0.0.1:8180:8080/tcp"]),
        (container(host={"PortBindings": {"53/udp": [{"HostIp": "::1", "HostPort": "53"}]}}), ["--publish", "[::1]:53:53/udp"]),
        (container(host={"PortBindings": {"8081/tcp": [{"HostIp": "", "HostPort": ""}]}}), ["--publish", "8081/tcp"]),
        (container(host={"Binds": ["storage:/app/storage", "/srv/x:/x:ro"]}), ["--volume", "storage:/app/storage", "--volume", "/srv/x:/x:ro"]),
        (container(host={"Memory": 1 << 30, "MemorySwap": -1}), ["--memory", "1073741824", "--memory-swap", "-1"]),
        (container(host={"NanoCpus": 1_500_000_000}), ["--cpus", "1.5"]),
        (container(host={"ExtraHosts": ["db:10.0.0.1"]}), ["--add-host", "db:10.0.0.1"]),
        (container(host={"LogConfig": {"Type": "local", "Config": {"max-size": "1m"}}}), ["--log-driver", "local", "--log-opt", "max-size=1m"]),
        (container(host={"NetworkMode": "host"}), ["--network", "host"]),
        (container({"Hostname": "kestra"}), ["--hostname", "kestra"]),
        (container({"User": "1000:1000"}), ["--user", "1000:1000"]),
        (container({"StopSignal": "SIGINT", "StopTimeout": 15}), ["--stop-signal", "SIGINT", "--stop-timeout", "15"]),
        (container({"Labels": {"team": "flows"}}), ["--label", "team=flows"]),
        (container({"Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 3_000_000_000, "Retries": 2}}), ["--health-cmd", "true", "--health-interval", "3000000000ns", "--health-retries", "2"]),
        (container({"Healthcheck": {"Test": ["NONE"]}}), ["--no-healthcheck"]),
        (container({"Entrypoint": ["sh", "-e"], "Cmd": ["-c", "x"]}), ["--entrypoint", "sh"]),
        (container(Mounts=[{"Type": "volume", "Name": "f" * 64, "Destination": "/data", "RW": True}]), ["--volume", f"{'f' * 64}:/data"]),
        (container(host={"AutoRemove": True}, Mounts=[{"Type": "volume", "Name": "f" * 64, "Destination": "/data", "RW": True}]), ["--volume", "/data"]),
        (container(host={"Mounts": [{"Type": "bind", "Source": "/tmp", "Target": "/t", "ReadOnly": True}]}), ["--mount", "type=bind,target=/t,source=/tmp,readonly"]),
        (container(NetworkSettings={"Networks": {"tools_default": {"Aliases": ["kestra", "a" * 12, "tools-kestra"]}}}), ["--network", "tools_default", "--network-alias", "kestra"]),
    ],
)  # fmt: skip
def test_what_it_has_is_said(said: dict[str, Any], words: list[str]) -> None:
    """What a container has of its own stands in the words that make it again."""
    recipe = docker_run.recipe(said, IMAGE)

    assert " ".join(words) in " ".join(recipe.options)
    assert recipe.lacking == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (container(host={"Privileged": True}), "Privileged is True"),
        (container(host={"Devices": [{"PathOnHost": "/dev/fuse"}]}), "Devices is"),
        (container(host={"SomethingNew": "x"}), "SomethingNew is x"),
        (container({"Domainname": "x.org"}), "Domainname is x.org"),
        (container({"Healthcheck": {"Test": ["CMD", "curl", "x"]}}), "its health check is no shell command"),
        (container({"Env": ["kestra.url=x"]}), "the variable kestra.url"),
        (container({"Env": ["DOCKER_HOST=tcp://x"]}), "the variable DOCKER_HOST"),
        (container({"Env": ["UID=1000"]}), "the variable UID"),
        (container({"Env": [f"LONG={'x' * 130_000}"]}), "the value of LONG is too long"),
        (container(NetworkSettings={"Networks": {"tools_default": {"Links": ["db:db"]}}}), "links or options"),
        (container(host={"Mounts": [{"Type": "volume", "Target": "/t", "VolumeOptions": {"NoCopy": True}}]}), "the mount at /t has options"),
    ],
)  # fmt: skip
def test_what_it_has_and_nobody_can_say(said: dict[str, Any], why: str) -> None:
    """What no word can say is named, and so is what this suite does not know: it might matter."""
    assert why in "; ".join(docker_run.recipe(said, IMAGE).lacking)


def test_what_comes_with_the_image_is_not_said() -> None:
    """Variables, labels and words of the image come with the image, of whatever version it then is."""
    recipe = docker_run.recipe(container(), IMAGE)

    assert (recipe.environment, recipe.lacking) == ({}, ())
    assert recipe.options == ("--runtime", "runc", "--shm-size", "67108864", "--network", "tools_default")


def test_a_difference_is_named() -> None:
    """What was made again and is another one is told by the engine's own names."""
    then, now = container({"StopTimeout": 15}), container({"Env": ["A=b"]}, {"Memory": 5})

    assert kept_run.differences(then, then) == ()
    assert kept_run.differences(then, now) == ("Config.StopTimeout", "HostConfig.Memory", "the environment")


def test_a_variable_has_the_name_of_one_of_the_scripts_own(tmp_path: Path) -> None:
    """What the container calls its variables steers nothing in the script."""
    ours = ["name", "made", "tries", "client", "HOME", "IFS"]
    said = container({"Env": [f"{one}=x y" for one in ours]})
    other = {"tools_other": {"NetworkID": "n2", "Aliases": []}}
    said["NetworkSettings"]["Networks"] |= other

    made = calls(tmp_path, script(tmp_path, said))

    words = [one for one, _ in made]
    (create,) = [one for one in words if one[0] == "create"]
    assert create[:3] == ["create", "--name", "tools-kestra"]
    assert [one[-1] for one in words if one[:2] == ["network", "connect"]] == ["tools-kestra"]
    assert words[-1] == ["start", "tools-kestra"]
