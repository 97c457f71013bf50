"""Counts sightings: photos by what became of them, customers per ISO week and category.

Pure tables: no clock, no file. Every time is aware; the zone in which weeks begin is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import proportions, weeks
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.files.tables import as_floats, require_columns
from trendscope.proportions import Floats, ratio
from trendscope.skipped import PARTS
from trendscope.text import natural
from trendscope.trends import clusters

if TYPE_CHECKING:
    from trendscope.photos.results import PhotoResult

DOUBLES = ("duplicate", "repost")
"""Reasons of files whose photo is counted already."""
NO_SEGMENT = "no segment"
"""Segment of customers whom the table of segments does not name."""
REPEATED = -2
"""Kind of a row whose photo has another row of the same category; -1 is none."""


@dataclass(frozen=True)
class PhotoCounts:
    """What became of all photos; each is counted in one field, so that they sum to `photos`.

    Attributes:
        classified: Dated photos with a category.
        uncertain: Dated photos with a garment of uncertain category.
        outside: Dated photos with none of the ten categories.
        undated: Photos without a date, or dated after the running week by a wrong clock.
        skipped: Files that were not used.
        doubles: Files whose photo is counted already.
        waiting: Photos of a database not yet judged by the weights in use there.
    """

    classified: int
    uncertain: int
    outside: int
    undated: int
    skipped: int = 0
    doubles: int = 0
    waiting: int = 0

    @property
    def photos(self) -> int:
        """Number of all photos."""
        dated = self.classified + self.uncertain + self.outside
        return dated + self.undated + self.skipped + self.doubles + self.waiting


def sightings(readings: Iterable[PhotoResult]) -> pd.DataFrame:
    """One row per garment seen, and one per photo without any.

    Columns: ``customer`` text; ``photo`` text, its digest; ``posted_at`` aware UTC or NaT;
    ``category`` text or None; ``reason`` ``uncertain`` or ``outside`` where there is none, else "";
    ``confidence`` in the category, 0..1, else NaN.
    """
    rows: list[tuple[str, str, datetime | None, str | None, str, float]] = []
    for reading in readings:
        facts = reading.customer, reading.sha256, reading.posted_at
        rows += [(*facts, each.category, "", each.confidence) for each in reading.garments]
        if not reading.garments:
            rows.append((*facts, None, reading.verdict, math.nan))
    columns = ["customer", "photo", "posted_at", "category", "reason", "confidence"]
    # Names of folders need not be valid Unicode; pandas' own text columns refuse such.
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    return table.assign(
        posted_at=pd.to_datetime(table["posted_at"], utc=True),
        confidence=as_floats(table["confidence"]),
    )


def photo_counts(
    sightings: pd.DataFrame,
    *,
    zone: tzinfo = UTC,
    now: datetime | None = None,
    reasons: Mapping[str, int] | None = None,
    waiting: int = 0,
) -> PhotoCounts:
    """Counts photos by what became of them.

    Args:
        sightings: Table with the columns of `sightings`.
        zone: Time zone in which weeks begin.
        now: Aware time; photos dated after its week count as undated.
        reasons: Numbers of files not used, by the keys of `trendscope.skipped.REASONS`; parts of an
            export that were left out as they should be are no photos.
        waiting: Number of photos without a row, not yet judged.
    """
    counts = outcomes(sightings, zone=zone, now=now)["fate"].value_counts()
    unused = split_unused(reasons or {})
    return PhotoCounts(
        **{str(fate): int(n) for fate, n in counts.items()}, **unused, waiting=waiting
    )


OUTCOMES = ("classified", "uncertain", "outside", "undated")


def outcomes(
    sightings: pd.DataFrame, *, zone: tzinfo = UTC, now: datetime | None = None
) -> pd.DataFrame:
    """A row per photo: ``customer`` and ``fate``, one of `OUTCOMES`, categorical."""
    photos = sightings
    if "photo" in sightings:
        photos = sightings.drop_duplicates(["customer", "photo"])
    undated = _week_numbers(photos["posted_at"], zone, now) < 0
    named = photos["category"].notna().to_numpy()
    outside = (photos["reason"] == "outside").to_numpy()
    codes = np.select([undated, named, outside], [3, 0, 2], 1)
    fate = pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(OUTCOMES)))
    return pd.DataFrame({"customer": photos["customer"], "fate": fate})


def split_unused(reasons: Mapping[str, int]) -> dict[str, int]:
    """Numbers of ``skipped`` files and ``doubles``; parts of exports left out count as neither."""
    doubles = sum(reasons.get(reason, 0) for reason in DOUBLES)
    skipped = sum(n for reason, n in reasons.items() if reason not in (*DOUBLES, *PARTS))
    return {"skipped": skipped, "doubles": doubles}


WEEKLY_COLUMNS = (
    *("week", "category", "count", "total", "share", "lo95", "hi95"),
    *("photos", "all_photos", "photo_share", "partial", "votes", "voters"),
    *("uncertain", "outside", "new_customers", "confidence", "by_people"),
    *clusters.COLUMNS,
)


def weekly(
    sightings: pd.DataFrame,
    *,
    zone: tzinfo = UTC,
    now: datetime | None = None,
    segments: pd.DataFrame | None = None,
    categories: Sequence[str] = CATEGORIES,
) -> pd.DataFrame:
    """Counts votes, customers and photos per ISO week and category; those without any are 0.

    Every customer of whom any garment was named in a week has one vote, divided among the
    categories as the named garments are; a photo counts once for each of its categories. As the
    votes of a week are as many as its voters, no share rises because more is posted.

    Args:
        sightings: A row per garment seen and per photo without any. ``customer``; ``posted_at``
            aware (any zone) or NaT; ``category`` or None. Optional: ``photo``, which joins the
            garments of one photo, without which every row is a photo; ``reason``, ``outside`` where
            a photo shows none of the categories; ``confidence`` of each name, 0..1;
            ``corrected``, whether a person gave it.
        zone: Time zone in which weeks begin.
        now: Aware time; its week is the last row and marked partial. None: the last week with
            photos is the last row, and complete.
        segments: Table ``customer, segment``; makes a table per segment.
        categories: Categories with a row even if never seen, in this order; others follow.

    Returns:
        ``week``; ``segment`` (with `segments`); ``category``; ``count``: customers seen wearing it;
        ``total``: customers who posted any dated photo that could be looked at; ``share``: of the
        votes, with the 95 % Wilson interval ``lo95``, ``hi95``; ``photos`` with it; ``all_photos``
        with any category; ``photo_share``; ``partial``: the week still runs; ``votes``;
        ``voters``. The same in all rows of a week: photos left ``uncertain`` and ``outside``;
        ``new_customers`` of the total, never active before; mean ``confidence`` of the names;
        names given ``by_people``. Then ``scatter`` between customers, and ``before_same``,
        ``recent_same`` and ``same_error``, how the share of the same customers changed: see
        `trendscope.trends.clusters.of_customers`. Shares and means of nothing are NaN.

    Raises:
        TrendscopeError: A column is missing, a time is naive, or a customer is in two segments.
    """
    require_columns(sightings, "customer", "posted_at", "category")
    week = _week_numbers(sightings["posted_at"], zone, now)
    dated = week >= 0
    rows, week = (sightings, week) if dated.all() else (sightings[dated], week[dated])
    codes, names = pd.factorize(rows["category"])
    kinds = [*categories, *sorted({*map(str, names)} - {*categories})]
    kind = np.append(pd.Index(kinds).get_indexer(pd.Index(names)), -1)[codes]
    customer, customers = pd.factorize(rows["customer"])
    if (customer < 0).any():
        raise TrendscopeError("a sighting has no customer; give every row the name of one")
    segment, labels = _segments(customers, segments)
    first = int(week.min()) if len(week) else 0
    last = weeks.number_of(weeks.monday(now, zone)) if now else int(week.max(initial=first - 1))
    span = range(first, last + 1 if len(week) else first)
    week, size = week - first, (len(span), len(labels), len(kinds))
    by_kind, of_any = _first_rows(rows, customer, kind)
    once = np.where(by_kind | (kind < 0), kind, REPEATED)
    table = {
        **_grid(span, labels, kinds, running=last if now else None),
        **_customers(week, customer, once, segment, size),
        **_photos(rows, week * len(labels) + segment[customer], kind, by_kind, of_any, size),
        **clusters.of_customers(
            week, customer, np.where(by_kind, kind, -1), customers, segment, size
        ),
    }
    votes, voters = table["votes"].astype(float), table["voters"].astype(float)
    table["share"] = ratio(votes, voters)
    table["lo95"], table["hi95"] = proportions.wilson(votes, voters)
    table["photo_share"] = ratio(table["photos"], table["all_photos"])
    columns = [*WEEKLY_COLUMNS] if segments is None else ["week", "segment", *WEEKLY_COLUMNS[1:]]
    return pd.DataFrame({name: table[name] for name in columns})


def week_of(posted_at: pd.Series, *, zone: tzinfo = UTC, now: datetime | None = None) -> pd.Series:
    """The label of the week of each aware time; missing where `weekly` does not count it."""
    numbers = pd.Series(_week_numbers(posted_at, zone, now), index=posted_at.index)
    labels = {n: weeks.name(n) for n in numbers.unique().tolist() if n >= 0}
    return numbers.astype(object).map(labels.get)


def dated(
    posted_at: pd.Series, *, zone: tzinfo = UTC, now: datetime | None = None
) -> NDArray[np.bool_]:
    """Whether each time has a week that counts."""
    return _week_numbers(posted_at, zone, now) >= 0


def by_photos(table: pd.DataFrame) -> pd.DataFrame:
    """A table of `weekly` in which every garment named in a photo is a vote.

    For groups of one customer each: one vote a week is too few to say anything. ``count`` and
    ``total`` are of photos.
    """
    garments = table.groupby(["week", "segment"], sort=False)["photos"].transform("sum")
    low, high = proportions.wilson(as_floats(table["photos"]), as_floats(garments))
    return table.assign(
        count=table["photos"],
        total=table["all_photos"],
        votes=table["photos"],
        voters=garments,
        share=ratio(table["photos"], garments),
        lo95=low,
        hi95=high,
        **dict.fromkeys(clusters.COLUMNS, np.nan),
    )


def _week_numbers(posted_at: pd.Series, zone: tzinfo, now: datetime | None) -> NDArray[np.int64]:
    """The number of each week; -1 for what has no date, or one after the week of `now`."""
    moments = pd.to_datetime(posted_at, utc=True) if posted_at.dtype == object else posted_at
    if not isinstance(moments.dtype, pd.DatetimeTZDtype):
        raise TrendscopeError(
            "posted_at has times without a time zone; give aware ones, such as UTC"
        )
    local = moments.dt.tz_convert(zone).dt.tz_localize(None)
    days = local.to_numpy().astype("datetime64[D]").astype(np.int64)
    numbers = (days + date(1970, 1, 1).toordinal() - 1) // 7
    last = weeks.number_of(weeks.monday(now, zone)) if now else np.iinfo(np.int64).max
    return np.where(local.isna().to_numpy() | (numbers > last), -1, numbers)


def _segments(
    customers: pd.Index, segments: pd.DataFrame | None
) -> tuple[NDArray[np.intp], list[str]]:
    """The segment of each customer as a number, and the names; one empty name without segments."""
    if segments is None:
        return np.zeros(len(customers), np.intp), [""]
    require_columns(segments, "customer", "segment")
    pairs = segments[["customer", "segment"]].drop_duplicates()
    repeated = pairs.loc[pairs["customer"].duplicated(), "customer"]
    if len(repeated):
        raise TrendscopeError(
            f"customer {repeated.iloc[0]!r} is in two segments; leave them in one"
        )
    names = sorted(pairs["segment"].astype(str).unique(), key=natural)
    of_customer = pairs.set_index("customer")["segment"].astype(str).reindex(customers)
    codes = pd.Index(names).get_indexer(pd.Index(of_customer))
    if (codes < 0).any():
        names = [*names, NO_SEGMENT]
    return np.where(codes < 0, len(names) - 1, codes), names


def _customers(
    week: NDArray[np.int64],
    customer: NDArray[np.intp],
    kind: NDArray[np.intp],
    segment: NDArray[np.intp],
    size: tuple[int, int, int],
) -> dict[str, NDArray[np.generic]]:
    """Distinct and new customers, and votes, for every week, segment and category of `_grid`.

    Week by week the customers of each category are marked: the marks of a week fit the processor's
    cache, which makes this several times faster than looking for distinct rows.
    """
    spans, segments, kinds = size
    count, votes = np.zeros(size, np.int64), np.zeros((spans, segments * kinds))
    total, voters = np.zeros((2, spans, segments), np.int64)
    people = len(segment)
    place = np.empty_like(segment)  # customers side by side with those of their segment
    place[np.argsort(segment, kind="stable")] = np.arange(people)
    edges = [*pairwise(np.append(0, np.bincount(segment, minlength=segments).cumsum()))]
    first = np.full(people, spans)
    np.minimum.at(first, customer, week)
    began = np.bincount(first * segments + segment, minlength=spans * segments)
    active, worn = np.zeros(people, bool), np.zeros((kinds, people), bool)
    order = np.argsort(week.astype(np.int16 if spans < 2**15 else np.int64), kind="stable")
    ends = np.bincount(week, minlength=spans).cumsum()
    for number, rows in enumerate(np.split(order, ends[:-1]) if spans else []):
        own = place[customer[rows]]
        active[:], worn[:] = False, False
        active[own] = True
        named = kind[rows] >= 0
        rows, own = rows[named], own[named]
        here = kind[rows]
        worn.ravel()[here * people + own] = True
        garments = np.bincount(own, minlength=people)
        cell = segment[customer[rows]] * kinds + here
        # Rounded, so that the order of the rows does not show in the last digit.
        votes[number] = np.bincount(cell, 1 / garments[own], segments * kinds).round(12)
        for part, (low, high) in enumerate(edges):
            count[number, part] = [np.count_nonzero(each[low:high]) for each in worn]
            total[number, part] = np.count_nonzero(active[low:high])
            voters[number, part] = np.count_nonzero(garments[low:high])
    return {
        "count": count.ravel(),
        "total": np.repeat(total.ravel(), kinds),
        "votes": votes.ravel(),
        "voters": np.repeat(voters.ravel(), kinds),
        "new_customers": np.repeat(began, kinds),
    }


def _first_rows(
    rows: pd.DataFrame, customer: NDArray[np.intp], kind: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each row is a photo's first of its category, and its first with any."""
    named = kind >= 0
    if "photo" not in rows:
        return named, named
    digest, digests = pd.factorize(rows["photo"])
    photo = (customer * (len(digests) + 1) + digest)[named]
    of_kind = photo * (int(kind.max(initial=0)) + 1) + kind[named]
    by_kind, of_any = named.copy(), named.copy()
    for first, key in ((by_kind, of_kind), (of_any, photo)):
        first[named] = ~pd.Series(key).duplicated().to_numpy()
    return by_kind, of_any


