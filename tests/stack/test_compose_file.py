"""What the bundled stack's Compose file promises, as Compose itself renders it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests.stacks import SOURCE, Stack, password


def rendered(stack: Stack) -> dict[str, Any]:
    return dict(json.loads(stack.compose("config", "--format", "json").stdout))


def services(stack: Stack) -> dict[str, Any]:
    return dict(rendered(stack)["services"])


def configuration(stack: Stack) -> Any:
    """What Kestra's server reads; Compose doubles every dollar sign when it renders."""
    return yaml.safe_load(services(stack)["kestra"]["environment"]["KESTRA_CONFIGURATION"].replace("$$", "$"))


def seconds(duration: str) -> int:
    parts = re.findall(r"(\d+)([hms])", duration)
    assert "".join(number + unit for number, unit in parts) == duration
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def example() -> str:
    text = (SOURCE / ".env.example").read_text()
    for key in ("KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD"):
        text = re.sub(f"^{key}=$", f"{key}={password()}", text, flags=re.MULTILINE)
    return text


def test_the_example_renders_without_a_word(unstarted: Stack) -> None:
    """Compose has nothing to say about .env.example with its two secrets filled in."""
    unstarted.write_env_text(example())

    assert not unstarted.compose("config", "--quiet").stderr


def test_the_example_holds_no_secret() -> None:
    """In git there is a name for each secret and no value."""
    text = (SOURCE / ".env.example").read_text()

    assert re.findall(r"^.*PASSWORD=.*$", text, re.MULTILINE) == [
        "KESTRA_DB_PASSWORD=",
        "KESTRA_BASICAUTH_PASSWORD=",
    ]


def test_the_env_beside_the_compose_file_is_the_root_one() -> None:
    """The runbook's literal command reads the root .env, because a link beside the compose file leads there."""
    assert (SOURCE / "tools/compose/.env").readlink() == Path("../../.env")


def test_names_take_the_prefix(unstarted: Stack) -> None:
    """Project, containers and volumes carry the prefix, so two stacks on one engine do not meet."""
    model = rendered(unstarted)
    names = [model["name"], *(service["container_name"] for service in model["services"].values())]
    names += [volume["name"] for volume in model["volumes"].values()]

    assert len(names) == 5
    assert all(name.startswith(f"{unstarted.prefix}tools") for name in names)


def test_without_prefix_the_names_are_the_runbooks(unstarted: Stack) -> None:
    """As delivered, the containers are tools-kestra and tools-kestra-postgres."""
    unstarted.set_env(STACK_PREFIX="")
    model = rendered(unstarted)

    assert model["name"] == "tools"
    assert {"tools-kestra", "tools-kestra-postgres"} == {
        s["container_name"] for s in model["services"].values()
    }


def test_every_port_is_published_on_loopback_only(unstarted: Stack) -> None:
    """The two ports of the .env are published on 127.0.0.1, and no other port is published."""
    published = [
        (port["host_ip"], port["published"], port["target"])
        for service in services(unstarted).values()
        for port in service.get("ports", [])
    ]

    assert [
        ("127.0.0.1", unstarted.env["KESTRA_HTTP_PORT"], 8080),
        ("127.0.0.1", unstarted.env["KESTRA_MANAGEMENT_PORT"], 8081),
    ] == published


def test_kestra_waits_for_a_healthy_database(unstarted: Stack) -> None:
    """Kestra is started when Postgres' own health check says healthy, not when its container runs."""
    assert services(unstarted)["kestra"]["depends_on"]["kestra-postgres"]["condition"] == "service_healthy"


def test_both_services_have_a_health_check_and_come_back_after_a_crash(unstarted: Stack) -> None:
    """Each service says of itself whether it works, and Docker starts it again unless it was stopped by hand."""
    for service in services(unstarted).values():
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"


def test_docker_waits_longer_than_kestra_drains(unstarted: Stack) -> None:
    """The stop grace is longer than Kestra's own termination grace, as delivered and as the server reads it."""
    unstarted.write_env_text(example())
    grace = services(unstarted)["kestra"]["stop_grace_period"]
    drain = configuration(unstarted)["kestra"]["server"]["termination-grace-period"]

    assert seconds(grace) > seconds(drain) > 0


def test_no_value_that_a_server_needs_is_blank(unstarted: Stack) -> None:
    """Compose renders no blank value but the two that may be blank."""
    blank = {
        key
        for service in services(unstarted).values()
        for key, value in service["environment"].items()
        if not str(value).strip()
    }

    assert blank <= {"JAVA_OPTS", "UNDERSTUDY"}


def test_a_missing_value_is_refused_by_name(unstarted: Stack) -> None:
    """Compose names the key that the .env does not hold, and renders nothing."""
    for key in (
        "KESTRA_IMAGE",
        "POSTGRES_IMAGE",
        "KESTRA_DB_PASSWORD",
        "KESTRA_BASICAUTH_PASSWORD",
        "KESTRA_DB_VOLUME",
    ):
        unstarted.write_env_text("".join(f"{k}={v}\n" for k, v in unstarted.env.items() if k != key))
        refused = unstarted.compose("config", "--quiet", check=False)

        assert refused.returncode != 0
        assert key in refused.stderr


def test_images_are_named_by_exact_version() -> None:
    """No tag of the example moves by itself to another minor version."""
    tags = re.findall(r"^\w+_IMAGE=\S+:v?(\S+)$", (SOURCE / ".env.example").read_text(), re.MULTILINE)

    assert len(tags) == 2
    assert all(re.fullmatch(r"\d+\.\d+(\.\d+)?", tag) for tag in tags)


def test_secrets_are_named_and_not_written_into_the_configuration(unstarted: Stack) -> None:
    """A password with every awkward character reaches the container unchanged, and never through YAML or echo."""
    awkward = "a#b $x\\n: '\"Z9"
    unstarted.write_env_text(
        "".join(f"{k}={v}\n" for k, v in unstarted.env.items() if k != "KESTRA_DB_PASSWORD")
        + "KESTRA_DB_PASSWORD='a#b $x\\n: \\'\"Z9'\n"
    )
    environment = services(unstarted)["kestra"]["environment"]

    assert awkward == environment["TOOLS_DB_PASSWORD"].replace("$$", "$")
    assert configuration(unstarted)["datasources"]["postgres"]["password"] == "${TOOLS_DB_PASSWORD}"
    assert "\\" not in environment["KESTRA_CONFIGURATION"]


def test_no_secret_has_a_name_that_flows_can_read(unstarted: Stack) -> None:
    """Kestra shows every variable that begins with KESTRA_ to every flow: no secret is among them."""
    environment = services(unstarted)["kestra"]["environment"]
    shown = " ".join(value or "" for name, value in environment.items() if name.startswith("KESTRA_"))

    for key in ("KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD"):
        assert unstarted.env[key] not in shown


def test_basic_auth_is_really_on(unstarted: Stack) -> None:
    """The configuration has the line without which Kestra ignores user and password."""
    assert configuration(unstarted)["kestra"]["server"]["basic-auth"] == {
        "enabled": True,
        "username": "${TOOLS_BASICAUTH_USERNAME}",
        "password": "${TOOLS_BASICAUTH_PASSWORD}",
    }


def test_java_options_come_from_the_env(unstarted: Stack) -> None:
    """What the .env says of the JVM is what the container is given."""
    unstarted.set_env(JAVA_OPTS="-Xmx300m -Dx=y")

    assert services(unstarted)["kestra"]["environment"]["JAVA_OPTS"] == "-Xmx300m -Dx=y"
