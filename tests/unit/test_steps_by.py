"""What a target file says of the operator's scripts, what a script printed, and what a validation command claims."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from procedures.drivers.colours import without_colours
from procedures.drivers.compose import Compose
from procedures.drivers.scripts import Scripts, plain
from procedures.observe import validations
from procedures.problems import TypedWrong
from procedures.target import target as targets
from procedures.target.steps_by import DRIVERS, JSON, TEXT, Claimed, Validation
from reports.record.observed import Secret
from reports.redaction import excerpt
from reports.redaction.redact import Redaction

WHOLE = """
name = "a"
service = "kestra"
database_service = "postgres"
compose_files = ["compose.yml"]
"""
STEP = """
[steps.start]
driver = "scripts"
command = ["run.sh", "--detach"]
"""
COMMAND_OF = (
    ("compose", "", "docker compose --ansi never --progress plain -f compose.yml stop -t 15 kestra"),
    ("scripts", 'command = ["tools/stop.sh", "--now"]', "tools/stop.sh --now"),
)
"""Drivers, what the table of a stop says for each, and the command that this makes."""
KNOWN = " and ".join(", ".join(DRIVERS).rsplit(", ", 1))
VALIDATE = """
[[validate]]
name = "health"
command = ["health.sh"]
"""


def read(folder: Path, text: str) -> targets.Target:
    file = folder / "target.toml"
    file.write_text(WHOLE + text, encoding="utf-8")
    return targets.read(file)


def test_a_script_is_read_with_its_defaults(tmp_path: Path) -> None:
    """A step names its script and whatever else differs; it runs in the root, may be rehearsed, and takes nothing over."""
    (step,) = read(tmp_path, STEP).steps

    assert (step.name, step.driver, step.command) == ("start", "scripts", ("run.sh", "--detach"))
    assert (step.cwd, step.limit, step.rehearse, step.takes_over, step.fallback) == (
        tmp_path,
        None,
        True,
        False,
        "",
    )


@pytest.mark.parametrize(("driver", "says", "command"), COMMAND_OF)
def test_a_driver_makes_the_command(driver: str, says: str, command: str, tmp_path: Path) -> None:
    """The step that the target file gives to a driver is carried out by its command."""
    target = read(tmp_path, f'[steps.stop]\ndriver = "{driver}"\n{says}\n')
    commands = Scripts(target, Compose(target, {}, "unix:///var/run/docker.sock"))

    assert command == " ".join(commands.stop(15.0, 30.0).argv)


def test_every_driver_has_its_command_here() -> None:
    assert [one[0] for one in COMMAND_OF] == list(DRIVERS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STEP.replace("start", "strat"), "key 'steps.strat' is unknown (did you mean steps.start?)"),
        (STEP.replace('"scripts"', '"script"'), f"drivers are {KNOWN} (did you mean scripts?)"),
        ('[steps.stop]\ndriver = "scripts"\n', "key 'steps.stop.command' is missing"),
        ('[steps.stop]\ndriver = "scripts"\ncommand = []\n', "key 'steps.stop.command' is empty"),
        ('[steps.stop]\ndriver = "scripts"\ncommand = "stop.sh"\n', "'steps.stop.command' must be a list of texts"),
        ('[steps.stop]\ncommand = ["stop.sh"]\n', "'steps.stop.command' goes with driver = \"scripts\""),
        (STEP.replace("start", "stop") + "takes_over = true\n", "goes with steps.start only"),
        (STEP + 'fallback = "docker"\n', "key 'steps.start.fallback' must be \"compose\""),
        (STEP + 'limit = "soon"\n', "key 'steps.start.limit' must be a duration"),
        (STEP + "rehearse = 1\n", "key 'steps.start.rehearse' must be true or false"),
        (STEP + 'environment = {A = "x\\u0000"}\n', "'steps.start.environment.A' contains a NUL character"),
        (STEP + "environment = {A = 1}\n", "'steps.start.environment.A' must be a variable's name with a text"),
        ("steps = 1\n", "key 'steps' must be a table"),
        ("validate = {}\n", "key 'validate' must be a list of tables"),
        (VALIDATE, "key 'validate.1.reads' is missing"),
        (VALIDATE + 'reads = "yaml"\nhealthy = {key = "a"}\n', "must be \"json\" or \"text\", not 'yaml'"),
        (VALIDATE + 'reads = []\nhealthy = {key = "a"}\n', 'must be "json" or "text", not []'),
        (VALIDATE + 'reads = "text"\nhealthy = {}\n', "key 'validate.1.healthy' is empty"),
        (VALIDATE + 'reads = "text"\nhealthy = {pattern = "UP"}\nchecked = {}\n', "key 'validate.1.checked' is empty"),
        (VALIDATE + 'reads = "json"\nhealthy = {key = "a"}\n', "key 'validate.1.healthy.value' must be a text"),
        (VALIDATE + 'reads = "text"\nhealthy = {pattern = "("}\n', "is no regular expression"),
        (
            VALIDATE + 'reads = "text"\nhealthy = {pattern = "UP"}\nchecked = {pattern = "[0-9]+"}\n',
            "must hold one group",
        ),
        (2 * (VALIDATE + 'reads = "text"\nhealthy = {pattern = "UP"}\n'), "two tables 'validate' have the name 'health'"),
        ("[needs]\nports = [0]\n", "key 'needs.ports' must be a list of port numbers"),
        ("[needs]\nfile = []\n", "key 'needs.file' is unknown (did you mean needs.files?)"),
    ],
)  # fmt: skip
def test_what_is_written_wrong_is_named(text: str, said: str, tmp_path: Path) -> None:
    """Whatever is wrong with these tables is told by its key."""
    with pytest.raises(TypedWrong) as wrong:
        read(tmp_path, text)

    assert said in wrong.value.what


def test_output_is_text() -> None:
    """Colours, titles and carriage returns go; a value whose name tells a secret is taken out, whoever knows it."""
    raw = "\x1b[32m✓\x1b[0m abc \x1b]0;title\x07interrompido\r\n10%\r100%\nDB_PASSWORD=x7-y8 -e UI_TOKEN='a b' port=8080\n"

    assert plain(raw) == (
        "✓ abc interrompido\n10%\n100%\nDB_PASSWORD=[redacted] -e UI_TOKEN=[redacted] port=8080\n"
    )


@pytest.mark.parametrize("value", ["Aa1'b;c,d\"e", "two words, and more", "colours\x1b[0m are within"])
def test_a_secret_that_is_known_goes_whole(value: str, request: pytest.FixtureRequest) -> None:
    """Where a value ends is a guess; of a secret that is known by its value no guess leaves the rest behind."""
    request.addfinalizer(lambda: excerpt.know(str))
    excerpt.know(Redaction([Secret(without_colours(value))]).clean)

    assert plain(f"-Dsome.password={value} end") == "-Dsome.password=[redacted] end"


@pytest.mark.parametrize(
    "name", ["9password", "--token", "a.b-secret", "_API_KEY", "x" * 20_000 + "_password"]
)
def test_a_name_is_known_whatever_stands_before_it(name: str) -> None:
    """A name begins where nothing of a name stands before it, be it a letter or not."""
    assert plain(f"see {name}: hunter2;") == f"see {name}: [redacted];"


def _validation(reads: str) -> Validation:
    healthy = Claimed("overall", "healthy", "overall=healthy")
    return Validation("health", ("health.sh",), reads, healthy, COUNTED)


COUNTED = Claimed("summary.checked", pattern=r"checked=(\d+)")


@pytest.mark.parametrize(
    ("reads", "output", "claim"),
    [
        (JSON, json.dumps({"overall": "HEALTHY", "summary": {"checked": 2}}), (True, 2)),
        (JSON, json.dumps({"overall": "degraded", "summary": {"checked": ["kestra"]}}), (False, 1)),
        (TEXT, "\x1b[1moverall=healthy\x1b[0m\nchecked=0\n", (True, 0)),
        (TEXT, "overall=unhealthy\nchecked=1\n", (False, 1)),
    ],
)
def test_a_claim_is_read(reads: str, output: str, claim: tuple[bool, int]) -> None:
    """A command's word is found where the target file says, and so is how much it looked at."""
    assert validations.read(_validation(reads), output) == claim


@pytest.mark.parametrize(
    ("reads", "output", "said"),
    [
        (JSON, "", "it printed nothing"),
        (JSON, '{"overall": "healthy\r"}', "is no JSON"),
        (JSON, '{"health": "healthy"}', "no key 'overall'"),
        (JSON, '{"overall": "healthy", "summary": []}', "no key 'summary.checked'"),
        (JSON, '{"overall": "healthy", "summary": {"checked": true}}', "is no number"),
        (TEXT, " \n", "it printed nothing"),
        (TEXT, "overall=healthy\n", "does not say how much it looked at"),
    ],
)
def test_what_cannot_be_read_is_said(reads: str, output: str, said: str) -> None:
    """Where the claim is not to be found, that is told: neither a yes nor a no is made of it."""
    with pytest.raises(validations.Unreadable, match=said):
        validations.read(_validation(reads), output)
