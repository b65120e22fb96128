"""When the archive no longer takes anything: what is known of the run goes to the state folder, and the run says so."""

from __future__ import annotations

from pathlib import Path

from procedures.run.evidence import sealing
from procedures.run.evidence.record import record_of
from procedures.run.run import Run
from reports import archive
from reports.record.record import Record


def rescue(run: Run, why: str) -> tuple[Path | None, Record]:
    """Write record, report, journal and the last log beside the journals; return the folder and the record."""
    lost = why if run.owes_evidence else ""
    shelter = run.shelter
    noted = tuple(run.course.findings)
    run.finding(f"the archive did not take the evidence, so it lies in {shelter}: {why}")
    try:
        run.folder = archive.begin(shelter, sealing.stem_of(run))
        run.folder_key = archive.key_of(run.folder)
        sealing.save_last_logs(run)
        record = record_of(run, lost)
        archive.write_record(run.folder, record)
        return sealing.seal(run, record)
    except archive.ArchiveUnwritable as error:
        run.course.findings[:] = noted
        run.finding(
            f"the evidence could not be written anywhere: {why}; and {error}", "keep what is on the screen"
        )
        run.folder = None
        return None, record_of(run, lost)
