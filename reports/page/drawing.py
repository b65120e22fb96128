"""The outage as a drawing: steps, engine events, the outage with its uncertainty, and what each path answered."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports.page.markup import Html, join, tag, text
from reports.page.words import exactly, moment, plus_minus
from reports.record.evidence import Interval, Outage, PathOutage, Silence
from reports.record.record import Record

WIDTH = 900
LEFT = 14
RIGHT = 886
FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
CHARACTER = 6.9
"""Width of a character of the drawing's small text; too wide is better than too narrow."""

# Presentation attributes keep the drawing readable where styles are forbidden; style.css adapts them to the dark.
INK = "#1c2024"
SOFT = "#59626d"
GOOD = "#2c7a4b"
BAD = "#b3261e"
BAND = "#f9dedc"
STEP = "#33547e"

ACTIONS = frozenset(
    {"kill", "die", "stop", "start", "create", "destroy", "pause", "unpause", "restart", "oom"}
)


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of the probe's time that is drawn."""

    begin: float
    end: float

    def x(self, at: float) -> float:
        """Return where a moment stands, kept inside the drawing."""
        share = (at - self.begin) / (self.end - self.begin)
        return round(LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0), 1)

    def shows(self, at: float) -> bool:
        return self.begin <= at <= self.end


@dataclass(frozen=True, slots=True)
class Label:
    """A named moment of the drawing."""

    at: float
    name: str


def to_svg(record: Record) -> Html:
    """Return the drawing; empty if nothing was measured."""
    outage = record.outage
    if outage is None or not any(path.intervals for path in outage.paths):
        return Html()
    window = _window(outage)
    parts: list[Html] = []
    top = 10.0
    for lane in (_moments(record, outage, window), _steps(record, outage, window)):
        for part, height in lane:
            parts.append(tag("g", part, transform=f"translate(0 {top:.0f})"))
            top += height
    lanes_begin = top
    for path in outage.paths:
        parts.append(tag("g", _path(path, window), transform=f"translate(0 {top:.0f})"))
        top += 46
    parts.append(tag("g", _axis(window), transform=f"translate(0 {top:.0f})"))
    band = _band(outage, window, lanes_begin, top)
    return _frame(outage, join([_patterns(), band, *parts]), top + 34)


def _frame(outage: Outage, inside: Html, height: float) -> Html:
    headline = outage.headline_path
    words = plus_minus(headline.length, headline.uncertainty) if headline else "not measured"
    return tag(
        "svg",
        tag("title", f"Drawing of the outage: {words}"),
        tag("desc", join(_described(outage), " ")),
        inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        width=WIDTH,
        height=f"{height:.0f}",
        role="img",
        class_="kr-drawing",
        font_family=FONT,
        font_size="11",
    )


def _described(outage: Outage) -> Iterator[str]:
    for path in outage.paths:
        answers = ", then ".join(
            f"{one.answer} from {one.begin:.3f} s to {one.end:.3f} s" for one in path.intervals[:40]
        )
        yield f"{path.path}: {answers}."


def _window(outage: Outage) -> Window:
    """Return the window of the outage, with some time on both sides; all of it if there was no outage."""
    edges = [edge for path in outage.paths for edge in (path.last_good, path.first_good) if edge is not None]
    bad = [
        edge
        for path in outage.paths
        for one in path.intervals
        if not one.good
        for edge in (one.begin, one.end)
    ]
    ends = [one.end for path in outage.paths for one in path.intervals]
    last = max([outage.ended, *ends, 0.001])
    begin, end = (min(edges + bad), max(edges + bad)) if bad else (0.0, last)
    calm = max(0.5, (end - begin) * 0.12)
    begin, end = max(0.0, begin - calm), min(last, end + calm)
    return Window(begin, end if end > begin else begin + 1.0)


def _since_zero(outage: Outage, wall: str) -> float | None:
    zero, at = moment(outage.zero_at), moment(wall)
    if zero is None or at is None:
        return None
    return (at - zero) / dt.timedelta(seconds=1)


