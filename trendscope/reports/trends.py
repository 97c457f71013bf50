"""Trends written down: plain sentences, one table for people, CSV and JSON for programs.

All figures are those of `trendscope.trends.verdicts`; nothing is counted here. Shares are fractions
0..1 in CSV and JSON, "%" for people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trendscope.reports import documents, pages
from trendscope.reports.spreadsheets import frame_csv
from trendscope.reports.wording import coverage_sentence
from trendscope.text import percent, plural, shown
from trendscope.trends.summary import TrendSummary
from trendscope.trends.verdicts import FALLING, RISING, TOO_FEW, WATCH

WIDE = 0.12
"""An 80 % interval wider than this says hardly more than "as now"."""

NAMED = 10
"""Unknown customers that are named; of more the number is told."""

VERDICTS = {RISING: "has risen", FALLING: "has fallen", WATCH: "worth watching"}

CSV_COLUMNS = (
    *("week", "segment", "category", "kind", "count", "total", "share", "lo95", "hi95"),
    *("photos", "all_photos", "photo_share", "on_week", "on_month", "change", "lo90", "hi90"),
    *("verdict", "change_last_year", "spill", "lo80", "hi80", "model", "naive_share"),
)
"""Columns of `trends_csv`, in order.

kind: ``complete``, ``running`` or ``forecast``. count, total: customers seen wearing the category,
and active ones. share: with its 95 % interval; of forecasts also the 80 % one, what it rests on
(model), and the share if all stayed as in the last four weeks (naive_share). on_week, on_month:
difference of the share from one and from four weeks before. change: of four weeks against the 22
before, as a fraction, with its 90 % interval. change_last_year: the same a year before; empty: it
cannot be told from season. spill: categories that move too and are easily confused with this one.
Cells without meaning are empty.
"""


@dataclass(frozen=True)
class Line:
    """The latest complete week of one category, in words and figures for people.

    Attributes:
        segment: "" where there are none.
        category: Made safe to show.
        share: With its interval: ``24 % (20 to 28 %)``.
        customers: ``99 of 412``.
        on_week: Points: ``+2``.
        on_month: The same against four weeks before.
        sparkline: The shares of the weeks shown, from 0 up.
        verdict: rising, falling, steady, watch or not enough data.
        words: What the verdict means; empty where there is nothing to say.
        coming: The last of the coming weeks with its 80 % interval; empty without enough data.
    """

    segment: str
    category: str
    share: str
    customers: str
    on_week: str
    on_month: str
    sparkline: str
    verdict: str
    words: str
    coming: str


HEADINGS = (
    *("category", "share (95 %)", "customers", "points on last week", "on 4 weeks ago"),
    *("shape", "verdict", "to be expected (80 %)"),
)


def lines(outlook: TrendSummary, weeks: int = 12) -> list[Line]:
    """One line per segment and category, for the latest complete week."""
    moved = outlook.movement
    if moved.empty:
        return []
    keys = [name for name in ("segment", "category") if name in moved]
    groups = [rows for _, rows in moved.groupby(keys, sort=False)]
    coming = outlook.forecast.tail(len(groups))  # in the same order
    return [
        _line(rows.iloc[-1], rows["share"].tail(weeks), coming.iloc[place])
        for place, rows in enumerate(groups)
    ]


def sparkline(shares: Sequence[float]) -> str:
    """A character per week, from 0 to the largest; a dot where nothing is known."""
    most = max((share for share in shares if not math.isnan(share)), default=0) or 1
    return "".join(
        "·" if math.isnan(share) else "▁▂▃▄▅▆▇█"[min(7, int(8 * share / most))] for share in shares
    )


def notes(outlook: TrendSummary) -> list[str]:
    """What to know before acting on it, a plain sentence each."""
    found = []
    if outlook.running:
        found.append(f"Week {outlook.running} is not over and is not judged.")
    if outlook.unknown:
        names = ", ".join(shown(name) for name in outlook.unknown[:NAMED])
        more = len(outlook.unknown) - NAMED
        names += f" and {more:,} more" if more > 0 else ""
        found.append(f"Nothing is known of {names}; asked for, but not in these figures.")
    if outlook.unit == "photos":
        found.append(
            "Shares are of a customer's photos in which a garment was named; several photos of one "
            "outfit count several times."
        )
    tally = outlook.tally
    if tally:
        parts = (
            (tally.classified, "in a category"),
            (tally.uncertain, "not sure which garment"),
            (tally.outside, "none of the ten"),
            (tally.undated, "without a usable date, so in no week"),
            (tally.skipped, "not used"),
            (tally.doubles, "counted already"),
            (tally.waiting, "not yet judged by the present weights (scan --reclassify to the end)"),
        )
        said = ", ".join(f"{count:,} {text}" for count, text in parts if count)
        found.append(f"{plural(tally.photos, 'photo')}: {said}.")
    if outlook.measured:
        found.append(coverage_sentence(outlook.measured))
    return [*found, *_forecast_notes(outlook)]


def _forecast_notes(outlook: TrendSummary) -> list[str]:
    known = outlook.errors.dropna()
    found = []
    if len(known):
        pairs = zip(known["model"], known["error"], strict=True)
        errors = "; ".join(f"{model}: {100 * error:.1f}" for model, error in pairs)
        shown = known.loc[known["shown"], "model"].iloc[0]
        better = "the model did no better" if shown.startswith("same") else "it did best"
        found.append(
            f"Forecast: {shown}, as {better} on these very weeks (points off on average, 1 to 8 "
            f"weeks ahead: {errors})."
        )
    width = (outlook.forecast["hi80"] - outlook.forecast["lo80"]).max()
    if width > WIDE:
        found.append(
            f"The widest 80 % interval spans {100 * width:.0f} points: with so few customers a "
            'forecast says hardly more than "as now".'
        )
    return found


def headline(outlook: TrendSummary, weeks: int = 12) -> list[str]:
    """What has risen, what has fallen, and of what nothing can be said."""
    found = lines(outlook, weeks)
    moving = [line for line in found if line.verdict in (RISING, FALLING)]
    said = [f"{_name(line)} {line.words}." for line in moving]
    if not said and any(line.verdict != TOO_FEW for line in found):
        said.append("Nothing has risen or fallen for certain.")
    watch = [_name(line) for line in found if line.verdict == WATCH]
    if watch:
        said.append(f"Worth watching, not yet certain: {', '.join(watch)}.")
    few = [_name(line) for line in found if line.verdict == TOO_FEW]
    if few:
        names = ", ".join(few) if len(few) < len(found) else "any category"
        said.append(f"Not enough data to say anything of {names}.")
    return said


def _name(line: Line) -> str:
    return f"{line.category} in {line.segment}" if line.segment else line.category


def _line(row: pd.Series, shares: pd.Series, coming: pd.Series) -> Line:
    interval = f"{percent(row['share'])} ({_span(row['lo95'], row['hi95'])})"
    ahead = f"{percent(coming['share'])} ({_span(coming['lo80'], coming['hi80'])})"
    return Line(
        shown(str(row.get("segment", ""))),
        shown(str(row["category"])),
        interval if row["total"] else "none this week",
        f"{row['count']:,.0f} of {row['total']:,.0f}",
        _points(row["on_week"]),
        _points(row["on_month"]),
        sparkline(shares.tolist()),
        str(row["verdict"]),
        _words(row),
        "" if math.isnan(coming["share"]) or row["verdict"] == TOO_FEW else ahead,
    )


def _words(row: pd.Series) -> str:
    if row["verdict"] not in VERDICTS:
        return ""
    said = f"{VERDICTS[row['verdict']]}: {_percents(row['change'])}"
    said += f" (90 % interval {_percents(row['lo90'])} to {_percents(row['hi90'])})"
    year = row["change_last_year"]
    if math.isnan(year):
        said += "; cannot be told from season"
    else:
        said += f"; in the same weeks a year before {_percents(year)}"
    if row["spill"]:
        said += f"; moves with {shown(row['spill'])}, which is easily confused with it"
    return said


def _span(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def _percents(change: float) -> str:
    return f"{100 * change:+.0f} %" if math.isfinite(change) else "from nothing"


def _points(difference: float) -> str:
    if math.isnan(difference):
        return ""
    points = round(100 * difference)
    return f"{points:+d}" if points else "0"


# --- for programs --------------------------------------------------------------------------------


def table(outlook: TrendSummary, weeks: int = 12) -> pd.DataFrame:
    """A row per week, segment and category: the last complete weeks, the running, the coming.

    Columns: `CSV_COLUMNS`, without ``segment`` where there are none.
    """
    keys = [name for name in ("week", "segment", "category") if name in outlook.movement]
    moved = outlook.movement
    recent = moved[moved["week"].isin(moved["week"].unique()[-weeks:])].assign(kind="complete")
    photos = [name for name in ("photos", "all_photos", "photo_share") if name in outlook.weekly]
    recent = recent.merge(outlook.weekly[[*keys, *photos]], how="left", on=keys)
    running = outlook.weekly[outlook.weekly["week"] == outlook.running].assign(kind="running")
    coming = outlook.forecast.assign(kind="forecast")
    rows = pd.concat([part for part in (recent, running, coming) if len(part)] or [recent])
    columns = [name for name in CSV_COLUMNS if name != "segment" or name in keys]
    rows = rows.reindex(columns=columns).reset_index(drop=True)
    for name in ("count", "total", "photos", "all_photos"):
        if (rows[name].dropna() % 1 == 0).all():
            rows[name] = rows[name].astype("Int64")
    return rows


def trends_csv(outlook: TrendSummary, weeks: int = 12) -> str:
    """`table` as CSV: UTF-8, comma, lines end in LF, formulas defused, unknown cells empty."""
    rows = table(outlook, weeks)
    for name in {"segment", "category"} & {*rows.columns}:
        rows[name] = rows[name].map(str)
    return frame_csv(rows.round(6))


def trends_json(outlook: TrendSummary, weeks: int = 12) -> str:
    """One document with all of it.

    ``schema_version`` (1), ``timezone``, ``running_week`` (null if none), ``headline`` and
    ``notes`` (plain sentences), ``photos`` (what became of them by kind, null for a table without
    any), ``rows`` (see `CSV_COLUMNS`; null where a figure is unknown) and ``forecast_errors``
    (``model``, ``error`` as a share, ``shown``).
    """
    tally = outlook.tally
    photos = {"photos": tally.photos, **vars(tally)} if tally else None
    return documents.document(
        {
            "timezone": outlook.zone,
            "running_week": outlook.running or None,
            "headline": headline(outlook, weeks),
            "notes": notes(outlook),
            "photos": photos,
            "rows": _records(table(outlook, weeks).round(6)),
            "forecast_errors": _records(outlook.errors.round(6)),
        }
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    cells = rows.astype(object).where(rows.notna(), None)
    records: list[dict[str, Any]] = cells.to_dict("records")  # type: ignore[assignment]
    return [
        {key: None if value in _INFINITE else value for key, value in r.items()} for r in records
    ]


_INFINITE = (math.inf, -math.inf)

# --- for people ----------------------------------------------------------------------------------


def cells(line: Line) -> tuple[str, ...]:
    """What stands under `HEADINGS`, with the segment before it where there is one."""
    plain = (line.category, line.share, line.customers, line.on_week, line.on_month)
    row = (*plain, line.sparkline, line.verdict, line.coming)
    return (line.segment, *row) if line.segment else row


def headings(found: Sequence[Line], unit: str = "customers") -> tuple[str, ...]:
    """`HEADINGS` for what is counted, with a segment before them where there are any."""
    if unit == "photos":
        return ("customer", *(unit if name == "customers" else name for name in HEADINGS))
    return ("segment", *HEADINGS) if any(line.segment for line in found) else HEADINGS


def title(outlook: TrendSummary) -> str:
    """Which week it is about."""
    if outlook.movement.empty:
        return "No complete week yet"
    return f"What customers wear, week {outlook.movement['week'].iloc[-1]} ({outlook.zone})"


def trends_markdown(outlook: TrendSummary, weeks: int = 12) -> str:
    """Headline, table and notes, to paste into mail or chat."""
    found = lines(outlook, weeks)
    parts = [f"**{_plain(title(outlook))}**", ""]
    parts += [f"- {_plain(sentence)}" for sentence in headline(outlook, weeks)]
    if found:
        names = headings(found, outlook.unit)
        parts += ["", f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
        parts += [f"| {' | '.join(map(_plain, cells(line)))} |" for line in found]
    parts += ["", *(f"{_plain(sentence)}  " for sentence in notes(outlook))]
    return "\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}")
    return text


def trends_html(outlook: TrendSummary, weeks: int = 12) -> str:
    """A page of its own: headline, table, notes. No scripts, no network."""
    found = lines(outlook, weeks)
    return pages.page(
        "trends.html",
        title=title(outlook),
        headline=headline(outlook, weeks),
        headings=headings(found, outlook.unit),
        lines=[(line.verdict, cells(line), line.words) for line in found],
        notes=notes(outlook),
    )
