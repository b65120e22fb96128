"""The image that was pulled, before anything is stopped for it."""

from __future__ import annotations

from procedures.claims import check, seen
from procedures.update import Announcement
from procedures.versions import numbers
from reports.observed import Image


@check(protects="data")
def test_it_is_the_image_that_was_announced(announcement: Announcement, candidate: Image) -> None:
    """What was pulled has the digest that the registry announced."""
    if not announcement.pulls:
        return
    digest = seen(announcement.digest)
    assert any(one.endswith(f"@{digest}") for one in candidate.digests), (
        f"announced was {digest[:19]}, here is {', '.join(candidate.digests) or 'an image without a digest'} → somebody "
        "pushed meanwhile, or the registry serves something else than it says: run again, or ask who runs it"
    )


def test_it_runs_on_this_engine(announcement: Announcement, candidate: Image) -> None:
    """The new image is made for the processor that the present one runs on."""
    if announcement.running is None:
        return
    wanted = announcement.running.architecture
    assert candidate.architecture == wanted, (
        f"it is made for {candidate.architecture}, the present one for {wanted} → pull the image of this platform"
    )


def test_it_starts_in_the_same_way(announcement: Announcement, candidate: Image) -> None:
    """The new image has the entry point of the present one."""
    if announcement.running is None:
        return
    then, now = announcement.running.entrypoint, candidate.entrypoint
    assert now == then, (
        f"it is {' '.join(now) or 'none'}, the present one's is {' '.join(then) or 'none'} → see whether this is an image "
        "of Kestra at all, and what the compose file's `command` then means"
    )


def test_its_version_is_known(candidate: Image) -> None:
    """The new image names its version."""
    assert numbers(candidate.version), (
        f"{candidate.reference} carries {candidate.version or 'no version'} → take an image with the label "
        "org.opencontainers.image.version"
    )


def test_it_is_no_older_version(announcement: Announcement, candidate: Image) -> None:
    """The new image is of the present version or a later one."""
    then, now = (
        numbers(announcement.running.version if announcement.running else ""),
        numbers(candidate.version),
    )
    assert not then or now >= then, (
        f"{candidate.version} is older than {announcement.running.version if announcement.running else ''} → going back "
        "is `rollback`"
    )


def test_it_is_no_other_major_version(announcement: Announcement, candidate: Image) -> None:
    """The new image is of the present major version."""
    then, now = (
        numbers(announcement.running.version if announcement.running else ""),
        numbers(candidate.version),
    )
    assert not then or not now or now[0] == then[0], (
        f"{candidate.version} is another major version than "
        f"{announcement.running.version if announcement.running else ''} → read its migration notes, then waive this"
    )


def test_it_was_not_rolled_back_before(candidate: Image, rolled_back: frozenset[str]) -> None:
    """No earlier run went back from this very image."""
    assert candidate.id not in rolled_back, (
        f"a run has gone back from {candidate.id[:19]} before → see that run's report; if its cause is mended, waive this"
    )
