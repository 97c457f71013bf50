"""The weekly page: one file that opens offline and prints, and its charts as pictures for slides.

All figures are those of `trendscope.reports.weekly` and `trendscope.trends.verdicts`; nothing is
counted here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from trendscope.categories import GROUP
from trendscope.reports import charts, pages, trends
from trendscope.reports.trends import Line
from trendscope.reports.weekly import Category, WeeklyReport
from trendscope.reports.wording import plural_of
from trendscope.text import percent
from trendscope.trends.summary import TrendSummary
from trendscope.trends.verdicts import FALLING, RISING, STEADY, TOO_FEW, WATCH
from trendscope.vision.scores import RARELY_NAMED, Scores

SYMBOLS = {RISING: "▲", FALLING: "▼", STEADY: "●", WATCH: "◆", TOO_FEW: "?"}
"""Of verdicts, so that nobody has to tell them by colour."""


@dataclass(frozen=True)
class Card:
    """A part of the headline.

    Attributes:
        verdict: Whose look it has.
        title: Such as "Has risen".
        sentences: What is said.
    """

    verdict: str
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """What is shown of one category.

    Attributes:
        line: The latest week in words and figures.
        category: Who wears it.
        chart: An SVG element.
        share: Of the latest week, with its 95 % interval.
        weeks: Week, customers, share, 95 % interval; of the complete weeks, the latest first.
        ahead: What to expect of the last of the coming weeks, and if nothing changes.
        doubt: How seldom it is named, where that is hardly ever; else empty.
    """

    line: Line
    category: Category
    chart: Markup
    share: tuple[str, str]
    weeks: tuple[tuple[str, str, str, str], ...]
    ahead: str
    doubt: str


def report_html(found: WeeklyReport) -> str:
    """A page of its own: headline, charts, tables, pictures, what was left out. No scripts."""
    outlook = found.outlook
    lines = trends.lines(outlook, found.weeks)
    known = {category.name: category for category in found.categories}
    return pages.page(
        "report.html",
        title=trends.title(outlook),
        found=found,
        cards=_cards(lines, outlook.measured),
        together=charts.together(outlook, found.weeks),
        panels=[_panel(found, line, known[line.category]) for line in lines],
        lines=lines,
        headings=trends.headings(lines),
        cells=trends.cells,
        symbols=SYMBOLS,
        bands=charts.BANDS,
        each=charts.EACH,
        notes=trends.notes(outlook),
        tally=_tally(outlook),
        hardly=RARELY_NAMED,
        period=_period(outlook.movement["week"].unique().tolist()[-found.weeks :]),
        ahead=_period(outlook.forecast["week"].unique().tolist()[-1:]),
        plural_of=plural_of,
    )


def report_pngs(found: WeeklyReport) -> Iterator[tuple[str, bytes]]:
    """The page's charts for slides: a file name such as ``dress.png``, and the picture."""
    outlook, week = found.outlook, trends.title(found.outlook)
    if several := charts.prominent(outlook):
        yield "shares.png", charts.png(_slide(found, several), week, charts.BANDS)
    for line in trends.lines(outlook, found.weeks):
        moving = line.verdict in (RISING, FALLING)
        said = f" {line.words.split(';')[0]}" if moving else f": {line.verdict}"
        chart, below = _slide(found, [line.category]), charts.BANDS + charts.DOTTED
        yield f"{_slug(line.category)}.png", charts.png(chart, f"{line.category}{said}", below)


def _slide(found: WeeklyReport, categories: Sequence[str]) -> charts.Drawing:
    return charts.shares(found.outlook, categories, weeks_shown=found.weeks, size=charts.SLIDE)


