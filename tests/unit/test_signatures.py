"""The table of signatures: each finds the real message that it is for, alone, and none finds anything in what is well."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from procedures.diagnosis.signatures import Match, Signature, Source, Speaker, matches, since_last
from procedures.diagnosis.signatures.table import SIGNATURES
from procedures.kestra.words import BOOTED

RECORDINGS = Path(__file__).resolve().parent.parent / "data" / "recordings"
PLACES = {
    "root": "/srv/tools",
    "env": "/srv/tools/.env",
    "compose": "docker compose -f tools.yml",
    "container": "tools-kestra",
    "database": "tools-kestra-postgres",
    "database_service": "kestra-postgres",
    "db_user": "kestra",
    "db_name": "kestra",
    "psql": "docker exec tools-kestra-postgres psql -U kestra -d kestra",
    "image": "kestra/kestra:v1.0.0",
}

# What programs really said, whole, as it was recorded or is worded by their sources; a name for each cause.
COMPOSE_ERROR = "Error response from daemon: "
SAID: list[tuple[str, Speaker, str]] = [
    (
        "blank setting",
        Speaker.KESTRA,
        (
            "io.micronaut.context.exceptions.DependencyInjectionException: Failed to inject value for parameter [password] "
            "of class: io.micronaut.configuration.jdbc.hikari.DatasourceConfiguration"
        ),
    ),
    (
        "no such database",
        Speaker.KESTRA,
        'Caused by: org.postgresql.util.PSQLException: FATAL: database "kestra" does not exist',
    ),
    (
        "database silent",
        Speaker.KESTRA,
        (
            "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after "
            "30001ms (total=10, active=10, idle=0, waiting=2)"
        ),
    ),
    (
        "schema differs",
        Speaker.KESTRA,
        "Bean definition [javax.sql.DataSource] could not be loaded: Validate failed: Migrations have failed validation",
    ),
    (
        "migration lock",
        Speaker.KESTRA,
        (
            "org.flywaydb.core.api.FlywayException: Number of retries exceeded while attempting to acquire PostgreSQL "
            "advisory lock. Configure the number of retries with the 'lockRetryCount' configuration option"
        ),
    ),
    (
        "wrong password",
        Speaker.POSTGRES,
        (
            'psql: error: connection to server at "kestra-postgres" (172.18.0.2), port 5432 failed: '
            'FATAL:  password authentication failed for user "kestra"'
        ),
    ),
    (
        "port published",
        Speaker.DOCKER,
        COMPOSE_ERROR + "driver failed programming external connectivity on endpoint tools-kestra "
        "(0f3c): Bind for 0.0.0.0:8080 failed: port is already allocated",
    ),
    (
        "port taken",
        Speaker.DOCKER,
        COMPOSE_ERROR + "driver failed programming external connectivity on endpoint tools-kestra "
        "(0f3c): Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use",
    ),
    (
        "port taken",
        Speaker.DOCKER,
        COMPOSE_ERROR
        + "failed to set up container networking: driver failed programming external connectivity: "
        "failed to bind host port for 0.0.0.0:8080: listen tcp 0.0.0.0:8080: bind: address already in use",
    ),
    (
        "name taken",
        Speaker.DOCKER,
        COMPOSE_ERROR
        + 'Conflict. The container name "/tools-kestra" is already in use by container "b0c9a6". You '
        "have to remove (or rename) that container to be able to reuse that name.",
    ),
    ("network gone", Speaker.DOCKER, "network 3f2a91 not found"),
    (
        "image unknown",
        Speaker.DOCKER,
        COMPOSE_ERROR + "manifest for kestra/kestra:v9 not found: manifest unknown: manifest unknown",
    ),
    (
        "socket denied",
        Speaker.DOCKER,
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "
            '"http://%2Fvar%2Frun%2Fdocker.sock/v1.41/containers/json": dial unix /var/run/docker.sock: connect: '
            "permission denied"
        ),
    ),
    (
        "variable blank",
        Speaker.COMPOSE,
        (
            'time="2026-11-02T10:00:00Z" level=warning msg="The \\"KESTRA_DB_PASSWORD\\" variable is not set. Defaulting '
            'to a blank string."'
        ),
    ),
]


def found(speaker: Speaker, text: str) -> list[str]:
    """The causes that are found in what one speaker has said."""
    hits = matches([Source("the log", frozenset({speaker}), text)], SIGNATURES)
    return [one.signature.name for one in hits]


@pytest.mark.parametrize("one", SIGNATURES, ids=lambda one: f"{one.by}: {one.says[:60]}")
def test_a_signature_finds_what_it_says(one: Signature) -> None:
    """A signature finds its own message and is the only one of its speaker that does."""
    assert found(one.by, one.says) == [one.name]


@pytest.mark.parametrize(
    ("name", "speaker", "text"), SAID, ids=[f"{one[1]}: {one[0]} {at}" for at, one in enumerate(SAID)]
)
def test_a_whole_message_is_recognised(name: str, speaker: Speaker, text: str) -> None:
    """What a program really printed, with all that stands around it, leads to its cause and no other."""
    assert found(speaker, text) == [name]


@pytest.mark.parametrize(
    ("file", "causes"),
    [
        ("log-boot-wrong-password.txt", ["wrong password"]),
        ("log-boot-database-refused.txt", ["database refused"]),
        ("log-boot-database-down.txt", ["database unknown"]),
        ("log-boot-newer-schema.txt", ["schema newer"]),
        ("log-stop-interrupted.txt", ["drain cut"]),
        ("log-boot-first.txt", []),
        ("log-stop-idle.txt", []),
        ("log-stop-drained.txt", []),
    ],
)
def test_a_recorded_log_leads_to_its_cause(file: str, causes: list[str]) -> None:
    """A real Kestra's recorded logs: each failed boot has its one cause, and a boot or a stop that went well has none."""
    assert found(Speaker.KESTRA, (RECORDINGS / file).read_text(encoding="utf-8")) == causes


