"""What the kernel, the engine and Compose print, as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from procedures.drivers import shell
from procedures.drivers.compose import Compose
from procedures.drivers.shell import Command
from procedures.observe import rendering
from procedures.observe.engine.lookout import parse_listeners
from procedures.problems import CannotObserve
from procedures.target.target import Target
from reports.record.observed import Binding, Listener, Secret
from reports.record.values import moment
from reports.redaction.secret_names import environment_of

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def _row(address: str, state: str = "0A") -> str:
    rest = "00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0"
    return f"   0: {address} 00000000:0000 {state} {rest}\n"


@pytest.mark.parametrize(
    ("address", "listener"),
    [
        ("0100007F:1F90", Listener("127.0.0.1", 8080)),
        ("00000000:0016", Listener("0.0.0.0", 22)),
        ("00000000000000000000000000000000:1F91", Listener("::", 8081)),
        ("00000000000000000000000001000000:1F91", Listener("::1", 8081)),
        ("0000000000000000FFFF00000100007F:1F91", Listener("127.0.0.1", 8081)),
        ("B80D01200000000000000000EF010000:FFFF", Listener("2001:db8::1ef", 65535)),
    ],
)
def test_a_listening_socket_is_read(address: str, listener: Listener) -> None:
    """IPv4, IPv6 and IPv4 mapped into IPv6 are read out of the kernel's words."""
    assert (listener,) == parse_listeners(HEAD + _row(address))


def test_only_listening_sockets_are_read() -> None:
    """Connections, headings and half lines are no listeners; both tables together name a socket once."""
    text = (
        HEAD + _row("0100007F:1F90", "01") + _row("0100007F:0050") + HEAD + _row("0100007F:0050") + "   1:\n"
    )

    assert (Listener("127.0.0.1", 80),) == parse_listeners(text)


def test_listeners_are_told_in_order() -> None:
    """By port, then by address: two looks can be compared."""
    text = _row("00000000:1F91") + _row("0100007F:1F90") + _row("00000000:1F90")

    assert [(one.ip, one.port) for one in parse_listeners(text)] == [
        ("0.0.0.0", 8080),
        ("127.0.0.1", 8080),
        ("0.0.0.0", 8081),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T12:42:02.123456789Z", datetime(2026, 11, 23, 12, 42, 2, 123456, UTC)),
        ("2026-11-23T12:42:02.1Z", datetime(2026, 11, 23, 12, 42, 2, 100000, UTC)),
        ("2026-11-23T12:42:02Z", datetime(2026, 11, 23, 12, 42, 2, 0, UTC)),
        (
            "2026-11-23T12:42:02.123456789+02:00",
            datetime(2026, 11, 23, 12, 42, 2, 123456, timezone(timedelta(hours=2))),
        ),
        (
            "2026-11-23T12:42:02.123-05:30",
            datetime(2026, 11, 23, 12, 42, 2, 123000, timezone(-timedelta(hours=5, minutes=30))),
        ),
        ("2026-11-23T12:42:02.123+00:00", datetime(2026, 11, 23, 12, 42, 2, 123000, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_engines_times_are_read(text: str, expected: datetime) -> None:
    """Nine digits, fewer, none, and a zone; never started is long ago."""
    assert expected == moment(text)


def test_values_of_secret_names_are_secrets() -> None:
    """A value under a name that tells a secret is one; a blank one, a port and a name are not."""
    read = environment_of({"DB_PASSWORD": "x", "API_TOKEN": "y", "DB_PORT": "5432", "EMPTY_PASSWORD": ""})

    assert {
        "DB_PASSWORD": Secret("x"), "API_TOKEN": Secret("y"), "DB_PORT": "5432", "EMPTY_PASSWORD": "",
    } == read  # fmt: skip


@pytest.mark.parametrize(
    ("port", "binding"),
    [
        ({"target": 8080, "published": "8080", "host_ip": "127.0.0.1", "protocol": "tcp"}, ("8080/tcp", "127.0.0.1", 8080)),
        ({"target": 8080, "published": 9090}, ("8080/tcp", "", 9090)),
        ({"target": 53, "protocol": "udp"}, ("53/udp", "", 0)),
        ({"target": 8080, "published": "8080-8090"}, ("8080/tcp", "", 0)),
    ],
)  # fmt: skip
def test_a_published_port_is_read(port: dict[str, object], binding: tuple[str, str, int]) -> None:
    """Compose's long form of a port; one that names no single host port publishes none that we know."""
    assert Binding(*binding) == rendering._binding(port)


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), ("a$$b", "a$b"), ("$${X}", "${X}"), (5, "5"), (True, "True"), ("", "")]
)
def test_a_rendered_text_is_read(value: object, text: str) -> None:
    """Compose doubles a dollar sign in what it renders."""
    assert text == rendering._text(value)


