"""Canaries in every kind of run: the server says its secrets in all forms at each boot, and no run tells one.

The runs of a plain restart, refused, interrupted, killed and recovered, are in test_secrets.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import canaries, targets
from tests.canaries import canary
from tests.dashboards import board, fixed
from tests.engine import by_scripts
from tests.engine import service as seen
from tests.faults import FAULT
from tests.stacks import Stack, stack
from tests.variants import Flaw, variant

pytestmark = pytest.mark.understudy

WEB, DATABASE = "KESTRA_BASICAUTH_PASSWORD", "KESTRA_DB_PASSWORD"
KNOWN = (
    canary("the password of the web"),
    canary("the next password of the web", canaries.OPTION_SIGNS),
    canary("the password of the database", canaries.QUOTED_SIGNS),
    canary("the option of the server", canaries.OPTION_SIGNS),
    canary("the word of an address", "_.-"),
)
FIRST, NEXT, STORED, OPTION, WORD = KNOWN
SAID = canaries.long_lines(KNOWN) + canaries.words(KNOWN)
OPTIONS = (
    f"-Djavax.net.ssl.trustStorePassword={OPTION.value} -Dthe.next.password={NEXT.value} "
    f"-Dproxy=http://me:{WORD.value}@proxy/"
)
TYPED = ("--reason", f"the login {FIRST.value} fails", "--ticket", OPTION.value, "--operator", WORD.value)
ANOTHER_SERVER = """INSERT INTO service_instance (key, value) SELECT 'canary', jsonb_build_object('id', 'canary',
 'type', 'WORKER', 'state', 'RUNNING', 'createdAt', now(), 'updatedAt', now() + interval '1 minute', 'server',
 jsonb_build_object('id', 'canary', 'hostname', %s, 'version', %s))"""
SHOWS_SECRETS = "pre/test_scripts.py::test_the_scripts_show_no_secret"
CUTS = iter((0, 3_001, 7_503, 12_007, 20_011, 31_013, 47_017, 66_019, 99_023))
"""Bytes of a log that are kept, another number for each run: somewhere among the secrets; 0 keeps all of it."""


def given(service: Stack, **changes: str) -> None:
    """Write the env file as an operator must, so that every password reaches the server whole."""
    service.env |= changes
    marks = dict.fromkeys(service.env, "")
    marks |= {key: '"' if "'" in service.env[key] else "'" for key in (WEB, DATABASE, "JAVA_OPTS")}
    service.write_env_text(
        "".join(f"{key}={marks[key]}{value}{marks[key]}\n" for key, value in service.env.items())
    )


def quoted(text: str) -> str:
    """A literal of SQL's."""
    return "'" + text.replace("'", "''") + "'"