def _slug(category: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", category.lower()).strip("-")


# --- parts of the page ---------------------------------------------------------------------------


def _cards(lines: Sequence[Line], measured: Scores | None) -> tuple[Card, ...]:
    """What has risen, what has fallen, what is not certain, and what cannot be said."""
    if not lines:
        return ()

    def told(verdict: str, otherwise: str) -> tuple[str, ...]:
        said = tuple(f"{line.category} {line.words}." for line in lines if line.verdict == verdict)
        return said or (otherwise,)

    watch = [f"{line.category}: {line.words}." for line in lines if line.verdict == WATCH]
    return (
        Card(RISING, "Has risen", told(RISING, "Nothing, for certain.")),
        Card(FALLING, "Has fallen", told(FALLING, "Nothing, for certain.")),
        *([Card(WATCH, "Not certain yet", tuple(watch))] if watch else []),
        Card(TOO_FEW, "Cannot be said", _unsaid(lines, measured)),
    )


def _unsaid(lines: Sequence[Line], measured: Scores | None) -> tuple[str, ...]:
    few = [line.category for line in lines if line.verdict == TOO_FEW]
    said = ["Whether anything goes on as it did: a verdict is about the weeks behind us."]
    if few:
        names = "any category" if len(few) == len(lines) else ", ".join(few)
        said.append(f"Anything of {names}: too few customers were active.")
    if any("season" in line.words for line in lines):
        said.append("Whether a change is more than the season: that needs 60 weeks of history.")
    if measured is None or not measured.photos:
        said.append("How often the network is right on photos: that is not known.")
    elif rare := [group for group, share in measured.coverage_of.items() if share < RARELY_NAMED]:
        names = ", ".join(map(plural_of, rare))
        said.append(f"Much of {names}: the network hardly ever names them (see below).")
    return tuple(said)


def _panel(found: WeeklyReport, line: Line, category: Category) -> Panel:
    measured = found.outlook.measured
    share = measured.named(category.name) if measured else None
    doubt = ""
    if share is not None and share < RARELY_NAMED:
        group = plural_of(GROUP[category.name])
        doubt = (
            f"Hardly ever named: {percent(share)} of the photos of {group}. The share says little."
        )
    chart = charts.alone(found.outlook, category.name, found.weeks)
    table = _weeks(found, category.name)
    ahead = _ahead(found.outlook, category.name)
    return Panel(line, category, chart, table[0][2:], table, ahead, doubt)


def _ahead(outlook: TrendSummary, category: str) -> str:
    """The forecast beside the simplest one; where they differ a lot, which is slower to move."""
    row = outlook.forecast[outlook.forecast["category"] == category].iloc[-1]
    if math.isnan(row["share"]):
        return ""
    low, high = 100 * row["lo80"], 100 * row["hi80"]
    said = (
        f"To be expected in {row['week']}: {low:.0f} to {high:.0f} % (80 % interval); if all stays "
        f"as in the last four weeks, {percent(row['naive_share'])}."
    )
    if not row["lo80"] <= row["naive_share"] <= row["hi80"]:
        said += " The forecast follows a fresh change slowly: trust neither alone."
    return said


def _weeks(found: WeeklyReport, category: str) -> tuple[tuple[str, str, str, str], ...]:
    rows = found.outlook.movement
    rows = rows[rows["category"] == category].tail(found.weeks)[::-1]
    return tuple(
        (
            str(row["week"]),
            f"{row['count']:,.0f} of {row['total']:,.0f}",
            percent(row["share"]) if row["total"] else "",
            f"{100 * row['lo95']:.0f} to {100 * row['hi95']:.0f} %" if row["total"] else "",
        )
        for row in rows.to_dict("records")
    )


def _period(weeks: Sequence[str]) -> str:
    """Such as ``2026-W21 to 2026-W46``; empty without any."""
    ends = dict.fromkeys((weeks[0], weeks[-1])) if len(weeks) else ()
    return " to ".join(ends)


def _tally(outlook: TrendSummary) -> tuple[tuple[int, str], ...]:
    """What became of the photos, a count and words each, and all of them last."""
    tally = outlook.tally
    if tally is None:
        return ()
    parts = (
        (tally.classified, "with a date and a category: these are what the shares are made of"),
        (tally.uncertain, "not sure which garment it is, so in no category"),
        (tally.outside, "none of the ten categories is seen"),
        (tally.undated, "without a usable date, so in no week"),
        (tally.skipped, "not used, for the reasons below"),
        (tally.doubles, "the same photo again, counted once"),
        (tally.waiting, "not yet judged by the present weights: scan --reclassify to the end"),
    )
    return (*((count, text) for count, text in parts if count), (tally.photos, "in all"))
