"""A record is another thing than evidence: it is made in one place, and no secret comes through there."""

# ruff: noqa: SIM300 - expected on the left

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports import archive
from reports.record.evidence import Evidence, Finding, Verdict, Who
from reports.record.observed import Container, Snapshot
from reports.record.record import Record, fingerprint, from_plain, read, recorded, to_plain
from reports.record.values import Fingerprint, Secret
from tests.reports import samples

OLD, NEW = Secret("hunter2-old"), Secret("hunter2-new")


def container(password: Secret) -> Container:
    return samples.container(
        environment={"PASSWORD": password, "hunter2-old": "plain"}, command=("hunter2-old",)
    )


def evidence() -> Evidence:
    """Evidence with a secret in a value, in a key, in texts and in a tuple of texts."""
    looks = tuple(
        replace(samples.BEFORE, name=name, containers=(container(one),), running_settings=None)
        for name, one in (("before", OLD), ("ready", OLD), ("after", NEW))
    )
    return Evidence(
        run="1a2b", began_at="", ended_at="", took=1.5, verdict=Verdict.ACCEPTED, verdict_reasons=("hunter2-old",),
        executed=True, procedure="restart", who=Who("", "", ""), target=None, plan=None, snapshots=looks,
        findings=(Finding("it said hunter2-old", "change hunter2-old"),),
    )  # fmt: skip


def kept() -> Record:
    return recorded(evidence(), fingerprint(b"key"), lambda text: text.replace(OLD.value, "[redacted]"))


def passwords(record: Record) -> list[Any]:
    return [one.container.environment["PASSWORD"] for one in record.snapshots if one.container]


def test_no_secret_comes_into_a_record() -> None:
    """Values become fingerprints, and texts, wherever they stand, are cleaned; what is no text stays as it was."""
    record = kept()
    text = json.dumps(to_plain(record))

    assert "hunter2" not in text
    assert "hunter2" not in repr(record)
    assert ("it said [redacted]", "change [redacted]") == (
        record.findings[0].text,
        record.findings[0].next_move,
    )
    assert (Verdict.ACCEPTED, 1.5, True) == (record.verdict, record.took, record.executed)


def test_fingerprints_are_equal_where_the_secrets_are() -> None:
    """Whether a password was changed can be judged again; what it was cannot be told."""
    before, ready, after = passwords(kept())

    assert isinstance(before, Fingerprint)
    assert before == ready
    assert before != after


def test_what_is_read_back_is_a_record_too() -> None:
    """A later run has fingerprints, and none of them is a secret."""
    again = read(json.loads(json.dumps(to_plain(kept()))))

    assert kept() == again
    assert [Fingerprint] * 3 == [type(one) for one in passwords(again)]


def test_evidence_is_not_written(tmp_path: Path) -> None:
    """mypy refuses it where a record is wanted: else it would call the words below unused. Its secrets are refused too."""
    with pytest.raises(TypeError, match="a secret belongs in no record"):
        archive.write_record(tmp_path, evidence())  # type: ignore[arg-type]

    assert [] == list(tmp_path.iterdir())


def test_nothing_with_secrets_is_read_from_a_record() -> None:
    """A fingerprint is never handed on as if it were the password."""
    with pytest.raises(TypeError, match="no Snapshot with secrets"):
        from_plain(Snapshot, to_plain(kept().snapshots[0]))
