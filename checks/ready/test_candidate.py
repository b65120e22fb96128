"""The pulled image, before the service is stopped for it."""

from __future__ import annotations

from procedures.decide.announcement import Announcement
from procedures.decide.baseline import Baseline
from procedures.decide.check_files import check, seen
from procedures.kestra.downgrade import too_old
from procedures.kestra.version import numbers
from procedures.problems import CannotObserve
from reports.record.observed import Image, Snapshot


@check(protects="data")
def test_it_is_the_image_that_was_announced(announcement: Announcement, candidate: Image) -> None:
    """The pulled image has the digest that the registry announced."""
    if not announcement.pulls:
        return
    announced = seen(announcement.digest)
    assert any(digest.endswith(f"@{announced}") for digest in candidate.digests), (
        f"the registry announced {announced[:19]}, the pulled image has {', '.join(candidate.digests) or 'no digest'} → "
        "somebody pushed meanwhile, or the registry serves another image than it announces: run again, or ask who runs it"
    )


# Without a container before there is nothing to compare.
@check(only_with=("containers_before",))
def test_it_runs_on_this_engine(before: Snapshot, candidate: Image) -> None:
    """The new image is made for the same processor as the present image."""
    wanted = seen(before.running_image).architecture
    assert candidate.architecture == wanted, (
        f"it is made for {candidate.architecture}, the present image for {wanted} → pull the image of this platform"
    )


# Without a container before there is nothing to compare.
@check(only_with=("containers_before",))
def test_it_starts_in_the_same_way(before: Snapshot, candidate: Image) -> None:
    """The new image has the same entry point as the present image."""
    then, now = seen(before.running_image).entrypoint, candidate.entrypoint
    assert now == then, (
        f"its entry point is {' '.join(now) or 'none'}, the present image has {' '.join(then) or 'none'} → see whether "
        "this is a Kestra image at all, and what the compose file's `command` then means"
    )


@check(advisory=True)
def test_its_version_is_known(candidate: Image) -> None:
    """The new image names its version."""
    assert numbers(candidate.version), (
        f"{candidate.reference} carries {candidate.version or 'no version'} → take an image with the label "
        "org.opencontainers.image.version"
    )


def test_it_is_no_older_version(candidate: Image, baseline: Baseline) -> None:
    """The new image has the present version or a later one."""
    then, now = _version(seen(baseline.version)), _version(candidate.version)
    assert now >= then, (
        f"{candidate.version} is older than {seen(baseline.version)} → to go back, run `pytest -m rollback`"
    )


@check(protects="data")
def test_no_later_version_has_run_on_the_database(candidate: Image, ready: Snapshot) -> None:
    """No version later than the new image's has run on this database."""
    reason = seen(too_old(candidate.version, seen(ready.database)))
    assert not reason, f"{reason} → name the image of that version, or a later one"


def test_it_is_no_other_major_version(candidate: Image, baseline: Baseline) -> None:
    """The new image has the present major version."""
    then, now = _version(seen(baseline.version)), _version(candidate.version)
    assert now[0] == then[0], (
        f"{candidate.version} is another major version than {seen(baseline.version)} → read its migration notes, then "
        "waive this check"
    )


def test_it_was_not_rolled_back_before(candidate: Image, rolled_back: frozenset[str]) -> None:
    """No earlier run went back from this image."""
    assert candidate.id not in rolled_back, (
        f"an earlier run went back from {candidate.id[:19]} → see that run's report; if the cause is fixed, waive this "
        "check"
    )


def _version(named: str) -> tuple[int, ...]:
    """Return the numbers of a version; a name without numbers cannot be compared."""
    version = numbers(named)
    if not version:
        raise CannotObserve(
            f"{named or 'an image without a version'} cannot be compared",
            "name the image by an exact tag, or waive this check",
        )
    return version
