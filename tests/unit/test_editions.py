"""Editions: which version is of which, and that whoever asks follows a row that is added."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import cast

import pytest

from procedures.kestra import basic_auth, downgrade, editions, health, heartbeats, tables, words
from procedures.kestra.api import Paths
from procedures.kestra.editions import EDITIONS, Edition, edition_of, edition_of_image
from procedures.kestra.version import numbers
from procedures.observe import kestra
from procedures.observe.moments.planned_start import PlannedStart
from procedures.observe.moments.viewpoint import Viewpoint
from procedures.observe.outage import probe
from procedures.observe.outage.watched import kestra_paths
from reports.record.observed import Answer, Database, Image, Migration, Secret, Settings, Unseen
from stack.understudy import release
from tests.checks.world import recorded

WORLD = recorded()
AFTER = WORLD.after
assert isinstance(AFTER.database, Database)
assert not isinstance(AFTER.containers, Unseen)
WELL, OURS = AFTER.database, AFTER.containers[0]
EDITION_OF = (
    ("", "0.20"),
    ("develop", "0.20"),
    ("0.19.5", "0.20"),
    ("0.20.7", "0.20"),
    ("0.20.7-understudy-oss", "0.20"),
    ("0.23.18", "0.20"),
    ("v0.24.0", "0.24"),
    ("1", "0.24"),
    ("1.0.3", "0.24"),
    ("1.1.0", "1.1"),
    ("1.3-SNAPSHOT", "1.1"),
    ("1.3.25", "1.1"),
    ("2.0.0-SNAPSHOT", "2.0"),
    ("2.1.4", "2.1"),
)
"""Versions, and the edition that each is of."""


@pytest.mark.parametrize(("version", "since"), EDITION_OF)
def test_a_version_is_of_the_edition_that_began_last(version: str, since: str) -> None:
    """What names no version, and what is older than all, is judged as the oldest."""
    assert edition_of(version).since == since


def test_every_edition_is_asked_for() -> None:
    """They stand in their order, and each is that of a version above."""
    assert [one.since for one in EDITIONS] == sorted({since for _, since in EDITION_OF}, key=numbers)


def test_what_is_newer_than_all_is_of_the_newest() -> None:
    assert edition_of("99.0") is EDITIONS[-1]


def test_an_image_that_was_not_seen_names_no_version() -> None:
    assert isinstance(AFTER.running_image, Image)
    assert edition_of_image(replace(AFTER.running_image, version="2.0.0")).since == "2.0"
    assert edition_of_image(Unseen("gone")) is edition_of_image(None) is EDITIONS[0]


def test_every_history_can_be_asked_and_read() -> None:
    """A table that an edition knows has its question and its form; none is asked that no edition knows."""
    known = {table for one in EDITIONS for table in one.histories}

    assert known == set(tables.HISTORIES)
    assert known <= set(tables.FORMS)
    assert set(tables.FORMS) == set(tables.everything(()))


def test_the_understudy_shows_each_edition() -> None:
    """What it does in a version's place is what the table says of that version."""
    for one in EDITIONS:
        stand_in = release.parse(f"{one.since}.0")
        assert stand_in.can_switch_auth_off is one.auth_can_be_off
        assert stand_in.has_own_history is (tables.OWN_HISTORY in one.histories)
        assert not one.gone_parts & set(stand_in.parts)


@pytest.mark.parametrize(
    ("status", "body"), [(200, b'{"status":"UP"}'), (200, b'{"status":"DOWN"}'), (503, b'{"status":"UP"}'), (200, b"")]
)  # fmt: skip
def test_the_probe_calls_well_what_everybody_does(status: int, body: bytes) -> None:
    """The probe is a process that imports nothing of ours: what it takes for UP is held against what the checks do."""
    word = probe.health_word(body)
    _, good = probe.judged("health", probe.Reply(status, body))

    assert good is health.says_up(Answer("", status, "", 0.0, word))


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> Edition:
    """A row at the end of the table: other paths, a history of its own, a part less, a short drain."""
    one = replace(
        EDITIONS[-1],
        since="99.0",
        paths=Paths(health="/well", flows="/api/v9/flows/search"),
        histories=(*EDITIONS[-1].histories, "another_history"),
        gone_parts=frozenset({"INDEXER", "SCHEDULER"}),
        rules_password=False,
    )
    monkeypatch.setattr(editions, "EDITIONS", (*EDITIONS, one))
    return one


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """A server that notes which paths it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()


def test_observers_ask_where_an_added_edition_answers(invented: Edition) -> None:
    """The look at the server and the outage probe have their paths from the row, and no other."""
    paths = edition_of("99.0.1").paths
    assert paths == invented.paths
    with server() as (url, asked):
        kestra.look(url, url, Unseen("nobody has read its settings"), 5.0, paths=paths)
    watched = {one.url for one in kestra_paths("http://h:1", "http://h:2", "", "", paths)}

    assert "/well" in asked
    assert {one for one in asked if "/flows/" in one} == {"/api/v9/flows/search?size=1", "/api/v9/flows/search?size=1000"}  # fmt: skip
    assert watched == {"http://h:2/well", "http://h:1/ping", "http://h:1/api/v9/flows/search?size=1"}


def test_decisions_follow_an_added_edition(invented: Edition) -> None:
    """Its history keeps older images away, its parts are missed or not, its password rule holds."""
    assert not isinstance(WELL.migrations, Unseen)
    assert not isinstance(WELL.instances, Unseen)
    moved = replace(
        WELL, migrations=(*WELL.migrations, replace(WELL.migrations[0], history="another_history"))
    )
    parts = heartbeats.parts_of(AFTER)
    assert not isinstance(parts, Unseen)
    new = tuple(
        replace(one, version="99.0.0") for one in WELL.instances if one.type not in invented.gone_parts
    )
    weak = Settings("", 0, "", "", None, True, "a@b.c", Secret("weak"), None, ())

    assert "does not know the table another_history, in which Kestra 99.0" in str(
        downgrade.too_old("2.1.0", moved)
    )
    assert downgrade.too_old("99.0.0", moved) == ""
    assert heartbeats.silent_parts(parts, replace(WELL, instances=new), OURS) == ()
    assert basic_auth.problem(weak, "99.0.0") == ""
    assert "eight characters" in basic_auth.problem(weak, "2.1.0")


def test_a_look_asks_the_edition_of_what_is_looked_at() -> None:
    """That of the present container's image where the files name another one, else that of the files."""
    viewpoint = Viewpoint(WORLD.target, cast("PlannedStart", None), "localhost")
    viewpoint.configured_edition, viewpoint.present_edition = EDITIONS[-1], EDITIONS[0]
    assert viewpoint.edition is EDITIONS[-1]
    viewpoint.look_at_kept(AFTER)
    assert viewpoint.edition is EDITIONS[0]


def test_a_boot_is_told_by_the_words_of_any_edition() -> None:
    """Whose log it is may not be known."""
    assert set(words.BOOTED) == {one.booted for one in EDITIONS}
    assert Migration(1, "1", "", None, success=True).history in tables.HISTORIES
