"""The image: a restart never changes versions."""

from __future__ import annotations

from procedures.claims import check, seen
from reports.observed import Container, Snapshot

MOVING = {"latest", "develop", "latest-lts", "edge", "stable"}


@check(again=True)
def test_the_image_is_here(before: Snapshot, images_to_keep: tuple[str, ...]) -> None:
    """The image that would be started is on this engine."""
    del images_to_keep  # an update pulls its image later, and judges it then
    assert seen(before.image).id, "it has no id → pull it"


@check(protects="data", again=True)
def test_the_image_is_the_one_that_runs(
    before: Snapshot, images_to_keep: tuple[str, ...], containers_before: tuple[Container, ...]
) -> None:
    """The image that would be started is the one that the container has now."""
    del containers_before  # where there was none, nothing can differ: the plan knows
    new = seen(before.image)
    others = sorted({one[:19] for one in images_to_keep if one != new.id})
    assert not others, (
        f"{new.reference} is now {new.id[:19]}, the container has {', '.join(others)} → tag the old image back; a "
        "restart does not change versions: that is `pytest -m update`"
    )


@check(advisory=True)
def test_the_tag_is_exact(before: Snapshot) -> None:
    """The image is named by an exact tag or a digest, so that tomorrow's start is today's image."""
    reference = seen(before.operator_rendering).image
    tag = reference.rpartition(":")[2] if ":" in reference.rpartition("/")[2] else "latest"
    assert "@sha256:" in reference or tag not in MOVING, f"{reference} moves → name an exact version"
