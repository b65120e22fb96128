"""A run that was interrupted and then saw the service answer again: its sentence, and the command that judges the service."""

from __future__ import annotations

from datetime import datetime, timedelta

from procedures.run.run import Run
from reports.page.banner import outage_in_words
from reports.record.evidence import Outage


def sentence(run: Run) -> str:
    """Say that the service answers again, since when, and how long it was away; empty if no answer was observed."""
    course = run.course
    if not (course.interrupted and run.changed and course.answers) or course.held_back:
        return ""
    outage = run.outage
    if outage is None:
        return "the service answers; how long it was away was not measured"
    length, seen = outage_in_words(outage)
    since = _since(outage)
    return (
        f"the service answers again since {since}, away {length}"
        if since
        else f"the service answers; {length}: {seen}"
    )


def judged_by(run: Run) -> str:
    """Return the command that judges the service without touching it."""
    return f"pytest -m accept --target={run.asked.target.file}"


def _since(outage: Outage) -> str:
    """Return when the measured address was good again; empty if it was never seen away and back."""
    path = outage.headline_path
    if path is None or path.length is None or path.first_good is None:
        return ""
    at = datetime.fromisoformat(outage.zero_at) + timedelta(seconds=path.first_good)
    return f"{at:%H:%M:%S} UTC"
