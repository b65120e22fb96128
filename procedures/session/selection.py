"""Selection: exactly one procedure must have been typed, and nothing that could shrink, repeat or reorder it."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterable

import pytest

from procedures.listed import PROCEDURES
from procedures.target.target import SUITE

SETTINGS = SUITE / "pyproject.toml"
NEEDED = {
    "html": "pytest_html.plugin",
    "junitxml": "junitxml",
    "terminal": "terminal",
    "python": "python",
    "assertion": "assertion",
    "pytest_metadata": "pytest_metadata.plugin",
    "html fixtures": "pytest_html.fixtures",
    "reports": "reports.plugin",
}
"""Plugins without which a run would leave less evidence than it promises, by their common names."""

OURS = (
    "plan", "target", "waive", "reason", "ticket", "operator", "approved_by", "take_over", "record_anomalies",
)  # fmt: skip
"""Options of ours: each belongs to one run, so it must be typed for that run."""

HARMLESS = {"markexpr", "file_or_dir", "verbose", "color", "capture", "code_highlight", *OURS}
"""Options that cannot keep a planned check from being asked, nor ask it twice."""


def procedure_of(config: pytest.Config) -> str:
    """Return the procedure that was typed; empty if none was."""
    typed = [one for one in _expressions(config.invocation_params.args) if one]
    preset = [one for one in _expressions(_preset()) if one]
    expression = str(config.option.markexpr or "").strip()
    named = {name for name in PROCEDURES for one in (*preset, *typed, expression) if _contains(one, name)}
    if not named:
        _refuse_misspelt(config, expression)
        return ""
    if not typed:
        raise pytest.UsageError(
            f"a procedure is typed each time: take -m {expression} out of PYTEST_ADDOPTS or of the file that holds it"
        )
    if len(named) > 1 or len({*preset, *typed}) > 1:
        raise pytest.UsageError(
            f"one procedure a run: name exactly one of {', '.join(PROCEDURES)} after -m, once"
        )
    if expression not in PROCEDURES:
        raise pytest.UsageError(
            f"-m {expression!r} is more than a procedure's name: a procedure cannot be combined or narrowed; "
            f"type -m {next(iter(named))}"
        )
    return expression


def refuse_unsafe(config: pytest.Config) -> None:
    """Refuse every option that is not known to be harmless, whether from the line, PYTEST_ADDOPTS or a file."""
    _refuse_foreign_settings(config)
    for called, name in NEEDED.items():
        if not config.pluginmanager.hasplugin(name):
            raise pytest.UsageError(f"the plugin {called} was taken away; a run needs it: leave -p no:… out")
    changed = sorted(_changed(config) - HARMLESS)
    if changed:
        raise pytest.UsageError(
            f"not allowed with a procedure, because it could bypass the gate: {', '.join(changed)}; leave it out"
        )
    preset = _preset_of_ours(config)
    if preset:
        raise pytest.UsageError(
            f"--{preset[0].replace('_', '-')} is typed each time: take it out of PYTEST_ADDOPTS or of the file that holds it"
        )
    typed = [one for one in config.option.file_or_dir or () if one]
    if typed:
        raise pytest.UsageError(f"a procedure chooses its checks itself: leave {' '.join(typed)} out")


def _refuse_foreign_settings(config: pytest.Config) -> None:
    """Refuse settings from any other file: pytest prefers some files beside the project's own, and does not say so."""
    if config.inipath is None or config.inipath.resolve() != SETTINGS:
        raise pytest.UsageError(
            f"pytest has its settings from {config.inipath or 'no file at all'}, and with a procedure only {SETTINGS} "
            "counts: take that file away, or leave -c and --rootdir out"
        )


def _preset_of_ours(config: pytest.Config) -> list[str]:
    """Return our options that were not typed: an environment must waive nothing."""
    parser = config._parser  # noqa: SLF001 - as below
    unset, preset = parser.parse([]), parser.parse([*map(str, config.getini("addopts")), *_preset()])
    return [one for one in OURS if getattr(unset, one) != getattr(preset, one)]


def _refuse_misspelt(config: pytest.Config, expression: str) -> None:
    """Refuse a word that is no marker and looks like a procedure's name."""
    markers = {re.split(r"[:(]", line)[0].strip() for line in config.getini("markers")}
    for word in set(re.findall(r"\w+", expression)) - markers:
        if close := difflib.get_close_matches(word.lower(), PROCEDURES, 1):
            raise pytest.UsageError(
                f"-m {word}: there is no such procedure; did you mean -m {close[0]}? "
                f"There are: {', '.join(PROCEDURES)}"
            )


def _changed(config: pytest.Config) -> set[str]:
    """Return the options whose value differs from the project's own settings."""
    parser = config._parser  # noqa: SLF001 - the only place where pytest keeps its defaults
    own = parser.parse([str(one) for one in config.getini("addopts")])
    now = vars(config.option)
    return {name for name, value in now.items() if getattr(own, name, None) != value}


def _preset() -> list[str]:
    """Return the arguments that pytest takes from its environment, before those that were typed."""
    return shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))


def _expressions(arguments: Iterable[str]) -> list[str]:
    """Return the marker expressions as typed: pytest silently lets the last one win."""
    found, follows = [], False
    for one in arguments:
        if follows:
            found.append(str(one))
            follows = False
        elif one == "-m":
            follows = True
        elif str(one).startswith("-m") and len(one) > 2:
            found.append(str(one)[2:].removeprefix("="))
    return found


def _contains(expression: str, name: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", expression))
