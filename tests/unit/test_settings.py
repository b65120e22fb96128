"""A configuration as its server reads it: YAML first, then placeholders from the container's environment."""

from __future__ import annotations

import pytest

from procedures.kestra.configuration import settings
from reports.record.observed import Secret, Settings

PLAIN = """
datasources:
  postgres:
    url: jdbc:postgresql://${{DB_HOST}}:5432/kestra
    username: kestra
    password: {password}
kestra:
  server:
    basic-auth:
      enabled: true
      username: admin@example.org
      password: ${{AUTH}}
    termination-grace-period: 5m
"""
ENVIRONMENT = {"DB_HOST": "postgres", "DB_PASSWORD": "it's # a \\ secret: {x}", "AUTH": "Passw0rd"}


def _read(password: str, **more: str) -> Settings:
    return settings(PLAIN.format(password=password), ENVIRONMENT | more)


def _password(written: str, **more: str) -> str | None:
    read = _read(written, **more).db_password
    return read.value if read else None


def test_a_plain_configuration_is_read() -> None:
    """Address, credentials, basic auth and the drain are read as they stand."""
    read = _read("${DB_PASSWORD}")

    assert read == Settings(
        db_host="postgres",
        db_port=5432,
        db_name="kestra",
        db_user="kestra",
        db_password=Secret(ENVIRONMENT["DB_PASSWORD"]),
        basic_auth_enabled=True,
        basic_auth_user="admin@example.org",
        basic_auth_password=Secret("Passw0rd"),
        termination_grace=300.0,
    )


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("x #y", "x"), ("x#y", "x#y"), ("'x #y'", "x #y"), ('"x #y"', "x #y"), ("12345", "12345"),
        ("'0123'", "0123"), ('"a\\tb"', "a\tb"), ("'a\\tb'", "a\\tb"), ("'it''s'", "it's"), ("${DB_PASSWORD}", None),
        ("'${DB_PASSWORD}'", None), ("", ""), ("~", ""), ("''", ""),
    ],
)  # fmt: skip
def test_yaml_has_rules_of_its_own(written: str, password: str | None) -> None:
    """What YAML makes of a value is what the server gets; a value by placeholder passes unchanged."""
    expected = ENVIRONMENT["DB_PASSWORD"] if password is None else password

    assert (expected or None) == _password(written)


@pytest.mark.parametrize(
    ("written", "environment", "password"),
    [
        ("${P}", {"P": "x"}, "x"),
        ("${P:fallback}", {}, "fallback"),
        ("${P:fallback}", {"P": "x"}, "x"),
        ("${P:}", {}, None),
        ("'${P:a:b}'", {}, "a:b"),
        ("${P:${Q}}", {"Q": "x"}, "x"),
        ("${P:${Q:deep}}", {}, "deep"),
        ("a${P}b${Q}c", {"P": "1", "Q": "2"}, "a1b2c"),
        ("${P}", {"P": "${Q}", "Q": "x"}, "x"),
        ("${db.password}", {"DB_PASSWORD": "x"}, "x"),
        ("${db-password}", {"DB_PASSWORD": "x"}, "x"),
        ("${P}", {"P": "a$b"}, "a$b"),
        ("${P}", {"P": "$"}, "$"),
    ],
)
def test_placeholders_are_filled(written: str, environment: dict[str, str], password: str | None) -> None:
    """Names, defaults, nested ones and names of properties come from the environment."""
    read = _read(written, **environment)

    assert (Secret(password) if password else None, ()) == (read.db_password, read.problems)


@pytest.mark.parametrize(
    ("written", "environment", "said"),
    [
        ("${NOWHERE}", {}, "datasources.postgres.password refers to NOWHERE"),
        ("${P}", {"P": "${NOWHERE}"}, "refers to NOWHERE"),
        ("${P}", {"P": "${P}"}, "datasources.postgres.password refers to"),
        ("${P}", {"P": "broken ${"}, "datasources.postgres.password refers to"),
        ("'${P'", {}, "datasources.postgres.password refers to"),
    ],
)
def test_what_cannot_be_filled_is_a_problem(written: str, environment: dict[str, str], said: str) -> None:
    """A placeholder that nothing fills is told with its place; the server would not boot with it."""
    read = _read(written, **environment)

    assert read.db_password is None
    assert said in " ".join(read.problems)


