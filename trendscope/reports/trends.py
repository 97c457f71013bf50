"""Reports on trends: plain sentences, one table for people, CSV and JSON for programs.

All figures are those of `trendscope.trends.verdicts`; nothing is counted here. Shares are fractions
0..1 in CSV and JSON, "%" for people.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from trendscope.reports import changes, charts, documents, pages
from trendscope.reports.spreadsheets import frame_csv
from trendscope.reports.wording import (
    OUTCOMES_IN_SHORT,
    coverage_sentence,
    interval,
    last_day,
    photo_outcomes,
    plural_of,
    week_from,
)
from trendscope.text import day, percent, plural, shown
from trendscope.trends.models import NAIVE_MODELS
from trendscope.trends.summary import TrendSummary
from trendscope.trends.verdicts import FALLING, RISING, TOO_FEW, WATCH

WIDE = 0.12
"""Width of an 80 % interval, as a share, from which it says hardly more than "as now"."""

ALMOST_ALWAYS = 0.95
"""How often a doubling is found from which on its category is not named."""

NAMED = 10
"""Most unknown customers that are named; the others are counted."""

CSV_COLUMNS = (
    *("week", "segment", "category", "kind", "count", "total", "share", "lo95", "hi95"),
    *("photos", "all_photos", "photo_share", "on_week", "on_month", "change", "lo90", "hi90"),
    *("verdict", "change_last_year", "spill", "lo80", "hi80", "model", "naive_share"),
    *("votes", "voters", "drift"),
)
"""Columns of `trends_csv`, in order.

