"""The image: a restart never changes versions."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from reports.record.observed import Snapshot, Unseen

ALSO = {"amd64": ("x86_64", "x86-64"), "arm64": ("aarch64",)}
"""Other names of a processor."""
MOVING = {"latest", "develop", "latest-lts", "edge", "stable"}


# An update pulls its image later and judges it then.
@check(again=True, only_with=("images_to_keep",))
def test_the_image_is_here(before: Snapshot) -> None:
    """The image that will be started is on this engine."""
    assert seen(before.image).id, "the image has no id → pull it"


# Without a container there is nothing to compare.
@check(protects="data", again=True, only_with=("containers_before",))
def test_the_image_is_the_one_that_runs(before: Snapshot, images_to_keep: tuple[str, ...]) -> None:
    """The image that will be started is the image that the container has now."""
    new = seen(before.image)
    others = sorted({image[:19] for image in images_to_keep if image != new.id})
    assert not others, (
        f"{new.reference} is now {new.id[:19]}, the container has {', '.join(others)} → tag the old image back; a restart "
        "does not change versions, `pytest -m update` does"
    )


# Every procedure that acts asks this.
@check(again=True, only_with=("stop_grace",))
def test_the_image_is_of_the_platform_that_is_named(before: Snapshot) -> None:
    """If the files name a platform, the image is made for it."""
    wanted = seen(before.operator_rendering).platform
    if not wanted:
        return
    # An image that is still to be pulled is checked again once it is here.
    image = seen(before.running_image if isinstance(before.image, Unseen) else before.image)
    processor = [*wanted.split("/"), wanted][1]
    made_for = {image.architecture, *ALSO.get(image.architecture, ())}
    assert processor in made_for, (
        f"the files name {wanted}, but {image.reference} is made for {image.architecture}: the start would fail in the "
        "outage → remove `platform` from the compose file, or name the image's platform there"
    )


@check(advisory=True)
def test_the_tag_is_exact(before: Snapshot) -> None:
    """The files name the image by an exact tag or a digest, so tomorrow's start uses today's image."""
    reference = seen(before.operator_rendering).image
    tag = reference.rpartition(":")[2] if ":" in reference.rpartition("/")[2] else "latest"
    assert "@sha256:" in reference or tag not in MOVING, f"{reference} moves → name an exact version"
