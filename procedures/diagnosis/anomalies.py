"""Anomalies: what a run found, as rows for the operator's own list of symptoms; appended only on request, and once."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from procedures.diagnosis import symptom_table
from procedures.diagnosis.symptom_table import Table
from procedures.problems import Problem
from reports.record.evidence import Anomaly, Outcome, Verdict
from reports.record.record import Record

HEAD = "| Sintoma | Ação sugerida |"
LARGEST = 5_000_000
_NOTHING_SEEN = {Verdict.LOCKED, Verdict.CANNOT_OBSERVE}
_AMISS = {Outcome.FAILED, Outcome.UNKNOWN}


class Unfit(Problem):
    """The file cannot take a row; nothing was written."""


def propose(file: Path, anomalies: tuple[Anomaly, ...], *, append: bool) -> str:
    """Append rows to the file, or say how many are new; return the outcome. Raise `Unfit` if the file can take none."""
    return _appended(file, anomalies) if append else _counted(file, anomalies)


def proposed(record: Record) -> tuple[Anomaly, ...]:
    """Return a row for every required check that does not hold, and for every finding of a run that did something.

    Checks with the same reason are one symptom. A finding without a next move is no symptom.
    """
    if record.verdict in _NOTHING_SEEN:
        return ()
    claims: dict[tuple[str, str, str], list[str]] = {}
    for result in record.results:
        if result.outcome in _AMISS and not result.check.advisory:
            same_reason = claims.setdefault((result.outcome, result.reason, result.next_move), [])
            same_reason += [] if result.check.claim in same_reason else [result.check.claim]
    found = [
        (f"{first}{f' (and {len(more)} more)' if more else ''} {outcome}: {reason}", move)
        for (outcome, reason, move), (first, *more) in claims.items()
    ]
    if record.verdict is Verdict.REFUSED and not record.results:
        found += [(what, move) for what, _, move in (one.partition(" → ") for one in record.verdict_reasons)]
    if record.executed or record.verdict is Verdict.REFUSED:
        found += [(one.text, one.next_move) for one in record.findings if one.next_move]
    rows = {symptom: move or f"see the evidence of run {record.run}" for symptom, move in reversed(found)}
    return tuple(
        Anomaly(symptom, action, symptom_table.row(symptom, action))
        for symptom, action in reversed(rows.items())
    )


def _counted(file: Path, anomalies: tuple[Anomaly, ...]) -> str:
    """Say how many rows would be appended."""
    new = _new(_read(file)[1], anomalies)
    return f"{len(new)} not there yet: --record-anomalies appends them" if new else "already there"


def _appended(file: Path, anomalies: tuple[Anomaly, ...]) -> str:
    """Append the rows that are missing; say how many."""
    document, table = _read(file)
    new = _new(table, anomalies)
    if not new:
        return "already there, nothing was appended"
    rows = [(one.symptom, one.action) for one in new]
    try:
        _replace(file.resolve(), document, symptom_table.with_rows(document, table, rows))
    except OSError as error:
        raise Unfit(f"{file} cannot be written: {error.strerror or error}", _BY_HAND) from error
    return f"{len(new)} appended"


_BY_HAND = "correct that, or copy the rows from the report"


def _new(table: Table, anomalies: tuple[Anomaly, ...]) -> list[Anomaly]:
    return [one for one in anomalies if not table.has(one.symptom)]


def _read(file: Path) -> tuple[str, Table]:
    """Return the document and its table, or say why it can take no row."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unfit(f"{file} is no file", "correct `anomalies` in the target file")
        if status.st_size > LARGEST:
            raise Unfit(f"{file} is larger than {LARGEST} bytes", "correct `anomalies` in the target file")
        document = file.read_bytes().decode()
    except FileNotFoundError as error:
        move = f"write it, with a table `{HEAD}` under a heading Troubleshooting"
        raise Unfit(f"{file} is missing", f"{move}, or correct `anomalies` in the target file") from error
    except UnicodeDecodeError as error:
        raise Unfit(f"{file} is not UTF-8 (byte {error.start})", "save it as UTF-8") from error
    except OSError as error:
        raise Unfit(f"{file} cannot be read: {error.strerror or error}", _BY_HAND) from error
    table = symptom_table.find(document)
    if table is None:
        raise Unfit(
            f"{file} has no table of symptoms and actions in a section about troubleshooting",
            f"write `{HEAD}` and its rule under a heading Troubleshooting",
        )
    return document, table


def _replace(file: Path, before: str, after: str) -> None:
    """Replace a document in one act, and keep its mode, owner and attributes."""
    status = file.stat()
    # Root may write everywhere; a file without write permission is meant to stay as it is.
    if not status.st_mode & 0o222 or not os.access(file, os.W_OK):
        raise Unfit(f"{file} is not writable", _BY_HAND)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(after.encode())
            stream.flush()
            os.fchown(stream.fileno(), status.st_uid, status.st_gid)
            shutil.copystat(file, new)
            os.utime(new)
            os.fsync(stream.fileno())
        _need_unchanged(file, before)
        new.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def _need_unchanged(file: Path, before: str) -> None:
    if file.read_bytes() != before.encode():
        raise Unfit(f"{file} was edited meanwhile", "run again, or copy the rows from the report")
