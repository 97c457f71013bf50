"""Lines over weeks as SVG: scales, marks, and labels of which none overlaps another.

Text and lines have one of the few colours of `INK`, which a page replaces by its own
(``charts.css``), so that a drawing follows light and dark. Shares are fractions 0..1, weeks numbers
as `trendscope.weeks.number` gives them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby

from trendscope import weeks
from trendscope.text import MONTHS

INK, QUIET, GRID, PAPER = "#1d1d1b", "#62625e", "#deded9", "#fffffe"
"""Colours of text and lines, of secondary text, of the grid, and of the background."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
LETTER = 0.74
"""Width of a letter as a part of its size; most fonts are narrower."""
LINE = 1.25
"""Height of a line of text as a multiple of its size."""
LONG = 60
"""Weeks from which on ticks have a month and a year, not a day."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Size:
    """The size of a plotted area, and of the text of labels, in pixels of a page."""

    width: int
    height: int
    text: int = 12


@dataclass(frozen=True)
class Label:
    """A line of text: its baseline is at `y`, its ``start``, ``middle`` or ``end`` at `x`."""

    x: float
    y: float
    words: str
    size: float
    anchor: str = "start"
    color: str = QUIET
    bold: bool = False

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what it may cover."""
        width = LETTER * self.size * len(self.words)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.9 * self.size, left + width, self.y + 0.3 * self.size

    @property
    def svg(self) -> str:
        """The SVG element."""
        weight = ' font-weight="600"' if self.bold else ""
        return (
            f'<text x="{self.x:.1f}" y="{self.y:.1f}" font-size="{self.size:g}" '
            f'text-anchor="{self.anchor}" fill="{self.color}"{weight}>{escape(self.words)}</text>'
        )


