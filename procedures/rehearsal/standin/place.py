"""The sandbox itself: nothing outside can be written, reached or signalled; what is written inside is thrown away."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from procedures.rehearsal.standin import kernel

OURS = "/run/rehearsal"
BIN = f"{OURS}/bin"
REAL = f"{OURS}/real"
_LAYERS = "/run/rehearsal-layers"
# Folders that hold sockets of services and files of others: the script sees an empty folder of its own instead.
HIDDEN = ("/run", "/var/run", "/tmp", "/var/tmp")  # noqa: S108 - named, not used
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LAYER_SIZE = "size=256m"


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder of which a copy may be written; `upper` is an open handle on what was written."""

    folder: str
    upper: int


def arrange(
    copied: Iterable[str], tools: dict[str, bytes], over: dict[str, str], real: dict[str, str]
) -> list[Layer]:
    """Make the sandbox around this process, which already has namespaces of its own.

    `copied` are folders of which a copy may be written, `tools` programs that come first on the path, `over` real
    programs that one of these covers, and `real` programs that the tools themselves need.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    lower = {folder: os.open(folder, os.O_PATH | os.O_DIRECTORY) for folder in copied}
    programs = {name: os.open(path, os.O_PATH) for name, path in real.items()}
    kernel.set_mount("/", add=kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV, deep=True)
    _make_devices()
    hidden = [one for one in HIDDEN if Path(one).is_dir() and not Path(one).is_symlink()]
    _hide("/run")
    _keep_tools(tools, programs)
    Path(_LAYERS).mkdir()
    kernel.mount("layers", _LAYERS, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, _LAYER_SIZE)
    layers: list[Layer] = []
    for folder in sorted({*hidden, *lower} - {"/run"}, key=lambda one: one.count("/")):
        if folder in lower:
            layers.append(_copy(folder, lower[folder], len(layers)))
        else:
            _hide(folder)
    kernel.detach(_LAYERS)
    for path, tool in over.items():
        if os.access(path, os.F_OK):
            kernel.mount(f"{BIN}/{tool}", path, flags=kernel.MS_BIND)
    kernel.mount(
        "proc", "/proc", "proc", kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    )
    return layers


def written(layers: Iterable[Layer]) -> list[str]:
    """Return the files that were written or removed in the copies."""
    return sorted(path for layer in layers for path in _written(layer))


def _written(layer: Layer) -> Iterator[str]:
    for where, folders, files, handle in os.fwalk(".", dir_fd=layer.upper):
        base = os.path.normpath(os.path.join(layer.folder, where))  # noqa: PTH118 - the copy is gone by name
        for name in files:
            is_removed = stat.S_ISCHR(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode)
            yield f"{base}/{name}{' (removed)' if is_removed else ''}"
        for name in folders:
            with contextlib.suppress(OSError):  # most have no such mark
                os.getxattr(f"/proc/self/fd/{handle}/{name}", "user.overlay.opaque")
                yield f"{base}/{name} (made anew)"


def _make_devices() -> None:
    devices = os.open("/dev", os.O_PATH | os.O_DIRECTORY)
    kernel.mount("dev", "/dev", "tmpfs", kernel.MS_NOSUID, "mode=755,size=64k")
    for name in _DEVICES:
        Path("/dev", name).touch()
        kernel.mount(f"/proc/self/fd/{devices}/{name}", f"/dev/{name}", flags=kernel.MS_BIND)
        # Read-only still lets the device be written, but not its mode be changed, which would be the machine's.
        kernel.set_mount(f"/dev/{name}", clear=kernel.MS_NODEV)
    os.close(devices)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        Path("/dev", name).symlink_to(f"/proc/self/{target}")
    Path("/dev/shm").mkdir()  # noqa: S108 - a private one
    kernel.mount("shm", "/dev/shm", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=1777,size=16m")  # noqa: S108


def _hide(folder: str) -> None:
    mode = stat.S_IMODE(Path(folder).stat().st_mode)
    kernel.mount("empty", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode={mode:o},size=64m")


def _keep_tools(tools: dict[str, bytes], programs: dict[str, int]) -> None:
    for folder in (OURS, BIN, REAL):
        Path(folder).mkdir()
    for name, content in tools.items():
        file = Path(BIN, name)
        file.write_bytes(content)
        file.chmod(0o755)
    for name, handle in programs.items():
        Path(REAL, name).touch()
        kernel.mount(f"/proc/self/fd/{handle}", f"{REAL}/{name}", flags=kernel.MS_BIND)
    kernel.mount(OURS, OURS, flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.set_mount(OURS, add=kernel.MS_RDONLY, deep=True)


def _copy(folder: str, lower: int, number: int) -> Layer:
    upper, work = f"{_LAYERS}/{number}", f"{_LAYERS}/{number}-work"
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(upper).mkdir()
    Path(work).mkdir()
    options = f"userxattr,lowerdir=/proc/self/fd/{lower},upperdir={upper},workdir={work}"
    kernel.mount("copy", folder, "overlay", kernel.MS_NOSUID | kernel.MS_NODEV, options)
    return Layer(folder, os.open(upper, os.O_RDONLY | os.O_DIRECTORY))
