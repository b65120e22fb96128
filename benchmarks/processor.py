"""How long processors worked for us and for the engine: what no server has while it boots.

A boot's length differs by a tenth from one to the next on a busy machine; the time that was taken from it does not.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

BEAT = 0.1
ENGINES = frozenset({"dockerd", "containerd", "docker-proxy"})


class Meter:
    """Adds up the processor time of the engine's processes and of those that this one has started, while it is entered.

    A thread that ends is counted up to its last sample; the time is in seconds, this process's own left out.
    """

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []
        self._known: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="meter", daemon=True)

    def __enter__(self) -> Self:
        self._known = dict(_work_of_others())
        self._samples.append((time.time(), 0.0))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def between(self, begin: float, end: float) -> float:
        """Return the seconds of work between two moments since the epoch."""
        return self._until(end) - self._until(begin)

    def _until(self, moment: float) -> float:
        index = bisect_left(self._samples, (moment, 0.0))
        if not 0 < index < len(self._samples):
            return self._samples[min(index, len(self._samples) - 1)][1]
        (before, less), (after, more) = self._samples[index - 1 : index + 1]
        return less + (more - less) * (moment - before) / (after - before)

    def _measure(self) -> None:
        while not self._ended.wait(BEAT):
            now = dict(_work_of_others())
            more = sum(work - self._known.get(thread, 0.0) for thread, work in now.items())
            self._samples.append((time.time(), self._samples[-1][1] + more))
            self._known = now


def _work_of_others() -> Iterator[tuple[str, float]]:
    """Yield each thread of the processes that count, and the seconds that it has worked."""
    names: dict[int, str] = {}
    parents: dict[int, int] = {}
    for pid in (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()):
        try:
            said = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue  # it has just ended
        names[pid] = said[said.index("(") + 1 : said.rindex(")")]
        parents[pid] = int(said[said.rindex(")") :].split()[2])
    for pid, name in names.items():
        if name in ENGINES or os.getpid() in _ancestors(pid, parents):
            yield from _worked(pid)


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid := parents.get(pid, 0):
        yield pid


def _worked(pid: int) -> Iterator[tuple[str, float]]:
    """Yield a process's threads and the seconds for which each has worked: /proc's schedstat, in nanoseconds."""
    with suppress(OSError):  # it has just ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            yield thread.name, int((thread / "schedstat").read_text().split()[0]) / 1e9
