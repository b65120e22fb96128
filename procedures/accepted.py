"""The last accepted run of a target, read from the archive: what `accept` compares with and `rollback` goes back to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from procedures.baseline import Baseline
from reports import archive
from reports.evidence import Evidence, Verdict
from reports.observed import Image, Server, Snapshot, Unseen
from reports.record import RecordUnreadable


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that was asked for and judged good, and the service as it left it."""

    run: str
    at: str
    folder: Path
    after: Snapshot

    @property
    def image(self) -> Image | None:
        """The image that the service ran on afterwards."""
        return self.after.running_image if isinstance(self.after.running_image, Image) else None


def runs(folder: Path, project: str, service: str) -> Iterator[Accepted]:
    """Yield the accepted runs of a service, the newest first; a record that cannot be read is passed over.

    `--plan` leaves no record, and a run that found nothing to do leaves no look afterwards: neither is one.
    """
    for one in archive.runs(folder):
        try:
            head = archive.read_head(one)
            if not _is_ours(head, project, service) or head.verdict is not Verdict.ACCEPTED:
                continue
            after = archive.read_record(one).snapshot("after")
        except RecordUnreadable:
            continue
        if after is not None:
            yield Accepted(head.run, head.began_at, one, after)


def last(folder: Path, project: str, service: str) -> Accepted | None:
    """Return the last accepted run, or none."""
    return next(runs(folder, project, service), None)


def rolled_back(folder: Path, project: str, service: str) -> frozenset[str]:
    """Return the ids of the images that updates of a service went back from, whatever became of the way back."""
    found = set()
    for one in archive.runs(folder):
        try:
            head = archive.read_head(one)
            if not _is_ours(head, project, service) or head.procedure != "update":
                continue
            if head.verdict in {Verdict.ACCEPTED, Verdict.REFUSED}:
                continue
            record = archive.read_record(one)
            after = record.snapshot("after")
            went_back = record.snapshot("returned") is not None
            if went_back and after is not None and isinstance(after.running_image, Image):
                found.add(after.running_image.id)
        except RecordUnreadable:
            continue
    return frozenset(found)


def baseline_of(accepted: Accepted) -> Baseline:
    """Take the baseline from what that run saw at its end."""
    server, database, image = accepted.after.server, accepted.after.database, accepted.image
    gone = Unseen(f"run {accepted.run} did not see it")
    seen_server = server if isinstance(server, Server) else None
    migrations: tuple[str, ...] | Unseen = gone
    if database is not None and not isinstance(database, Unseen):
        found = database.migrations
        migrations = (
            found if isinstance(found, Unseen) else tuple(one.version for one in found if one.success)
        )
    return Baseline(
        f"run {accepted.run} of {accepted.at}",
        seen_server.version if seen_server else gone,
        seen_server.instance_id if seen_server else gone,
        seen_server.flows if seen_server else gone,
        seen_server.executions if seen_server else gone,
        migrations,
        image.id if image else gone,
    )


def _is_ours(head: Evidence, project: str, service: str) -> bool:
    return head.target is not None and (head.target.project, head.target.service) == (project, service)
