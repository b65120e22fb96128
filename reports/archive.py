"""The archive: one folder a run, written so that a reader never meets half a file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.page.html import to_html
from reports.page.index import Listed, to_index
from reports.page.markup import slug
from reports.record.evidence import Verdict
from reports.record.record import Record, RecordUnreadable, read, to_plain
from reports.redaction.redact import Redaction, Unsearched

RECORD = "evidence.json"
REPORT = "report.html"
SUMS = "SHA256SUMS"
INDEX = "index.html"
LATEST = "latest"
RUNNING = "running"
MADE_BY = ".process.json"
"""The file that names the process which fills a folder without a verdict; sealing removes it."""

HEAVY = ("snapshots", "results", "steps", "events", "moments", "findings")

RUN_NAME = re.compile(r"(?P<time>\d{8}T\d{6}Z)-[a-z0-9-]+-[a-z0-9]+")
RUNNING_NAME = re.compile(rf"-{RUNNING}-[a-z0-9]+$")
ACCEPTED_NAME = re.compile(rf"(?<!-not)-{slug(Verdict.ACCEPTED)}-[a-z0-9]+$")


class ArchiveUnwritable(Exception):  # noqa: N818 - says what happened
    """The archive cannot be written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"cannot write {path}: {why}; free or change the archive's folder, then run again")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class Leak:
    """A file that holds secrets in its content or its name, by the labels of the secrets."""

    file: str
    found: tuple[str, ...]


def stem(began_at: str, target: str, procedure: str, short: str) -> str:
    """Return `<time>-<target>-<procedure>-<short id>`: a run's folder name before its verdict is known."""
    time = re.sub(r"[-:]|\.\d+", "", began_at.replace("+00:00", "Z"))
    return f"{time}-{named(target)}-{slug(procedure)}-{slug(short).replace('-', '')}"


def named(target: str) -> str:
    """Return a target's name as it stands in the names of its runs' folders."""
    return slug(target)[:40]


def begin(archive: Path, stem: str) -> Path:
    """Create the folder of a run that has just begun, and return it."""
    head, _, short = stem.rpartition("-")
    folder = archive / f"{head}-{RUNNING}-{short}"
    with archive_errors(folder):
        archive.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        _sync(archive)
    return folder


def note_maker(folder: Path, process: Mapping[str, object]) -> None:
    """Note in a run's folder which process fills it, so that another process can see whether it still does."""
    _write(folder / MADE_BY, json.dumps(dict(process)))


def key_of(folder: Path) -> tuple[int, int]:
    """Return what distinguishes a folder from another one that has taken its name."""
    with archive_errors(folder):
        found = folder.stat()
    return found.st_dev, found.st_ino


def write_private(path: Path, text: str) -> None:
    """Write a file of a run that only its owner can read; it is on the disk for certain once the run is sealed."""
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def write_record(folder: Path, record: Record) -> Path:
    """Write `evidence.json`, the record that everything else is a view of."""
    text = json.dumps(to_plain(record), indent=1, ensure_ascii=False, allow_nan=False)
    return _write(folder / RECORD, f"{text}\n")


def write_report(folder: Path, record: Record, clean: Callable[[str], str] = str) -> Path:
    """Write `report.html` from the record alone: the report of a run that was killed before it wrote its own."""
    return _write(folder / REPORT, clean(to_html(record)))


def read_record(folder: Path) -> Record:
    """Read a run's record back."""
    return read(read_plain(folder))


def read_head(folder: Path) -> Record:
    """Read a run's record without snapshots, checks and steps, which are nearly all of it: enough to list the run."""
    return read(read_plain(folder) | dict.fromkeys(HEAVY, ()) | {"plan": None})


def read_plain(folder: Path) -> dict[str, Any]:
    """Read a run's record as the JSON object that it is."""
    try:
        plain = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordUnreadable(f"{folder / RECORD}: {error}") from error
    if not isinstance(plain, dict):
        raise RecordUnreadable(f"{folder / RECORD}: it holds no record")
    return plain


def withhold(folder: Path, redaction: Redaction) -> tuple[Leak, ...]:
    """Remove the files that hold a secret from a run's folder, and return them."""
    leaks = _leaks(folder, redaction)
    for path, _ in leaks:
        with archive_errors(path):
            path.unlink()
    return tuple(leak for _, leak in leaks)


