"""What was typed, read as one procedure for one target, before anything is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from procedures.problems import TypedWrong
from procedures.run.procedure import Asked, Procedure
from procedures.target import env_file
from procedures.target import target as targets
from reports.printable import LONGEST, one_line
from reports.record.evidence import Check, Protects, Waiver
from reports.redaction.redact import Redaction


def asked(config: pytest.Config, procedure: Procedure, checks: Path, environment: Mapping[str, str]) -> Asked:
    """Read the options; raise `TypedWrong` if they do not go together."""
    option = config.option
    target = targets.read(targets.find(option.target, environment))
    given = {
        name: _typed(getattr(option, name) or "", target)
        for name in ("reason", "ticket", "operator", "approved_by")
    }
    if option.waive and not given["reason"]:
        raise TypedWrong("--waive needs a reason", "add --reason TEXT")
    if option.take_over and not (procedure.recovers and given["reason"]):
        raise TypedWrong(
            "--take-over goes with recover and a reason", "pytest -m recover --take-over --reason TEXT"
        )
    author = given["operator"] or one_line(environment.get("USER", "")) or "the operator"
    return Asked(
        procedure=procedure,
        target=target,
        plan_only=bool(option.plan),
        waivers=tuple(Waiver(name, given["reason"], author) for name in option.waive),
        given=given,
        arguments=tuple(_typed(one, target) for one in config.invocation_params.args),
        checks=checks,
        take_over=bool(option.take_over),
        record_anomalies=bool(option.record_anomalies),
    )


def _typed(text: object, target: targets.Target) -> str:
    """Return what was typed as one line; a long text is cut so that no part of a secret is left."""
    typed = str(text)
    if len(typed) > LONGEST:
        typed = Redaction(secret for file in target.env_files for secret in env_file.secrets(file)).clean(
            typed
        )
    return one_line(typed)


def refuse_waivers(waivers: tuple[Waiver, ...], checks: tuple[Check, ...]) -> None:
    """Check that each waived check exists, can close a gate, and protects no data."""
    known = {one.id: one for one in checks}
    for one in waivers:
        check = known.get(one.check)
        if check is None:
            raise TypedWrong(
                f"--waive {one.check}: there is no such check", "`pytest -m restart --plan` names them all"
            )
        if check.advisory:
            raise TypedWrong(
                f"--waive {one.check}: this check is advisory and closes nothing", "leave --waive out"
            )
        if check.protects is Protects.DATA:
            raise TypedWrong(
                f"--waive {one.check}: this check protects data and is never waived", "correct what it found"
            )
