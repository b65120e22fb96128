"""The operator's own: scripts, read and rehearsed, validation commands, and what else must exist."""

from __future__ import annotations

from collections.abc import Iterator

from reports.page.banner import command_line
from reports.page.markup import Html, block, code, fold, items, join, table, tag
from reports.page.words import count, seconds
from reports.record.claimed import Need, ValidationSeen
from reports.record.observed import Unseen
from reports.record.record import Record
from reports.record.scripted import Rehearsal, ScriptSeen
from reports.record.values import Fingerprint

CLAIMS = {True: "healthy", False: "not healthy", None: "unreadable"}


def to_operators(record: Record) -> Html:
    """Return what the operator's scripts would do, from their rehearsal, and what the validation commands claimed."""
    before = record.snapshot("before")
    scripts, needs = (before.scripts, before.needs) if before else (None, None)
    parts = [*_scripts(scripts), *_needs(needs)]
    for snapshot in record.snapshots:
        parts += _validations(snapshot.name, snapshot.validations)
    return (
        join(parts)
        if parts
        else tag("p", "No step is a script, and the target file names no validation command.")
    )


def _scripts(scripts: tuple[ScriptSeen[Fingerprint], ...] | Unseen | None) -> Iterator[Html]:
    if isinstance(scripts, Unseen):
        yield tag("p", f"The scripts were not observed: {scripts.sentence}.")
    elif scripts:
        rows = [(one.step, code(one.file), _lies(one), _would(one)) for one in scripts]
        yield table(
            "Scripts, before anything was done",
            ("Step", "File", "As it lies there", "In its rehearsal"),
            rows,
        )
        yield from (
            _printed(one) for one in scripts if isinstance(one.rehearsal, Rehearsal) and one.rehearsal.output
        )


def _lies(script: ScriptSeen[Fingerprint]) -> Html:
    return items(
        (text for text in (script.problem, script.syntax, *script.notes) if text), "kr-claims"
    ) or tag("p", "usable")


def _would(script: ScriptSeen[Fingerprint]) -> Html:
    if script.rehearsal is None:
        return tag("p", "not rehearsed: what it will do is not known")
    if isinstance(script.rehearsal, Unseen):
        return tag("p", f"not known: {script.rehearsal.sentence}")
    seen = script.rehearsal
    acts = [
        *(f"{hit.effect} {hit.name}" for hit in seen.hits),
        *(f"creates {name}" for name in seen.creates),
        *(f"pulls {image}" for image in seen.pulls),
        *(f"builds {image}" for image in seen.builds),
        *(f"reads {file}" for file in seen.env_files if file not in seen.missing_env_files),
        *(f"looks for {file}, which does not exist" for file in seen.missing_env_files),
        *(f"writes {file}" for file in seen.wrote),
        *seen.notes,
    ]
    ended = "was ended at its limit" if seen.timed_out else f"ended with {seen.exit_code}"
    return join(
        [items(acts, "kr-claims"), tag("p", f"{count(len(seen.calls), 'call', 'calls')} of docker, {ended}")]
    )


def _printed(script: ScriptSeen[Fingerprint]) -> Html:
    output = script.rehearsal.output if isinstance(script.rehearsal, Rehearsal) else ""
    return fold(f"What {script.step} printed in its rehearsal", block(output, f"rehearsal of {script.step}"))


def _needs(needs: tuple[Need, ...] | Unseen | None) -> Iterator[Html]:
    if isinstance(needs, Unseen):
        yield tag("p", f"What else must exist was not observed: {needs.sentence}.")
    elif needs:
        rows = [(one.kind, code(one.name), one.problem or "there") for one in needs]
        yield table("What else must exist", ("Kind", "Name", "Found"), rows)


def _validations(moment: str, said: tuple[ValidationSeen, ...] | Unseen | None) -> Iterator[Html]:
    if isinstance(said, Unseen):
        yield tag("p", f"The validation commands, “{moment}”, were not observed: {said.sentence}.")
    elif said:
        rows = [
            (
                join([tag("b", one.name), tag("small", code(command_line(one.command)))]),
                CLAIMS[one.healthy] + (f": {one.problem}" if one.problem else ""),
                "not asked" if one.checked is None else str(one.checked),
                f"{'none' if one.exit_code is None else one.exit_code}, after {seconds(one.took)}",
            )
            for one in said
        ]
        yield table(
            f"The operator's validation, “{moment}”", ("Command", "Claims", "Looked at", "Exit status"), rows
        )
        yield from (
            fold(f"What {one.name} printed", block(one.output, one.name)) for one in said if one.output
        )
