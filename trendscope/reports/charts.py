"""Charts of weekly shares: what is drawn of a summary, as SVG for pages and PNG for slides.

Drawn once and without scripts, so that a page with them opens anywhere and prints. Nothing is
fetched; shares are fractions 0..1, weeks ISO weeks.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from markupsafe import Markup

from trendscope import weeks
from trendscope.categories import color
from trendscope.files.replacing import SOFTWARE
from trendscope.reports import plots
from trendscope.reports.plots import INK, LETTER, LINE, PAPER, QUIET, Label, Plot, Size
from trendscope.reports.wording import OF, interval, week_from
from trendscope.text import percent, shown
from trendscope.trends.summary import TrendSummary
from trendscope.trends.verdicts import FALLING, RISING, TOO_FEW, WATCH

BANDS = (
    "Share by week, with its 95 % interval. Dashed: to be expected, with the 80 and 95 % "
    "intervals. Where customers are few, points and thin lines stand for both."
)
"""Legend of a chart."""
DOTTED = " Dotted: as in the last four weeks."
"""Legend of what a chart of one category shows besides."""
EACH = (
    "Each chart has a scale of its own. Compare a category with itself over time, not with another "
    f"one.{DOTTED}"
)
"""Note on several charts of one category each."""

TOGETHER = 4
"""Most categories in one chart; with more, their intervals hide each other."""
FEW = 30
"""Customers a week under which a week's interval would cover most of the chart."""
SIGNS = 4
"""Weeks from one sign on a line to the next, where a chart has several lines."""
SEGMENTS = 10
"""Most segments whose categories are drawn; of more, the table is shown alone."""

WIDE = Size(900, 330, text=13)
NARROW = Size(190, 240, text=12)
SMALL = Size(250, 110, text=11)
SLIDE = Size(1000, 450, text=18)
"""Size on a slide of 16 to 9, rendered with `SCALE` pixels for each of these."""
SCALE = 1.6


def prominent(summary: TrendSummary) -> tuple[str, ...]:
    """Categories that are moving, the strongest first, then the most worn; at most `TOGETHER`.

    None where customers are few, as their lines would only cross each other.
    """
    latest = summary.movement.groupby("category", sort=False).tail(1)
    if not len(latest) or summary.movement["total"].median() < FEW:
        return ()
    moving = latest["verdict"].map({RISING: 2, FALLING: 2, WATCH: 1}).fillna(0)
    ordered = latest.assign(moving=moving, strength=latest["change"].abs().where(moving > 0, 0))
    ordered = ordered[ordered["recent"].fillna(0) > 0].sort_values(
        ["moving", "strength", "recent"], ascending=False, kind="stable"
    )
    return tuple(ordered["category"].head(TOGETHER))


_FORECAST = ("lo80", "hi80", "lo95", "hi95", "naive_share")


@dataclass(frozen=True)
class Course:
    """The shares of a category by week; all lists are as long as the list of their weeks.

    Attributes:
        weeks: Numbers of the complete weeks.
        past: Columns ``share, lo95, hi95`` of these.
        ahead: Numbers of the coming weeks, begun with the last complete one so that line and band
            go on from there; empty where there is not enough data.
        coming: Columns ``share, lo80, hi80, lo95, hi95, naive_share`` of these.
        few: Whether so few customers were active that single weeks say little.
    """

    category: str
    weeks: list[int]
    past: dict[str, list[float]]
    ahead: list[int]
    coming: dict[str, list[float]]
    few: bool


def course(summary: TrendSummary, category: str, weeks_shown: int) -> Course:
    """The course of a category, of the last complete weeks and of those forecast."""
    rows = summary.judged[summary.judged["category"] == category].tail(weeks_shown)
    ahead = summary.forecast[summary.forecast["category"] == category]
    seen = rows["share"].notna()
    past = {name: rows[name].where(seen).tolist() for name in ("share", "lo95", "hi95")}
    numbers = [weeks.number(str(week)) for week in rows["week"]]
    enough = seen.iloc[-1] and rows["verdict"].iloc[-1] != TOO_FEW
    known = enough and ahead["share"].notna().all()
    last = past["share"][-1]
    return Course(
        category,
        numbers,
        past,
        [numbers[-1], *(weeks.number(str(week)) for week in ahead["week"])] if known else [],
        {name: [last, *ahead[name]] if known else [] for name in ("share", *_FORECAST)},
        rows["total"].median() < FEW,
    )


