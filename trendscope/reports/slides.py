"""Charts of trends as pictures for slides."""

from __future__ import annotations

import re

from trendscope.reports import charts, trends
from trendscope.reports.trends import Line
from trendscope.trends.summary import TrendSummary
from trendscope.trends.verdicts import FALLING, RISING


def slides(summary: TrendSummary, weeks: int) -> dict[str, Line | None]:
    """The pictures by their files' names: ``shares.png`` of several, ``dress.png`` of a line."""
    several = {"shares.png": None} if charts.prominent(summary) else {}
    return {**several, **{_file(line.category): line for line in trends.lines(summary, weeks)}}


def slide(summary: TrendSummary, weeks: int, line: Line | None) -> bytes:
    """The chart of a line of the table, or of the prominent categories together."""
    categories = [line.category] if line else charts.prominent(summary)
    chart = charts.shares(summary, categories, weeks_shown=weeks, size=charts.SLIDE)
    if line is None:
        return charts.png(chart, trends.title(summary), charts.BANDS)
    moving = line.verdict in (RISING, FALLING)
    title = line.category + (f" {line.change}" if moving else f": {line.verdict}")
    return charts.png(chart, title, charts.BANDS + charts.DOTTED)


def _file(category: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", category.lower()).strip("-") + ".png"