@dataclass
class Plot:
    """A plotted area with its axes, on which marks are put one after the other.

    Attributes:
        first, last: Numbers of the first and the last week.
        top: Largest share to be shown.
        names: Texts for which there is room at the right.
    """

    size: Size
    first: int
    last: int
    top: float
    names: Sequence[str] = ()
    marks: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = self.size.text
        step = _step(self.top, max(2, self.size.height // 50))
        ticks = [step * i for i in range(math.ceil(round(self.top / step, 6)) + 1)]
        self.most = ticks[-1]
        words = [f"{100 * tick:.4g} %" for tick in ticks]
        longest = max(map(len, self.names), default=0)
        self.left = LETTER * text * max(map(len, words)) + text / 2
        self.above = text
        self.width = self.left + self.size.width + text * (1 + (longest and LETTER * longest + 1))
        self.height = self.above + self.size.height + 2.2 * text
        for tick, word in zip(ticks, words, strict=True):
            y = self.y(tick)
            self.line([(self.left, y), (self.left + self.size.width, y)], GRID, 1)
            self.labels.append(Label(self.left - text / 2, y + 0.35 * text, word, text, "end"))

    @property
    def inside(self) -> str:
        """Marks and labels as SVG elements."""
        return "".join((*self.marks, *(label.svg for label in self.labels)))

    def x(self, week: float) -> float:
        """The place of a week."""
        part = (week - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return self.left + part * self.size.width

    def y(self, share: float) -> float:
        """The place of a share."""
        return self.above + (1 - min(share, self.most) / self.most) * self.size.height

    def at(self, numbers: Iterable[int], values: Iterable[float]) -> Points:
        """The places of some weeks' shares."""
        return [(self.x(n), self.y(v)) for n, v in zip(numbers, values, strict=True)]

    def days(self, latest: int) -> None:
        """Labels weeks by their Mondays, `latest` among them, as many as do not overlap."""
        text, span = self.size.text, self.last - self.first
        longest = LETTER * text * len("Nov 2026" if span > LONG else "30 Nov") + text
        step = max(1, math.ceil(longest / self.size.width * span))
        for week in range(latest - (latest - self.first) // step * step, self.last + 1, step):
            monday = weeks.monday_of(weeks.name(week))
            month = MONTHS[monday.month - 1]
            word = f"{month} {monday.year}" if span > LONG else f"{monday.day} {month}"
            y = self.above + self.size.height + 1.8 * text
            label = Label(self.x(week), y, word, text, "middle")
            if label.box[0] >= 0 and label.box[2] <= self.width:
                self.labels.append(label)

    def line(self, points: Points, color: str, width: float, dashes: str = "") -> None:
        """A line, with gaps where there is no value."""
        data = " ".join(_lines(run) for run in _runs(points))
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.marks.append(
            f'<path d="{data}" fill="none" stroke="{color}" stroke-width="{width:g}" '
            f'stroke-linejoin="round" stroke-linecap="round"{dashed}/>'
        )

    def band(self, low: Points, high: Points, color: str, opacity: float) -> None:
        """An area between two lines, with gaps where there is no value."""
        runs = zip(_runs(low), _runs(high), strict=True)
        data = " ".join(f"{_lines([*lower, *upper[::-1]])}Z" for lower, upper in runs)
        self.marks.append(f'<path d="{data}" fill="{color}" fill-opacity="{opacity:g}"/>')

    def mark(self, points: Points, shape: int, color: str, radius: float) -> None:
        """A small sign at each point: circle, square, triangle or diamond."""
        data = "".join(_sign(x, y, shape, radius) for x, y in points if not math.isnan(y))
        self.marks.append(f'<path d="{data}" fill="{color}" stroke="{INK}" stroke-width="0.8"/>')

    def name(self, ends: Sequence[tuple[str, float]]) -> None:
        """Names at the ends of lines, moved apart where lines end side by side."""
        text, right = self.size.text, self.left + self.size.width
        ordered = sorted(ends, key=lambda end: end[1])
        places = apart([y for _, y in ordered], LINE * text, self.above + self.size.height)
        for (name, y), place in zip(ordered, places, strict=True):
            start = right + 1.2 * text
            self.line([(right + 0.4 * text, y), (start - 0.2 * text, place)], QUIET, 0.8)
            label = Label(start, place + 0.35 * text, name, text, color=INK, bold=True)
            self.labels.append(label)


def apart(places: Sequence[float], least: float, bottom: float) -> list[float]:
    """Ascending places, moved so that neighbours are `least` apart, and none is below `bottom`.

    >>> apart([0, 10, 12, 30], 5, 31)
    [0, 10, 15, 30]
    >>> apart([28, 30], 5, 31)
    [26, 31]
    """
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + least) if moved else place)
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], moved[i + 1] - least if i + 1 < len(moved) else max(bottom, 0))
    return moved


def _step(top: float, most: int) -> float:
    """The smallest round step of which at most `most` reach `top`."""
    power = 10.0 ** math.floor(math.log10(top / most))
    return next(n * power for n in (1, 2, 2.5, 5, 10) if n * power * most >= top - 1e-9)


def _runs(points: Points) -> list[Points]:
    """The stretches between missing values."""
    groups = groupby(points, key=lambda point: math.isnan(point[1]))
    return [[*run] for missing, run in groups if not missing]


def _lines(points: Points) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _sign(x: float, y: float, shape: int, r: float) -> str:
    corners = {
        1: [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        2: [(0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
        3: [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
    }.get(shape)
    if corners:
        return _lines([(x + r * dx, y + r * dy) for dx, dy in corners]) + "Z"
    return f"M{x - r:.1f} {y:.1f}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0Z"


def svg(plot: Plot, alternative: str) -> str:
    """The drawing as an SVG element that takes the width it is given.

    The alternative is for readers who cannot see it.
    """
    return (
        f'<svg role="img" aria-label="{escape(alternative, quote=True)}" '
        f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {plot.width:.0f} {plot.height:.0f}" '
        f'font-family="{FONT}">{plot.inside}</svg>'
    )
