"""Recovery after a change that was cut off in its outage: what was kept and what runs now decide which way leads out.

What a change started was never accepted, so recovery does not start it again; it starts what ran before. A service
that runs and answers, old or new, is judged as it stands: recovery is for a service that is down.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from procedures.decide.expected import Expected, version_of
from procedures.drivers import private
from procedures.drivers.shell import Command
from procedures.kestra import downgrade
from procedures.kestra.health import is_ready
from procedures.kestra.version import numbers
from procedures.observe.moments.observers import Observers
from procedures.observe.waiting import Waiting
from procedures.problems import CannotObserve
from procedures.steps import ready, waits
from procedures.steps.journal import Story
from procedures.way_back import kept, names, way_back
from procedures.way_back.changes import changes
from reports.record.evidence import Finding
from reports.record.observed import Container, Database, Image, Rendering, Server, Snapshot, Unseen
from reports.record.values import moment

CADENCE = 0.5
_NOT_LOOKED_AT = Unseen("the image that the target's files name was not looked at")


class Lead(StrEnum):
    """The way out of the state in which a run was cut off."""

    FILES = "as the target's files say"
    KEPT = "as it was before the change"
    STANDS = "as it stands"


@dataclass(frozen=True, slots=True)
class Kept:
    """What an interrupted run kept of what ran before its change."""

    story: Story
    file: Path
    unread: str = ""
    """Why its content is unknown; empty if it was read."""
    by_files: Image | Unseen = _NOT_LOOKED_AT
    """What a start from the target's own files would run."""

    @property
    def image(self) -> str:
        return str(self._fact.get("image", ""))

    @property
    def chosen(self) -> str:
        """The image that a rollback had chosen; empty if the run was no rollback."""
        return str(self.story.facts.get(kept.CHOOSE, {}).get("image", ""))

    @property
    def schema(self) -> tuple[str, ...] | Unseen:
        """The database's schema history before the change."""
        found = self._fact.get("schema")
        gone = f"run {self.story.run} did not note the schema before its change"
        return tuple(str(one) for one in found) if isinstance(found, list) else Unseen(gone)

    @property
    def changed(self) -> str:
        """Why the file is not as it was written; empty if it is, or if nothing was noted about that."""
        noted = self._fact.get("sha256")
        try:
            found = private.digest(self.file)
        except OSError as error:
            return error.strerror or str(error)
        return (
            "" if noted in {None, found} else "it is not what was written there: its checksum is another one"
        )

    def files_closed(self, database: Database) -> str | Unseen:
        """Return why a start from the target's own files is no way out either; empty if it may be one."""
        if isinstance(self.by_files, Unseen):
            return self.by_files
        if isinstance(database.schema, Unseen):
            return database.schema
        if self.schema != database.schema:
            if self.by_files.id == self.image:
                return "they name the very image that ran before"
            if not numbers(self.by_files.version):
                return f"the version of {self.by_files.reference} is unknown"
        return downgrade.too_old(self.by_files.version, database)

    def way_out(self, database: Database) -> str:
        """Return the next move if what was kept must not be started."""
        closed = self.files_closed(database)
        if not closed:
            return "start the service as the target's files say (the command is below), then `pytest -m recover` judges it"
        return (
            "the target's files lead nowhere as they are: "
            f"{closed.sentence if isinstance(closed, Unseen) else closed}; let them name the version that last ran on this "
            "database, or a later one, then run `pytest -m recover` again: it shows the start command"
        )

    @property
    def _fact(self) -> dict[str, object]:
        return self.story.facts.get(way_back.KEPT, {})


@dataclass(frozen=True, slots=True)
class Recovery:
    """The way that recovery takes. `as_kept`: what runs is what was kept. `chosen`: the image that runs instead."""

    lead: Lead = Lead.FILES
    kept: Kept | None = None
    as_kept: bool = False
    chosen: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def starts_kept(self) -> bool:
        """Whether what was kept is started, and not what the target's files say."""
        return self.lead is Lead.KEPT

    @property
    def stands(self) -> bool:
        """Whether nothing is started, because the service answers."""
        return self.lead is Lead.STANDS

    def expected(self, before: Snapshot, usual: Expected) -> Expected:
        """Return what should run at its end; `usual` is the expectation without an interrupted run."""
        if self.starts_kept:
            return dataclasses.replace(usual, version=version_of(before.image))
        return dataclasses.replace(usual, image_id=self.chosen) if self.chosen else usual