def _photos(
    rows: pd.DataFrame,
    cell: NDArray[np.int64],
    kind: NDArray[np.intp],
    by_kind: NDArray[np.bool_],
    of_any: NDArray[np.bool_],
    size: tuple[int, int, int],
) -> dict[str, NDArray[np.generic]]:
    """Photos for every cell (a week of a segment) and category, and how they were named."""
    spans, segments, kinds = size

    def counted(chosen: NDArray[np.bool_], weight: NDArray[np.generic] | None = None) -> Floats:
        sums = np.bincount(
            cell[chosen], None if weight is None else weight[chosen], spans * segments
        )
        return np.repeat(sums, kinds)

    unnamed = rows["category"].isna().to_numpy()
    outside = (rows["reason"] == "outside").to_numpy() if "reason" in rows else ~unnamed & unnamed
    known = as_floats(rows["confidence"]) if "confidence" in rows else np.full(len(rows), np.nan)
    corrected = rows["corrected"].to_numpy(bool) if "corrected" in rows else ~by_kind & by_kind
    by_network = by_kind & ~corrected & np.isfinite(known)
    of_kind = cell[by_kind] * kinds + kind[by_kind]
    return {
        "photos": np.bincount(of_kind, minlength=spans * segments * kinds),
        "all_photos": counted(of_any),
        "uncertain": counted(unnamed & ~outside),
        "outside": counted(unnamed & outside),
        "confidence": ratio(counted(by_network, known), counted(by_network)),
        "by_people": counted(by_kind & corrected),
    }


def _grid(
    span: range, names: list[str], kinds: list[str], running: int | None
) -> dict[str, NDArray[np.generic]]:
    """A row for every week, segment and category, in that order."""
    each = len(names) * len(kinds)
    return {
        "week": np.repeat(np.array([weeks.name(week) for week in span], object), each),
        "segment": np.tile(np.repeat(np.array(names, object), len(kinds)), len(span)),
        "category": np.tile(np.array(kinds, object), len(span) * len(names)),
        "partial": np.repeat(np.array([week == running for week in span], bool), each),
    }


Tally = PhotoCounts
tally = photo_counts
"""Names of earlier versions."""
