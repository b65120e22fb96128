"""What the operator's own scripts would do besides, as their rehearsals showed."""

from __future__ import annotations

from procedures.decide.check_files import check
from procedures.problems import CannotObserve
from reports.record.scripted import Rehearsal


@check(again=True)
def test_every_rehearsal_came_to_its_end(rehearsals: dict[str, Rehearsal]) -> None:
    """Every script that was rehearsed came to its end there, so that nothing of it is unknown."""
    for step, one in rehearsals.items():
        if one.timed_out:
            why = next((f": {note}" for note in one.notes if note.startswith(("it waits", "it multi"))), "")
            raise CannotObserve(
                f"the rehearsal of {step} was cut off after {one.took:.0f} s{why}; what comes behind is not known",
                "read the script's rest, then waive this check with a reason",
            )


@check(protects="data")
def test_the_scripts_remove_no_volume(rehearsals: dict[str, Rehearsal]) -> None:
    """No script that was rehearsed removes a volume."""
    removed = [
        f"{step} removes the volume {one}" for step, seen in rehearsals.items() for one in seen.volumes
    ]
    assert not removed, (
        f"{'; '.join(removed)} → take `--volumes`, `volume rm` or the prune out of the script: with the volume goes all "
        "that Kestra knows"
    )
