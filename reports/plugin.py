"""The package's face to pytest: our block above pytest-html's table, and nothing of the environment beside it."""

from __future__ import annotations

import html
from typing import Any

import pytest
from pytest_metadata.plugin import metadata_key

from reports.handover import HANDOVER
from reports.html import to_block


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # CI variables stand in pytest-metadata's table unescaped and unredacted; who and where is told by our block.
    config.stash.setdefault(metadata_key, {}).clear()


@pytest.hookimpl(optionalhook=True)
def pytest_html_report_title(report: Any) -> None:
    handover = report._config.stash.get(HANDOVER, None)  # noqa: SLF001 - the only way to the session from here
    if handover:
        name = handover.evidence.target.name if handover.evidence.target else "no target"
        report.title = f"{handover.evidence.verdict}: {handover.evidence.procedure} of {html.escape(name)}"


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_summary(prefix: list[str], session: pytest.Session) -> None:
    handover = session.config.stash.get(HANDOVER, None)
    if handover:
        prefix.append(handover.clean(to_block(handover.evidence)))