@pytest.fixture(scope="module", name="service")
def _service(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with canaries, whose server says them at each boot; its database has logged them too."""
    with variant("0.20.7", says=SAID) as image, stack(tmp_path_factory.mktemp("stack")) as made:
        given(made, **{WEB: FIRST.value, DATABASE: STORED.value, "JAVA_OPTS": OPTIONS, "KESTRA_IMAGE": image})
        seen.seed(made.up())
        with pytest.raises(AssertionError):
            made.psql(f"SELECT no_such_function({quoted(canaries.words(KNOWN))})")
        yield made


@contextmanager
def leaking_nothing(service: Stack) -> Iterator[list[str]]:
    """What a test does meanwhile leaves no canary anywhere; what it lets runs tell goes into the list."""
    known = set(targets.folders(service))
    told: list[str] = []
    yield told
    new = [one for one in targets.folders(service) if one not in known]
    index = targets.archive(service) / "index.html"
    found = canaries.places(
        "\n".join(told), *new, *([index] if index.exists() else []), service.root / targets.STATE
    )

    assert told
    assert canaries.leaks(KNOWN, found) == []


def typed(service: Stack, told: list[str], status: int, *arguments: str, name: str) -> None:
    """Type a procedure, secrets in its words, with another cut of the logs each time."""
    done = targets.procedure(service, *TYPED, *arguments, name=name)
    told.append(done.stdout + done.stderr)

    assert done.returncode == status, done.stdout + done.stderr


def target(service: Stack, **changes: object) -> None:
    targets.target_file(service, **({"log_bytes": cut} if (cut := next(CUTS)) else {}), **changes)


@FAULT(
    kind="the server says its secrets in its log, in every form and over the ends of Docker's parts",
    phase="after",
    happened="nothing that the run leaves or tells holds a part of one",
    verdict="ACCEPTED, ACCEPTED, ACCEPTED, HEALTHY",
)
def test_an_update_and_a_rollback(service: Stack) -> None:
    """Accepted, updated, rolled back and looked at, with all logs kept whole."""
    first = service.env["KESTRA_IMAGE"]
    target(service)
    with leaking_nothing(service) as told:
        typed(service, told, 0, name="accept")
        with variant("0.20.8", says=SAID) as newer:
            given(service, KESTRA_IMAGE=newer)
            typed(service, told, 0, name="update")
            log = next(targets.latest(service).glob("log-before-*-kestra.txt")).read_text()
            typed(service, told, 0, name="rollback")
            given(service, KESTRA_IMAGE=first)
        typed(service, told, 0, name="status")

    assert log.count("ERROR login of ") == len(KNOWN) * len(canaries.WRITERS)
    assert log.count("xxx [redacted] yyy") == len(KNOWN)


@FAULT(
    kind="the server says its secrets in its log, in every form and over the ends of Docker's parts",
    phase="way back",
    happened="nothing that the run leaves or tells holds a part of one",
    verdict="ROLLED BACK",
)
def test_an_update_that_goes_back(service: Stack) -> None:
    """The new server says a secret instead of its version, and that it is DOWN."""
    first = service.env["KESTRA_IMAGE"]
    target(service)
    with leaking_nothing(service) as told:
        with variant("0.20.9", flaw=Flaw.UNHEALTHY, says=SAID) as newer:
            given(service, KESTRA_IMAGE=newer)
            typed(service, told, 13, name="update")
        given(service, KESTRA_IMAGE=first)


@FAULT(
    kind="a boot that fails says secrets in its last error lines",
    phase="start",
    happened="they are told first, and without the secrets",
    verdict="ROLLED BACK",
)
def test_settings_that_go_back(service: Stack) -> None:
    """A new password, and a boot that fails: the container's last error lines, which are told first, hold each secret."""
    then = service.env["UNDERSTUDY"]
    target(service)
    with leaking_nothing(service) as told:
        given(service, UNDERSTUDY=f"{then} crash-at-boot", **{WEB: NEXT.value})
        typed(service, told, 13, name="apply_env")
        given(service, UNDERSTUDY=then, **{WEB: FIRST.value})


@FAULT(
    kind="one secret takes the place of another",
    phase="after",
    happened="neither the old one nor the new one is told",
    verdict="ACCEPTED, ACCEPTED",
)
def test_new_settings(service: Stack) -> None:
    """A new password takes the old one's place: neither is told."""
    target(service)
    with leaking_nothing(service) as told:
        for password in (NEXT, FIRST):
            given(service, **{WEB: password.value})
            typed(service, told, 0, name="apply_env")
            target(service)


@FAULT(
    kind="a stop script and a validation say every secret in every form",
    phase="stop",
    happened="refused; waived, what they said is kept without the secrets",
    verdict="REFUSED, ACCEPTED",
)
def test_scripts_that_say_secrets(service: Stack) -> None:
    """The stop's script and a validation say each secret in every form: it is refused, and waived nothing is told either."""
    folder = service.root / by_scripts.OWN
    steps = {"stop": by_scripts.by("stop-says-its-secrets.sh"), "start": by_scripts.COMPOSE}
    command = [f"{by_scripts.OWN}/validate-says-its-secrets.sh"]
    validate = [
        {"name": "says", "command": command, "reads": "text", "healthy": {"pattern": "^validation: ok$"}}
    ]
    by_scripts.target(service, validate, **steps)
    (folder / "secrets.txt").write_text(SAID)
    with leaking_nothing(service) as told:
        typed(service, told, 10, name="restart")
        refused = seen.findings(targets.record(targets.latest(service)))
        typed(service, told, 0, "--waive", SHOWS_SECRETS, name="restart")
        record = targets.record(targets.latest(service))
    written = (targets.latest(service) / "script-stop.txt").read_text()

    assert "stop prints " in refused["test_the_scripts_show_no_secret"]
    assert by_scripts.step(record, "stop")["status"] == "done"
    assert written.count("ERROR login of ") == len(KNOWN) * len(canaries.WRITERS)
    assert "[redacted]" in str(record["snapshots"][-1]["validations"])


@FAULT(
    kind="another server's name and a dashboard's value are secrets",
    phase="before",
    happened="both are told, and no secret is",
    verdict="REFUSED",
)
def test_a_refusal_that_is_about_secrets(service: Stack) -> None:
    """Another server whose name is a secret, and a dashboard whose value is: both are told, and no name of them is."""
    with board() as served, leaking_nothing(service) as told:
        served.pages["/word"] = fixed({"status": FIRST.value, "other": canaries.words(KNOWN)}, Age="0")
        dashboard = {
            "name": "launcher", "url": served.url("/word"), "json_path": "other", "equals": "healthy", "max_age": "60s",
        }  # fmt: skip
        target(service, dashboards=[dashboard])
        service.psql(ANOTHER_SERVER % (quoted(STORED.value), quoted(WORD.value)))
        try:
            typed(service, told, 10, name="restart")
        finally:
            service.psql("DELETE FROM service_instance WHERE service_id = 'canary'")

    assert "[redacted]" in told[0]
