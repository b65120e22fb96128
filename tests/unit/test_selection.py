"""Which procedure was typed: the words of a command line, without running anything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from procedures.listed import PROCEDURES
from procedures.session import selection


def _config(*typed: str, expression: str | None = None) -> pytest.Config:
    """What pytest knows of a command line; by itself the last expression is the one that counts."""
    expressions = selection._expressions(typed)
    markers = ["slow: takes long", *(f"{name}: {one.what}" for name, one in PROCEDURES.items())]
    config = SimpleNamespace(
        invocation_params=SimpleNamespace(args=typed),
        option=SimpleNamespace(markexpr=expression if expression is not None else (expressions or [""])[-1]),
        getini=lambda _name: markers,
    )
    return cast("pytest.Config", config)


@pytest.fixture(autouse=True)
def _no_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


@pytest.mark.parametrize(
    ("arguments", "expressions"),
    [
        (("-m", "restart"), ["restart"]),
        (("-mrestart",), ["restart"]),
        (("-m=restart",), ["restart"]),
        (("-m", "a", "x", "-m", "b"), ["a", "b"]),
        (("-m", ""), [""]),
        (("--target=x", "-v"), []),
        (("-m",), []),
    ],
)
def test_expressions_are_read_as_typed(arguments: tuple[str, ...], expressions: list[str]) -> None:
    """Every spelling of the option is seen, and every one that was typed."""
    assert expressions == selection._expressions(arguments)


@pytest.mark.parametrize("name", PROCEDURES)
@pytest.mark.parametrize("form", ["-m {}", "-m{}", "-v -m {} -s", "-m {} -m {}"])
def test_a_procedure_is_its_name(name: str, form: str) -> None:
    """A procedure is named by its name alone; saying it twice says no more."""
    assert name == selection.procedure_of(_config(*form.replace("{}", name).split()))


@pytest.mark.parametrize(
    "arguments", [(), ("-k", "restart"), ("-m", "slow"), ("-m", "not slow"), ("-m", "restarting or slow")]
)
def test_no_procedure_is_none(arguments: tuple[str, ...]) -> None:
    """Other expressions, and a procedure's name elsewhere, name none."""
    if "restarting or slow" in arguments:
        with pytest.raises(pytest.UsageError, match="did you mean -m restart"):
            selection.procedure_of(_config(*arguments))
        return

    assert selection.procedure_of(_config(*arguments)) == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-m", "restart", "-m", "recover"), "one procedure a run"),
        (("-m", "restart or recover"), "one procedure a run"),
        (("-m", "restart", "-m", "slow"), "one procedure a run"),
        (("-m", "slow", "-m", "restart"), "one procedure a run"),
        (("-m", "not restart"), "more than a procedure's name"),
        (("-m", "restart and slow"), "more than a procedure's name"),
        (("-m", "(restart)"), "more than a procedure's name"),
        (("-m", "restart", "-m", ""), "more than a procedure's name"),
        (("-m", "restrat"), "did you mean -m restart?"),
        (("-m", "RECOVER"), "did you mean -m recover?"),
    ],
)
def test_more_than_a_name_is_refused(arguments: tuple[str, ...], said: str) -> None:
    """A name that is combined, narrowed, repeated with another or misspelt is an error of typing."""
    with pytest.raises(pytest.UsageError, match=said.replace("?", r"\?")):
        selection.procedure_of(_config(*arguments))


@pytest.mark.parametrize(
    ("preset", "typed", "said"),
    [
        ("-m restart", (), "a procedure is typed each time"),
        ("-m recover", ("-m", "restart"), "one procedure a run"),
        ("-m slow", ("-m", "restart"), "one procedure a run"),
    ],
)
def test_a_procedure_is_typed_each_time(
    preset: str, typed: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in the environment never restarts anything, nor is it overruled in silence."""
    monkeypatch.setenv("PYTEST_ADDOPTS", preset)
    expression = typed[-1] if typed else preset.rsplit(maxsplit=1)[-1]

    with pytest.raises(pytest.UsageError, match=said):
        selection.procedure_of(_config(*typed, expression=expression))


def test_only_what_is_known_is_harmless() -> None:
    """The options that may be changed with a procedure are these: whoever adds one has to say so here."""
    assert {
        "markexpr", "file_or_dir", "verbose", "color", "capture", "code_highlight",
        "target", "plan", "waive", "reason", "ticket", "operator", "approved_by", "take_over", "record_anomalies",
    } == selection.HARMLESS  # fmt: skip