def look(
    observers: Observers,
    stories: tuple[Story, ...],
    containers: tuple[Container, ...],
    settled: Callable[[Container], bool],
) -> Recovery:
    """Find what was cut off; lead the observers to what was kept if that runs, or will run."""
    cut = _cut_off(stories)
    if cut is None:
        return Recovery()
    cut = dataclasses.replace(cut, by_files=observers.start.image_by_files())
    stands = len(containers) == 1 and settled(containers[0])
    was = _read(cut, observers)
    if isinstance(was, Unseen):
        cut = dataclasses.replace(cut, unread=was.sentence)
        if stands:
            return _with_finding(Recovery(Lead.STANDS, cut, chosen=cut.chosen))
        # No gate opens for this start: a file that nobody can read is started by hand, or not at all.
        observers.start.choose(_start(cut.file, observers))
        return Recovery(Lead.KEPT, cut)
    if stands:
        container = containers[0]
        if container.image_id == cut.image and not changes(
            container, was, observers.engine.image(container.image_id)
        ):
            observers.start.use_kept(_start(cut.file, observers), was)
            return _with_finding(Recovery(Lead.STANDS, cut, as_kept=True))
        return _with_finding(Recovery(Lead.STANDS, cut, chosen=cut.chosen))
    observers.start.use_kept(_start(cut.file, observers), was)
    return _with_finding(Recovery(Lead.KEPT, cut))


def _start(file: Path, observers: Observers) -> Callable[[float], Command]:
    return lambda limit: kept.start(file, observers.compose.environment, limit)


def _read(cut: Kept, observers: Observers) -> Rendering | Unseen:
    """Read what a start of what was kept would run, or say why that is unknown."""
    if changed := cut.changed:
        return Unseen(changed)
    try:
        return kept.rendering(kept.read(cut.file), observers.target, observers.start.by_files)
    except CannotObserve as error:
        return Unseen(error.what)


def answers(observers: Observers, container: Container, waiting: Waiting, boot: float) -> bool:
    """Whether the container answers; if it is still booting, its boot is waited for."""
    if not container.running or container.paused or container.restarting:
        return False

    def ask() -> tuple[bool, str]:
        found = observers.engine.named(container.id)
        if found is None or not found.running or found.restarting or _loops(found, since=container):
            return True, "it has ended"
        server = observers.server_at(found)
        ready = isinstance(server, Server) and is_ready(server)
        # A gateway may not know it yet: then Docker's health counts, and the checks judge the rest.
        through = observers.target.budgets.gateway is not None and found.health == "healthy"
        return ready or through, f"the server is {'ready' if ready else 'not ready'}"

    left = boot - (ready.engine_time(observers) - moment(container.started_at).timestamp())
    wait = waiting.until("what runs to answer", ask, max(left, CADENCE), CADENCE)
    return wait.ended and not wait.attempts[-1].saw.endswith("ended")


def _loops(container: Container, since: Container) -> bool:
    """Whether a container keeps ending: it ended while we looked, and often enough before."""
    return container.restart_count > since.restart_count and container.restart_count >= waits.LOOPS


def give_back(observers: Observers, stories: tuple[Story, ...]) -> tuple[str, ...]:
    """Give back the names that pulls of interrupted runs moved; return what was done."""
    moved = [one.facts[names.NAME] for one in stories if names.NAME in one.facts]
    return tuple(sentence for one in reversed(moved) if (sentence := names.give_back(observers, one)))


def _cut_off(stories: tuple[Story, ...]) -> Kept | None:
    """Return what the oldest run kept that was cut off after its first change, whether or not the file still exists."""
    for story in stories:
        noted = story.facts.get(way_back.KEPT, {}).get("file")
        file = next(kept_of(story), Path(str(noted)) if noted else None)
        if story.changed and file is not None:
            return Kept(story, file)
    return None


def kept_of(story: Story) -> Iterator[Path]:
    """Yield what a run kept beside its journal, in whatever form."""
    yield from _beside(story, kept.ANY)


def forget(story: Story) -> None:
    """Remove what a run wrote beside its journal: what it kept, and what a rollback would have started from."""
    for one in (*kept_of(story), *_beside(story, kept.CHOSEN)):
        one.unlink(missing_ok=True)


def _beside(story: Story, word: str) -> list[Path]:
    """Return the files of one kind of a run; an adopted journal is a link to where they are."""
    return sorted(story.file.resolve().parent.glob(f"{story.file.stem}{word}*"))


def _with_finding(recovery: Recovery) -> Recovery:
    """Add the finding that says which way is taken, and what the other way would be."""
    assert recovery.kept is not None
    story, file = recovery.kept.story, recovery.kept.file
    what = str(story.about.get("procedure", "change"))
    head = f"run {story.run} of {story.began_at} was cut off in its {what}, before anybody had judged what it started"
    files = "the target's own files still name what was never accepted"
    correct = "correct them before anybody starts the service from them"
    ways = {
        Lead.KEPT: Finding(f"{head}: what ran before is started again, by {file}; {files}", correct),
        Lead.STANDS: Finding(
            f"{head}: what it has started runs and answers, so it is judged as it stands; nothing is restarted or taken back",
            f"to have back what ran before: `{kept.typed(file)}`, then `pytest -m recover`",
        ),
    }
    finding = ways[recovery.lead]
    if recovery.kept.unread:
        finding = Finding(
            f"{head}: what it has started runs and answers, so it is judged as it stands; what ran before cannot be "
            f"read: {file}: {recovery.kept.unread}"
        )
    if recovery.as_kept:
        finding = Finding(
            f"{head}: what ran before runs and answers, so it is judged as it stands; {files}", correct
        )
    return dataclasses.replace(recovery, findings=(finding,))
