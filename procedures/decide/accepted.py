"""The last accepted run of a target, read from the archive: what `accept` compares with and `rollback` goes back to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from procedures.decide.baseline import Baseline, schema_of
from procedures.decide.plan import Reason
from procedures.problems import CannotObserve
from reports import archive
from reports.record.evidence import Finding, Verdict
from reports.record.observed import Engine, Image, Server, Snapshot, Unseen
from reports.record.record import Record, RecordUnreadable
from reports.record.values import Fingerprint


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that was asked for and judged good, and the service as it left it."""

    run: str
    at: str
    folder: Path
    after: Snapshot[Fingerprint]

    @property
    def image(self) -> Image[Fingerprint] | None:
        """The image that the service ran on afterwards."""
        return self.after.running_image if isinstance(self.after.running_image, Image) else None


@dataclass(frozen=True, slots=True)
class Past:
    """Where the earlier runs of one service lie, and what tells them from those of others.

    Two engines may each have a project of the same name: their services are not the same one.
    """

    folder: Path
    project: str
    service: str
    engine: str

    def owns(self, head: Record) -> bool:
        """Whether a run was on this service; a record from before engines were noted is asked by what it saw."""
        target = head.target
        if target is None or (target.project, target.service) != (self.project, self.service):
            return False
        return target.engine in {"", self.engine}

    def saw(self, look: Snapshot[Fingerprint]) -> bool:
        """Whether a look was at this engine, as far as it says."""
        return not isinstance(look.engine, Engine) or look.engine.id in {"", self.engine}


def heads(past: Past) -> Iterator[tuple[Path, Record]]:
    """Yield the runs of a service with the heads of their records, the newest first; unreadable ones are passed over."""
    for one in _folders(past):
        try:
            head = archive.read_head(one)
        except RecordUnreadable:
            continue
        if past.owns(head):
            yield one, head


def runs(past: Past) -> Iterator[Accepted]:
    """Yield the accepted runs of a service, the newest first; a record that cannot be read is passed over.

    One that is not the record that was sealed is no baseline, whatever it says by now, and nor is an older one in its place.
    `--plan` leaves no record, and a run that found nothing to do leaves no look afterwards: neither is one.
    """
    for one, head in heads(past):
        if not (head.verdict is Verdict.ACCEPTED or archive.ACCEPTED_NAME.search(one.name)):
            continue
        _need_whole(one)
        if head.verdict is Verdict.ACCEPTED and (after := _after(one)) is not None and past.saw(after):
            yield Accepted(head.run, head.began_at, one, after)


def last(past: Past) -> Accepted | None:
    """Return the last accepted run, or none."""
    return next(runs(past), None)


@dataclass(frozen=True, slots=True)
class Compared:
    """The last accepted run, where a procedure compares with one; `unseen` says why none can be read."""

    run: Accepted | None = None
    unseen: str = ""


def compared(past: Past, *, begins_one: bool) -> tuple[Compared, tuple[Finding, ...]]:
    """Find the last accepted run, and what is to be said of it; `begins_one` where this run, accepted, is the first.

    An archive that cannot be read is no reason to say that there is none.
    """
    try:
        found = last(past)
        findings = [Finding(one.text, one.next_move) for one in damaged(past, found)]
    except CannotObserve as error:
        return Compared(unseen=error.sentence), (Finding(error.what, error.next_move),)
    if begins_one and found is None:
        findings.append(Finding(Reason.NO_BASELINE, "this run, if it is accepted, is the first"))
    return Compared(found), tuple(findings)


def damaged(past: Past, since: Accepted | None) -> Iterator[Finding]:
    """Tell the runs after one that were accepted, of whatever service, and whose records cannot be read any more."""
    for one in _folders(past):
        if since is not None and one == since.folder:
            return
        try:
            if archive.ACCEPTED_NAME.search(one.name):
                archive.read_head(one)
        except RecordUnreadable as error:
            what = (
                f"an accepted run in the archive cannot be read, so it was passed over as a baseline: {error}"
            )
            yield Finding(what, f"restore {one} from a copy, or remove it")


def rolled_back(past: Past) -> frozenset[str]:
    """Return the ids of the images that updates of a service went back from, whatever became of the way back."""
    found = set()
    for one in _folders(past):
        if "-update-" in one.name and not archive.is_open(one):
            _need_whole(one)  # it may say by now that it was another procedure, or on another service
    for one, head in heads(past):
        if head.procedure != "update" or head.verdict in {Verdict.ACCEPTED, Verdict.REFUSED}:
            continue
        after = _after(one, where="returned")
        if after is not None and isinstance(after.running_image, Image):
            found.add(after.running_image.id)
    return frozenset(found)


def _need_whole(folder: Path) -> None:
    """See that a run's record is still the one that was sealed."""
    if why := archive.damage(folder):
        raise CannotObserve(
            f"the record of an earlier run is not known to be as it was sealed: {folder}: {why}",
            f"restore {folder} from a copy, or take it out of the archive if nobody can say what was changed in it",
        )


def _folders(past: Past) -> tuple[Path, ...]:
    try:
        return archive.runs(past.folder)
    except OSError as error:
        raise CannotObserve(
            f"the archive {past.folder} cannot be read: {error.strerror or error}",
            "see whose folder that is, and its mode; or name another by the target file's `archive`",
        ) from error


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


def _after(folder: Path, where: str = "after") -> Snapshot[Fingerprint] | None:
    """Return how a run left the service after its start, where it also reached the state `where`."""
    try:
        record = archive.read_record(folder)
    except RecordUnreadable:
        return None
    return record.snapshot("after") if record.snapshot(where) is not None else None


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a rollback leads: the accepted run, and its image as it is on the engine now; none where it has gone."""

    run: Accepted | None
    image: Image | None
    unseen: CannotObserve | None = None
    """Why the archive does not say which one it is."""
