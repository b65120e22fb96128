"""The arithmetic of an outage: what the probe's looks add up to.

What a look proves. A look has a begin and an end; a good one proves that the service answered at some moment between
the two, a bad one that at some moment between the two it did not. For an outage that lasts from D to U it follows that

    begin of the last good look before  ≤  D  ≤  end of the first bad look
    begin of the last bad look          ≤  U  ≤  end of the first good look after

so with `down` and `up` for the widths of these two windows

    longest     = end of the first good look after - begin of the last good look before
    shortest    = longest - down - up               (never less than nothing)
    length      = (longest + shortest) / 2
    uncertainty = (longest - shortest) / 2          (at most the mean of `down` and `up`)
    largest gap = the larger of `down` and `up`     (so never less than the uncertainty)

The truth lies within length ± uncertainty if the service went away once and came back once between the two good looks.
This believes nothing about how long an answer takes or whether the probe ran on time: where either is slow, the
windows are wide. They are one beat and two answers wide where the service answers, refuses or closes at once. Where the
probe asks less because a silence was announced, the beat is longer; the probe's own docstring says when it is not.

A service that moves to another port or takes other credentials is looked for in both ways by turns while neither gives
a good answer. A bad look by the one way says nothing of the other, so for the service's coming only the bad looks count
that went the way of the first good one: where it moves, that window is two beats wide.

A service that accepts and keeps mute would leave windows as wide as a look's patience. There, and only there, one more
thing is believed: a service that answers does so within `usual`, twice the slowest good answer that was begun outside
the outage, or one beat where that is longer: no machine is punctual to less than that. So a request that was in hand
for longer than that met a service that did not answer from `usual` after the look's begin to `usual` before its end:

    D ≤ begin of the first bad look + usual     (unless a look was answered well that was begun later than that)
    U ≥ end of the last bad look - usual
    U ≥ end of the first good look - usual

each only where that look took longer than `usual`.

A path that never went bad had an outage of 0 s, give or take the largest gap of the whole observation.
A run that goes back stops the service twice. So every stretch of bad answers that ended after the run's first changing
step had begun is part of the outage: its length is the sum of theirs, its uncertainty the sum of theirs. Any other one
that began and ended with a good answer is a flap: the run had touched nothing yet.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from procedures.observe.outage.probe import Stretch
from procedures.observe.outage.watched import FAST_RATE, Watched
from reports.record.evidence import Interval, PathOutage, Silence

PUNCTUAL = 1 / FAST_RATE
"""Seconds by which any process may be late on a machine that does other things as well: one beat."""
ENOUGH_ANSWERS = 50
MOST_INTERVALS = 300
MOST_SILENCES = 20
SHORT = 0.25
"""Bad answers of different kinds that follow each other faster than this (seconds) are recorded as one interval."""


@dataclass(frozen=True, slots=True)
class Run:
    """Stretches in a row that are all good, or all bad."""

    stretches: tuple[Stretch, ...]

    @property
    def good(self) -> bool:
        return self.stretches[0].good

    @property
    def first_end(self) -> float:
        return self.stretches[0].first_end

    @property
    def last_begin(self) -> float:
        return max(one.last_begin for one in self.stretches)

    def last_begin_by(self, way: int) -> float:
        """Return the latest begin of a look that went a way; the begin of the first look if none did."""
        known = [
            one.begins[way] if one.begins else one.last_begin
            for one in self.stretches
            if way < len(one.begins) or not one.begins
        ]
        return max([self.stretches[0].first_begin, *known])

    @property
    def last_end(self) -> float:
        return self.stretches[-1].last_end


def judge(
    watched: Watched, stretches: Sequence[Stretch], zero: float, looks: int, since: float = -math.inf
) -> PathOutage:
    """Return what the stretches of one path say about its outage; see the module's docstring for the arithmetic.

    `since` is the moment at which the run's first changing step began.
    """
    runs = [Run(tuple(group)) for _, group in itertools.groupby(stretches, key=lambda one: one.good)]
    ours = [index for index, run in enumerate(runs) if not run.good and _ended(runs, index) > since]
    path = PathOutage(
        path=watched.name,
        url=watched.url,
        rate=watched.rate,
        headline=False,
        last_good=None,
        first_good=None,
        length=None,
        uncertainty=None,
        flaps=sum(not run.good and index not in ours for index, run in list(enumerate(runs))[1:-1]),
        largest_gap=max((one.gap for one in stretches), default=0.0),
        looks=looks,
        intervals=to_intervals(stretches, zero),
    )
    if not ours:
        return replace(path, length=0.0, uncertainty=path.largest_gap) if runs else path
    seen = [_silence(runs, index, zero) for index in ours]
    silences = [silence for silence, _ in seen]
    listed = _longest(silences)
    return replace(
        path,
        last_good=silences[0].last_good,
        first_good=silences[-1].first_good,
        length=_sum(one.length for one in silences),
        uncertainty=_sum(one.uncertainty for one in silences),
        largest_gap=max(gap for _, gap in seen),
        silences=listed,
        unlisted=len(silences) - len(listed),
    )


def _silence(runs: Sequence[Run], index: int, zero: float) -> tuple[Silence, float]:
    """Return one stretch of bad answers, and the larger of the two windows in which its edges lie."""
    before = runs[index - 1] if index else None
    after = runs[index + 1] if index + 1 < len(runs) else None
    bad = runs[index]
    usual = _usual(before, after)
    down = _gone_by(before, bad, usual) - before.last_begin if before else 0.0
    up = after.first_end - _gone_until(bad, after, usual) if after else 0.0
    silence = Silence(
        last_good=before.last_end - zero if before else None,
        first_good=after.first_end - zero if after else None,
        length=None,
        uncertainty=None,
    )
    if before is not None and after is not None:
        longest = after.first_end - before.last_begin
        shortest = max(0.0, longest - down - up)
        silence = replace(silence, length=(longest + shortest) / 2, uncertainty=(longest - shortest) / 2)
    return silence, max(down, up, 0.0)


def _ended(runs: Sequence[Run], index: int) -> float:
    """Return when a stretch of bad answers was over; infinity if it was not."""
    return runs[index + 1].first_end if index + 1 < len(runs) else math.inf


def _sum(parts: Iterable[float | None]) -> float | None:
    """Return the sum; None if a part of it is not known."""
    known = list(parts)
    return None if None in known else sum(one for one in known if one is not None)


def _longest(silences: Sequence[Silence]) -> tuple[Silence, ...]:
    """Return the silences in their order; only the longest if there are too many to list."""
    if len(silences) <= MOST_SILENCES:
        return tuple(silences)

    def rank(index: int) -> float:
        length = silences[index].length
        return math.inf if length is None else length

    kept = sorted(range(len(silences)), key=rank, reverse=True)[:MOST_SILENCES]
    return tuple(silences[index] for index in sorted(kept))


def _usual(*runs: Run | None) -> float:
    """Return how long an answer of a working service may take; infinity if too few answers are known."""
    known = [one for run in runs if run for one in run.stretches]
    if sum(one.looks for one in known) < ENOUGH_ANSWERS:
        return math.inf
    return max(PUNCTUAL, 2 * max(one.slowest for one in known))


def _gone_by(before: Run, bad: Run, usual: float) -> float:
    """Return the moment by which the service had stopped answering."""
    moments = [one.first_begin + usual for one in bad.stretches]
    return min([bad.first_end, *(moment for moment in moments if moment >= before.last_begin)])


def _gone_until(bad: Run, after: Run, usual: float) -> float:
    """Return the moment until which the service surely did not answer."""
    first = after.stretches[0]
    mute = [one for one in bad.stretches if one.last_took > usual and one.last_way == first.way]
    moments = [one.last_end - usual for one in mute]
    if first.first_end - first.first_begin > usual:
        moments.append(first.first_end - usual)
    return max(bad.last_begin_by(first.way), *moments, -math.inf)


def to_intervals(stretches: Sequence[Stretch], zero: float) -> tuple[Interval, ...]:
    """Return the stretches as recorded: not overlapping, and not more than can be shown."""
    intervals: list[Interval] = []
    for one in stretches:
        begin = max(one.first_begin - zero, intervals[-1].end if intervals else one.first_begin - zero)
        new = Interval(begin, max(begin, one.last_end - zero), one.answer, one.good, one.looks)
        if intervals and _alike(intervals[-1], new):
            intervals[-1] = _merged(intervals[-1], new)
        else:
            intervals.append(new)
    return _bounded(intervals)


def _alike(interval: Interval, other: Interval) -> bool:
    """Whether two neighbours are both bad, and at least one too short to stand alone (a proxy resets or closes)."""
    return (
        not interval.good
        and not other.good
        and min(interval.end - interval.begin, other.end - other.begin) < SHORT
    )


def _merged(*intervals: Interval) -> Interval:
    answers = dict.fromkeys(itertools.chain.from_iterable(one.answer.split(" / ") for one in intervals))
    return Interval(
        intervals[0].begin,
        intervals[-1].end,
        " / ".join(answers),
        all(one.good for one in intervals),
        sum(one.count for one in intervals),
    )


def _bounded(intervals: list[Interval]) -> tuple[Interval, ...]:
    """Return the intervals; if there are too many, those in the middle are merged into one."""
    if len(intervals) <= MOST_INTERVALS:
        return tuple(intervals)
    half = MOST_INTERVALS // 2
    return (*intervals[:half], _merged(*intervals[half:-half]), *intervals[-half:])


def headline_of(paths: Iterable[PathOutage], fast: Iterable[str]) -> str:
    """Return the fast path that came back last; a path that never came back goes before all others."""
    names = set(fast)

    def rank(path: PathOutage) -> tuple[int, float]:
        if not path.looks:
            return (-1, 0.0)
        if path.length == 0.0 and path.first_good is None:
            return (0, path.uncertainty or 0.0)
        return (2, path.looks) if path.first_good is None else (1, path.first_good)

    candidates = [path for path in paths if path.path in names]
    return max(candidates, key=rank).path if candidates else ""
