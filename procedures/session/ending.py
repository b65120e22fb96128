"""The end of a run: judged, handed to pytest's reports, sealed and shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from procedures.run import explaining, target_held
from procedures.run.evidence import anomaly_rows, sealing, unfinished
from procedures.run.evidence.record import findings_of, record_of
from procedures.run.evidence.rescuing import rescue
from procedures.run.run import Run
from procedures.session import outcome
from procedures.session.console import Console
from procedures.steps.journal import seal_for
from reports import archive, junit
from reports.handover import HANDOVER, Handover
from reports.record.evidence import Verdict
from reports.record.record import Record


class Ending:
    """Makes the record and sees that it is kept; `lost` says why it is not kept, or not complete."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self.config = config
        self.run = run
        self.lost = ""
        self._record: Record | None = None

    def judge(self, session: pytest.Session, trouble: str) -> None:
        """Make the record, and give the reports the checks that pytest never reached; `trouble` is the screen's."""
        reason = self.run.stopped_short or "the run ended before it was reached"
        blocked = () if self.run.asked.plan_only else self.run.ledger.block_rest(reason)
        sealing.save_last_logs(self.run)
        if trouble:
            self.run.finding(trouble, "nothing waited for it; the report contains everything")
        self._record = record_of(self.run, self.lost if self.run.owes_evidence else "")
        if self._record.verdict not in {Verdict.ACCEPTED, Verdict.LOCKED}:
            explaining.afterwards(self.run)
            self._record = record_of(self.run, self.lost if self.run.owes_evidence else "")
        self._record = anomaly_rows.noted(self.run, self._record)
        session.exitstatus = self._record.exit_status
        self.config.stash[HANDOVER] = Handover(self._record, self.run.redaction.clean)
        for result in blocked:
            junit.push(self.config, outcome.report_of(result))
        junit.push(self.config, junit.verdict_report(self._record))

    def view_failed(self, error: Exception) -> None:
        """Note that pytest's own report or JUnit file could not be written; our own report takes its place."""
        self.lost = (
            self.lost or f"a view of the evidence could not be written: {type(error).__name__}: {error}"
        )

    def seal(self, session: pytest.Session, console: Console) -> None:
        """After the reports were written: complete the folder, give everything back, show how it ended."""
        if self._record is None:
            # An error of our own while landing: there is nothing to seal, but the target must still be given back.
            target_held.give_back(self.run, Verdict.INTERRUPTED)
            for finding in self.run.course.findings:
                console.say(f"noted: {finding.text}", red=True)
            return
        record, folder = self._record, self.run.folder
        try:
            folder, record = self._whole(record)
            self._seal_earlier(record)
            if self.run.journal is not None:
                unfinished.complete(self.run)
        except Exception as error:  # noqa: BLE001 - whatever fails here, the target is given back and the end is shown
            self.view_failed(error)
            self.run.finding(f"the evidence is not whole: {self.lost}")
            record = record_of(self.run, self.lost if self.run.owes_evidence else "")
        finally:
            target_held.give_back(self.run, record.verdict)
        session.exitstatus = record.exit_status
        # What was found after the record was written is at least shown.
        record = dataclasses.replace(record, findings=findings_of(self.run))
        report = str(folder / archive.REPORT) if folder else ""
        self._show_status(console)
        console.closing(record, report, ending=self._words(record))
        self._record = None

    def _show_status(self, console: Console) -> None:
        look = self.run.course.snapshots.get("after")
        if self.run.asked.procedure.closing_lines is None or look is None:
            return
        console.say()
        for line in self.run.asked.procedure.closing_lines(look, self.run.earlier.past):
            console.say(f"  {line}")

    def _words(self, record: Record) -> str:
        """Return the words by which a run without a record ends: it is no accepted run."""
        good = record.verdict is Verdict.ACCEPTED
        if self.run.asked.plan_only:
            word = "BE LET THROUGH" if self.run.acts else "BE ACCEPTED"
            return f"WOULD {word}" if good else f"WOULD NOT {word} ({record.verdict})"
        if self.run.asked.leaves_nothing:
            return "HEALTHY" if good else f"NOT HEALTHY ({record.verdict})"
        return ""

    def _whole(self, record: Record) -> tuple[Path | None, Record]:
        """Complete and seal the run's folder; return the folder and the final record."""
        if self.run.asked.leaves_nothing:
            return None, record
        if not_kept := sealing.keep(self.run, record):
            return rescue(self.run, self.lost or not_kept)
        if self.lost:
            self.run.finding(f"the evidence is not whole: {self.lost}")
            record = record_of(self.run, self.lost if self.run.owes_evidence else "")
        try:
            return sealing.seal(self.run, record)
        except archive.ArchiveUnwritable as error:
            return rescue(self.run, str(error))

    def _seal_earlier(self, record: Record) -> None:
        """Seal what interrupted runs left, once this run has looked at the service."""
        for story in self.run.taken_over:
            if story.changed and not self.run.has_recovered(record.verdict):
                continue
            sealing.seal_killed(self.run, story)
            if story.changed:  # an unchanged one was sealed before this run went on
                seal_for(story, f"INTERRUPTED, recovered as {record.verdict} by run {record.run}")

    def drop_folder(self) -> None:
        """Remove the folder and what pytest's reports wrote into it: nothing was run."""
        if self.run.folder is None or not self.run.folder.is_dir():
            return
        for name in (archive.REPORT, archive.MADE_BY, "junit.xml"):
            (self.run.folder / name).unlink(missing_ok=True)
        if not any(self.run.folder.iterdir()):
            self.run.folder.rmdir()
