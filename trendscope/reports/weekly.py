"""All that the weekly page tells of a store: trends, who wears what, pictures, what was left out.

Values only; `trendscope.reports.weekly_page` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pandas as pd

from trendscope import store, weeks
from trendscope.categories import CATEGORIES
from trendscope.errors import NothingUsable
from trendscope.photos.pseudonyms import Pseudonyms
from trendscope.store import Database, Status, Store
from trendscope.store.database import opened
from trendscope.trends.from_store import trends_of_store
from trendscope.trends.summary import TrendSummary

WEEKS = 26
"""Shown: the 4 that a verdict is of, and the 22 before that they are held against."""
FANS = 5
"""Customers listed of each category."""
PICTURES = 12
"""Photos shown of each category."""


@dataclass(frozen=True)
class Fan:
    """A customer who wears a category.

    Attributes:
        customer: The name.
        weeks: Of those shown, in how many they were seen wearing it.
        photos: With it, in these weeks.
        last_seen: The latest of them, aware UTC.
    """

    customer: str
    weeks: int
    photos: int
    last_seen: datetime


@dataclass(frozen=True)
class Picture:
    """A small photo.

    Attributes:
        jpeg: At most 128 pixels a side, without metadata.
        customer: Who posted it.
        posted_at: Aware UTC.
        confidence: In the category, 0..1.
    """

    jpeg: bytes
    customer: str
    posted_at: datetime
    confidence: float


@dataclass(frozen=True)
class Category:
    """Who wears a category, in the weeks shown.

    Attributes:
        name: One of the ten.
        customers: How many were seen wearing it.
        photos: With it.
        fans: Those who wear it most, by weeks, then by photos.
        pictures: Of its latest photos, as many different customers as there are.
    """

    name: str
    customers: int
    photos: int
    fans: tuple[Fan, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class WeeklyReport:
    """What the page tells.

    Attributes:
        outlook: Trends and forecasts, and what became of all photos.
        categories: All ten, in label order.
        status: What the database holds, since when, and by which weights.
        weeks: Complete weeks shown.
    """

    outlook: TrendSummary
    categories: tuple[Category, ...]
    status: Status
    weeks: int


def report_of_store(
    db: Database = None,
    *,
    weeks_shown: int = WEEKS,
    weeks_ahead: int = 4,
    pictures: int = PICTURES,
    weights: str | Path | None = None,
    pseudonyms: Pseudonyms | None = None,
    now: datetime | None = None,
    zone: tzinfo = UTC,
) -> WeeklyReport:
    """Gathers what the weekly page tells of all that was scanned; ``trendscope report``.

    Args:
        db: A file, a URL or an open store; None for the usual one.
        weeks_shown: Complete weeks of which there are charts, lists and pictures.
        weeks_ahead: Of the forecast.
        pictures: Shown of each category; 0 for none.
        weights: Where the weights lie that judged, if they are not shipped ones.
        pseudonyms: Replace the customers' names.
        now: Aware; None: every week is over.
        zone: In which weeks begin.

    Raises:
        StoreError: The database is missing, or cannot be read.
        NothingUsable: It holds no photo.
        WeightsError: See `trendscope.trends.from_store.measured_in`.
    """
    name = pseudonyms.name if pseudonyms else str
    with opened(db) as reader:
        held = store.status(reader)
        if not held.photos:
            raise NothingUsable(
                f"{held.database} holds no photos yet; fill it with trendscope scan PATH --db ..."
            )
        outlook = trends_of_store(
            reader, weights=weights, weeks_ahead=weeks_ahead, now=now, zone=zone
        )
        recent = _seen_lately(reader, outlook, weeks_shown, zone)
        small = _thumbnails(reader, recent, pictures)
    categories = tuple(
        _category(kind, recent[recent["category"] == kind], small, pictures, name)
        for kind in CATEGORIES
    )
    return WeeklyReport(outlook, categories, held, weeks_shown)


_COLUMNS = ("customer", "posted_at", "category", "confidence", "sha256")


def _seen_lately(db: Store, outlook: TrendSummary, weeks_shown: int, zone: tzinfo) -> pd.DataFrame:
    """Rows with a category of the weeks shown; ``week`` is the number of each one's."""
    shown = outlook.movement["week"].unique()[-weeks_shown:]
    if not len(shown):
        return pd.DataFrame(columns=[*_COLUMNS, "week"])
    first, last = (weeks.monday_of(str(week)) for week in (shown[0], shown[-1]))
    since, until = (
        datetime(day.year, day.month, day.day, tzinfo=zone)
        for day in (first, last + timedelta(days=7))
    )
    rows = store.weekly_rows(db, _COLUMNS, since=since)
    rows = rows[rows["category"].notna() & (rows["posted_at"] < until)]
    days = rows["posted_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return rows.assign(week=(days - pd.Timestamp(first)).dt.days // 7)


def _category(
    kind: str,
    rows: pd.DataFrame,
    small: Mapping[str, bytes],
    pictures: int,
    name: Callable[[str], str],
) -> Category:
    chosen = _latest(rows, len(rows))
    chosen = chosen[chosen["sha256"].isin(small.keys())].head(pictures)
    return Category(
        kind,
        rows["customer"].nunique(),
        len(rows[["customer", "sha256"]].drop_duplicates()),
        _fans(rows, name),
        tuple(
            Picture(
                small[row["sha256"]],
                name(row["customer"]),
                row["posted_at"].to_pydatetime(),
                row["confidence"],
            )
            for row in chosen.to_dict("records")
        ),
    )


def _fans(rows: pd.DataFrame, name: Callable[[str], str]) -> tuple[Fan, ...]:
    grouped = rows.groupby("customer", observed=True)
    table = grouped.agg(
        weeks=("week", "nunique"), photos=("sha256", "nunique"), last=("posted_at", "max")
    ).reset_index()
    table = table.assign(customer=table["customer"].astype(str))
    order = ["weeks", "photos", "last", "customer"]
    table = table.sort_values(order, ascending=[False, False, False, True])
    return tuple(
        Fan(name(row["customer"]), row["weeks"], row["photos"], row["last"].to_pydatetime())
        for row in table.head(FANS).to_dict("records")
    )


def _latest(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """The latest photos; everybody's latest one comes before anybody's second."""
    newest = rows.sort_values(["posted_at", "sha256"], ascending=False)
    newest = newest.drop_duplicates(["customer", "sha256"])
    turn = newest.groupby("customer", observed=True).cumcount()
    ordered = newest.assign(turn=turn).sort_values("turn", kind="stable")
    return ordered.head(count)


def _thumbnails(db: Store, rows: pd.DataFrame, pictures: int) -> dict[str, bytes]:
    """Small pictures of the photos that may be shown; twice as many, as some may have none."""
    groups = [_latest(rows[rows["category"] == kind], 2 * pictures) for kind in CATEGORIES]
    digests = pd.concat(groups)["sha256"].unique().tolist() if pictures else []
    return store.thumbnails(db, digests)