kind: ``complete``, ``running`` or ``forecast``. count, total: customers seen wearing the category,
and active ones: more of them are seen where more is posted. share: of the votes, votes / voters,
and where there are none of the customers, with its 95 % interval; of forecasts also the 80 % one,
what it rests on (model), and the share if all stayed as in the last four weeks (naive_share).
on_week, on_month:
difference of the share from one and from four weeks before. change: of four weeks against the 22
before, as a fraction, with its 90 % interval. change_last_year: the same change a year before,
empty where the history is too short to tell a change from season. spill: categories that move too
and are easily confused with this one. drift: what else changed and may be why.
Cells without meaning are empty.
"""


@dataclass(frozen=True)
class Line:
    """The latest complete week of one category, in words and figures for people.

    Attributes:
        segment, category: Names made safe to show; the first is empty without segments.
        share: Share with its interval: ``24 % (20 to 28 %)``.
        counted: Customers such as ``30.5 of 205``, or photos.
        on_week, on_month: Differences from one and from four weeks before in points: ``+2``.
        sparkline: Shares of the weeks shown, from 0 up.
        change: The change in words with its 90 % interval; empty unless rising, falling or watch.
        remarks: Clauses that qualify the change.
        season_unknown: Whether the history is too short to tell the change from season.
        coming: Share of the last of the coming weeks with its 80 % interval; empty without enough
            data.
    """

    segment: str
    category: str
    share: str
    counted: str
    on_week: str
    on_month: str
    sparkline: str
    verdict: str
    change: str
    remarks: tuple[str, ...]
    season_unknown: bool
    coming: str

    @property
    def words(self) -> str:
        """The change and its remarks in one sentence; empty where there is nothing to say."""
        return "; ".join((self.change, *self.remarks))


MEASURES = {
    "votes": (
        "A share is a part of what customers wear: whoever had a garment named in a week counts as "
        "one customer, divided among the categories as the garments are. So posting more moves no "
        "share."
    ),
    "customers": (
        "A share is that of the active customers who were seen wearing a category. Posting more "
        "raises it, whatever is worn: verdicts may be of how much is posted. Take a weekly table "
        "that trendscope export writes: its shares do not depend on that."
    ),
    "photos": (
        "Shares are of the garments named in a customer's photos; several photos of one outfit "
        "count several times."
    ),
}
"""What shares are of, by the unit of a summary."""

HEADINGS = (
    *("category", "share (95 %)", "customers", "points on last week", "on 4 weeks ago"),
    *("shape", "verdict", "to be expected (80 %)"),
)


def lines(summary: TrendSummary, weeks: int = 12) -> list[Line]:
    """One line per segment and category, for the latest complete week."""
    movement = summary.judged
    if movement.empty:
        return []
    keys = [name for name in ("segment", "category") if name in movement]
    groups = [rows for _, rows in movement.groupby(keys, sort=False)]
    coming = summary.forecast.tail(len(groups))  # in the same order
    return [
        _line(rows, rows["share"].tail(weeks), coming.iloc[place], summary.unit)
        for place, rows in enumerate(groups)
    ]


def counted(row: pd.Series | Mapping[Hashable, Any]) -> str:
    """What a share is made of: ``30.5 of 205``."""
    votes = not math.isnan(row["votes"])
    part, whole = (row["votes"], row["voters"]) if votes else (row["count"], row["total"])
    return f"{part:,.{0 if float(part).is_integer() else 1}f} of {whole:,.0f}"


def sparkline(shares: Sequence[float]) -> str:
    """A character per week, from 0 to the largest; a dot for an unknown share."""
    most = max((share for share in shares if not math.isnan(share)), default=0) or 1
    return "".join(
        "·" if math.isnan(share) else "▁▂▃▄▅▆▇█"[min(7, int(8 * share / most))] for share in shares
    )


def notes(summary: TrendSummary) -> list[str]:
    """Sentences on what to know before acting on the figures."""
    sentences = []
    if summary.running:
        sentences.append(
            f"The week from {week_from(summary.running)} is not over and is not judged."
        )
    if summary.unknown:
        names = ", ".join(shown(name) for name in summary.unknown[:NAMED])
        more = len(summary.unknown) - NAMED
        names += f" and {more:,} more" if more > 0 else ""
        sentences.append(f"Nothing is known of {names}; asked for, but not in these figures.")
    sentences.append(MEASURES[summary.unit])
    if summary.tally:
        parts = ", ".join(
            f"{n:,} {text}" for n, text in photo_outcomes(summary.tally, OUTCOMES_IN_SHORT)
        )
        sentences.append(f"{plural(summary.tally.photos, 'photo')}: {parts}.")
    if summary.scores:
        sentences.append(coverage_sentence(summary.scores))
    return [*sentences, *power_notes(summary), *_forecast_notes(summary)]


def power_notes(summary: TrendSummary) -> list[str]:
    """How often a doubling would be found, seldom found ones by name; nothing of segments."""
    power = summary.power
    if power is None or "segment" in power or power["found"].isna().all():
        return []
    known = power.dropna().sort_values("found", ascending=False, kind="stable")
    rare = known[known["found"] < ALMOST_ALWAYS]
    if known["found"].max() < 0.005:
        return ["A doubling over 8 weeks would be found within 16 weeks in none of 100 cases."]
    named = ", ".join(
        f"of {plural_of(shown(str(name)))} in {100 * share:.0f}"
        for name, share in zip(rare["category"], rare["found"], strict=True)
    )
    others = " other" if named else ""
    always = f"of any{others} category in {100 * ALMOST_ALWAYS:.0f} or more"
    cases = [named] if named else []
    cases += [always] if len(rare) < len(known) else []
    return [
        f"A doubling over 8 weeks would be found within 16 weeks, of 100 cases: {', '.join(cases)}."
    ]


def _forecast_notes(summary: TrendSummary) -> list[str]:
    """What forecasts rest on, and how far they can be off; nothing where none is shown."""
    latest = summary.judged
    latest = latest[(latest["week"] == latest["week"].max()) & (latest["verdict"] != TOO_FEW)]
    keys = [name for name in ("segment", "category") if name in latest]
    coming = summary.forecast.merge(latest[keys], on=keys)
    if coming.empty:
        return []
    errors = summary.errors.dropna()
    sentences = []
    if len(errors):
        pairs = zip(errors["model"], errors["error"], strict=True)
        listed = "; ".join(f"{model}: {100 * error:.1f}" for model, error in pairs)
        model = errors.loc[errors["shown"], "model"].iloc[0]
        who = "it" if model in NAIVE_MODELS else "nothing simpler"
        sentences.append(
            f"Forecast: {model}, as {who} was closer by a tenth on these very weeks (points off on "
            f"average, 1 to 8 weeks ahead: {listed})."
        )
    width = (coming["hi80"] - coming["lo80"]).max()
    if width > WIDE:
        sentences.append(
            f"The widest 80 % interval spans {100 * width:.0f} points: with so few customers a "
            'forecast says hardly more than "as now".'
        )
    return sentences


def headline(summary: TrendSummary, weeks: int = 12) -> list[str]:
    """What has risen, what has fallen, what there is too little data for, and what has no date."""
    every = lines(summary, weeks)
    names = {
        verdict: [_name(line) for line in every if line.verdict == verdict]
        for verdict in (WATCH, TOO_FEW)
    }
    sentences = [
        f"{_name(line)} {line.words}." for line in every if line.verdict in (RISING, FALLING)
    ]
    if not sentences and len(names[TOO_FEW]) < len(every):
        sentences.append("Nothing has risen or fallen for certain.")
    if names[WATCH]:
        sentences.append(f"Worth watching, not yet certain: {', '.join(names[WATCH])}.")
    if few := names[TOO_FEW]:
        which = ", ".join(few) if len(few) < len(every) else "any category"
        sentences.append(f"Not enough data to say anything of {which}.")
    if not every and summary.running:
        after = day(last_day(summary.running) + timedelta(days=1))
        sentences.append(f"Weeks are judged once they are over: look again on {after}.")
    if summary.tally and summary.tally.undated:
        photos = plural(summary.tally.undated, "photo")
        sentences.append(
            f"{photos} without a usable date, so in no week: scan the exports as they were sent, "
            "or the camera's own files, in which the dates still are."
        )
    return sentences


def _name(line: Line) -> str:
    return f"{line.category} in {line.segment}" if line.segment else line.category


def _line(rows: pd.DataFrame, shares: pd.Series, coming: pd.Series, unit: str) -> Line:
    row = rows.iloc[-1]
    share = f"{percent(row['share'])} ({interval(row['lo95'], row['hi95'])})"
    ahead = f"{percent(coming['share'])} ({interval(coming['lo80'], coming['hi80'])})"
    verdict, judged = str(row["verdict"]), row["verdict"] in changes.CHANGES
    return Line(
        segment=shown(str(row.get("segment", ""))),
        category=shown(str(row["category"])),
        share="none this week" if math.isnan(row["share"]) else share,
        counted=counted(row),
        on_week=_points(row["on_week"]),
        on_month=_points(row["on_month"]),
        sparkline=sparkline(shares.tolist()),
        verdict=verdict,
        change=changes.change(rows, unit) if judged else "",
        remarks=changes.remarks(row) if judged else (),
        season_unknown=judged and math.isnan(row["change_last_year"]),
        coming="" if math.isnan(coming["share"]) or verdict == TOO_FEW else ahead,
    )


def _points(difference: float) -> str:
    if math.isnan(difference):
        return ""
    points = round(100 * difference)
    return f"{points:+d}" if points else "0"


# --- for programs --------------------------------------------------------------------------------


def table(summary: TrendSummary, weeks: int = 12) -> pd.DataFrame:
    """A row per week, segment and category: complete weeks, the running one, and the forecast.

    Columns: `CSV_COLUMNS`, without ``segment`` where there are none.
    """
    movement, weekly = summary.judged, summary.weekly
    keys = [name for name in ("week", "segment", "category") if name in movement]
    recent = movement[movement["week"].isin(movement["week"].unique()[-weeks:])]
    photos = [name for name in ("photos", "all_photos", "photo_share") if name in weekly]
    recent = recent.assign(kind="complete").merge(weekly[[*keys, *photos]], how="left", on=keys)
    running = weekly[weekly["week"] == summary.running].assign(kind="running")
    coming = summary.forecast.assign(kind="forecast")
    rows = pd.concat([part for part in (recent, running, coming) if len(part)] or [recent])
    columns = [name for name in CSV_COLUMNS if name != "segment" or name in keys]
    rows = rows.reindex(columns=columns).reset_index(drop=True)
    for name in ("count", "total", "photos", "all_photos"):
        if (rows[name].dropna() % 1 == 0).all():
            rows[name] = rows[name].astype("Int64")
    return rows


def trends_csv(summary: TrendSummary, weeks: int = 12) -> str:
    """`table` as CSV: UTF-8, comma, lines end in LF, formulas defused, unknown cells empty."""
    rows = table(summary, weeks)
    for name in {"segment", "category"} & {*rows.columns}:
        rows[name] = rows[name].map(str)
    return frame_csv(rows.round(6))


def trends_json(summary: TrendSummary, weeks: int = 12) -> str:
    """One document with the figures and sentences of a report.

    ``schema_version`` (1), ``timezone``, ``measure`` (what shares are of: ``votes``, ``customers``
    or ``photos``), ``running_week`` (null if none), ``headline`` and
    ``notes`` (plain sentences), ``photos`` (their number by outcome, null for a table without
    photos), ``power`` (``found``: how often a doubling of the ``category``'s share over 8 weeks
    would be found within 16, 0..1; null where nothing was seen), ``corrected`` (``share`` of all
    photos and ``corrected`` share as if no name were wrong, with ``lo95`` and ``hi95``; null where
    the confusion of the weights is not known well enough), ``rows`` (see `CSV_COLUMNS`;
    null where a figure is unknown) and ``forecast_errors``
    (``model``, ``error`` as a share, ``shown``).
    """
    tally = summary.tally
    photos = {"photos": tally.photos, **vars(tally)} if tally else None
    return documents.document(
        {
            "timezone": summary.zone,
            "measure": summary.unit,
            "running_week": summary.running or None,
            "headline": headline(summary, weeks),
            "notes": notes(summary),
            "photos": photos,
            "power": [] if summary.power is None else _records(summary.power.round(3)),
            "corrected": None
            if summary.corrected is None
            else _records(summary.corrected.round(6)),
            "rows": _records(table(summary, weeks).round(6)),
            "forecast_errors": _records(summary.errors.round(6)),
        }
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    known = rows.notna() & ~rows.isin((math.inf, -math.inf))
    cells = rows.astype(object).where(known, None)
    records: list[dict[str, Any]] = cells.to_dict("records")  # type: ignore[assignment]
    return records


# --- for people ----------------------------------------------------------------------------------


def cells(line: Line) -> tuple[str, ...]:
    """The cells of a row under `HEADINGS`, after the segment if there is one."""
    plain = (line.category, line.share, line.counted, line.on_week, line.on_month)
    row = (*plain, line.sparkline, line.verdict, line.coming)
    return (line.segment, *row) if line.segment else row


def headings(rows: Sequence[Line], unit: str = "votes") -> tuple[str, ...]:
    """`HEADINGS`, after ``segment`` if there are segments; of photos, these are customers."""
    if unit == "photos":
        photos = ("photos" if name == "customers" else name for name in HEADINGS)
        return ("customer", *photos)
    return ("segment", *HEADINGS) if any(line.segment for line in rows) else HEADINGS


def title(summary: TrendSummary) -> str:
    """The heading of a report: the days of its week, and the time zone."""
    if summary.movement.empty:
        return "No complete week yet"
    week = str(summary.movement["week"].iloc[-1])
    return f"What customers wear, {week_from(week)} to {day(last_day(week))} ({summary.zone})"


def trends_markdown(summary: TrendSummary, weeks: int = 12) -> str:
    """Headline, table and notes, to paste into mail or chat."""
    rows = lines(summary, weeks)
    parts = [f"**{_plain(title(summary))}**", ""]
    parts += [f"- {_plain(sentence)}" for sentence in headline(summary, weeks)]
    if rows:
        names = headings(rows, summary.unit)
        parts += ["", f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
        parts += [f"| {' | '.join(map(_plain, cells(line)))} |" for line in rows]
    parts += ["", *(f"{_plain(sentence)}  " for sentence in notes(summary))]
    return "\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}")
    return text


def trends_html(summary: TrendSummary, weeks: int = 12) -> str:
    """A page of its own: headline, charts, table, notes. No scripts, no network."""
    return pages.page("trends.html", **page_facts(summary, weeks))


def page_facts(summary: TrendSummary, weeks: int) -> dict[str, Any]:
    """The values of a page of trends: its title, sentences, charts and table."""
    rows, drawings = lines(summary, weeks), charts.of_page(summary, weeks)
    names = headings(rows, summary.unit)
    # A chart shows the shape already.
    kept = [place for place, name in enumerate(names) if not (drawings and name == "shape")]
    return {
        "title": title(summary),
        "headline": headline(summary, weeks),
        "headings": [names[place] for place in kept],
        "lines": [
            (line.verdict, [cells(line)[place] for place in kept], line.words) for line in rows
        ],
        "notes": notes(summary),
        "drawings": drawings,
        "bands": charts.BANDS,
        "each": charts.EACH,
    }


WRITERS = {
    "json": trends_json,
    "csv": trends_csv,
    "markdown": trends_markdown,
    "html": trends_html,
}
"""Writers of trend reports by format."""