def _moments(record: Record, outage: Outage, window: Window) -> Iterator[tuple[Html, float]]:
    """Draw the run's moments, and then the engine's events on this container."""
    named = [(moment_.wall, moment_.name) for moment_ in record.moments]
    events = [(event.at, f"engine: {event.action}") for event in record.events if event.action in ACTIONS]
    for one in (named, events):
        labels = list(_labels(one, outage, window))
        if labels:
            yield _label_rows(labels, window)


def _labels(named: Iterable[tuple[str, str]], outage: Outage, window: Window) -> Iterator[Label]:
    for wall, name in named:
        at = _since_zero(outage, wall)
        if at is not None and window.shows(at):
            yield Label(at, name)


def _label_rows(labels: Sequence[Label], window: Window) -> tuple[Html, float]:
    """Draw labels over their moments, each in the first row in which it touches no other."""
    ends: list[float] = []
    placed: list[tuple[Label, int, float, bool]] = []
    for label in sorted(labels, key=lambda label: label.at)[:40]:
        width = len(_cut(label.name)) * CHARACTER + 12
        x = window.x(label.at)
        turned = x + width > RIGHT
        begin = x - width if turned else x
        row = next((row for row, end in enumerate(ends) if end <= begin), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = begin + width
        placed.append((label, row, x, turned))
    height = len(ends) * 15 + 8
    return join(_label(one, height) for one in placed), float(height)


def _label(placed: tuple[Label, int, float, bool], height: float) -> Html:
    label, row, x, turned = placed
    y = row * 15
    return tag(
        "g",
        tag("title", f"{label.name} at {label.at:.3f} s"),
        tag("line", x1=x, x2=x, y1=y, y2=height, stroke=SOFT, stroke_width="1", class_="kr-d-soft-line"),
        _words(x - 4 if turned else x + 4, y + 10, _cut(label.name), SOFT, anchor="end" if turned else None),
    )


def _steps(record: Record, outage: Outage, window: Window) -> Iterator[tuple[Html, float]]:
    """Draw the steps that were carried out as bars."""
    bars = []
    for result in record.steps:
        begin = _since_zero(outage, result.began_at)
        if begin is not None and begin < window.end and begin + result.took > window.begin:
            bars.append(_bar(result.step.name, begin, begin + result.took, window))
    if bars:
        yield (
            join([_words(LEFT, 10, "what was done", SOFT), tag("g", *bars, transform="translate(0 16)")]),
            46.0,
        )


def _bar(name: str, begin: float, end: float, window: Window) -> Html:
    x, width = window.x(begin), max(window.x(end) - window.x(begin), 2.0)
    label = f"{name} {end - begin:.2f} s"
    return tag(
        "g",
        tag("title", f"{name}: {exactly(end - begin)}, from {begin:.3f} s"),
        tag("rect", x=x, y=0, width=f"{width:.1f}", height=20, rx=2, fill=STEP, class_="kr-d-step"),
        _inside(x, width, 14, (label, name), ("#ffffff", "kr-d-on-step")),
    )


def _path(path: PathOutage, window: Window) -> Html:
    headline = " (its length is the outage of this run)" if path.headline else ""
    name = f"{path.path}, up to {path.rate:g} looks a second{headline}"
    shown = [one for one in path.intervals if one.end >= window.begin and one.begin <= window.end]
    return join([_words(LEFT, 12, name, INK), *(_answers(one, window) for one in shown[:400])])


def _answers(interval: Interval, window: Window) -> Html:
    x, width = window.x(interval.begin), max(window.x(interval.end) - window.x(interval.begin), 1.5)
    colour, class_ = (GOOD, "kr-d-good") if interval.good else ("url(#kr-hatch)", "kr-d-bad")
    on = ("#ffffff", "kr-d-on-good") if interval.good else (INK, "kr-d-on-bad")
    return tag(
        "g",
        tag(
            "title",
            f"{interval.answer}: {interval.count} times, {interval.begin:.3f} s to {interval.end:.3f} s",
        ),
        tag("rect", x=x, y=18, width=f"{width:.1f}", height=18, fill=colour, class_=class_),
        _inside(
            x, width, 31, (f"{interval.answer} \N{MULTIPLICATION SIGN} {interval.count}", interval.answer), on
        ),
    )


def _inside(x: float, width: float, y: float, words: tuple[str, str], ink: tuple[str, str]) -> Html:
    """Write the longer text into a bar if it fits, otherwise the shorter one, otherwise none."""
    fill, class_ = ink
    for label in words:
        wide = len(label) * CHARACTER
        if wide + 10 <= width:
            plate = (
                tag(
                    "rect",
                    x=x + 3,
                    y=y - 13,
                    width=f"{wide + 4:.1f}",
                    height=18,
                    fill="#ffffff",
                    class_="kr-d-plate",
                )
                if class_ == "kr-d-on-bad"
                else Html()
            )
            return join([plate, _words(x + 5, y, label, fill, class_=class_)])
    return Html()


def _band(outage: Outage, window: Window, top: float, bottom: float) -> Html:
    """Draw each stretch of the outage behind everything: what is certain, and at its edges what may belong to it."""
    headline = outage.headline_path
    if headline is None:
        return Html()
    return join(_shade(one, outage.ended, window, (top, bottom)) for one in headline.each)


def _shade(silence: Silence, ended: float, window: Window, lanes: tuple[float, float]) -> Html:
    if silence.last_good is None:
        return Html()
    begin = silence.last_good
    end = silence.first_good if silence.first_good is not None else ended
    doubt = (silence.uncertainty or 0.0) / 2
    edges = [
        _stretch(window.x(at - doubt), window.x(at + doubt), lanes, BAD, "kr-d-doubt")
        for at in (begin, end)
        if doubt
    ]
    return join([_stretch(window.x(begin), window.x(end), lanes, BAND, "kr-d-band"), *edges])


def _stretch(begin: float, end: float, lanes: tuple[float, float], fill: str, class_: str) -> Html:
    top, bottom = lanes
    return tag(
        "rect",
        x=begin,
        y=f"{top - 4:.1f}",
        width=f"{max(end - begin, 1.5):.1f}",
        height=f"{bottom - top + 4:.1f}",
        fill=fill,
        opacity=1 if fill == BAND else 0.45,
        class_=class_,
    )


def _axis(window: Window) -> Html:
    step = _tick(window.end - window.begin)
    first = math.ceil(window.begin / step - 1e-9)
    ticks = [n * step for n in range(first, first + 13) if n * step <= window.end + 1e-9]
    line = tag("line", x1=LEFT, x2=RIGHT, y1=2, y2=2, stroke=SOFT, stroke_width="1", class_="kr-d-soft-line")
    return join([line, *(_tick_mark(at, window, step) for at in ticks)])


def _tick_mark(at: float, window: Window, step: float) -> Html:
    x = window.x(at)
    anchor = "end" if x > RIGHT - 20 else "start" if x < LEFT + 20 else "middle"
    label = f"{at:.0f} s" if step >= 1 else f"{at:.{max(0, -math.floor(math.log10(step)))}f} s"
    return join(
        [
            tag("line", x1=x, x2=x, y1=2, y2=7, stroke=SOFT, stroke_width="1", class_="kr-d-soft-line"),
            _words(x, 20, label, SOFT, anchor=anchor),
        ]
    )


def _tick(span: float) -> float:
    """Return a round distance between ticks that gives at most twelve of them."""
    raw = span / 11
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= raw)


def _words(
    x: float, y: float, words: str, fill: str, *, anchor: str | None = None, class_: str | None = None
) -> Html:
    known = {INK: "kr-d-ink", SOFT: "kr-d-soft"}
    return tag(
        "text",
        text(words),
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        fill=fill,
        text_anchor=anchor,
        class_=class_ or known.get(fill),
    )


def _cut(words: str) -> str:
    return words if len(words) <= 36 else words[:35] + "…"


def _patterns() -> Html:
    """Return the hatching of bad answers, so that they differ from good ones without colour."""
    lines = tag("path", d="M0 6L6 0M-1 1L1 -1M5 7L7 5", stroke=BAD, stroke_width="1.6", class_="kr-d-hatch")
    ground = tag("rect", width=6, height=6, fill="#ffffff", class_="kr-d-plate")
    pattern = tag("pattern", ground, lines, id="kr-hatch", width=6, height=6, patternUnits="userSpaceOnUse")
    return tag("defs", pattern)
