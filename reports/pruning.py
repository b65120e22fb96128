"""Pruning: which runs leave the archive, and which stay because later runs depend on them."""

from __future__ import annotations

import shutil
from pathlib import Path

from reports.archive import ACCEPTED_NAME, archive_errors, is_open, read_plain, runs
from reports.record.record import RecordUnreadable


def prune(archive: Path, keep: int) -> tuple[Path, ...]:
    """Remove all but the newest `keep` sealed runs, and return what was removed.

    Open runs stay, and so do the accepted runs that later runs depend on.
    """
    with archive_errors(archive):
        sealed = [folder for folder in runs(archive) if not is_open(folder)]
    older = sealed[max(keep, 0) :]
    leaned_on = _leaned_on(sealed) if older else set()
    removed = [folder for folder in older if folder not in leaned_on]
    for folder in removed:
        with archive_errors(folder):
            shutil.rmtree(folder)
    return tuple(removed)


def _leaned_on(sealed: list[Path]) -> set[Path]:
    """Return the newest accepted run of every target, and the newest one of another image, to which rollback leads."""
    found: dict[str, dict[str, Path]] = {}
    for folder in sealed:
        if ACCEPTED_NAME.search(folder.name):
            target, image = _target_of(folder)
            images = found.setdefault(target, {})
            if image and len(images) < 2:  # a run that had nothing to do has seen no image
                images.setdefault(image, folder)
    return {folder for images in found.values() for folder in images.values()}


def _target_of(folder: Path) -> tuple[str, str]:
    """Return the target and the image that a run ended with; empty texts if its record cannot be read."""
    try:
        plain = read_plain(folder)
        after = next((one for one in plain["snapshots"] if one["name"] == "after"), None)
        containers = after["containers"] if after else []
        return plain["target"]["name"], containers[0]["image_id"] if len(containers) == 1 else ""
    except (RecordUnreadable, KeyError, TypeError):
        return "", ""
