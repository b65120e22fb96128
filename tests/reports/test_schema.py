"""The schema says what `evidence.json` looks like, and every kind of run keeps to it."""

# ruff: noqa: SIM300 - expected on the left

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reports.record.evidence import Verdict
from reports.record.observed import Unseen
from reports.record.record import Record, read, to_plain
from tests.reports import samples, schema


def plain(record: Record) -> Any:
    return json.loads(json.dumps(to_plain(record)))


@pytest.fixture(scope="module", name="validator")
def _validator() -> jsonschema.Draft202012Validator:
    read = json.loads(schema.FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(read)
    return jsonschema.Draft202012Validator(read)


def test_the_file_is_what_the_types_say() -> None:
    """A field that is added without the schema fails here: `python -m tests.reports.schema` writes it anew."""
    expected = schema.written()

    assert expected == schema.FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", samples.ALL)
def test_every_kind_of_run_keeps_to_the_schema(name: str, validator: jsonschema.Draft202012Validator) -> None:
    """Accepted, refused, killed and hostile runs alike are valid records."""
    errors = [error.message for error in validator.iter_errors(plain(samples.ALL[name]()))]

    assert [] == errors


@pytest.mark.parametrize("name", samples.ALL)
def test_a_record_is_read_back_as_it_was_written(name: str) -> None:
    """What the record says is what a later run reads: written again, it is the same text."""
    written = plain(samples.ALL[name]())

    assert written == to_plain(read(written))


def test_a_field_too_many_is_refused(validator: jsonschema.Draft202012Validator) -> None:
    """A field that nobody described is no part of the record."""
    record = plain(samples.accepted()) | {"mood": "fine"}

    assert not validator.is_valid(record)


def test_a_field_too_few_is_refused(validator: jsonschema.Draft202012Validator) -> None:
    """A record without its verdict is none."""
    record = plain(samples.accepted())
    del record["verdict"]

    assert not validator.is_valid(record)


def test_another_version_is_refused(validator: jsonschema.Draft202012Validator) -> None:
    """The schema is that of one version."""
    record = plain(dataclasses.replace(samples.accepted(), schema_version=99))

    assert not validator.is_valid(record)


OLD = Path(__file__).resolve().parent.parent / "data" / "records" / "version-1.json"


def test_a_record_of_version_1_is_still_read(validator: jsonschema.Draft202012Validator) -> None:
    """What a run left before version 2 says the same today, and written again it is a record of today."""
    record = read(json.loads(OLD.read_text(encoding="utf-8")))
    after = record.snapshot("after")

    assert (Verdict.SERVICE_DOWN, 3, 2) == (record.verdict, len(record.steps), record.schema_version)
    assert after is not None
    assert Unseen("connection refused", "`docker logs tools-kestra`") == after.server
    assert [] == [error.message for error in validator.iter_errors(plain(record))]


def test_a_record_of_a_later_version_says_so() -> None:
    """Nobody calls a record one of today that is not."""
    later = plain(dataclasses.replace(samples.accepted(), schema_version=99))

    assert 99 == read(later).schema_version


def test_what_could_not_be_seen_has_its_next_move_beside_it() -> None:
    """Neither has to be parted from the other again."""
    down = dataclasses.replace(samples.BEFORE, server=Unseen("no answer", "start it"))
    written = plain(samples.accepted((down,)))

    assert {"unseen": "no answer", "next_move": "start it"} == written["snapshots"][0]["server"]
    assert down.server == read(written).snapshots[0].server