def seal(folder: Path, record: Record) -> Path:
    """Write the checksums, give the folder its final name, and return it."""
    head, _, short = folder.name.rpartition(f"-{RUNNING}-")
    with archive_errors(folder):
        (folder / MADE_BY).unlink(missing_ok=True)
    final = folder.with_name(f"{head}-{slug(record.verdict)}-{short}") if head else folder
    for path in _files(folder):
        # What pytest and its plugins wrote was readable by everybody until here; the folder never was.
        with archive_errors(path):
            path.chmod(0o600)
    write_sums(folder)
    with archive_errors(final):
        if final != folder:
            if final.exists():
                raise FileExistsError(17, "a run of that name is there already")
            folder.rename(final)
        _sync(final.parent)
    return final


def write_sums(folder: Path) -> Path:
    """Write `SHA256SUMS` over every other file, in the form that `sha256sum --check` reads."""
    with archive_errors(folder):
        lines = [_sum(path, folder) for path in _files(folder) if path.name != SUMS]
    return _write(folder / SUMS, "".join(lines))


def damage(folder: Path) -> str:
    """Return why a sealed run's record may not be the one that was sealed; empty if its checksum matches."""
    try:
        sums = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        found = _sum(folder / RECORD, folder)
    except OSError as error:
        return f"its checksum cannot be asked for: {error.strerror or error}"
    if not any(line.endswith(f"  {RECORD}\n") for line in sums):
        return f"{SUMS} names no {RECORD}"
    return "" if found in sums else f"{RECORD} is not the one that {SUMS} names"


def write_index(archive: Path) -> Path:
    """Write the page that lists every run of the archive, the newest first."""
    with archive_errors(archive):
        listed = [_listed(folder) for folder in runs(archive)]
    return _write(archive / INDEX, to_index(listed))


def point_latest(archive: Path, folder: Path) -> Path:
    """Let `latest` point at a run; a reader sees the old run or the new one, never none."""
    link = archive / LATEST
    with archive_errors(link), tempfile.TemporaryDirectory(dir=archive, prefix=".latest-") as beside:
        fresh = Path(beside) / LATEST
        fresh.symlink_to(folder.name)
        fresh.replace(link)
    return link


def runs(archive: Path) -> tuple[Path, ...]:
    """Return the folders of the archive that are runs, the newest first."""
    if not archive.exists():
        return ()
    folders = [
        path
        for path in archive.iterdir()
        if RUN_NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    ]
    return tuple(sorted(folders, key=lambda path: path.name, reverse=True))


def folder_of(archive: Path, run: str) -> Path | None:
    """Return the folder of a run, under whatever name it has now."""
    try:
        found = [one for one in runs(archive) if one.name.endswith(f"-{run}")]
    except OSError:
        return None
    return found[0] if found else None


def is_open(folder: Path) -> bool:
    """Whether a run has no verdict yet: it goes on, or it was killed."""
    return RUNNING_NAME.search(folder.name) is not None


def _leaks(folder: Path, redaction: Redaction) -> list[tuple[Path, Leak]]:
    leaks = []
    with archive_errors(folder):
        for path in _files(folder):
            name = path.relative_to(folder).as_posix()
            found = _scanned(redaction, name, path)
            if found:
                leaks.append((path, Leak(redaction.clean(name), tuple(dict.fromkeys(found)))))
    return leaks


def _scanned(redaction: Redaction, name: str, path: Path) -> list[str]:
    try:
        return redaction.scan(os.fsencode(name)) + redaction.scan(path.read_bytes())
    except Unsearched as error:
        return [str(error)]


def _listed(folder: Path) -> Listed:
    reports = (folder / REPORT).is_file()
    try:
        record = read_head(folder)
    except RecordUnreadable as error:
        return Listed(folder.name, None, str(error), reports, is_open(folder))
    return Listed(folder.name, record, "", reports, is_open(folder))


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()))


def _sum(path: Path, folder: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    name = path.relative_to(folder).as_posix()
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{chr(92) if escaped != name else ''}{digest.hexdigest()}  {escaped}\n"


def _write(path: Path, content: str) -> Path:
    """Write a file as a whole or not at all; it is on the disk when this returns."""
    with archive_errors(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        _sync(path.parent)
    return path


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def archive_errors(path: Path) -> Iterator[None]:
    """Turn errors of the file system into the one error of the archive."""
    try:
        yield
    except OSError as error:
        raise ArchiveUnwritable(path, error.strerror or str(error)) from error
