"""The package as pytest sees it: options, selection, signals, order, and the fixtures by which checks reach a run."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator
from typing import Any

import pytest
from _pytest.capture import CaptureManager

from procedures.early import EARLY
from procedures.listed import PROCEDURES
from procedures.problems import TypedWrong
from procedures.run.facts import Moments
from procedures.session import selection
from procedures.session.screen import open_streams
from procedures.session.session import Session
from procedures.target.target import SUITE
from reports.printable import escaped
from reports.record.evidence import Way

CHECKS = SUITE / "checks"
SESSION = pytest.StashKey[Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("procedures", f"procedures of this suite (-m {', -m '.join(PROCEDURES)})")
    group.addoption("--plan", action="store_true", help="look, show what would be done, change nothing")
    group.addoption(
        "--target", metavar="FILE", help="the target file; default: target.toml, else the bundled stack's"
    )
    group.addoption(
        "--waive",
        metavar="CHECK",
        action="append",
        default=[],
        help="accept a failed or unknown service check",
    )
    group.addoption("--reason", metavar="TEXT", default="", help="why; goes into the evidence")
    group.addoption("--ticket", metavar="TEXT", default="", help="ticket; goes into the evidence")
    group.addoption(
        "--operator", metavar="TEXT", default="", help="who is responsible; goes into the evidence"
    )
    group.addoption(
        "--approved-by", metavar="TEXT", default="", help="who approved; goes into the evidence as given"
    )
    group.addoption(
        "--take-over",
        action="store_true",
        help="recover: take over the lock of a run that cannot be seen from here and is gone",
    )
    group.addoption(
        "--record-anomalies",
        action="store_true",
        help="append what was found to the list of anomalies that the target names, once",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for name, one in PROCEDURES.items():
        config.addinivalue_line("markers", f"{name}: {one.what}")
    capture = config.pluginmanager.getplugin("capturemanager")
    open_streams(capture if isinstance(capture, CaptureManager) else None)
    try:
        _begin(config)
    except pytest.UsageError as error:
        # What was typed is shown as one line: it must not look like a message of pytest's or ours.
        raise pytest.UsageError(escaped(str(error))) from error
    except TypedWrong as error:
        raise pytest.UsageError(escaped(error.sentence)) from error


def _begin(config: pytest.Config) -> None:
    """Begin the procedure that was typed, if any."""
    procedure = "" if config.option.help or config.option.version else selection.procedure_of(config)
    if not procedure:
        EARLY.let_go()
        if not config.option.help:
            _refuse_orphans(config)
        return
    selection.refuse_unsafe(config)
    session = Session.begin(config, PROCEDURES[procedure], CHECKS, os.environ)
    config.stash[SESSION] = session
    config.pluginmanager.register(Hooks(session), "procedures-session")
    config.args[:] = [str(CHECKS)]


def _refuse_orphans(config: pytest.Config) -> None:
    """Refuse options of ours without a procedure."""
    given = [name for name in selection.OURS if getattr(config.option, name)]
    if given:
        raise pytest.UsageError(
            f"--{given[0].replace('_', '-')} goes with a procedure: add -m {' or -m '.join(PROCEDURES)}"
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SESSION in config.stash:
        return
    for item in items:
        if item.path.is_relative_to(CHECKS):
            raise pytest.UsageError(
                f"{item.nodeid} is a check of a procedure, and only a procedure can ask it: pytest -m restart"
            )


class Hooks:
    """The hooks of a session with a procedure; each hands over to the session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_unconfigure(self) -> Generator[None]:
        # pytest's final warnings about unclosed resources use filters that were set before this plugin was asked.
        warnings.simplefilter("ignore")
        # After pytest's own: its copy of the error stream must be closed first, or we would wait for the stream's end.
        try:
            yield
        finally:
            self._session.end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._session.observe()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if self._session.asks_both_ways(metafunc.definition.path):
            metafunc.fixturenames.append("way")
            metafunc.parametrize("way", list(Way), ids=[one.value for one in Way], indirect=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            item.add_marker(getattr(pytest.mark, self._session.procedure.name))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        try:
            session.items[:] = self._session.ordered(session)
        except TypedWrong as error:
            raise pytest.UsageError(error.sentence) from error

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, Any, Any]:
        self._session.begin_asking()
        return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        # The innermost wrapper: it sees what bars a check before another plugin can swallow it.
        try:
            self._session.before_item(item)
            return (yield)
        except BaseException as error:
            self._session.barred(item, error)
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._session.after_call(item, call, report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        return report.outcome, "", ""

    def pytest_internalerror(self, excrepr: object) -> None:
        self._session.crashed(excrepr)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        self._session.land(session)
        try:
            return (yield)
        except Exception as error:  # noqa: BLE001 - a view that fails must not take the record with it
            self._session.view_failed(error)
            return None
        finally:
            self._session.seal(session)


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Way:
    """Whether a check judges what the procedure did, or its way back."""
    found: Way = request.param
    return found


@pytest.fixture
def at(request: pytest.FixtureRequest) -> Moments:
    """The moments of the run; every fact is answered from them."""
    return request.config.stash[SESSION].moments_of(request.node)
