"""The package's hooks for pytest: our block above pytest-html's table, and no table of the environment."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_metadata.plugin import metadata_key

from reports.handover import HANDOVER
from reports.page.html import head_title, to_block

_PAGE = pytest.StashKey[Any]()
"""pytest-html's own page."""


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # CI variables stand in pytest-metadata's table unescaped and unredacted; our block says who ran it and where.
    config.stash.setdefault(metadata_key, {}).clear()


@pytest.hookimpl(optionalhook=True)
def pytest_html_report_title(report: Any) -> None:
    # Called when the session begins, before there is a verdict: the page is kept, and gets its title at the end.
    report._config.stash[_PAGE] = report  # noqa: SLF001 - the only way to the session from here


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_summary(prefix: list[str], session: pytest.Session) -> None:
    handover = session.config.stash.get(HANDOVER, None)
    if handover:
        session.config.stash[_PAGE].title = handover.clean(head_title(handover.record))
        prefix.append(handover.clean(to_block(handover.record)))
