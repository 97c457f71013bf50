"""Charts of weekly shares: SVG for the page, PNG for slides. The only module that uses Altair.

Drawn once and without scripts, so that a page with them opens anywhere, prints, and follows the
reader's light or dark colours: text and lines have one of the few colours of `INK`, which the page
replaces by its own. Nothing is fetched; shares are fractions 0..1, weeks ISO weeks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pandas as pd
from markupsafe import Markup

from trendscope import weeks
from trendscope.categories import color
from trendscope.files.replacing import SOFTWARE
from trendscope.reports.wording import interval
from trendscope.text import percent
from trendscope.trends.summary import TrendSummary
from trendscope.trends.verdicts import FALLING, RISING, WATCH

if TYPE_CHECKING:
    import altair as alt

INK, QUIET, GRID, PAPER = "#1d1d1b", "#62625e", "#deded9", "#fffffe"
"""Colours of text and lines, of secondary text, of the grid, and of the background."""

BANDS = (
    "Share of customers' votes by week, with its 95 % interval. Dashed: to be expected, with the "
    "80 and 95 % intervals."
)
"""Legend of a chart."""
DOTTED = " Dotted: as in the last four weeks."
"""Legend of what a chart of one category shows besides."""
EACH = (
    "Each chart has a scale of its own. Compare a category with itself over time, not with another "
    f"one.{DOTTED}"
)
"""Note on several charts of one category each."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"

Drawing = dict[str, Any]
"""A chart as Vega-Lite describes it (https://vega.github.io/vega-lite)."""

TOGETHER = 4
"""Most categories in one chart; with more, their intervals hide each other."""


@dataclass(frozen=True)
class Size:
    """The size of a chart in pixels of a page; text keeps its size whatever the chart's.

    Attributes:
        width: Width of the plotted area.
        height: Height of the plotted area.
        text: Size of labels.
    """

    width: int
    height: int
    text: int = 12


WIDE = Size(900, 330, text=13)
NARROW = Size(190, 240, text=12)
SMALL = Size(250, 110, text=11)
SLIDE = Size(1000, 500, text=18)
"""Size on a slide of 16 to 9, rendered with `SCALE` pixels for each of these."""
SCALE = 1.6


def prominent(summary: TrendSummary) -> tuple[str, ...]:
    """Categories that are moving, the strongest first, then the most worn; at most `TOGETHER`."""
    latest = summary.movement.groupby("category", sort=False).tail(1)
    moving = latest["verdict"].map({RISING: 2, FALLING: 2, WATCH: 1}).fillna(0)
    ordered = latest.assign(moving=moving, strength=latest["change"].abs().where(moving > 0, 0))
    ordered = ordered[ordered["recent"].fillna(0) > 0].sort_values(
        ["moving", "strength", "recent"], ascending=False, kind="stable"
    )
    return tuple(ordered["category"].head(TOGETHER))


