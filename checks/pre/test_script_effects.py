"""What else the operator's own scripts would do, as their rehearsals showed."""

from __future__ import annotations

from procedures.decide.check_files import check
from procedures.problems import CannotObserve
from reports.record.scripted import Rehearsal


@check(again=True)
def test_every_rehearsal_came_to_its_end(rehearsals: dict[str, Rehearsal]) -> None:
    """Every rehearsal of a script came to its end, so nothing of the script is unknown."""
    for step, rehearsal in rehearsals.items():
        if rehearsal.timed_out:
            why = next(
                (f": {note}" for note in rehearsal.notes if note.startswith(("it waits", "it multi"))), ""
            )
            raise CannotObserve(
                f"the rehearsal of {step} was cut off after {rehearsal.took:.0f} s{why}; what the script does after that is "
                "unknown",
                "read the rest of the script, then waive this check with a reason",
            )


@check(protects="data")
def test_the_scripts_remove_no_volume(rehearsals: dict[str, Rehearsal]) -> None:
    """No rehearsed script removes a volume."""
    removed = [
        f"{step} removes the volume {volume}"
        for step, rehearsal in rehearsals.items()
        for volume in rehearsal.volumes
    ]
    assert not removed, (
        f"{'; '.join(removed)} → remove `--volumes`, `volume rm` or the prune from the script: the volume holds all that "
        "Kestra knows"
    )
