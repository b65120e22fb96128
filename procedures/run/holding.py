"""Holding a target: the lock on the engine, the journal on disk, and what to do about an earlier holder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from procedures.observe.moments.observers import Observers
from procedures.problems import Held
from procedures.run.procedure import Asked
from procedures.steps import settled
from procedures.steps.journal import Journal, JournalUnreadable, Place, Story, read_journal, seal_for
from procedures.steps.lock import Holder, Lock
from procedures.way_back.cut_off import forget, give_back, kept_of
from reports.record.evidence import Finding, Verdict, Who


def led_to(holder: Holder | None, place: Place, *, given_up: bool = False) -> Story | None:
    """Return the open journal of a holder that is gone, if it is in another state folder: only the lock names it.

    `given_up`: the operator has given up a holder that cannot be observed from here.
    """
    if holder is None or not holder.journal or not is_over(holder, given_up=given_up):
        return None
    file = Path(holder.journal)
    if file.parent == place.folder or (place.folder / file.name).is_symlink():
        return None
    try:
        story = read_journal(file)
    except JournalUnreadable as error:
        if holder.is_elsewhere:
            return None  # the journal may be on another host
        raise Held(
            f"the lock of a run that is gone points to a journal that cannot be read here: {error.what}",
            f"run `pytest -m recover` as {holder.user}, who ran it",
        ) from error
    return None if story.sealed else story


def is_over(holder: Holder, *, given_up: bool) -> bool:
    """Whether a holder's lock may be removed: the holder is provably gone, or was given up and cannot be seen from here."""
    return holder.is_gone or (holder.is_elsewhere and given_up)