def shares(
    summary: TrendSummary, categories: Sequence[str], *, weeks_shown: int, size: Size
) -> Drawing:
    """The shares of some categories by week, with 95 % intervals, and what is to be expected.

    Complete weeks are a line in a band; the coming ones a dashed line in a fan of the 80 and the
    95 % interval; dotted, of one category alone: as in the last four weeks. Several categories have
    their names at the end of their lines.
    """
    import altair as alt

    past, coming = _past(summary, categories, weeks_shown), _coming(summary, categories)
    named = alt.Scale(domain=list(categories), range=[_color(name) for name in categories])
    hue = alt.Color("category:N", scale=named, legend=None)
    months = alt.Axis(
        format="%b", tickCount="month", labelFontSize=size.text, grid=False, labelFlush=False
    )
    x = alt.X("monday:T", title=None, scale=alt.Scale(type="utc"), axis=months)
    top = float(pd.concat([past["hi95"].where(past["share"].notna()), coming["hi95"]]).max())
    top = max(0.01, 0 if math.isnan(top) else top)
    scale = alt.Scale(domain=[0, min(1.0, top)], nice=4 if top < 0.9 else False)
    percents = alt.Axis(format=".0%", tickCount=max(2, size.height // 55), labelFontSize=size.text)
    y = alt.Y("share:Q", title=None, scale=scale, axis=percents)

    def band(table: pd.DataFrame, level: int, opacity: float) -> alt.Chart:
        area: alt.Chart = alt.Chart(table).mark_area(opacity=opacity)
        low = alt.Y(f"lo{level}:Q", scale=scale)
        return area.encode(x=x, y=low, y2=f"hi{level}:Q", color=hue)

    lines = alt.Chart(past).encode(x=x, y=y, detail="category:N")
    expected = alt.Chart(coming).mark_line(color=INK, strokeWidth=1.5, strokeDash=[4, 3])
    layers = [
        band(past, 95, 0.14 if len(categories) > 1 else 0.26),
        band(coming, 95, 0.2),
        band(coming, 80, 0.34),
        # A line where what was counted ends and what is expected begins.
        alt.Chart(past.tail(1)).mark_rule(color=QUIET, strokeDash=[3, 3]).encode(x=x),
        # A dark edge, because the lighter colours hardly show on white.
        lines.mark_line(color=INK, strokeWidth=3, strokeJoin="round"),
        lines.mark_line(strokeWidth=2, strokeJoin="round").encode(color=hue),
        expected.encode(x=x, y=y, detail="category:N"),
    ]
    if len(categories) == 1:
        same = alt.Chart(coming).mark_line(color=INK, strokeWidth=1.5, strokeDash=[1, 3])
        layers.append(same.encode(x=x, y=alt.Y("naive_share:Q", scale=scale)))
    layers += _names(past, coming, hue, size) if len(categories) > 1 else []
    return _dressed(layers, size)


def _dressed(layers: list[alt.Chart], size: Size) -> Drawing:
    """Layers as one chart in the page's type and colours, without a frame."""
    import altair as alt

    axis = {"labelColor": QUIET, "gridColor": GRID, "domain": False, "ticks": False}
    settings = {
        "font": FONT,
        "background": PAPER,
        "aria": False,
        "padding": 6,
        "view": {"stroke": None},
        "axis": {**axis, "labelPadding": 6},
    }
    chart = alt.LayerChart(layer=layers, width=size.width, height=size.height, config=settings)
    drawing: Drawing = chart.to_dict()
    return drawing


def _names(past: pd.DataFrame, coming: pd.DataFrame, hue: alt.Color, size: Size) -> list[alt.Chart]:
    """A dot and a name at the end of each line, moved apart where lines end side by side."""
    import altair as alt

    ends = (coming if len(coming) else past).groupby("category", sort=False).tail(1)
    placed = alt.Chart(_apart(ends, size)).encode(x=alt.X("monday:T"), y=alt.Y("place:Q"))
    dot = placed.mark_circle(size=5 * size.text, stroke=INK, strokeWidth=0.8, opacity=1)
    text = placed.mark_text(
        align="left", dx=0.8 * size.text, color=INK, fontSize=size.text, fontWeight=600
    )
    return [dot.encode(color=hue), text.encode(text="category:N")]


def _apart(ends: pd.DataFrame, size: Size) -> pd.DataFrame:
    """The ends with a ``place``: their share, or as far above the one below as a line of text."""
    line = 1.25 * size.text / size.height * max(float(ends["hi95"].max()), 0.01)
    places, below = [], -1.0
    ordered = ends.sort_values("share")
    for share in ordered["share"]:
        below = max(float(share), below + line)
        places.append(below)
    return ordered.assign(place=places)


def _past(summary: TrendSummary, categories: Sequence[str], weeks_shown: int) -> pd.DataFrame:
    rows = summary.movement
    rows = rows[rows["week"].isin(rows["week"].unique()[-weeks_shown:])]
    return _dated(rows[rows["category"].isin([*categories])])[
        ["monday", "category", "share", "lo95", "hi95"]
    ]


def _coming(summary: TrendSummary, categories: Sequence[str]) -> pd.DataFrame:
    """The forecast, begun with the last complete week so that line and band go on from there."""
    bounds_of = ["lo80", "hi80", "lo95", "hi95"]
    columns = ["monday", "category", "share", *bounds_of, "naive_share"]
    ahead = summary.forecast[summary.forecast["category"].isin([*categories])]
    ahead = ahead[ahead["share"].notna()]
    last = summary.movement.groupby("category", sort=False).tail(1)
    last = last[last["category"].isin(ahead["category"]) & last["share"].notna()]
    bounds = dict.fromkeys(bounds_of, last["share"])
    return _dated(pd.concat([last.assign(**bounds), ahead]))[columns]


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the Monday of each week as text, which JavaScript reads as midnight UTC."""
    mondays = {week: weeks.monday_of(str(week)).isoformat() for week in rows["week"].unique()}
    return rows.assign(monday=rows["week"].map(mondays))


def _color(category: str) -> str:
    """The colour of a category; grey for a category of an analyst's own."""
    try:
        return color(category)
    except ValueError:
        return QUIET


# --- on a page ------------------------------------------------------------------------------------


def together(summary: TrendSummary, weeks_shown: int) -> tuple[Markup, ...]:
    """Charts of the prominent categories together: for wide pages, and for telephones."""
    several = prominent(summary)
    alt = " ".join(alternative(summary, name, weeks_shown) for name in several)
    sizes = (WIDE, NARROW) if several else ()
    return tuple(
        svg(shares(summary, several, weeks_shown=weeks_shown, size=size), alt) for size in sizes
    )


def alone(summary: TrendSummary, category: str, weeks_shown: int) -> Markup:
    """One category in a small chart with a scale of its own."""
    chart = shares(summary, [category], weeks_shown=weeks_shown, size=SMALL)
    return svg(chart, alternative(summary, category, weeks_shown))


# --- files ---------------------------------------------------------------------------------------


def svg(chart: Drawing, alternative: str) -> Markup:
    """The chart as an SVG element that takes the width it is given.

    Args:
        chart: Chart as `shares` gives it.
        alternative: Text for readers who cannot see the chart.
    """
    import vl_convert

    element = vl_convert.vegalite_to_svg(chart, allowed_base_urls=[])
    label = escape(alternative, quote=True)
    return Markup(element.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))


def png(chart: Drawing, title: str, below: str) -> bytes:
    """The chart as a picture for a slide, on white.

    Args:
        chart: Chart as `shares` gives it.
        title: Text over the chart, in large type.
        below: Text under the title, in small type: what the bands mean.
    """
    import vl_convert

    heading = {
        "text": title,
        "subtitle": below,
        "anchor": "start",
        "offset": SLIDE.text,
        "fontSize": 1.5 * SLIDE.text,
        "color": INK,
        "subtitleFontSize": 0.9 * SLIDE.text,
        "subtitleColor": QUIET,
        "subtitlePadding": SLIDE.text / 3,
    }
    titled = {**chart, "title": heading}
    picture: bytes = vl_convert.vegalite_to_png(titled, scale=SCALE, allowed_base_urls=[])
    return _signed(picture)


def _signed(png: bytes) -> bytes:
    """The picture with trendscope named as the software that made it, behind its first chunk."""
    chunk = b"tEXtSoftware\0" + SOFTWARE
    size, check = len(chunk) - 4, crc32(chunk)
    return png[:33] + size.to_bytes(4) + chunk + check.to_bytes(4) + png[33:]


def alternative(summary: TrendSummary, category: str, weeks_shown: int) -> str:
    """The text of a category's chart: its first and latest share, and the forecast."""
    past = _past(summary, [category], weeks_shown)
    first, last = past.iloc[0], past.iloc[-1]
    week = weeks.label
    text = (
        f"{category}: share of customers' votes by week, {_percent(first['share'])} in "
        f"{week(_day(first))}, {_percent(last['share'])} in {week(_day(last))}"
    )
    coming = _coming(summary, [category])
    if len(coming):
        end = coming.iloc[-1]
        bounds = interval(end["lo80"], end["hi80"])
        text += f"; to be expected in {week(_day(end))}: {bounds} (80 % interval)"
    return text + "."


def _percent(share: float) -> str:
    return "nothing named" if math.isnan(share) else percent(share)


def _day(row: pd.Series) -> date:
    return date.fromisoformat(row["monday"])
