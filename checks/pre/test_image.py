"""The image: a restart never changes versions."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from reports.record.observed import Snapshot, Unseen

ALSO = {"amd64": ("x86_64", "x86-64"), "arm64": ("aarch64",)}
"""Other words for a processor."""
MOVING = {"latest", "develop", "latest-lts", "edge", "stable"}


# An update pulls its image later, and judges it then.
@check(again=True, only_with=("images_to_keep",))
def test_the_image_is_here(before: Snapshot) -> None:
    """The image that would be started is on this engine."""
    assert seen(before.image).id, "it has no id → pull it"


# Where there was none, nothing can differ.
@check(protects="data", again=True, only_with=("containers_before",))
def test_the_image_is_the_one_that_runs(before: Snapshot, images_to_keep: tuple[str, ...]) -> None:
    """The image that would be started is the one that the container has now."""
    new = seen(before.image)
    others = sorted({one[:19] for one in images_to_keep if one != new.id})
    assert not others, (
        f"{new.reference} is now {new.id[:19]}, the container has {', '.join(others)} → tag the old image back; a "
        "restart does not change versions: that is `pytest -m update`"
    )


# Whatever acts asks this.
@check(again=True, only_with=("stop_grace",))
def test_the_image_is_of_the_platform_that_is_named(before: Snapshot) -> None:
    """The image is made for the platform that the files name, where they name one."""
    wanted = seen(before.operator_rendering).platform
    if not wanted:
        return
    # One that is yet to be pulled is asked about again when it is here.
    image = seen(before.running_image if isinstance(before.image, Unseen) else before.image)
    processor = [*wanted.split("/"), wanted][1]
    made_for = {image.architecture, *ALSO.get(image.architecture, ())}
    assert processor in made_for, (
        f"the files name {wanted}, {image.reference} is made for {image.architecture}: the start would fail in the outage → "
        "take `platform` out of the compose file, or name the image's own"
    )


@check(advisory=True)
def test_the_tag_is_exact(before: Snapshot) -> None:
    """The image is named by an exact tag or a digest, so that tomorrow's start is today's image."""
    reference = seen(before.operator_rendering).image
    tag = reference.rpartition(":")[2] if ":" in reference.rpartition("/")[2] else "latest"
    assert "@sha256:" in reference or tag not in MOVING, f"{reference} moves → name an exact version"
