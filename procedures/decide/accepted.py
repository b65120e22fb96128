"""The last accepted run of a target, read from the archive: `accept` compares with it, `rollback` goes back to one."""

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
    """A run that was judged good, and the service as the run left it."""

    run: str
    at: str
    folder: Path
    after: Snapshot[Fingerprint]

    @property
    def image(self) -> Image[Fingerprint] | None:
        """The image on which the service ran afterwards."""
        return self.after.running_image if isinstance(self.after.running_image, Image) else None


@dataclass(frozen=True, slots=True)
class Past:
    """Where the earlier runs of a service lie, and what distinguishes them from the runs of other services.

    Two engines may each have a project of the same name; these are two services.
    """

    folder: Path
    project: str
    service: str
    engine: str

    def owns(self, head: Record) -> bool:
        """Whether a run was on this service. A record without an engine counts; its snapshot is asked by `saw`."""
        target = head.target
        if target is None or (target.project, target.service) != (self.project, self.service):
            return False
        return target.engine in {"", self.engine}

    def saw(self, look: Snapshot[Fingerprint]) -> bool:
        """Whether a snapshot is of this engine, as far as the snapshot says."""
        return not isinstance(look.engine, Engine) or look.engine.id in {"", self.engine}


def heads(past: Past) -> Iterator[tuple[Path, Record]]:
    """Yield each run of a service with the head of its record, the newest first; unreadable ones are passed over."""
    for folder in _folders(past):
        try:
            head = archive.read_head(folder)
        except RecordUnreadable:
            continue
        if past.owns(head):
            yield folder, head


def runs(past: Past) -> Iterator[Accepted]:
    """Yield the accepted runs of a service, the newest first; unreadable records are passed over.

    A record that was changed after it was sealed is no baseline, and no older run takes its place: this raises.
    `--plan` leaves no record, and a run without anything to do has no snapshot afterwards: neither is a baseline.
    """
    for folder, head in heads(past):
        if not (head.verdict is Verdict.ACCEPTED or archive.ACCEPTED_NAME.search(folder.name)):
            continue
        _need_whole(folder)
        if head.verdict is Verdict.ACCEPTED and (after := _after(folder)) is not None and past.saw(after):
            yield Accepted(head.run, head.began_at, folder, after)


def last(past: Past) -> Accepted | None:
    """Return the last accepted run; None if there is none."""
    return next(runs(past), None)


@dataclass(frozen=True, slots=True)
class Compared:
    """The last accepted run, if the procedure compares with it; `unseen` says why it cannot be read."""

    run: Accepted | None = None
    unseen: str = ""


def compared(past: Past, *, may_be_first: bool) -> tuple[Compared, tuple[Finding, ...]]:
    """Find the last accepted run, and the findings about it. `may_be_first`: this run becomes the first if it is accepted.

    An archive that cannot be read does not mean that there is no accepted run.
    """
    try:
        found = last(past)
        findings = [Finding(one.text, one.next_move) for one in damaged(past, found)]
    except CannotObserve as error:
        return Compared(unseen=error.sentence), (Finding(error.what, error.next_move),)
    if may_be_first and found is None:
        findings.append(Finding(Reason.NO_BASELINE, "this run, if it is accepted, is the first"))
    return Compared(found), tuple(findings)


def damaged(past: Past, since: Accepted | None) -> Iterator[Finding]:
    """Yield a finding for each later accepted run, of whatever service, whose record cannot be read."""
    for folder in _folders(past):
        if since is not None and folder == since.folder:
            return
        try:
            if archive.ACCEPTED_NAME.search(folder.name):
                archive.read_head(folder)
        except RecordUnreadable as error:
            what = (
                f"an accepted run in the archive cannot be read, so it was passed over as a baseline: {error}"
            )
            yield Finding(what, f"restore {folder} from a copy, or remove it")


def rolled_back(past: Past) -> frozenset[str]:
    """Return the ids of the images that updates of a service went back from, whether or not the way back succeeded."""
    found = set()
    for folder in _folders(past):
        if "-update-" in folder.name and not archive.is_open(folder):
            _need_whole(folder)  # it may say by now that it was another procedure, or on another service
    for folder, head in heads(past):
        if head.procedure != "update" or head.verdict in {Verdict.ACCEPTED, Verdict.REFUSED}:
            continue
        after = _after(folder, where="returned")
        if after is not None and isinstance(after.running_image, Image):
            found.add(after.running_image.id)
    return frozenset(found)


def _need_whole(folder: Path) -> None:
    """Raise `CannotObserve` unless a run's record is still as it was sealed."""
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
    """Return the baseline: what that run saw at its end."""
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
    """Return the service as a run left it after its start, if the run also reached the state `where`."""
    try:
        record = archive.read_record(folder)
    except RecordUnreadable:
        return None
    return record.snapshot("after") if record.snapshot(where) is not None else None


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a rollback leads: the accepted run, and its image as the engine has it now; None if the image is gone."""

    run: Accepted | None
    image: Image | None
    unseen: CannotObserve | None = None
    """Why the archive cannot name the run."""
