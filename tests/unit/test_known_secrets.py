"""Which values the redaction is told."""

from __future__ import annotations

from procedures.observe.known import known_secrets
from reports.observed import Secret


def test_a_key_with_two_values_gives_two_secrets() -> None:
    """The old value in the running container and the new one in the rendering are both known."""
    found = known_secrets(({"API_TOKEN": Secret("the-new-one")}, {"API_TOKEN": Secret("the-old-one")}), ())

    assert {Secret("the-new-one"): "API_TOKEN", Secret("the-old-one"): "API_TOKEN"} == found


def test_a_key_of_a_configuration_with_two_values_gives_two_secrets() -> None:
    """What two configurations say in plain under one key is known from both."""
    texts = ("kestra: {storage: {secret-key: first-value}}", "kestra: {storage: {secret-key: second-value}}")
    found = known_secrets([{"KESTRA_CONFIGURATION": one} for one in texts], ())

    assert {Secret("first-value"), Secret("second-value")} == set(found)
