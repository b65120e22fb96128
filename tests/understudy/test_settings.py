"""How the understudy reads what it is told: settings, placeholders, durations, configuration."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stack.understudy import configuration, flow, moment, placeholder, release, settings
from stack.understudy.faults import Fault

pytestmark = pytest.mark.understudy

MINIMAL = """
datasources: {postgres: {url: "jdbc:postgresql://db:5433/kestra?x=y", username: kestra, password: "${PW}"}}
kestra:
  queue: {type: postgres}
  repository: {type: postgres}
  server:
    terminationGracePeriod: 90s
    basicAuth: {enabled: true, username: a@b.c, password: "${AUTH:default}"}
"""


def load(folder: Path, text: str, version: str = "0.20.7", **environment: str) -> configuration.Configuration:
    path = folder / "application.yml"
    path.write_text(text)
    return configuration.load(path, environment, release.parse(version))


@pytest.mark.parametrize(
    "text", ["boot=3 dead-worker,hang-after=2.5", "boot=3,fault=dead-worker , hang_after=2.5"]
)
def test_settings_are_a_list(text: str) -> None:
    """Spaces or commas part them, and a name may be spelt with either dash; `fault=` may be said."""
    told = settings.parse(text)

    assert told.boot == 3
    assert told.faults == {Fault.DEAD_WORKER: 0.0, Fault.HANG_AFTER: 2.5}


@pytest.mark.parametrize(
    "text", ["bot=3", "boot", "boot=-1", "boot=x", "dead-worker=1", "hang-after", "fault=", "=3"]
)
def test_a_setting_that_is_not_understood_is_refused(text: str) -> None:
    """One clear line instead of a guess."""
    with pytest.raises(settings.SettingsInvalid, match=r"^UNDERSTUDY: "):
        settings.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a${X}b${Y}", "a1b2"),
        ("${NONE:x:y}", "x:y"),
        ("${NONE:${X}}", "1"),
        ("${NONE:${NONE:}}", ""),
        ("${some.property}", "3"),
        ("$X ${", None),
        ("${NONE}", None),
    ],
)
def test_placeholders_are_resolved(text: str, expected: str | None) -> None:
    """From the lookup, else the default, nested; one without either is a failure."""
    values = {"X": "1", "Y": "2", "some.property": "3"}
    if expected is None:
        with pytest.raises(placeholder.PlaceholderUnresolved):
            placeholder.resolve(text, values.get)
        return

    assert placeholder.resolve(text, values.get) == expected


def test_the_configuration_is_read_as_micronaut_reads_it(tmp_path: Path) -> None:
    """Both spellings of a key bind, placeholders come from the environment."""
    read = load(tmp_path, MINIMAL, PW="p#$\\")

    assert read.datasource.password == "p#$\\"
    assert (read.datasource.host, read.datasource.port, read.datasource.name) == ("db", 5433, "kestra")
    assert read.basic_auth == configuration.BasicAuth("a@b.c", "default")
    assert read.termination_grace == timedelta(seconds=90)
    assert read.liveness.timeout == timedelta(seconds=45)


def test_basic_auth_needs_to_be_enabled(tmp_path: Path) -> None:
    """Without `enabled: true` the credentials are ignored; later versions ignore the key instead."""
    text = MINIMAL.replace("enabled: true, ", "")

    assert load(tmp_path, text, PW="x").basic_auth is None
    assert load(tmp_path, text, "0.24.0", PW="x").basic_auth is not None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("${PW}", "${NOT_THERE}", "Could not resolve placeholder"),
        ("${PW}", "", r"parameter \[password\]"),
        ("jdbc:postgresql://db:5433/kestra?x=y", "jdbc:h2:mem", "claims to not accept"),
        ("a@b.c", "admin", "valid email"),
        ("${AUTH:default}", "", "No password"),
        ("90s", "soon", "not a duration"),
        ("queue: {type: postgres}", "queue: {type: kafka}", "kestra.queue.type"),
        ("datasources:", "datasources: [", "parsing file"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    """The exception names what is wrong."""
    assert old in MINIMAL
    with pytest.raises(configuration.ConfigurationInvalid, match=told):
        load(tmp_path, MINIMAL.replace(old, new), PW="x")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("500ms", 0.5), ("30", 30), ("PT5M", 300), ("PT1H30M1.5S", 5401.5), ("P1DT1S", 86401)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    """As Micronaut and java.time write them."""
    assert moment.parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "PT0S"), (0.07, "PT0.07S"), (358.839, "PT5M58.839S"), (3600, "PT1H"), (7201.5, "PT2H1.5S")],
)
def test_durations_are_written(seconds: float, text: str) -> None:
    """As java.time writes them."""
    assert moment.to_iso_duration(timedelta(seconds=seconds)) == text


def test_an_unquoted_no_is_false() -> None:
    """YAML's own trap is Kestra's too."""
    source = "id: no\nnamespace: n\ntasks: [{id: a, type: io.kestra.plugin.core.log.Log}]\n"

    assert flow.parse(source)["id"] == "false"


def test_a_version_nobody_recorded_is_no_recorded_one() -> None:
    """It is imitated all the same, and says so at its start."""
    assert release.parse("0.20.7").recorded
    assert not release.parse("0.24.1").recorded
    with pytest.raises(release.ReleaseUnknown):
        release.parse("latest")