# --- a chart --------------------------------------------------------------------------------------


def shares(
    summary: TrendSummary, categories: Sequence[str], *, weeks_shown: int, size: Size
) -> Plot:
    """The shares of some categories by week, with 95 % intervals, and what is to be expected.

    Complete weeks are a line in a band; the coming ones a dashed line in a fan of the 80 and the
    95 % interval; dotted, of one category alone: as in the last four weeks. Several categories have
    a sign each, and their names at the end of their lines. Of few customers, weeks are points on
    a thin line, and intervals thin upright lines.
    """
    return drawn([course(summary, category, weeks_shown) for category in categories], size)


def drawn(courses: Sequence[Course], size: Size) -> Plot:
    """Some courses of the same weeks in one chart; see `shares`."""
    latest, several = courses[0].weeks[-1], len(courses) > 1
    bounds = [bound for one in courses for bound in one.past["hi95"] + one.coming["hi95"]]
    top = max((bound for bound in bounds if not math.isnan(bound)), default=0)
    names = [shown(one.category, 24) for one in courses]
    last = max([latest, *(one.ahead[-1] for one in courses if one.ahead)])
    room = names if several else ()
    plot = Plot(size, courses[0].weeks[0], last, min(1.0, max(0.01, top)), room)
    plot.days(latest)
    if last > latest:
        # A line where what was counted ends and what is expected begins.
        end = plot.x(latest)
        plot.line([(end, plot.above), (end, plot.above + size.height)], QUIET, 1, "3 3")
    ends = []
    for one in courses:
        _intervals(plot, one, 0.14 if several else 0.26)
    for number, one in enumerate(courses):
        _line(plot, one, number if several else None)
        known = [share for share in one.past["share"] + one.coming["share"] if share >= 0]
        ends += [(names[number], plot.y(share)) for share in known[-1:]]
    if several:
        plot.name(ends)
    return plot


def _intervals(plot: Plot, one: Course, opacity: float) -> None:
    """The intervals of a category: bands, or upright lines where customers are few."""
    hue = _color(one.category)
    low, high = (plot.at(one.weeks, one.past[name]) for name in ("lo95", "hi95"))
    low80, high80, low95, high95 = (plot.at(one.ahead, one.coming[name]) for name in _FORECAST[:4])
    if one.few:
        for pair in (*zip(low, high, strict=True), *zip(low80[1:], high80[1:], strict=True)):
            plot.line(pair, QUIET, 0.7)
    else:
        plot.band(low, high, hue, opacity)
        plot.band(low95, high95, hue, 0.2)
        plot.band(low80, high80, hue, 0.34)


def _line(plot: Plot, one: Course, shape: int | None) -> None:
    """The line of a category, and what is to be expected of it."""
    hue = _color(one.category)
    counted = plot.at(one.weeks, one.past["share"])
    expected, same = (plot.at(one.ahead, one.coming[name]) for name in ("share", "naive_share"))
    if one.few:
        plot.line(counted, hue, 1)
        plot.mark(counted, shape or 0, hue, plot.size.text / 5)
    else:
        # A dark edge, because the lighter colours hardly show on white.
        plot.line(counted, INK, 3)
        plot.line(counted, hue, 2)
    plot.line(expected, INK, 1.5, "4 3")
    if shape is None:
        plot.line(same, INK, 1.5, "1 3")
    else:
        plot.mark((*counted[::SIGNS], *expected[-1:]), shape, hue, plot.size.text / 3)


def _color(category: str) -> str:
    """The colour of a category; grey for a category of an analyst's own."""
    try:
        return color(category)
    except ValueError:
        return QUIET


# --- on a page ------------------------------------------------------------------------------------