def test_volumes_and_networks_have_their_real_names() -> None:
    """A name of the file is told as the engine knows it; a bind mount and a host network as they are."""
    model = {
        "volumes": {"data": {"name": "tools-data"}, "bare": None},
        "networks": {"default": {"name": "tools_default"}},
    }
    service = {"volumes": [{"source": "data"}, {"source": "/srv/x"}, {"source": "bare"}, {}]}

    assert rendering._volumes(service, model) == ("tools-data", "/srv/x", "bare", "")
    assert rendering._networks({}, model) == ("tools_default",)
    assert rendering._networks({"networks": {"default": None, "other": {}}}, model) == (
        "tools_default",
        "other",
    )
    assert rendering._networks({"network_mode": "host"}, model) == ("host",)


RECREATION = """\
 DRY-RUN MODE -  Container tools-kestra  Recreate
 DRY-RUN MODE -  Container tools-kestra  Recreated
 DRY-RUN MODE -  Container a532_tools-kestra  Starting
"""


def _target(root: Path) -> Target:
    return Target(
        file=root / "target.toml", name="tools", root=root, compose_files=(root / "compose.yml",),
        env_files=(root / ".env",), service="kestra", database_service="postgres",
    )  # fmt: skip


def _compose(root: Path, env: str, file: str) -> Compose:
    (root / ".env").write_text(env)
    (root / "compose.yml").write_text(file)
    return Compose(_target(root), {"PATH": "/usr/bin:/bin", "HOME": str(root)}, "unix:///nowhere.sock")


FILE = """
name: tools
services:
  kestra:
    image: kestra/kestra:${VERSION}
    container_name: tools-kestra
    restart: unless-stopped
    stop_grace_period: 6m
    ports: ["127.0.0.1:${PORT}:8080"]
    environment: {PASSWORD: "${PASSWORD}", LITERAL: "a$$b"}
    healthcheck: {test: ["CMD", "true"]}
  postgres:
    image: postgres:15
"""


def test_compose_itself_says_what_a_file_means(tmp_path: Path) -> None:
    """What Compose prints becomes a rendering, by the file alone; no engine is needed for it."""
    compose = _compose(tmp_path, "VERSION=v1\nPORT=8080\nPASSWORD='a$b'\n", FILE)

    read = rendering.by_file(_target(tmp_path), compose, ("VERSION", "PORT", "PASSWORD", "MISSING"))

    assert (read.project, read.image, read.container_name) == ("tools", "kestra/kestra:v1", "tools-kestra")
    assert (Binding("8080/tcp", "127.0.0.1", 8080),) == read.bindings
    assert (read.stop_grace, read.restart_policy, read.has_health_check) == (360.0, "unless-stopped", True)
    assert {"PASSWORD": Secret("a$b"), "LITERAL": "a$b"} == read.environment
    assert {
        "VERSION": "v1", "PORT": "8080", "PASSWORD": Secret("a$b"), "MISSING": "",
    } == read.interpolation  # fmt: skip
    assert (read.database_image, read.warnings) == ("postgres:15", ())


UNASKED = """
  extra: {image: extra, profiles: [asked-for]}
  more: {image: more, profiles: [asked-for], depends_on: [extra]}
"""


