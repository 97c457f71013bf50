"""Charts as pictures for slides: those of trends, and the shares of a customer."""

from __future__ import annotations

import re

from trendscope.categories import color
from trendscope.photos.summary import CustomerProfile
from trendscope.reports import charts, trends
from trendscope.reports.plots import INK, QUIET, Label
from trendscope.reports.trends import Line
from trendscope.text import percent, shown
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


def shares_slide(person: CustomerProfile) -> bytes:
    """What a customer wears: a bar for each category, as on the customer's page."""
    rows = [(worn.category, worn.share, color(worn.category)) for worn in person.ranked]
    if person.other_share:
        rows.append(("others", person.other_share, QUIET))
    text, width, height = charts.SLIDE.text, charts.SLIDE.width, charts.SLIDE.height
    left, row = 8 * text, min(3 * text, height // max(1, len(rows)))
    longest = max((share for _, share, _ in rows), default=1.0)
    marks = []
    for number, (name, share, hue) in enumerate(rows):
        y, line = number * row, number * row + 0.35 * row + text / 3
        length = share / longest * (width - left - 5 * text)
        marks += [
            Label(left - text / 2, line, name, text, "end", INK).svg,
            f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{0.7 * row:g}" fill="{hue}"/>',
            Label(left + length + text / 2, line, percent(share), text, color=INK).svg,
        ]
    bars = charts.Bars(width, len(rows) * row, "".join(marks))
    return charts.png(bars, shown(person.customer), "Estimated share of all garments")


def _file(category: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", category.lower()).strip("-") + ".png"
