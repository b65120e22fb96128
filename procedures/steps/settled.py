"""Open journals that owe nothing: the archive holds their runs with a verdict, but the runs were cut off before sealing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from procedures.steps.journal import Story
from reports import archive
from reports.record.evidence import Verdict
from reports.record.record import Record, RecordUnreadable

_OWES_NOTHING = {
    Verdict.ACCEPTED, Verdict.REFUSED, Verdict.NOT_ACCEPTED, Verdict.ROLLED_BACK, Verdict.NO_EVIDENCE,
}  # fmt: skip
"""The verdicts of a run that had finished with the service, and saw it answer if it touched it."""


def among(stories: Iterable[Story]) -> dict[str, str]:
    """Return the runs that owe nothing, each with the word by which its journal is sealed."""
    found: dict[str, str] = {}
    for story in stories:
        record = _sealed(story)
        if record is None:
            continue
        found[story.run] = str(record.verdict)
        if record.verdict is Verdict.ACCEPTED and record.recovered_from:
            found[record.recovered_from] = f"INTERRUPTED, recovered as {record.verdict} by run {record.run}"
    return found


def _sealed(story: Story) -> Record | None:
    """Return the head of a run's sealed record; None if there is none, or if the run may still owe something."""
    places = (Path(str(story.about.get("archive", ""))), story.file.resolve().parent.parent / "runs")
    for folder in filter(None, (archive.folder_of(one, story.run) for one in places)):
        if archive.is_open(folder) or archive.damage(folder):
            continue
        try:
            head = archive.read_head(folder)
        except RecordUnreadable:
            continue
        if head.run == story.run and head.verdict in _OWES_NOTHING:
            return head
    return None