@pytest.mark.parametrize(
    "depends_on",
    [
        "{extra: {condition: service_started, required: false}}",
        "{postgres: {condition: service_started}, more: {condition: service_healthy, required: false}}",
        "[postgres]",
    ],
)
def test_compose_reads_back_what_it_rendered(depends_on: str, tmp_path: Path) -> None:
    """What was rendered can be started from, whatever services were not asked for, and their names are in no part of it."""
    file = FILE.replace("    restart:", f"    depends_on: {depends_on}\n    restart:") + UNASKED
    compose = _compose(tmp_path, "VERSION=v1\nPORT=8080\nPASSWORD=x\n", file)

    read, model = rendering.by_operator(_target(tmp_path), compose, ("PORT",))

    assert read.unread == ""
    assert len(read.hashes) == 1 + ("postgres" in depends_on)
    assert set(model["services"]) == {"kestra", "postgres"}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"depends_on": {"nobody": {"condition": "service_started"}}},
        {"unheard": "of"},
        {"image": ["a", "list"]},
    ],
)
def test_why_compose_cannot_read_a_model_is_told(spoilt: dict[str, object], tmp_path: Path) -> None:
    """A model that it refuses is no model to start from, and its own words say why."""
    compose = _compose(tmp_path, "VERSION=v1\nPORT=8080\nPASSWORD=x\n", FILE)
    _, model = rendering.by_operator(_target(tmp_path), compose, ("PORT",))
    services = {**model["services"], "kestra": {**model["services"]["kestra"], **spoilt}}

    _, unread, _ = rendering.known_by(_target(tmp_path), compose, {**model, "services": services})

    assert next(iter(spoilt)).partition("_")[0] in unread


def test_a_blank_variable_is_a_warning(tmp_path: Path) -> None:
    """What Compose complains of while it renders is kept."""
    read = rendering.by_file(_target(tmp_path), _compose(tmp_path, "PORT=1\nVERSION=1\n", FILE), ("PORT",))

    assert ["PASSWORD" in one and "not set" in one for one in read.warnings] == [True]


def test_a_key_that_no_variable_can_have_hurts_nobody(tmp_path: Path) -> None:
    """An env file may hold names with dots or dashes: no compose file can use them, and none is asked for."""
    compose = _compose(tmp_path, "VERSION=v1\nPORT=8080\nPASSWORD=x\nmy.key=1\n", FILE)

    read = rendering.by_file(_target(tmp_path), compose, ("PORT", "my.key", "my-key"))

    assert read.interpolation == {"PORT": "8080"}


def test_disabled_health_checks_are_none(tmp_path: Path) -> None:
    """A health check that is switched off is no health check."""
    file = FILE.replace('{test: ["CMD", "true"]}', "{disable: true}")
    read = rendering.by_file(
        _target(tmp_path), _compose(tmp_path, "PORT=1\nVERSION=1\nPASSWORD=x\n", file), ("PORT",)
    )

    assert not read.has_health_check


@pytest.mark.parametrize(
    ("file", "said", "move"),
    [
        ("services: {", "cannot render the files", "correct the file"),
        ("services: {kestra: {image: '${X:?is missing}'}}", "is missing", "correct the file"),
        ("services: {web: {image: nginx}}", "no service 'kestra'; its services: web", "correct the key 'service'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_rendered_is_told(file: str, said: str, move: str, tmp_path: Path) -> None:
    """What Compose cannot render is told in its own words, with the file or key to correct."""
    with pytest.raises(CannotObserve) as raised:
        rendering.by_file(_target(tmp_path), _compose(tmp_path, "", file), ("PORT",))

    assert said in raised.value.what
    assert move in raised.value.next_move


@pytest.mark.parametrize(
    ("output", "touches"),
    [
        (
            RECREATION,
            ("a532_tools-kestra", "tools-kestra"),
        ),
        (" Container tools-postgres  Running\n Container tools-postgres  Waiting\n", ()),
        (" Container tools-postgres  Restarting\n Container b  Stopped\n", ("b", "tools-postgres")),
        ("", ()),
    ],
)
def test_a_dry_run_names_what_it_touches(
    output: str, touches: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Compose would create, start, stop or remove is touched; what it only waits for is not."""

    def ran(command: Command) -> shell.Result:
        return shell.Result(command, 0, "", output, 0.1)

    monkeypatch.setattr(shell, "run", ran)

    assert touches == rendering.dry_run(_compose(tmp_path, "", FILE).rehearse_start(10)).touches