@pytest.mark.parametrize(
    ("text", "enabled", "user"),
    [
        ("kestra: {server: {basic-auth: {enabled: true, username: a@b}}}", True, "a@b"),
        ("kestra: {server: {basicAuth: {enabled: true, username: a@b}}}", True, "a@b"),
        ("kestra.server.basic-auth: {enabled: 'true', username: a@b}", True, "a@b"),
        ("kestra.server.basic-auth.username: a@b\nkestra.server.basic-auth.enabled: true", True, "a@b"),
        ("kestra: {server.basic-auth: {enabled: false}}", False, ""),
        ("kestra: {server: {basic-auth: {enabled: no}}}", False, ""),
        ("kestra: {server: {basic-auth: {username: a@b}}}", None, "a@b"),
        ("kestra: {}", None, ""),
    ],
)
def test_keys_have_several_spellings(text: str, enabled: bool | None, user: str) -> None:
    """Nested, dotted and camel-case keys are the same key; what is not said is not known."""
    read = settings(text, {})

    assert (enabled, user) == (read.basic_auth_enabled, read.basic_auth_user)


def test_basic_auth_by_placeholder_is_read() -> None:
    """Whether basic auth is on may stand in the environment too."""
    text = "kestra: {server: {basic-auth: {enabled: '${AUTH_ON}'}}}"

    assert (
        settings(text, {"AUTH_ON": "true"}).basic_auth_enabled,
        settings(text, {"AUTH_ON": "false"}).basic_auth_enabled,
    ) == (True, False)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("jdbc:postgresql://db:5433/kestra", ("db", 5433, "kestra")),
        ("jdbc:postgresql://db/kestra", ("db", 5432, "kestra")),
        ("jdbc:postgresql://db:5432/kestra?ssl=true", ("db", 5432, "kestra")),
        ("jdbc:postgresql://[::1]:5432/kestra", ("::1", 5432, "kestra")),
    ],
)
def test_an_address_is_read(url: str, place: tuple[str, int, str]) -> None:
    """Host, port and name come from the address, the port by default."""
    read = settings(f"datasources: {{postgres: {{url: '{url}'}}}}", {})

    assert place == (read.db_host, read.db_port, read.db_name)
    assert read.problems == ()


@pytest.mark.parametrize(
    "url", ["", "jdbc:h2:mem:public", "jdbc:mysql://db/kestra", "postgresql://db/kestra"]
)
def test_an_address_of_something_else_is_a_problem(url: str) -> None:
    """What is no PostgreSQL address is told, not guessed at."""
    read = settings(f"datasources: {{h2: {{url: '{url}'}}}}", {})

    assert (read.db_host, read.problems[0]) == ("", "datasources.h2.url is no PostgreSQL address")


def test_a_port_that_is_no_number_is_a_problem() -> None:
    """A word for a port is told."""
    read = settings("datasources: {postgres: {url: 'jdbc:postgresql://db:many/kestra'}}", {})

    assert (read.db_port, read.problems) == (0, ("datasources.postgres.url has no number for its port",))


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: [canary", "it is no YAML: line"), ("password: canary: canary", "it is no YAML: line 1"), ("canary", "it holds no settings"), ("", "it holds no settings")],
)  # fmt: skip
def test_what_is_no_yaml_is_told_without_its_text(text: str, said: str) -> None:
    """A text that cannot be read is told by its line alone: what stands there may be a password."""
    (problem,) = settings(text, {}).problems

    assert said in problem
    assert "canary" not in problem


@pytest.mark.parametrize(
    ("storage", "folder"),
    [
        ("{type: local, local: {base-path: /data}}", "/data"),
        ("{type: local, local: {basePath: '${DB_HOST}/data'}}", "postgres/data"),
        ("{type: local}", "/app/storage"),
        ("{type: s3, local: {base-path: /data}}", ""),
        ("{}", ""),
    ],
)
def test_the_folder_of_a_local_storage(storage: str, folder: str) -> None:
    """Only a local storage is a folder that the server must write."""
    assert folder == settings(f"kestra: {{storage: {storage}}}", ENVIRONMENT).storage