@pytest.mark.parametrize("one", SIGNATURES, ids=lambda one: f"{one.by}: {one.says[:60]}")
def test_every_move_can_be_typed(one: Signature) -> None:
    """Every place in a signature's move is filled from the target or from the message itself."""
    (match,) = matches([Source("the log", frozenset({one.by}), one.says)], (one,))

    assert re.findall(r"<[a-z_]+>", match.move(PLACES)) == []
    assert one.move.count("`") >= 2


def test_a_cause_is_told_once_with_its_newest_line() -> None:
    """Ten equal lines, and the same cause from another speaker, are one finding that counts them."""
    line = '2026-11-23T10:0{}:00.123456789Z {} password authentication failed for user "kestra"'
    kestra = "\n".join(line.format(at, "FATAL:") for at in range(3))
    postgres = line.format(5, "FATAL: ")
    told = matches(
        [
            Source("Kestra's log", frozenset({Speaker.KESTRA}), kestra),
            Source("Postgres' log", frozenset({Speaker.POSTGRES}), postgres),
        ],
        SIGNATURES,
    )

    assert [(one.signature.name, one.where, one.count) for one in told] == [
        ("wrong password", "Kestra's log", 3)
    ]
    assert "3 times, last at 2026-11-23T10:02:00" in told[0].sentence()


def test_a_line_is_told_without_its_colours() -> None:
    """Kestra colours its log, whoever reads it; neither finding nor telling a line is disturbed by that."""
    log = "\x1b[1;31mERROR\x1b[0;39m \x1b[35mmain\x1b[0;39m java.lang.\x1b[36mOutOfMemoryError\x1b[0;39m: Java heap space"
    (match,) = matches([Source("its log", frozenset({Speaker.KESTRA}), log)], SIGNATURES)

    assert match.line == "ERROR main java.lang.OutOfMemoryError: Java heap space"


def test_a_speaker_is_not_heard_in_anothers_words() -> None:
    """What Compose says is not looked for in Kestra's log: a flow may print anything."""
    said = 'Conflict. The container name "/tools-kestra" is already in use by container "b0c9"'

    assert found(Speaker.KESTRA, said) == []


@pytest.mark.parametrize(
    "said",
    [
        "INFO  standalone   io.kestra.cli.AbstractCommand Server Running: http://x:8080, Management server on port x",
        "INFO  standalone   io.kestra.cli.AbstractCommand Health endpoint is available at http://x:8081/health",
    ],
    ids=["up to 1.0", "1.3 and 2.0"],
)
def test_what_was_overcome_is_not_told(said: str) -> None:
    """A failed boot that a good one followed is history; what comes after the good one is not."""
    log = f"FATAL: the database system is starting up\n{said}\nwell\n"

    assert found(Speaker.KESTRA, since_last(log, BOOTED)) == []
    assert since_last("never booted\n", BOOTED) == "never booted\n"


def test_a_long_line_is_cut_around_what_was_found() -> None:
    """Of a very long line the part that holds the message is shown."""
    match: Match = matches(
        [Source("it", frozenset({Speaker.KESTRA}), "x" * 900 + "java.lang.OutOfMemoryError" + "y" * 900)],
        SIGNATURES,
    )[0]

    assert "java.lang.OutOfMemoryError" in match.line
    assert len(match.line) <= 200


@pytest.mark.parametrize(
    "piece", ["x", "1", "/", ".", "a ", "dial tcp ", "data directory ", "could not open file ", "x.sh"]
)
def test_a_line_without_an_end_is_read_in_time(piece: str) -> None:
    """Whatever a program writes on one line, such as a file in base64: looking through it takes no minutes."""
    everybody = Source("it", frozenset(Speaker), (piece * 200_000)[:200_000])
    began = time.process_time()

    matches([everybody], SIGNATURES)

    assert time.process_time() - began < 2


def test_what_is_cut_begins_with_a_whole_word() -> None:
    """A part of a long line begins where a word begins: half a word is no English."""
    line = " ".join(["programming"] * 40) + " java.lang.OutOfMemoryError"

    match: Match = matches([Source("it", frozenset({Speaker.KESTRA}), line)], SIGNATURES)[0]

    assert match.line.startswith("programming ")
    assert match.line.endswith("java.lang.OutOfMemoryError")
