"""The values of the weekly page: trends, who wears what, pictures, what was left out.

Values only; `trendscope.reports.weekly_page` renders them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path

import pandas as pd

from trendscope import store, weeks
from trendscope.categories import CATEGORIES
from trendscope.errors import NothingUsable
from trendscope.photos.pseudonyms import Pseudonyms
from trendscope.photos.results import PictureResult
from trendscope.store import Database, Status, Store
from trendscope.store.database import opened
from trendscope.store.pictures import image_results
from trendscope.trends.from_store import trends_of_store
from trendscope.trends.summary import TrendSummary

WEEKS = 26
"""Weeks shown: the 4 of a verdict, and the 22 before that they are compared with."""
FANS = 5
"""Most customers listed for each category."""
PICTURES = 12
"""Most photos shown for each category."""


@dataclass(frozen=True)
class Fan:
    """A customer who wears a category.

    Attributes:
        weeks: Number of weeks, of those shown, in which they wore it.
        photos: Number of photos with it in these weeks.
        last_seen: Time of the latest of these photos, aware UTC.
    """

    customer: str
    weeks: int
    photos: int
    last_seen: datetime


@dataclass(frozen=True)
class Picture:
    """A small photo.

    Attributes:
        jpeg: JPEG of at most 128 pixels a side, without metadata.
        posted_at: Time of the post, aware UTC.
        confidence: Confidence in the category, 0..1.
        meant: Result of the photo with only the garments of the category, to be marked; None where
            it shows no others.
    """

    jpeg: bytes
    customer: str
    posted_at: datetime
    confidence: float
    meant: PictureResult | None = None


@dataclass(frozen=True)
class Category:
    """Who wears a category, in the weeks shown.

    Attributes:
        customers, photos: Numbers of customers who wore it, and of photos with it.
        fans: Customers who wear it most, by weeks, then by photos.
        pictures: Latest photos, of as many different customers as there are.
    """

    name: str
    customers: int
    photos: int
    fans: tuple[Fan, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class WeeklyReport:
    """The values of the weekly page.

    Attributes:
        categories: The ten categories, in label order.
        weeks: Number of complete weeks shown.
        since: First day of the photos that count; None for all before `until`.
        until: Their last day; None for all after `since`.
    """

    summary: TrendSummary
    categories: tuple[Category, ...]
    status: Status
    weeks: int
    since: date | None = None
    until: date | None = None


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
    since: date | None = None,
    until: date | None = None,
) -> WeeklyReport:
    """Gathers the values of the weekly page from all photos scanned; ``trendscope report``.

    Args:
        db, weeks_ahead, weights, now, zone: As for `trendscope.trends.trends_of_store`.
        weeks_shown: Number of complete weeks in charts, lists and pictures.
        pictures: Most pictures shown for each category; 0 for none.
        pseudonyms: Names that replace the customers' names.
        since: First day of the photos that count.
        until: Last day of the photos that count; the weeks after it are not judged.

    Raises:
        StoreError: The database is missing, or cannot be read.
        NothingUsable: It holds no photo, or none of these days.
        WeightsError: See `trendscope.trends.from_store.scores_in`.
    """
    name = pseudonyms.name if pseudonyms else str
    first = datetime.combine(since, time(), zone) if since else None
    end = datetime.combine(until + timedelta(days=1), time(), zone) if until else None
    now = min(filter(None, (now, end)), default=None)
    with opened(db) as reader:
        status = store.status(reader)
        if not status.photos:
            raise NothingUsable(
                f"{status.database} holds no photos yet; fill it with trendscope scan PATH --db ..."
            )
        summary = trends_of_store(
            reader,
            weights=weights,
            weeks_ahead=weeks_ahead,
            now=now,
            zone=zone,
            since=first,
            until=end,
        )
        recent = _recent_rows(reader, summary, weeks_shown, zone)
        recent = recent if first is None else recent[recent["posted_at"] >= first]
        thumbnails = _thumbnails(reader, recent, pictures)
        results = image_results(reader, thumbnails)
    categories = tuple(
        _category(kind, recent[recent["category"] == kind], thumbnails, results, pictures, name)
        for kind in CATEGORIES
    )
    return WeeklyReport(summary, categories, status, weeks_shown, since, until)


_COLUMNS = ("customer", "posted_at", "category", "confidence", "sha256")


def _recent_rows(db: Store, summary: TrendSummary, weeks_shown: int, zone: tzinfo) -> pd.DataFrame:
    """Rows of the weeks shown that have a category, with the number of their week."""
    labels = summary.movement["week"].unique()[-weeks_shown:]
    if not len(labels):
        return pd.DataFrame(columns=[*_COLUMNS, "week"])
    first, last = (weeks.monday_of(str(week)) for week in (labels[0], labels[-1]))
    since, until = (datetime.combine(d, time(), zone) for d in (first, last + timedelta(days=7)))
    rows = store.weekly_rows(db, _COLUMNS, since=since)
    rows = rows[rows["category"].notna() & (rows["posted_at"] < until)]
    days = rows["posted_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return rows.assign(week=(days - pd.Timestamp(first)).dt.days // 7)


def _category(
    kind: str,
    rows: pd.DataFrame,
    thumbnails: Mapping[str, bytes],
    results: Mapping[str, PictureResult],
    pictures: int,
    name: Callable[[str], str],
) -> Category:
    chosen = _latest(rows, len(rows))
    chosen = chosen[chosen["sha256"].isin(thumbnails.keys())].head(pictures)
    return Category(
        kind,
        rows["customer"].nunique(),
        len(rows[["customer", "sha256"]].drop_duplicates()),
        _fans(rows, name),
        tuple(
            Picture(
                thumbnails[row["sha256"]],
                name(row["customer"]),
                row["posted_at"].to_pydatetime(),
                row["confidence"],
                _meant(results.get(row["sha256"]), kind),
            )
            for row in chosen.to_dict("records")
        ),
    )


def _meant(result: PictureResult | None, kind: str) -> PictureResult | None:
    if result is None:
        return None
    garments = tuple(garment for garment in result.garments if garment.category == kind)
    return replace(result, garments=garments) if garments != result.garments else None


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
    """The latest photos; the latest of each customer come before any second one."""
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