def together(summary: TrendSummary, weeks_shown: int) -> tuple[Markup, ...]:
    """Charts of the prominent categories together: for wide pages, and for telephones."""
    several = [course(summary, name, weeks_shown) for name in prominent(summary)]
    alt = " ".join(alternative(one, summary.unit) for one in several)
    sizes = (WIDE, NARROW) if several else ()
    return tuple(Markup(plots.svg(drawn(several, size), alt)) for size in sizes)


def alone(summary: TrendSummary, category: str, weeks_shown: int) -> Markup:
    """One category in a small chart with a scale of its own."""
    one = course(summary, category, weeks_shown)
    return Markup(plots.svg(drawn([one], SMALL), alternative(one, summary.unit)))


@dataclass(frozen=True)
class Charts:
    """The charts of a segment, which has no name where there are no segments.

    Attributes:
        together: Several categories in one chart, for wide pages and for telephones; or nothing.
        alone: Each category alone, with its name.
    """

    segment: str
    together: tuple[Markup, ...]
    alone: tuple[tuple[str, Markup], ...]


def of_page(summary: TrendSummary, weeks_shown: int) -> list[Charts]:
    """The charts of each segment, or of all; none where there are more than `SEGMENTS`."""
    movement, forecast = summary.movement, summary.forecast
    segments = movement["segment"].unique() if "segment" in movement else [None]
    drawings = []
    for name in segments if len(movement) and len(segments) <= SEGMENTS else ():
        if name is not None:
            mine = (rows[rows["segment"] == name] for rows in (movement, forecast))
            summary = replace(summary, **dict(zip(("movement", "forecast"), mine, strict=True)))
        each = [
            (shown(str(category)), alone(summary, category, weeks_shown))
            for category in summary.movement["category"].unique()
        ]
        several = together(summary, weeks_shown) if len(each) > 1 else ()
        drawings.append(Charts(shown(str(name or "")), several, tuple(each)))
    return drawings


# --- files ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bars:
    """A drawing without axes: its size in pixels of a slide, and its SVG elements."""

    width: float
    height: float
    inside: str


def png(chart: Plot | Bars, title: str, below: str) -> bytes:
    """The chart as a picture for a slide, on white, under a title in large type.

    `below` stands under the title in small type: what the bands mean.
    """
    import vl_convert

    y, text, words = 0.0, SLIDE.text, ""
    for sentence, size, ink in ((title, 1.5 * text, INK), (below, 0.9 * text, QUIET)):
        for line in textwrap.wrap(sentence, int(chart.width / (LETTER * size))):
            y += LINE * size
            words += Label(text / 2, y, line, size, color=ink, bold=ink == INK).svg
    needed = chart.height + y + text
    width, height = max(chart.width, needed * 16 / 9), max(needed, chart.width * 9 / 16)
    picture: bytes = vl_convert.svg_to_png(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'font-family="{plots.FONT}"><rect width="100%" height="100%" fill="{PAPER}"/>{words}'
        f'<g transform="translate(0 {y + text:.0f})">{chart.inside}</g></svg>',
        scale=SCALE,
    )
    return _signed(picture)


def _signed(png: bytes) -> bytes:
    """The picture with trendscope named as the software that made it, behind its first chunk."""
    chunk = b"tEXtSoftware\0" + SOFTWARE
    size, check = len(chunk) - 4, crc32(chunk)
    return png[:33] + size.to_bytes(4) + chunk + check.to_bytes(4) + png[33:]


def alternative(one: Course, unit: str) -> str:
    """The text of a category's chart: its first and latest share, and the forecast."""
    numbers, values = one.weeks, one.past["share"]
    first, last, *coming = (
        week_from(weeks.name(number)) for number in (numbers[0], numbers[-1], *one.ahead[-1:])
    )
    text = (
        f"{shown(one.category)}: share of {OF[unit]} by week, {_percent(values[0])} in the week "
        f"from {first}, {_percent(values[-1])} in that from {last}"
    )
    for week in coming:
        bounds = interval(one.coming["lo80"][-1], one.coming["hi80"][-1])
        text += f"; to be expected in that from {week}: {bounds} (80 % interval)"
    return text + "."


def _percent(share: float) -> str:
    return "nothing named" if math.isnan(share) else percent(share)
