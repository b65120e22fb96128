"""Which values the redaction is told."""

from __future__ import annotations

import json

import pytest

from procedures.observe.secrets import known_secrets, secrets_in_commands
from reports.record.observed import Secret
from tests.reports import samples


def test_a_key_with_two_values_gives_two_secrets() -> None:
    """The old value in the running container and the new one in the rendering are both known."""
    found = known_secrets(({"API_TOKEN": Secret("the-new-one")}, {"API_TOKEN": Secret("the-old-one")}), ())

    assert {Secret("the-new-one"): "API_TOKEN", Secret("the-old-one"): "API_TOKEN"} == found


def test_a_key_of_a_configuration_with_two_values_gives_two_secrets() -> None:
    """What two configurations say in plain under one key is known from both."""
    texts = ("kestra: {storage: {secret-key: first-value}}", "kestra: {storage: {secret-key: second-value}}")
    found = known_secrets([{"KESTRA_CONFIGURATION": one} for one in texts], ())

    assert {Secret("first-value"), Secret("second-value")} == set(found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["server", "standalone", "-Ddatasources.default.password=in the word"], {"in the word"}),
        (["server", "--db-password", "as the next one", "--port", "80"], {"as the next one"}),
        (["sh", "-c", "exec kestra --db-password 'in a shell' -Dx.token=t0k3n"], {"in a shell", "t0k3n"}),
        (
            ["CMD-SHELL", "curl -f https://u:in-a-url@host/ || PGPASSWORD=of-a-call psql"],
            {"in-a-url", "of-a-call"},
        ),
        (["server", "-Ddatasources.default.password=${DB_PASSWORD}", "--password-file", "/run/x"], set()),
        (["server", "standalone", "it's"], set()),
    ],
)
@pytest.mark.parametrize("part", ["command", "entry point", "health check"])
def test_what_a_container_executes_is_searched(part: str, words: list[str], expected: set[str]) -> None:
    """Secrets in the words of a command are known as those of variables are, whatever else the container has."""
    one = samples.container(made={part: json.dumps(words), "host name": "--password"})

    assert expected == {secret.value for secret in secrets_in_commands((one, samples.container()))}


def test_each_command_has_its_own() -> None:
    """The running container's and the new one's are both known."""
    both = (samples.container(made={"command": f'["--api-token", "{word}"]'}) for word in ("first", "second"))

    assert {Secret("first"), Secret("second")} == set(secrets_in_commands(both))
