"""The last accepted run of a target, read from the archive: what `accept` compares with and `rollback` goes back to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from procedures.baseline import Baseline, schema_of
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


def heads(folder: Path, project: str, service: str) -> Iterator[tuple[Path, Evidence]]:
    """Yield the runs of a service with the heads of their records, the newest first; unreadable ones are passed over."""
    for one in archive.runs(folder):
        try:
            head = archive.read_head(one)
        except RecordUnreadable:
            continue
        if head.target is not None and (head.target.project, head.target.service) == (project, service):
            yield one, head


def runs(folder: Path, project: str, service: str) -> Iterator[Accepted]:
    """Yield the accepted runs of a service, the newest first; a record that cannot be read is passed over.

    `--plan` leaves no record, and a run that found nothing to do leaves no look afterwards: neither is one.
    """
    for one, head in heads(folder, project, service):
        if head.verdict is Verdict.ACCEPTED and (after := _after(one)) is not None:
            yield Accepted(head.run, head.began_at, one, after)


def last(folder: Path, project: str, service: str) -> Accepted | None:
    """Return the last accepted run, or none."""
    return next(runs(folder, project, service), None)


def rolled_back(folder: Path, project: str, service: str) -> frozenset[str]:
    """Return the ids of the images that updates of a service went back from, whatever became of the way back."""
    found = set()
    for one, head in heads(folder, project, service):
        if head.procedure != "update" or head.verdict in {Verdict.ACCEPTED, Verdict.REFUSED}:
            continue
        after = _after(one, where="returned")
        if after is not None and isinstance(after.running_image, Image):
            found.add(after.running_image.id)
    return frozenset(found)


def baseline_of(accepted: Accepted) -> Baseline:
    """Take the baseline from what that run saw at its end."""
    server, database, image = accepted.after.server, accepted.after.database, accepted.image
    gone = Unseen(f"run {accepted.run} did not see it")
    seen_server = server if isinstance(server, Server) else None
    return Baseline(
        f"run {accepted.run} of {accepted.at}",
        seen_server.version if seen_server else gone,
        seen_server.instance_id if seen_server else gone,
        seen_server.flows if seen_server else gone,
        seen_server.executions if seen_server else gone,
        gone if database is None or isinstance(database, Unseen) else schema_of(database),
        image.id if image else gone,
    )


def _after(folder: Path, where: str = "after") -> Snapshot | None:
    """Return how a run left the service after its start, where it also reached the state `where`."""
    try:
        record = archive.read_record(folder)
    except RecordUnreadable:
        return None
    return record.snapshot("after") if record.snapshot(where) is not None else None
