"""What pytest's JUnit view gets besides the items: checks that never ran, and the verdict as a case of its own."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from reports.record.evidence import Verdict
from reports.record.record import Record

NAME = "verdict"


def push(config: pytest.Config, report: pytest.TestReport) -> None:
    """Give every view of pytest one more report, with the phases that it expects."""
    for when, outcome, longrepr in (
        ("setup", *((report.outcome, report.longrepr) if report.when == "setup" else ("passed", None))),
        ("call", *((report.outcome, report.longrepr) if report.when == "call" else ("", None))),
        ("teardown", "passed", None),
    ):
        if outcome:
            config.hook.pytest_runtest_logreport(
                report=pytest.TestReport(report.nodeid, report.location, {}, outcome, longrepr, when)
            )


def verdict_report(record: Record) -> pytest.TestReport:
    """Return the case `verdict`: a JUnit file of an interrupted run would be green without it."""
    return pytest.TestReport(
        NAME,
        (NAME, 0, NAME),
        {},
        "passed" if record.verdict is Verdict.ACCEPTED else "failed",
        None if record.verdict is Verdict.ACCEPTED else _words(record),
        "call",
    )


def amend(file: Path, record: Record) -> None:
    """Write another verdict into a finished JUnit file: the search for secrets comes after it."""
    with contextlib.suppress(OSError, ET.ParseError):
        tree = ET.parse(file)  # noqa: S314 - written by this process
        for case in tree.iter("testcase"):
            if case.get("name") == NAME:
                for old in list(case):
                    case.remove(old)
                ET.SubElement(case, "failure", message=str(record.verdict)).text = _words(record)
        for suite in tree.iter("testsuite"):
            suite.set("failures", str(sum(1 for _ in suite.iter("failure"))))
        tree.write(file, encoding="utf-8", xml_declaration=True)


def _words(record: Record) -> str:
    return "\n".join((f"{record.verdict} (exit status {record.exit_status})", *record.verdict_reasons))
