"""Shares by week as small drawings (SVG) that a page holds itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

WIDTH, HEIGHT = 300, 90
"""Of the plotted area, in units of the drawing."""


@dataclass(frozen=True)
class Chart:
    """The share of one category by week, in the units of the drawing.

    Attributes:
        category: One of the ten.
        line: Points of the weeks so far, ``x,y x,y``; weeks in which nobody was active break it.
        band: Outline of the 95 % intervals.
        coming: Points of the expected weeks, from the last known one on.
        fan: Outline of their 80 % intervals.
        most: The share at the top of the drawing.
        first, last: Names of the first and the last week drawn.
        words: The same for who cannot see it.
    """

    category: str
    line: tuple[str, ...]
    band: tuple[str, ...]
    coming: str
    fan: str
    most: float
    first: str
    last: str
    words: str


def charts(table: pd.DataFrame) -> list[Chart]:
    """A drawing for each category of `trendscope.trend_report.table`, all to one scale."""
    rows = table[table["kind"] != "running"]
    if rows.empty:
        return []
    tops = rows[["share", "hi95"]].max(axis=1)
    most = max(0.01, min(1.0, float(tops.max()))) if tops.notna().any() else 1.0
    return [_chart(str(c), part, most) for c, part in rows.groupby("category", sort=False)]


def _chart(category: str, rows: pd.DataFrame, most: float) -> Chart:
    step = WIDTH / max(1, len(rows) - 1)
    past = rows["kind"].to_numpy() == "complete"
    known = int(past.sum())
    xs = [step * place for place in range(len(rows))]

    def points(name: str) -> list[tuple[float, float]]:
        return [(x, HEIGHT * (1 - v / most)) for x, v in zip(xs, rows[name], strict=True)]

    share, low, high = points("share"), points("lo95"), points("hi95")
    low80, high80 = points("lo80"), points("hi80")
    anchor = [share[known - 1]] if known and not math.isnan(share[known - 1][1]) else []
    coming = anchor + share[known:]
    fan = anchor + high80[known:] + low80[known:][::-1]
    weeks = rows["week"].tolist()
    last = rows["share"].to_numpy()[known - 1] if known else math.nan
    words = f"{category}: " + (
        f"{100 * last:.0f} % in week {weeks[known - 1]}" if not math.isnan(last) else "no data"
    )
    return Chart(
        category,
        tuple(_text(part) for part in _parts(share[:known])),
        tuple(_text(high[a:b] + low[a:b][::-1]) for a, b in _spans(share[:known])),
        _text(coming),
        _text(fan),
        most,
        weeks[0],
        weeks[-1],
        words,
    )


def _spans(points: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """From where to where points are known without a gap."""
    spans, start = [], None
    for place, (_, y) in enumerate([*points, (0.0, math.nan)]):
        if math.isnan(y):
            if start is not None:
                spans.append((start, place))
            start = None
        elif start is None:
            start = place
    return spans


def _parts(points: Sequence[tuple[float, float]]) -> list[Sequence[tuple[float, float]]]:
    return [points[a:b] for a, b in _spans(points)]


def _text(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points if not math.isnan(y))
