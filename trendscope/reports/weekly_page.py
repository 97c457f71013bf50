"""The weekly page: one file that opens offline and prints, and its charts as pictures for slides.

All figures are those of `trendscope.reports.weekly` and `trendscope.trends.verdicts`; nothing is
counted here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from trendscope import weeks
from trendscope.categories import GROUP
from trendscope.reports import charts, pages, trends
from trendscope.reports.slides import slide, slides
from trendscope.reports.trends import Line
from trendscope.reports.weekly import Category, WeeklyReport
from trendscope.reports.wording import (
    OUTCOMES_IN_FULL,
    dates_that_count,
    interval,
    last_day,
    photo_outcomes,
    plural_of,
    week_from,
)
from trendscope.text import percent, span
from trendscope.trends.summary import TrendSummary
from trendscope.trends.verdicts import FALLING, RISING, STEADY, TOO_FEW, WATCH
from trendscope.vision.scores import RARELY_NAMED, Scores

SYMBOLS = {RISING: "▲", FALLING: "▼", STEADY: "●", WATCH: "◆", TOO_FEW: "?"}
"""A symbol for each verdict, so that nobody has to tell them by colour."""


@dataclass(frozen=True)
class Card:
    """A part of the headline, with the colour and symbol of a verdict."""

    verdict: str
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """The part of the page about one category.

    Attributes:
        share: Share of the latest week, and its 95 % interval.
        weeks: Week, customers, share, 95 % interval of the complete weeks, the latest first.
        ahead: Forecast of the last of the coming weeks, beside the share if nothing changes.
        doubt: Warning where the network hardly ever names the category; else empty.
    """

    line: Line
    category: Category
    chart: Markup
    share: tuple[str, str]
    weeks: tuple[tuple[str, str, str, str], ...]
    ahead: str
    doubt: str


def report_html(report: WeeklyReport) -> str:
    """A page of its own: headline, charts, tables, pictures, what was left out. No scripts."""
    summary = report.summary
    lines = trends.lines(summary, report.weeks)
    by_name = {category.name: category for category in report.categories}
    counts = summary.tally
    outcomes = counts and [*photo_outcomes(counts, OUTCOMES_IN_FULL), (counts.photos, "in all")]
    return pages.page(
        "report.html",
        title=trends.title(summary),
        report=report,
        dates=dates_that_count(report.since, report.until),
        cards=_cards(lines, summary.scores),
        together=charts.together(summary, report.weeks),
        panels=[_panel(report, line, by_name[line.category]) for line in lines],
        lines=lines,
        headings=trends.headings(lines),
        cells=trends.cells,
        symbols=SYMBOLS,
        bands=charts.BANDS,
        each=charts.EACH,
        notes=trends.notes(summary),
        tally=outcomes or (),
        hardly=RARELY_NAMED,
        period=_period(summary.movement["week"].unique().tolist()[-report.weeks :]),
        ahead=_period(summary.forecast["week"].unique().tolist()[-1:]),
        plural_of=plural_of,
        marked=any(picture.meant for c in report.categories for picture in c.pictures),
    )


def report_pngs(report: WeeklyReport) -> Iterator[tuple[str, bytes]]:
    """The page's charts for slides: a file name such as ``dress.png``, and the picture."""
    for name, line in slides(report.summary, report.weeks).items():
        yield name, slide(report.summary, report.weeks, line)


# --- parts of the page ---------------------------------------------------------------------------


def _cards(lines: Sequence[Line], scores: Scores | None) -> tuple[Card, ...]:
    """What has risen, what has fallen, what is not certain, and what cannot be said."""
    if not lines:
        return ()
    cards = []
    for verdict, title in ((RISING, "Has risen"), (FALLING, "Has fallen")):
        moved = [f"{line.category} {line.words}." for line in lines if line.verdict == verdict]
        cards.append(Card(verdict, title, tuple(moved) or ("Nothing, for certain.",)))
    watch = tuple(f"{line.category}: {line.words}." for line in lines if line.verdict == WATCH)
    if watch:
        cards.append(Card(WATCH, "Not certain yet", watch))
    return (*cards, Card(TOO_FEW, "Cannot be said", _unsaid(lines, scores)))


def _unsaid(lines: Sequence[Line], scores: Scores | None) -> tuple[str, ...]:
    few = [line.category for line in lines if line.verdict == TOO_FEW]
    sentences = ["Whether anything goes on as it did: a verdict is about the weeks behind us."]
    if few:
        names = "any category" if len(few) == len(lines) else ", ".join(few)
        sentences.append(f"Anything of {names}: of too few customers a garment was named.")
    if any(line.season_unknown for line in lines):
        sentences.append(
            "Whether a change is more than the season: that needs 60 weeks of history."
        )
    if scores is None or not scores.photos:
        sentences.append("How often the network is right on photos: that is not known.")
    elif rare := [group for group, share in scores.coverage_of.items() if share < RARELY_NAMED]:
        names = ", ".join(map(plural_of, rare))
        sentences.append(f"Much of {names}: the network hardly ever names them (see below).")
    return tuple(sentences)


def _panel(report: WeeklyReport, line: Line, category: Category) -> Panel:
    scores = report.summary.scores
    named = scores.named(category.name) if scores else None
    doubt = ""
    if named is not None and named < RARELY_NAMED:
        group = plural_of(GROUP[category.name])
        doubt = (
            f"Hardly ever named: {percent(named)} of the photos of {group}. The share says little."
        )
    chart = charts.alone(report.summary, category.name, report.weeks)
    table = _weeks(report, category.name)
    ahead = _ahead(report.summary, category.name)
    return Panel(line, category, chart, table[0][2:], table, ahead, doubt)


def _ahead(summary: TrendSummary, category: str) -> str:
    """The forecast beside the naive one, with a warning where they differ a lot."""
    row = summary.forecast[summary.forecast["category"] == category].iloc[-1]
    latest = summary.movement[summary.movement["category"] == category].iloc[-1]
    if math.isnan(row["share"]) or latest["verdict"] == TOO_FEW:
        return ""
    sentence = (
        f"To be expected in the week from {week_from(str(row['week']))}: "
        f"{interval(row['lo80'], row['hi80'])} (80 % interval); if all stays as in the last four "
        f"weeks, {percent(row['naive_share'])}."
    )
    if not row["lo80"] <= row["naive_share"] <= row["hi80"]:
        sentence += " The forecast follows a fresh change slowly: trust neither alone."
    return sentence


def _weeks(report: WeeklyReport, category: str) -> tuple[tuple[str, str, str, str], ...]:
    rows = report.summary.movement
    rows = rows[rows["category"] == category].tail(report.weeks)[::-1]
    return tuple(
        (
            week_from(str(row["week"])),
            trends.counted(row),
            percent(row["share"]) if row["voters"] else "",
            interval(row["lo95"], row["hi95"]) if row["voters"] else "",
        )
        for row in rows.to_dict("records")
    )


def _period(labels: Sequence[str]) -> str:
    """The first and last day of some weeks; empty without any."""
    return span(weeks.monday_of(labels[0]), last_day(labels[-1])) if labels else ""