class Holding:
    """Takes the target for one run, or says who holds it."""

    def __init__(
        self,
        observers: Observers,
        asked: Asked,
        run: str,
        who: Who,
        environment: Mapping[str, str],
    ) -> None:
        self._observers = observers
        self._asked = asked
        self._run = run
        self._who = who
        engine = observers.engine
        self.lock = Lock(engine, observers.project, asked.target.service)
        self._place = Place.of(engine.engine().id, observers.project, asked.target.service, environment)
        self._journal: Journal | None = None
        self.findings: list[Finding] = []
        self.recovered_from = ""
        self.taken_over: tuple[Story, ...] = ()
        self.by_hand: list[str] = []
        self.kept: Path | None = None
        """What the run that is in the way kept of what ran before its change."""

    @property
    def journal(self) -> Journal:
        if self._journal is None:
            raise Held("the journal is not open")
        return self._journal

    def take(self) -> None:
        """Take the lock, judge what earlier runs left, open the journal."""
        me = Holder.me(
            self._run,
            self._asked.procedure.name,
            self._asked.given.get("reason", ""),
            self._place.folder / f"{self._run}.jsonl",
            self._who.user,
        )
        image = self._image()
        holder = self.lock.take(me, image)
        if holder is not None:
            self._take_over(holder)
            holder = self.lock.take(me, image)
            if holder is not None:
                self._refuse(holder)
        try:
            self._take_over_journals()
        except (Held, JournalUnreadable) as error:
            self.lock.let_go()
            raise Held(error.what, error.next_move) from error
        self._journal = Journal(self._place, self._run)
        self._journal.open(
            self._run,
            {
                "procedure": self._asked.procedure.name,
                "target": str(self._asked.target.file),
                "project": self._observers.project,
                "service": self._asked.target.service,
                "archive": str(self._asked.target.archive),
                "user": self._who.user,
                "host": self._who.host,
                "process": dataclasses.asdict(me.process),
            },
        )

    def let_go(self, verdict: str, *, owed: bool) -> None:
        """Seal the journal unless something is owed, and give the lock back in any case."""
        try:
            if self._journal is not None and not owed:
                self._journal.seal(verdict)
        finally:
            if self._journal is not None:
                self._journal.close()
            self.lock.let_go()

    def _take_over(self, holder: Holder) -> None:
        """Remove the lock of a holder that is gone; if a journal refuses this run, leave the lock where it is."""
        given_up = self._asked.take_over
        if not is_over(holder, given_up=given_up):
            self._refuse(holder)
        story = led_to(holder, self._place, given_up=given_up)
        try:
            self._judge((*self._place.open_journals(), *((story,) if story else ())))
        except JournalUnreadable as error:
            raise Held(error.what, error.next_move) from error
        if story is not None:
            self._place.adopt(story)
        self.findings.append(Finding(f"the lock of a run that is gone was taken over: {holder.description}"))
        if holder.is_elsewhere and not Path(holder.journal).exists():
            self.findings.append(
                Finding(
                    f"the journal of run {holder.run} cannot be read from here, so what it had begun is unknown: "
                    f"{holder.journal}",
                    "read it there",
                )
            )
        self.lock.take_over(holder.run)

    def _refuse(self, holder: Holder) -> NoReturn:
        """Say who holds the target, and whether the holder can be observed from here."""
        if hidden := holder.process.hidden:
            raise Held(
                f"the target is held by {holder.description}; {hidden}",
                "ask there; if that run is gone for good: `pytest -m recover --take-over --reason TEXT`",
            )
        raise Held(f"the target is held by {holder.description}", "wait until that run has ended")

    def _take_over_journals(self) -> None:
        """Judge the journals that earlier runs left open, and take them over; only then remove their helper containers."""
        stories = self._place.open_journals()
        over = self._judge(stories)
        for story in stories:
            self._observers.engine.remove_lookouts(story.run)
        for story in stories:
            if story.run in over:
                self._seal(story, over[story.run])
                continue
            if story.changed:
                self.recovered_from = story.run
                continue
            undone = self._undo(story)
            seal_for(story, Verdict.INTERRUPTED)
            self.findings.append(
                Finding(
                    f"run {story.run} of {story.began_at} was cut off before it changed anything; it was sealed"
                )
            )
            self.findings += [Finding(one) for one in undone]
        self.taken_over = tuple(one for one in stories if one.run not in over)

    def _seal(self, story: Story, verdict: str) -> None:
        """Seal the journal of a run that owes nothing: it was cut off between its evidence and its own seal."""
        if verdict == Verdict.ACCEPTED:
            forget(story)
        seal_for(story, verdict)
        self.findings.append(
            Finding(
                f"run {story.run} of {story.began_at} was cut off before it sealed its journal: {verdict}"
            )
        )

    def _judge(self, stories: tuple[Story, ...]) -> dict[str, str]:
        """Refuse to act beside a living run, and, except in recovery, on a service that an earlier run left changed.

        Return the runs that owe nothing, according to the archive.
        """
        for story in stories:
            if (writer := story.writer) is not None and writer.is_alive:
                raise Held(
                    f"run {story.run} of {story.began_at} is alive (process {writer.pid}) although its lock has gone; "
                    f"its journal: {story.file}",
                    "wait until that run has ended",
                )
        over = settled.among(stories)
        for story in stories:
            if story.changed and story.run not in over and not self._asked.procedure.recovers:
                self._refuse_for(story)
        return over

    def _refuse_for(self, story: Story) -> NoReturn:
        self.by_hand = [f"pytest -m recover --target={self._asked.target.file}"]
        self.kept = next(kept_of(story), None)
        raise Held(
            f"an earlier run changed the service and was not seen to bring it back: run {story.run} "
            f"of {story.began_at} had begun {', '.join(story.begun)}, unfinished: "
            f"{', '.join(story.unfinished) or 'nothing'}; the engine shows now: {self._shows_now()}; "
            f"journal: {story.file}",
            "run `pytest -m recover`",
        )

    def _undo(self, story: Story) -> tuple[str, ...]:
        """Undo what a run prepared before it was cut off without a change; return what was done."""
        # What it kept for a way back that was never needed holds secrets.
        forget(story)
        return give_back(self._observers, (story,))

    def _shows_now(self) -> str:
        containers = self._observers.containers()
        shown = [f"{one.name} is {one.stands}" for one in containers]
        return "; ".join(shown) or "no container of the service"

    def _image(self) -> str:
        """Return an image that is on this engine: a container needs one."""
        containers = self._observers.containers()
        return containers[0].image_id if containers else self._observers.operator_rendering.image
