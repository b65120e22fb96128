"""What the operator's own scripts, validation commands and names give to checks."""

from __future__ import annotations

from collections.abc import Mapping

from procedures.decide.check_files import seen
from procedures.decide.facts import Group, Presupposed, fact
from procedures.run.facts.moments import Moments
from procedures.steps import own_scripts
from procedures.target.steps_by import START, STOP
from reports.record.claimed import Need, ValidationSeen
from reports.record.evidence import EngineEvent, StepResult
from reports.record.observed import DryRun
from reports.record.scripted import Rehearsal, ScriptSeen


@fact(Group.OWN, Presupposed.SCRIPT)
def scripts(at: Moments) -> tuple[ScriptSeen, ...]:
    """The operator's own scripts that carry out steps, as read before anything was done."""
    return seen(at.before.scripts)


@fact(Group.OWN, Presupposed.REHEARSAL)
def rehearsals(at: Moments) -> dict[str, Rehearsal]:
    """What these scripts did in their rehearsals, where they could change nothing; by step."""
    return own_scripts.rehearsals_of(scripts(at))


@fact(Group.OWN, Presupposed.STOP_REHEARSAL)
def stop_rehearsal(at: Moments) -> Rehearsal:
    """What the stop script did in its rehearsal, where it could change nothing."""
    return rehearsals(at)[STOP]


@fact(Group.OWN, Presupposed.START_REHEARSAL)
def start_rehearsal(at: Moments) -> Rehearsal:
    """What the start script did in its rehearsal, after the stop script, where it could change nothing."""
    return rehearsals(at)[START]


@fact(Group.OWN, Presupposed.REHEARSAL)
def secrets_shown(at: Moments) -> dict[str, tuple[str, ...]]:
    """The secrets that a script printed in its rehearsal, by step."""
    rehearsed = own_scripts.rehearsals_of(seen(at.first.scripts))
    return {step: tuple(at.redaction.scan(one.output.encode())) for step, one in rehearsed.items()}


@fact(Group.OWN, Presupposed.START_BY_SCRIPT)
def start_settings(at: Moments) -> Mapping[str, str]:
    """The variables of the start script that may leave something out."""
    return at.start_settings


@fact(Group.OWN, Presupposed.START_BY_COMPOSE)
def dry_run(at: Moments) -> DryRun:
    """What Compose says that the start would do, if Compose starts the service."""
    return seen(at.before.dry_run)


@fact(Group.OWN, Presupposed.NEEDS)
def needs(at: Moments) -> tuple[Need, ...]:
    """What must exist besides, according to the target file."""
    return seen(at.before.needs)


@fact(Group.OWN, Presupposed.VALIDATION)
def validations_ready(at: Moments) -> tuple[ValidationSeen, ...]:
    """What the operator's validation commands returned right before the stop."""
    return seen(at.ready.validations)


@fact(Group.OWN, Presupposed.SCRIPT | Presupposed.ACT)
def script_results(at: Moments) -> tuple[StepResult, ...]:
    """The results of the steps that a script carried out."""
    return at.script_results


@fact(Group.OWN, Presupposed.UNREHEARSED | Presupposed.ACT)
def others_touched(at: Moments) -> tuple[EngineEvent, ...]:
    """What the engine did to other people's containers while this run acted."""
    return own_scripts.meanwhile(seen(at.others), at.script_results)


@fact(Group.OWN, Presupposed.VALIDATION)
def validations(at: Moments) -> tuple[ValidationSeen, ...]:
    """What the operator's validation commands returned after the start."""
    return seen(at.after.validations)
