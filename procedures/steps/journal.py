"""The journal: what this run began and ended, on disk before it happens, outside the clone.

One file for each run, one JSON object for each line, each written with `fsync`; it survives SIGKILL and a lost clone.
A journal without a `sealed` line is open: somebody must recover.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procedures.problems import Problem
from procedures.steps.process import Process
from reports.record.evidence import Step, StepStatus
from reports.record.values import now

VERSION = 1


class JournalUnreadable(Problem):
    """A journal exists, but this version cannot read it."""


def home(environment: Mapping[str, str]) -> Path:
    """Return this user's folder for what must outlive a clone and its archive."""
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/")) / ".local" / "state")
    return Path(state) / "kestra-restart"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the journals of one target on one engine are kept."""

    folder: Path

    @staticmethod
    def of(engine: str, project: str, service: str, environment: Mapping[str, str]) -> Place:
        """Name the folder by engine, project and service: every clone of this user finds the same folder."""
        key = hashlib.sha256(f"{engine}\n{project}\n{service}".encode()).hexdigest()[:16]
        return Place(home(environment) / f"{project}-{service}-{key}")

    def open_journals(self) -> tuple[Story, ...]:
        """Return the unsealed journals, oldest first."""
        if not self.folder.is_dir():
            return ()
        stories = sorted(
            (read_journal(file) for file in self.folder.glob("*.jsonl")), key=lambda one: one.began_at
        )
        return tuple(one for one in stories if not one.sealed)

    def adopt(self, story: Story) -> None:
        """Link another folder's journal here, so that a run that takes over its lock does not lose it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / story.file.name).symlink_to(story.file)


@dataclass(frozen=True, slots=True)
class Story:
    """What a journal says: who ran, which steps were begun and how each ended."""

    file: Path
    run: str
    began_at: str
    about: dict[str, Any]
    begun: tuple[str, ...]
    ended: dict[str, str]
    changing_begun: tuple[str, ...]
    way_back: str
    sealed: str
    facts: dict[str, dict[str, Any]]
    """What the run noted for a later run that has to go on without it, by name; the latest values."""

    @property
    def changed(self) -> bool:
        """Whether a changing step was begun."""
        return bool(self.changing_begun)

    @property
    def writer(self) -> Process | None:
        """The process that wrote it; None if it is not noted."""
        said = self.about.get("process")
        try:
            return Process(**said) if isinstance(said, dict) else None
        except TypeError:
            return None

    @property
    def unfinished(self) -> tuple[str, ...]:
        return tuple(one for one in self.begun if one not in self.ended)


class Journal:
    """Appends to this run's journal."""

    def __init__(self, place: Place, run: str) -> None:
        place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file = place.folder / f"{run}.jsonl"
        self._descriptor = os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        self._sync_folder()
        self.sealed = False
        self.changed = False

    def open(self, run: str, about: Mapping[str, object]) -> None:
        """Begin the journal; `about` is what a reader in another process needs in order to recover."""
        self._append("run", run=run, version=VERSION, about=dict(about))

    def begin(self, step: Step) -> None:
        """Note that a step is about to be taken, with its way back.

        If anything but a failed write happens between the line and the step, the step counts as begun: this run believes
        what the journal says.
        """
        before, self.changed = self.changed, self.changed or step.changing
        try:
            self._append(
                "begin",
                step=step.name,
                changing=step.changing,
                command=list(step.command),
                way_back=step.way_back,
            )
        except OSError:
            self.changed = before
            raise

    def end(self, step: Step, status: StepStatus, reason: str) -> None:
        self._append("end", step=step.name, status=status.value, reason=reason)

    def note(self, text: str) -> None:
        self._append("note", text=text)

    def remember(self, name: str, values: Mapping[str, object]) -> None:
        """Note something that a later run needs if this one is cut off."""
        self._append("fact", name=name, values=dict(values))

    def seal(self, verdict: str) -> None:
        """Close the journal: nothing is owed any more."""
        if not self.sealed:
            self._append("sealed", verdict=verdict)
            self.sealed = True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, kind: str, **values: object) -> None:
        """Add a whole line or nothing: half a line on a full disk would make the rest unreadable."""
        line = {"at": now(), "kind": kind, **values}
        raw = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        length = os.fstat(self._descriptor).st_size
        if os.write(self._descriptor, raw) < len(raw):
            os.ftruncate(self._descriptor, length)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.file))
        os.fsync(self._descriptor)

    def _sync_folder(self) -> None:
        folder = os.open(self.file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def seal_for(story: Story, verdict: str) -> None:
    """Seal the journal of a run that can no longer do so."""
    line = {"at": now(), "kind": "sealed", "verdict": verdict, "by": "a later run"}
    with story.file.open("r+b") as file:
        # A last line that a crash cut off would swallow the seal.
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write((json.dumps(line) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def read_journal(file: Path) -> Story:
    """Read a journal. A last line that a crash cut off is left out; anything else unreadable is a problem."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
        entries = [json.loads(one) for one in lines[:-1] if one]
    except (OSError, ValueError) as error:
        raise JournalUnreadable(
            f"the journal {file} cannot be read: {error}",
            "look at the service and at that file by hand, then move the file away",
        ) from error
    head = next((one for one in entries if one.get("kind") == "run"), None)
    if head and head.get("version") != VERSION:
        raise JournalUnreadable(
            f"the journal {file} is of version {head.get('version')}, this suite reads {VERSION}",
            "recover with the suite that wrote it, or look by hand and move the file away",
        )
    begun = [one for one in entries if one.get("kind") == "begin"]
    changing = [one for one in begun if one.get("changing")]
    return Story(
        file=file,
        run=str(head["run"]) if head else file.stem,
        began_at=str(head["at"]) if head else "",
        about=dict(head["about"]) if head else {},
        begun=tuple(one["step"] for one in begun),
        ended={one["step"]: one["status"] for one in entries if one.get("kind") == "end"},
        changing_begun=tuple(one["step"] for one in changing),
        way_back=str(changing[-1]["way_back"]) if changing else "",
        sealed=next((str(one["verdict"]) for one in entries if one.get("kind") == "sealed"), ""),
        facts={str(one["name"]): dict(one["values"]) for one in entries if one.get("kind") == "fact"},
    )
